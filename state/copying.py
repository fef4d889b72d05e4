"""How a database becomes one file elsewhere: copied at one moment, on the disk, under its name at the end."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from reconciler.errors import StateError
from reconciler.plainfile import exists
from state.database import connect, explain, primary_code
from state.looking import sidecars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTIAL: Final = ".partial"
"""What the name of an unfinished copy ends with."""
_SPOILS: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
_ROOM: Final = "Free some space there, or name another place."
_PLACE: Final = (
    "The user that runs this must be able to write there. Under systemd that is the state directory alone; "
    "`backup -` writes the copy to standard output."
)


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """Yield an empty file beside a target, its owner's alone; gone afterwards, unless it was renamed."""
    made = target.with_name(f".{target.name}.{token_hex(4)}{PARTIAL}")
    os.close(os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        yield made
    finally:
        for file in (*sidecars(made), made):
            file.unlink(missing_ok=True)


def copy_into(source: Path, made: Path, *, at_rest: bool = False) -> None:
    """Copy a database into an empty file, as it is at one moment.

    Args:
        source: may be written to meanwhile.
        made: the empty file.
        at_rest: nobody writes to the source, and nothing is to be made beside it.

    Raises:
        StateError: the source cannot be read.
        sqlite3.Error: the copy cannot be written.
    """
    mode = "mode=ro&immutable=1" if at_rest and not sidecars(source) else "mode=ro"
    with closing(connect(source, mode)) as here, closing(connect(made, "mode=rw")) as there:
        # No waiting for the disk at each step: it is synchronized as a whole before it gets its name.
        there.execute("PRAGMA synchronous=OFF")
        try:
            # All pages at one go: in steps it would begin anew with each commit of another process.
            here.backup(there, pages=-1)
        except sqlite3.Error as error:
            if primary_code(error) in _SPOILS:
                raise
            raise explain(error, source) from error


def sync(path: Path) -> None:
    """Have a file on the disk, and its name as far as the file system does that."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def sync_names(folder: Path) -> None:
    """Have the names of a folder on the disk, where the file system can do that."""
    with suppress(OSError):
        sync(folder)


def link(made: Path, target: Path) -> None:
    """Give a file another name at which there is nothing; the former one may be gone then.

    Raises:
        FileExistsError: something is there.
        OSError: it cannot be done.
    """
    try:
        os.link(made, target)  # a rename would replace what came there meanwhile
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}:
            raise
        made.rename(target)  # a file system without links


@contextmanager
def in_words(head: str, folder: Path) -> Iterator[None]:
    """Turn errors of writing a file into words.

    Args:
        head: what was not done, as the beginning of a sentence.
        folder: where it was to be.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if isinstance(error, FileNotFoundError) and not exists(folder):
            raise StateError(
                f"{head}: there is no folder {folder}.", remedy="Make it, or name another place."
            ) from error
        if isinstance(error, OSError):
            full, why = error.errno in {errno.ENOSPC, errno.EDQUOT}, error.strerror
        else:
            full, why = primary_code(error) == sqlite3.SQLITE_FULL, str(error)
        raise StateError(
            f"{head}: {'the disk is full' if full else why}. What was begun was removed again.",
            remedy=_ROOM if full else _PLACE,
        ) from error
