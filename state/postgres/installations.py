"""The installations of a database: by name, in the order of their numbers, each at work or paused.

What is configured of an installation, and its keys, is no part of this: the database holds no secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql

from reconciler.errors import StateError
from state.postgres import opening, schema
from state.postgres.place import PostgresPlace
from state.store import StateStore

if TYPE_CHECKING:
    from datetime import datetime

_TABLE: Final = sql.SQL(f"{schema.SCHEMA}.installations")
_COLUMNS: Final = sql.SQL("SELECT id, name, made_at, paused_at FROM {} ").format(_TABLE)


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation."""

    number: int
    name: str
    made_at: datetime
    paused_at: datetime | None
    """Since when no worker takes it; ``None``: it is at work."""


def installations(address: str) -> list[Installation]:
    """Return all installations of a database, in the order in which they were made; none where no tables are.

    Raises:
        StateError: the server cannot be asked.
    """
    with opening.asked(PostgresPlace(address)) as connection:
        if not schema.revision(connection):
            return []
        rows = connection.execute(_COLUMNS + sql.SQL("ORDER BY id")).fetchall()
        return [Installation(*row) for row in rows]


def add(address: str, name: str) -> bool:
    """Make an installation; tells whether it is new.

    Raises:
        ConfigurationError: that is no name.
        StateError: it cannot be made.
    """
    place = PostgresPlace(address, name)
    if opening.exists(place):
        return False
    StateStore.open(place).close()
    return True


def pause(address: str, name: str, at: datetime | None) -> None:
    """Let workers take an installation no more, from when on; ``None``: again.

    Raises:
        StateError: there is none of this name.
    """
    statement = sql.SQL("UPDATE {} SET paused_at = %s WHERE name = %s").format(_TABLE)
    _change(address, name, statement, (at, name))


def remove(address: str, name: str) -> None:
    """Forget an installation with all its rows: its journal, too.

    Raises:
        StateError: there is none of this name.
    """
    _change(address, name, sql.SQL("DELETE FROM {} WHERE name = %s").format(_TABLE), (name,))


def _change(address: str, name: str, statement: sql.Composed, values: tuple[object, ...]) -> None:
    with opening.asked(PostgresPlace(address)) as connection:
        found = schema.installation(connection, name) if schema.revision(connection) else None
        if found is None:
            raise StateError(
                f"There is no installation {name}.",
                remedy="Which there are: skymmich-reconciler installations",
            )
        connection.execute(statement, values)
