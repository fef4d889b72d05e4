"""Look at a store's file before it is touched: whose it is, of which schema, whole or damaged.

Nothing here changes a byte of it, nor decides what becomes of it.
"""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, Literal

from reconciler.errors import StateError
from reconciler.plainfile import exists
from state.database import DAMAGE, connect, primary_code
from state.tables import APPLICATION_ID

if TYPE_CHECKING:
    from pathlib import Path

Check = Literal["none", "quick", "whole"]
SIDECARS: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, by the end of its name."""
_CHECKS: Final = {"quick": "PRAGMA quick_check(1)", "whole": "PRAGMA integrity_check(1)"}


class ForeignFileError(StateError):
    """The file is another program's database."""


def look(path: Path, check: Check) -> str:
    """Return a store's revision, ``""`` if it is empty yet, without changing a byte of it.

    A file that nobody seemed to use is read without locks. What looks like damage while another process
    begins to write is looked at again.

    Raises:
        sqlite3.Error: it cannot be read, or is damaged.
        ForeignFileError: it is another program's database.
    """
    before = _stamp(path)
    try:
        return _look_once(path, check)
    except sqlite3.Error as error:
        if primary_code(error) not in DAMAGE or _stamp(path) == before:
            raise
    return _look_once(path, check)


def _stamp(path: Path) -> tuple[object, ...]:
    """Return what is another one after a write to a file, or beside it."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, sidecars(path)


def _look_once(path: Path, check: Check) -> str:
    journal, log = path.with_name(f"{path.name}-journal"), path.with_name(f"{path.name}-wal")
    # Without a log there is nothing to recover, and no file needs to be made beside it to read.
    mode = "mode=ro" if exists(log) else "mode=ro&immutable=1"
    if exists(journal):
        mode = "mode=rw"  # killed while it was made: only a writer can roll that back
    with closing(connect(path, mode)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if check != "none":
            (verdict,) = connection.execute(_CHECKS[check]).fetchone()
            if verdict != "ok":
                damage = sqlite3.DatabaseError(verdict)
                damage.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise damage
        if not tables:
            return ""
        if application != APPLICATION_ID or "alembic_version" not in tables:
            raise ForeignFileError(
                f"{path} is another program's database, not a state store; it was left as it is.",
                remedy="Set [state] url to a file of its own.",
            )
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""


def sidecars(path: Path) -> list[Path]:
    """Return what SQLite left beside a file."""
    found = (path.with_name(path.name + suffix) for suffix in SIDECARS)
    return [file for file in found if exists(file)]


def unused_name(path: Path, ending: str) -> Path:
    """Return a path beside a file, of its name and this ending, at which there is nothing yet."""
    base, count = f"{path.name}.{ending}", 1
    free = path.with_name(base)
    while any(exists(path.with_name(free.name + suffix)) for suffix in ("", *SIDECARS)):
        count += 1
        free = path.with_name(f"{base}-{count}")
    return free


def move_aside(path: Path, free: Path) -> None:
    """Rename a file and what is beside it.

    Raises:
        OSError: it cannot be renamed.
    """
    # The log first: left beside a new file, it would be played into that.
    for suffix in (*SIDECARS, ""):
        source = path.with_name(path.name + suffix)
        if exists(source):
            source.rename(free.with_name(free.name + suffix))


def in_use(path: Path) -> bool:
    """Return whether another process has the file open: SQLite holds a shared lock on these bytes.

    Not for a file that this process has open: to close one takes away all its locks.
    """
    with path.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
        except OSError:
            return True
    return False
