"""One SQLite file: its connections, and its errors in this project's words.

``synchronous=FULL``: in WAL mode it costs one fsync a commit, and the engine commits once a wave, not once an
asset. ``NORMAL`` would never damage the file, but a power cut could take the last commits with it. A lost
*intention* would be harmless (a value of ours would be taken for a person's and left alone), but the same
commit carries the *journal*: the only copy of what the write is about to replace. That must be on the disk
before the request is on the wire.

A file that is deleted, moved or replaced goes on living for whoever has it open, and what is written then is
lost. So the file at the path is compared with the open one before and after each commit.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import create_engine
from sqlalchemy.exc import StatementError
from sqlalchemy.pool import QueuePool

from reconciler.core.fingerprint import digest
from reconciler.errors import StateCorruptError, StateError, StateGoneError
from state.backend import Backend
from state.process import host, machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection

BUSY_SECONDS = 5.0
"""How long a writer waits for another process's commit."""

_PAGES = 256
"""Of the file, given back at once: a megabyte."""

DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def primary_code(error: BaseException | None) -> int:
    """Return SQLite's primary result code of a driver's error; 0 if it carries none."""
    code: int = getattr(error, "sqlite_errorcode", 0) or 0
    return code & 0xFF


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open the file as is; transactions are the caller's to begin.

    Args:
        path: absolute.
        mode: URI parameters, ``mode=rw`` or ``mode=ro``. Neither creates a file.
    """
    return sqlite3.connect(
        f"file:{quote(str(path))}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def explain(error: BaseException | None, path: Path) -> StateError:
    """Put a driver's error into words: what happened, what stays safe, what to do."""
    code = primary_code(error)
    if code in DAMAGE:
        return StateCorruptError(
            f"The state store {path} is damaged ({error}). Nothing was changed in Immich by this.",
            remedy="Start the program again: it sets the damaged file aside and begins an empty store.",
        )
    if code == sqlite3.SQLITE_FULL:
        return StateError(
            f"The disk that holds the state store {path} is full. "
            "What was not recorded was not written to Immich.",
            remedy="Free some space there; the next run goes on where this one stopped.",
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StateError(
            f"Another process kept the state store {path} locked for {BUSY_SECONDS:g} s.",
            remedy=f"Find it with `fuser -v {path}`; wait for it, or end it.",
        )
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
        return StateError(
            f"The state store {path} cannot be opened or written ({error}).",
            remedy="The file and its folder must belong to the user that runs this program; "
            "set [state] url to a place that does.",
        )
    return StateError(
        f"The state store {path} cannot be used ({error}).",
        remedy="Check the disk and the file system that hold it.",
    )


def identity(path: Path) -> tuple[int, int] | None:
    """Return which file is at a path; ``None``: none is, or it cannot be told."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Database(Backend):
    """Connections to an existing file.

    Args:
        path: absolute.
        read_only: whether every connection refuses to write.
    """

    def __init__(self, path: Path, *, read_only: bool) -> None:
        engine = create_engine(
            "sqlite://",
            creator=self._connect,
            poolclass=QueuePool,
            # One for each thread that asks: who waited for another's, and held the turn, would hold up both.
            max_overflow=-1,
            # Descriptions are people's own words: they belong in no error and no log.
            hide_parameters=True,
        )
        super().__init__(engine, str(path), path, read_only=read_only)
        self.path = path
        self._file = identity(path)
        self._single: sqlite3.Connection | None = None
        self._single_turn = threading.Lock()

    def close(self) -> None:
        """Close all connections; the last one of all processes folds the log into the file."""
        with self._single_turn:
            if self._single is not None:
                self._single.close()
            self._single = None
        self._engine.dispose()

    @property
    def is_there(self) -> bool:
        """Whether the file at the path is the one that is open."""
        return identity(self.path) == self._file

    def require(self) -> None:
        """Make sure that what is written is not lost.

        Raises:
            StateGoneError: the file at the path is not the one that is open.
        """
        found = identity(self.path)
        if found == self._file:
            return
        what = "was deleted or moved" if found is None else "was replaced by another file"
        raise StateGoneError(
            f"The state store {self.path} {what} while it was in use. Nothing is written to Immich any more.",
            remedy="Put the file or a backup of it there, or make an empty one (touch, as the user that runs "
            "this program): the daemon takes it up by itself within seconds. With an empty one, what equals "
            "the catalogue is found in sync, and what differs counts as a person's.",
        )

    def _first(self, query: str, values: tuple[str, ...]) -> tuple[Any, ...] | None:
        with self._single_turn:
            self._single = self._single or self._connect()
            row: tuple[Any, ...] | None = self._single.execute(query, values).fetchone()
            return row

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the library's and the driver's errors into ``StateError``."""
        try:
            yield
        except StatementError as error:
            if error.orig is None or isinstance(error.orig, sqlite3.Error):
                raise explain(error.orig, self.path) from error
            raise error.orig from None  # a value that no table takes: the caller's mistake, in its own words
        except sqlite3.Error as error:
            raise explain(error, self.path) from error

    def pragma(self, *statements: str) -> None:
        """Run statements that stand outside any transaction, and give nothing back."""
        with self.errors(), self._turn, self._engine.connect() as connection:
            driver = connection.connection.dbapi_connection
            if driver is not None:
                # Not execute(): that leaves a pragma which works step by step at its first step.
                driver.cursor().executescript(";".join(statements))

    def free_pages(self) -> int:
        """Count the file's pages that hold nothing."""
        with self.reading() as connection:
            found: int = connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
            return found

    def fold_log(self) -> None:
        """Fold the log into the file, and cut it; without waiting for whoever reads or writes."""
        wait = round(BUSY_SECONDS * 1000)
        self.pragma("PRAGMA wal_checkpoint(PASSIVE)")
        self.pragma("PRAGMA busy_timeout=0", "PRAGMA wal_checkpoint(TRUNCATE)", f"PRAGMA busy_timeout={wait}")

    def tidy(self) -> None:
        """Give freed pages back to the disk, refresh the planner's statistics, fold the log into the file.

        Some pages at a time, so that whoever else writes does not wait long; a log that somebody reads is
        folded in another time.
        """
        for _ in range(self.free_pages() // _PAGES + 1):
            self.pragma(f"PRAGMA incremental_vacuum({_PAGES})")
        self.pragma("PRAGMA analysis_limit=400", "PRAGMA optimize")
        self.fold_log()

    def home(self) -> str:
        """Return a digest of the host and the path.

        Its folder counts by what the file system calls it: two containers may have the same names.
        """
        try:
            folder = self.path.parent.stat().st_ino
        except OSError:
            folder = 0
        return digest(machine(), str(self.path), folder)

    def host(self) -> str:
        """Return the name of this host."""
        return host()

    def ahead(self, connection: Connection) -> timedelta:  # noqa: ARG002 - as ``Backend`` has it
        """Return nothing: all its users are on one machine."""
        return timedelta(0)

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self.path, "mode=ro" if self.read_only else "mode=rw")
        if not self.is_there:
            connection.close()
            self.require()
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=16777216")
        return connection

    def _begin(self, connection: Connection) -> None:
        # A writer says so at once: a reader that turns writer in mid-transaction cannot wait, only fail.
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    def _goes_on(self, driver: sqlite3.Connection) -> bool:
        return driver.in_transaction

    def _is_whole(self, driver: sqlite3.Connection) -> bool:
        return driver.in_transaction
