"""Values kept small: packed some at a time, so that what a hundred thousand images need fits into memory.

As objects they take several kilobytes each, and every sweep of the garbage collector over them holds the
whole process. Packed they take a tenth, and are nothing to sweep.
"""

from __future__ import annotations

import io
import pickle
import zlib
from copyreg import dispatch_table
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

_LEVEL: Final = 4
"""Of zlib: near the fastest. Values of one library are so much alike that it comes to a sixth even so."""


class Shelf(Protocol):
    """Where packed values are kept, in order of their coming: in memory, or elsewhere."""

    def append(self, data: bytes, /) -> None:
        """Add some at the end."""
        ...

    def __getitem__(self, place: int, /) -> bytes:
        """Return those at a place, counted from 0."""
        ...

    def __len__(self) -> int:
        """Count the places."""
        ...


class Packing(Generic[T]):
    """How values of these kinds, and what is within them, are packed.

    Args:
        kinds: frozen dataclasses that are taken apart into their constructor's arguments: half the time of
            their own way.
    """

    def __init__(self, kinds: Iterable[type]) -> None:
        self._reductions: Any = {**dispatch_table, **{kind: _reduced(kind) for kind in kinds}}

    def pack(self, several: Sequence[T]) -> bytes:
        """Pack these together: the more, the smaller, and the slower to look one up."""
        written = io.BytesIO()
        pickler = pickle.Pickler(written, protocol=pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = self._reductions
        pickler.dump(list(several))
        return zlib.compress(written.getvalue(), _LEVEL)

    def unpack(self, packed: bytes) -> list[T]:
        """Return what ``pack`` of this process packed."""
        return cast("list[T]", pickle.loads(zlib.decompress(packed)))  # noqa: S301 - packed above


def _reduced(kind: type) -> Callable[[object], tuple[type, tuple[object, ...]]]:
    """Return what takes a value apart into its constructor's arguments."""
    names = [field.name for field in fields(kind)]
    get = attrgetter(*names)
    if len(names) == 1:
        return lambda value: (kind, (get(value),))
    return lambda value: (kind, get(value))
