"""A connection of its own, beside those of the stores: made when first needed, and anew after it was lost."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from state.postgres.database import connect, explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from state.postgres.place import PostgresPlace


class OwnConnection:
    """Base of what asks a database over one connection of its own. Threads may share it.

    Args:
        place: the database; its installation does not matter.
    """

    def __init__(self, place: PostgresPlace) -> None:
        self._place, self._turn = place, threading.Lock()
        self._connection: psycopg.Connection | None = None

    def close(self) -> None:
        """Close the connection, and give up what went with it."""
        with self._turn:
            self._lose()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Let one thread ask within; after an error the connection is gone.

        Raises:
            StateError: the server cannot be asked.
        """
        with self._turn:
            try:
                yield
            except psycopg.Error as error:
                self._lose()
                raise explain(error, self._place) from None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = connect(self._place)
        return self._connection

    def _lose(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
