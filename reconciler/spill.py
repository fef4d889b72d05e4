"""Byte strings in order, of which only the first two megabytes stay in memory; the others go to a file.

The file has no name, so nobody else can open it, and it is gone with the process, also with a killed one.
Where none can be made, or its disk is full, the strings stay in memory: nothing is lost but that.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_MEMORY: Final = 2 << 20
"""Bytes that stay in memory: a library of some thousand images needs no file."""
_NOWHERE: Final = -1


class Spill:
    """Byte strings that are appended and looked up by their place.

    Args:
        in_memory: so many bytes stay in memory.
    """

    __slots__ = ("__weakref__", "_file", "_in_memory", "_kept", "_offsets", "_sizes", "_used", "_written")

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._in_memory, self._used, self._written = in_memory, 0, 0
        self._kept: dict[int, bytes] = {}
        self._offsets, self._sizes = array("q"), array("q")
        self._file: IO[bytes] | None = None

    def append(self, data: bytes) -> None:
        """Add one at the end."""
        place = len(self._offsets)
        offset = _NOWHERE if self._used + len(data) <= self._in_memory else self._write(data)
        if offset == _NOWHERE:
            self._kept[place] = data
            self._used += len(data)
        self._offsets.append(offset)
        self._sizes.append(len(data))

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, place: int) -> bytes:
        """Return one.

        Raises:
            IndexError: there are not so many.
            OSError: the file cannot be read.
        """
        offset, size = self._offsets[place], self._sizes[place]
        if self._file is None or offset == _NOWHERE:
            return self._kept[place % len(self)]
        data = b""
        while len(data) < size:
            more = os.pread(self._file.fileno(), size - len(data), offset + len(data))
            if not more:
                raise OSError(f"a temporary file in {tempfile.gettempdir()} ends before its end")
            data += more
        return data

    def __iter__(self) -> Iterator[bytes]:
        return (self[place] for place in range(len(self)))

    def _write(self, data: bytes) -> int:
        """Return where it stands in the file; ``_NOWHERE``: it could not be written."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="skymmich-reconciler-", buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            offset, left = self._written, memoryview(data)
            while left:
                left = left[os.pwrite(self._file.fileno(), left, offset + len(data) - len(left)) :]
        except OSError:
            return _NOWHERE
        self._written += len(data)
        return offset
