"""All rows of a store, moved between a file and PostgreSQL: value by value, as the tables have them.

A copy of a store is always a SQLite file, wherever the store is: so it can be put back anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, literal, select

from reconciler.core.store_keys import ASSETS_MARK, LEASE_TERM
from state.tables import LEASE, META, METADATA

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

_AT_ONCE: Final = 1_000
_TABLES: Final[tuple[Table, ...]] = tuple(table for table in METADATA.sorted_tables if table is not LEASE)
"""Each after those that it refers to. Who has the right to write is no part of a copy."""


def holds_anything(connection: Connection) -> bool:
    """Return whether a store has any row but those that every store has once it was opened to be written."""
    own = META.c.key.in_([LEASE_TERM.name, ASSETS_MARK.name])
    for table in _TABLES:
        query = select(literal(1)).select_from(table).limit(1)
        if connection.execute(query if table is not META else query.where(~own)).scalar() is not None:
            return True
    return False


def move_rows(source: Connection, target: Connection) -> None:
    """Put all rows of one store in the place of all rows of another one, of the same schema.

    How often the right to write was taken stays what it is in the target: who stood still meanwhile must
    not find the number that it goes by again.

    Args:
        source: in a transaction that sees one moment.
        target: in a transaction that writes.
    """
    term = target.execute(select(META.c.value).where(META.c.key == LEASE_TERM.name)).scalar()
    for table in reversed(_TABLES):
        target.execute(delete(table))
    for table in _TABLES:
        found = source.execute(select(table), execution_options={"yield_per": _AT_ONCE})
        for rows in found.mappings().partitions(_AT_ONCE):
            target.execute(insert(table), [dict(row) for row in rows])
    if term is not None:
        target.execute(delete(META).where(META.c.key == LEASE_TERM.name))
        target.execute(insert(META), [{"key": LEASE_TERM.name, "value": term}])
