"""Opens Skymmich's SQLite file for reading without leaving a trace: no write, no file made beside it.

It is in one of two modes (both occur in the field; Skymmich's own migration script switches to WAL):

====== ==================== ==========================================================================
mode   beside the file      how it is read
====== ==================== ==========================================================================
delete                      in place, read-only
WAL    ``-shm``: in use     in place, read-only; where that needs a write (a read-only directory): a copy
WAL    no ``-shm``: idle    a copy. Even a read-only connection would make ``-shm`` and ``-wal`` and
                            leave them behind as *our* files, which Skymmich may then not write to
either a crashed writer's   a copy, on which SQLite rolls back or recovers
====== ==================== ==========================================================================

``immutable=1`` is never used: it ignores the ``-wal``, so it shows old data.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import CatalogueError
from reconciler.plainfile import A_DIRECTORY, exists, other_kind
from reconciler.surroundings import in_container, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_LOCK = threading.RLock()
"""Held while the file is open in this process, in whatever way.

POSIX drops all of a process's locks on a file when *any* descriptor of it is closed: a plain read of the
file in one thread would take the lock away from a transaction in another.
"""

_MAGIC = b"SQLite format 3\0"
_SIDE_FILES = ("", "-wal", "-journal")
_SKYMMICHS = 1001
"""The uid of the user in Skymmich's container."""
_IN_ITS_CONTAINER = ", Skymmich's own user in its container"
_COPY_ATTEMPTS = 5
_COPY_PAUSE_S = 0.05
_NEEDS_COPY = ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR_SHM")


@contextmanager
def opened(path: Path, *, timeout_s: float) -> Iterator[sqlite3.Connection]:
    """Open the database in place or, where that is not possible, a private copy of it.

    Args:
        path: the database.
        timeout_s: how long to wait for a writer to finish.

    Raises:
        CatalogueError: it is missing, locked, damaged, no database, or may not be read.
    """
    with FILE_LOCK, ExitStack() as stack:
        connection = _in_place(path, timeout_s)
        if connection is None:
            try:
                copy = stack.enter_context(copied(path))
            except _ChangingError:
                # A writer came meanwhile, and with it the file that lets the database be read in place.
                connection = _in_place(path, timeout_s)
                if connection is None:
                    raise
            else:
                connection = _of_copy(copy, path, timeout_s)
        try:
            yield connection
        finally:
            connection.close()


class _ChangingError(CatalogueError):
    """A writer did not leave the database alone for long enough to copy it."""


def _in_place(path: Path, timeout_s: float) -> sqlite3.Connection | None:
    """Open the database where it is; ``None`` if only a copy of it can be read without leaving a trace."""
    if is_wal(path) and not exists(_beside(path, "-shm")):
        return None
    try:
        return _connect(path, "ro", timeout_s)
    except sqlite3.Error as error:
        if not _name(error).startswith(_NEEDS_COPY):
            raise as_catalogue_error(error, path) from error
        return None


def _of_copy(copy: Path, path: Path, timeout_s: float) -> sqlite3.Connection:
    """Open a copy of ``path``, on which SQLite may recover what a writer left."""
    try:
        connection = _connect(copy, "rw", timeout_s)
    except sqlite3.Error as error:
        raise as_catalogue_error(error, path) from error
    with ExitStack() as undo:
        undo.callback(connection.close)
        _check(connection, path)
        undo.pop_all()
    return connection


def is_wal(path: Path) -> bool:
    """Tell from its header whether the database is in WAL mode (bytes 18 and 19 of the file format).

    Raises:
        CatalogueError: it is missing, empty, no database, or may not be read.
    """
    try:
        with FILE_LOCK:
            for suffix in (*_SIDE_FILES, "-shm"):
                _require_file(_beside(path, suffix), missing_ok=bool(suffix))
            with path.open("rb") as file:
                header = file.read(20)
    except FileNotFoundError as error:
        raise CatalogueError(f"There is no file {path}.", remedy=_check_path()) from error
    except IsADirectoryError as error:
        remedy = "Name the file in it: Skymmich calls it skymmich.db, or local.db in development."
        raise CatalogueError(f"{path} is a directory, not a database.", remedy=remedy) from error
    except PermissionError as error:
        raise _forbidden(path) from error
    except OSError as error:
        raise CatalogueError(f"{path} cannot be read: {error.strerror}.", remedy=_check_path()) from error
    if not header.startswith(_MAGIC):
        what = "is empty" if not header else "is not an SQLite database"
        remedy = "Check [skymmich] source. If Skymmich is new, start it once, so that it makes its tables."
        raise CatalogueError(f"The file {path} {what}.", remedy=remedy)
    return 2 in header[18:20]


def _require_file(path: Path, *, missing_ok: bool) -> None:
    """Refuse what is no plain file.

    Raises:
        CatalogueError: it is a pipe, a socket, a device, or a directory in the place of a side file.
        OSError: it is missing, or may not be looked at.
    """
    try:
        kind = other_kind(path)
    except FileNotFoundError:
        if missing_ok:
            return
        raise
    if kind == A_DIRECTORY and not missing_ok:
        raise IsADirectoryError
    if kind:
        message = f"{path} is {kind}, not a database; it was not opened."
        raise CatalogueError(message, remedy="Check [skymmich] source: it must name Skymmich's own file.")


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """Copy the database and what a writer left beside it into a private directory (0700) for a while.

    A copy counts only if nothing changed while it was made.

    Raises:
        CatalogueError: it may not be read, or a writer did not leave it alone for a moment.
    """
    with tempfile.TemporaryDirectory(prefix="skymmich-") as directory:
        copy = Path(directory) / "skymmich.db"
        try:
            for attempt in range(_COPY_ATTEMPTS):
                time.sleep(attempt * _COPY_PAUSE_S)
                before = signature(path)
                _copy(path, copy)
                if signature(path) == before:
                    break
            else:
                message = f"The database {path} kept changing while it was copied."
                raise _ChangingError(message, again="by_itself")
        except PermissionError as error:
            raise _forbidden(path) from error
        except OSError as error:
            message = f"The database {path} cannot be copied to {directory}: {error.strerror}."
            raise CatalogueError(message, remedy="Free some space there, or set TMPDIR.") from error
        yield copy


def signature(path: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """Return inode, size and time of change (ns) of the database and its side files; ``None``: missing."""
    return tuple(_stat(_beside(path, suffix)) for suffix in _SIDE_FILES)


def as_catalogue_error(error: sqlite3.Error, path: Path) -> CatalogueError:
    """Say what an error of SQLite means for a person."""
    name = _name(error)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return CatalogueError(
            f"The database {path} is locked: another program is writing to it and did not finish in time.",
            remedy="If it lasts, restart Skymmich.",
            again="by_itself",
        )
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_FORMAT")):
        return CatalogueError(
            f"The database {path} is damaged: {error}.",
            remedy="Run 'PRAGMA integrity_check' on a copy of it, and restore Skymmich's backup if need be.",
        )
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_READONLY")):
        return _forbidden(path)
    return CatalogueError(
        f"The database {path} cannot be read: {error}.",
        remedy="Check the disk, and the drive if it is a network's.",
    )


def _connect(path: Path, mode: str, timeout_s: float) -> sqlite3.Connection:
    """Connect and touch the file, so that what cannot be read fails here."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.text_factory = as_text
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a copy whose pages do not fit together: the last defence against a write in its midst."""
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        message = f"The database {path} is damaged, or was written to while it was copied: {found}."
        raise CatalogueError(message, remedy="If it lasts, restore Skymmich's backup.", again="by_itself")


def as_text(raw: bytes) -> str | bytes:
    """Decode text; what is no UTF-8 stays binary, so that it spoils its own row and not the query."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _copy(path: Path, copy: Path) -> None:
    for suffix in _SIDE_FILES:
        source, destination = _beside(path, suffix), _beside(copy, suffix)
        destination.unlink(missing_ok=True)
        try:
            with FILE_LOCK, source.open("rb") as reading:
                destination.touch(mode=0o600)
                with destination.open("wb") as writing:
                    shutil.copyfileobj(reading, writing)
        except FileNotFoundError:
            if not suffix:
                raise


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _name(error: sqlite3.Error) -> str:
    """Name SQLite's extended result code; ``""`` for an error of the Python module itself."""
    return getattr(error, "sqlite_errorname", "")


def _check_path() -> str:
    """Return what to do about a path where nothing is."""
    inside = " Mount the directory that holds the database, not the file alone." if in_container() else ""
    return f"Check the path in [skymmich] source.{inside}"


def _whose(path: Path) -> str:
    """Say whom a file belongs to; Skymmich's own user has a number of its own in its container."""
    owner = owner_of(path)
    if owner is None:
        return ""
    return f" (it belongs to uid {owner}{_IN_ITS_CONTAINER if owner == _SKYMMICHS else ''})"


def _forbidden(path: Path) -> CatalogueError:
    return CatalogueError(
        f"This user (uid {os.geteuid()}) may not read the database {path}.",
        remedy=f"Let it read the directory and the file{_whose(path)}, and the files ending in -wal and -shm "
        "if there are any.",
    )
