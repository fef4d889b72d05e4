"""How each installation was found at its last visit: for whoever keeps all of them, and opens none.

It is told, not decided by: nothing is written, or left, because of what stands here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql

from state.postgres import opening, schema
from state.postgres.own_connection import OwnConnection
from state.postgres.place import PostgresPlace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

NEVER_VISITED: Final = "No worker was there yet."
_TABLE: Final = sql.SQL(f"{schema.SCHEMA}.installation_statuses")
_SAVE: Final = sql.SQL(
    "INSERT INTO {table} AS was (installation, level, text, by_status, checked_at, visited_at, worker) "
    "SELECT id, %s, %s, %s::jsonb, %s, %s, %s FROM {installations} WHERE name = %s "
    "ON CONFLICT (installation) DO UPDATE SET level = excluded.level, text = excluded.text, "
    "by_status = coalesce(excluded.by_status, was.by_status), "
    "checked_at = coalesce(excluded.checked_at, was.checked_at), "
    "visited_at = excluded.visited_at, worker = excluded.worker"
).format(table=_TABLE, installations=sql.SQL(f"{schema.SCHEMA}.installations"))
_READ: Final = sql.SQL(
    "SELECT name, level, text, by_status::text, checked_at, visited_at, worker "
    "FROM {installations} JOIN {table} ON installation = id"
).format(table=_TABLE, installations=sql.SQL(f"{schema.SCHEMA}.installations"))
_EXPECTED: Final = sql.SQL(
    "SELECT name, coalesce(level, 'unknown'), coalesce(text, {never}), by_status::text, "
    "checked_at, coalesce(visited_at, made_at), coalesce(worker, '') "
    "FROM {installations} LEFT JOIN {table} ON installation = id WHERE paused_at IS NULL"
).format(
    never=sql.Literal(NEVER_VISITED), table=_TABLE, installations=sql.SQL(f"{schema.SCHEMA}.installations")
)


@dataclass(frozen=True, slots=True)
class InstallationStatus:
    """How an installation was found."""

    level: str
    """``ok``, ``attention``, ``trouble``, ``unknown`` or ``off``, as for a daemon's headline."""
    text: str
    """One sentence, without secrets and without times."""
    visited_at: datetime
    checked_at: datetime | None = None
    """When all its images were last compared; ``None``: as it was before."""
    by_status: Mapping[str, int] | None = None
    """Images by status; ``None``: as it was before."""
    worker: str = ""
    """Who was there: host and process."""


class Statuses(OwnConnection):
    """Keeps how installations were found."""

    def save(self, name: str, status: InstallationStatus) -> bool:
        """Keep how an installation was found; ``False``: it was removed meanwhile, and nothing is kept.

        Raises:
            StateError: the server cannot be asked.
        """
        counts = None if status.by_status is None else json.dumps(dict(status.by_status))
        values = (
            status.level, status.text, counts, status.checked_at, status.visited_at, status.worker, name,
        )  # fmt: skip
        with self._asking():
            return self._connected().execute(_SAVE, values).rowcount > 0


def statuses(address: str, *, expected: bool = False) -> dict[str, InstallationStatus]:
    """Return how each installation was found, by name; one that was never visited is not among them.

    Args:
        address: the database's.
        expected: those that workers should visit, instead: without the paused ones, and with those that were
            never visited, as if they had been when they were made.

    Raises:
        StateError: the server cannot be asked.
    """
    with opening.asked(PostgresPlace(address)) as connection:
        if not schema.revision(connection):
            return {}
        found = connection.execute(_EXPECTED if expected else _READ).fetchall()
    return {
        name: InstallationStatus(level, text, visited, checked, json.loads(counts or "{}"), worker)
        for name, level, text, counts, checked, visited, worker in found
    }
