"""Parts of statements that several modules of this room make."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Table
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.engine import Connection
    from sqlalchemy.sql import Select

    from state.rows import Values


VALUE: Final = "SELECT value FROM meta WHERE key = ?"
"""A small JSON value by its name, for a call past SQLAlchemy's own statements: each look asks for twenty."""


def upsert(connection: Connection, table: Table, values: Sequence[Values]) -> None:
    """Insert, or replace by primary key just the columns that are given."""
    connection.execute(_upserting(table, tuple(values[0])), values)


@lru_cache(maxsize=64)
def _upserting(table: Table, names: tuple[str, ...]) -> Insert:
    """Return the statement: to make it takes longer than to carry it out for a few."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)


def listed(keys: Collection[str]) -> Select[tuple[str]]:
    """Return a subquery of these keys as one variable: SQLite takes no hundred thousand variables."""
    chosen = func.json_each(json.dumps(sorted(keys))).table_valued("value")
    return select(chosen.c.value)
