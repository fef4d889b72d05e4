"""Where a store's rows are, as the rest of the room sees it: connections, transactions, errors in words.

Knows nothing of tables. Threads of one process may share a ``Backend``: writers take turns, readers see the
last commit. Other processes are kept apart by the database itself, writer by writer.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from reconciler.errors import StateError
from state.statements import raw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import timedelta
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine


class Backend(ABC):
    """Connections to a store that is there.

    Args:
        engine: makes connections; one for each thread that asks.
        place: where it is, for people; without a password.
        file: the SQLite file, absolute; ``None``: the rows are elsewhere.
        read_only: whether every connection refuses to write.
    """

    def __init__(self, engine: Engine, place: str, file: Path | None, *, read_only: bool) -> None:
        self.place, self.file, self.read_only = place, file, read_only
        self._engine = engine
        self._turn = threading.RLock()
        self._local = threading.local()
        event.listen(engine, "begin", self._begin)

    @property
    @abstractmethod
    def is_there(self) -> bool:
        """Whether the store at its place is the one that is open."""

    @abstractmethod
    def require(self) -> None:
        """Make sure that what is written is not lost.

        Raises:
            StateGoneError: the store at its place is not the one that is open.
        """

    def single(self, query: str, *values: str) -> object:
        """Return the first column of the first row, as ``reading`` would see it; ``None`` if there is none.

        Past SQLAlchemy, which takes ten times as long: an idle look asks for some twenty small values.
        """
        own = self._own
        with self.errors():
            if own is not None:
                found: object = raw(own, query, values).scalar()
                return found
            row = self._first(query, values)
            return None if row is None else row[0]

    @abstractmethod
    def _first(self, query: str, values: tuple[str, ...]) -> Sequence[Any] | None:
        """Return the first row of a query, outside any transaction; see ``single``."""

    @abstractmethod
    def errors(self) -> AbstractContextManager[None]:
        """Turn the library's and the driver's errors into ``StateError``."""

    @abstractmethod
    def tidy(self) -> None:
        """Give back what is free, and refresh the planner's statistics."""

    @abstractmethod
    def home(self) -> str:
        """Return a digest of where it is: the same for one that is made anew in its place, no other's."""

    @abstractmethod
    def host(self) -> str:
        """Return the name of the host it is on, without its domain: for people."""

    @abstractmethod
    def ahead(self, connection: Connection) -> timedelta:
        """Return how far the clock that all users of the store go by is ahead of this machine's."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""

    @abstractmethod
    def _begin(self, connection: Connection) -> None:
        """Begin a transaction as its ``writing`` option says; a writer keeps other writers out."""

    @abstractmethod
    def _goes_on(self, driver: Any) -> bool:  # noqa: ANN401 - of another type with each driver
        """Return whether a driver's connection is in a transaction still."""

    @abstractmethod
    def _is_whole(self, driver: Any) -> bool:  # noqa: ANN401 - of another type with each driver
        """Return whether a commit would keep all that was done in a driver's transaction."""

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection in a transaction: committed at the end, rolled back on any error.

        Within another one of the same thread it becomes part of that one's commit; an error still undoes
        just the inner one.

        Raises:
            StateError: the store cannot be written; nothing of the transaction is in it.
        """
        outer = self._own
        with self.errors():
            if outer is not None:
                with self._savepoint(outer):
                    yield outer
                return
            self.require()
            with (
                self._turn,
                self._engine.connect().execution_options(writing=True) as connection,
                connection.begin(),
            ):
                self._local.connection = connection
                try:
                    yield connection
                    self._require_whole(connection)
                finally:
                    self._local.connection = None
            # What follows upon this commit, a write to Immich, must find it again after a crash.
            self.require()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that sees one moment: the last commit, or the thread's own transaction."""
        own = self._own
        with self.errors():
            if own is not None:
                yield own
                return
            with self._engine.connect() as connection:
                yield connection

    @property
    def _own(self) -> Connection | None:
        """The connection of the transaction that this thread is in."""
        found: Connection | None = getattr(self._local, "connection", None)
        return found

    @contextmanager
    def _savepoint(self, connection: Connection) -> Iterator[None]:
        savepoint = connection.begin_nested()
        try:
            yield
        except BaseException:
            # A full disk may have ended the whole transaction already, and the savepoint with it; so does a
            # server that is gone.
            driver = _driver(connection)
            if driver is not None and self._goes_on(driver):
                savepoint.rollback()
            raise
        savepoint.commit()

    def _require_whole(self, connection: Connection) -> None:
        """Make sure that a commit will not be one of nothing, or of a part, without a word.

        A database may end a transaction at an error, and then takes the commit without a complaint. Whoever
        caught that error and went on has to learn it here.

        Raises:
            StateError: nothing, or not all, would be committed.
        """
        driver = _driver(connection)
        if driver is None or not self._is_whole(driver):
            raise StateError(
                f"The state store, {self.place}, undid what was to be recorded at an error before. "
                "What was not recorded was not written to Immich.",
                remedy="See what was reported before this.",
            )


def _driver(connection: Connection) -> Any:  # noqa: ANN401 - of another type with each driver
    """Return the driver's connection; ``None``: it is lost."""
    return None if connection.invalidated else connection.connection.dbapi_connection
