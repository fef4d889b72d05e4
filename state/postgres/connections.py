"""This process's connections to one database: few, and lent to whichever of its installations needs one.

A worker keeps hundreds of installations, and a server has a hundred connections. So a connection is nobody's
own: each transaction begins with whose rows it is to show, and that ends with it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

    Connect = Callable[[], psycopg.Connection]

_KEPT: Final = 4
"""Connections that stay open while nobody uses them."""


class Connections:
    """The connections of one role to one database. Threads may share it.

    Args:
        connect: opens one, which shows no installation.
    """

    def __init__(self, connect: Connect) -> None:
        self.users = 0
        self.engine: Engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: _transactional(connect()),
            poolclass=QueuePool,
            pool_size=_KEPT,
            # One for each thread that asks: who waited for another's, and held a lock, would hold up both.
            max_overflow=-1,
            # The server may have been restarted since.
            pool_pre_ping=True,
            # Descriptions are people's own words: they belong in no error and no log.
            hide_parameters=True,
            use_native_hstore=False,
        )
        event.listen(self.engine, "checkin", self._returned)
        self._connect, self._closed = connect, False
        self._single: psycopg.Connection | None = None
        self._shows: int | None = None
        self._turn = threading.Lock()

    def first(
        self, query: str, values: tuple[object, ...], number: int, show: Callable[[psycopg.Connection], None]
    ) -> tuple[Any, ...] | None:
        """Return the first row of a query that is a transaction by itself.

        Args:
            query: in the driver's form.
            values: for it.
            number: of the installation whose rows it is to see.
            show: has a connection show them until it shows others; called only where it shows others now.

        Raises:
            psycopg.Error: it cannot be asked.
        """
        with self._turn:
            try:
                return self._first(query, values, number, show)
            except psycopg.OperationalError:
                # The server may have been restarted since the last time.
                self._close()
                return self._first(query, values, number, show)

    def close(self) -> None:
        """Close all; one that a thread still uses is closed when it gives it back."""
        with self._turn:
            self._closed = True
            self._close()
        self.engine.dispose()

    def _returned(self, connection: psycopg.Connection | None, _: object) -> None:
        if self._closed and connection is not None:
            connection.close()

    def _first(
        self, query: str, values: tuple[object, ...], number: int, show: Callable[[psycopg.Connection], None]
    ) -> tuple[Any, ...] | None:
        if self._closed:
            raise psycopg.OperationalError("the connections are closed")
        if self._single is None:
            self._single = self._connect()
        if self._shows != number:
            self._shows = None
            show(self._single)
            self._shows = number
        return self._single.execute(query.encode(), values).fetchone()

    def _close(self) -> None:
        if self._single is not None:
            self._single.close()
        self._single, self._shows = None, None


_shared: dict[tuple[str, str], Connections] = {}
_turn = threading.Lock()


def shared(address: str, role: str, connect: Connect) -> Connections:
    """Return the connections to a database; each taking is to be given back."""
    with _turn:
        found = _shared.get((address, role))
        if found is None:
            found = _shared[address, role] = Connections(connect)
        found.users += 1
        return found


def give_back(address: str, role: str) -> None:
    """Close the connections when their last user is gone."""
    with _turn:
        found = _shared[address, role]
        found.users -= 1
        if found.users:
            return
        del _shared[address, role]
    found.close()


def _transactional(connection: psycopg.Connection) -> psycopg.Connection:
    connection.autocommit = False
    return connection
