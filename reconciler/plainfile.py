"""Whether a path names a plain file, another kind, or nothing: to open a pipe waits, a device does things."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

A_DIRECTORY: Final = "a directory"
_KINDS: Final = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, A_DIRECTORY),
)


def exists(path: Path) -> bool:
    """Return whether something is at a path; no, where a folder above may not be entered.

    What opens it then says so: ``Path.exists`` raises in that case, before anything could.
    """
    return os.path.exists(path)  # noqa: PTH110  see above


def absent(path: Path) -> bool:
    """Return whether there is surely nothing at a path; no, where it cannot be looked."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def make_folders(path: Path) -> None:
    """Make the folders above a path that are missing, each for its owner only.

    Raises:
        OSError: one cannot be made.
    """
    for folder in reversed([each for each in path.parents if not exists(each)]):
        folder.mkdir(mode=0o700, exist_ok=True)


def other_kind(path: Path) -> str:
    """Return what is at a path in the place of a plain file, as in ``is a named pipe``; ``""``: a plain one.

    Raises:
        OSError: nothing is, or it may not be looked at.
    """
    return _kind(path.stat().st_mode)


def read_plain(path: Path, most: int) -> bytes:
    """Return the first ``most`` bytes of a plain file; never waits for another process.

    Raises:
        NotPlainError: it is none, and was not read.
        OSError: it is missing, or may not be read.
    """
    if kind := other_kind(path):
        raise NotPlainError(kind)
    # Exchanged meanwhile: opened so, a pipe does not wait; looked at again before it is read.
    with open(path, "rb", opener=_without_waiting) as stream:
        if kind := _kind(os.fstat(stream.fileno()).st_mode):
            raise NotPlainError(kind)
        return stream.read(most)


class NotPlainError(OSError):
    """What is at the path is no plain file.

    Args:
        kind: what it is instead.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"is {kind}")
        self.kind = kind


def _kind(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    return next((name for is_it, name in _KINDS if is_it(mode)), "of no known kind")


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
