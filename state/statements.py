"""Parts of statements that several modules of this room make."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection
    from sqlalchemy.sql import Select

    from state.rows import Values


def upsert(connection: Connection, table: Table, values: Sequence[Values]) -> None:
    """Insert, or replace by primary key just the columns that are given."""
    statement = insert(table)
    keys = [column.name for column in table.primary_key]
    changes = {name: statement.excluded[name] for name in values[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), values)


def listed(keys: Collection[str]) -> Select[tuple[str]]:
    """Return a subquery of these keys as one variable: SQLite takes no hundred thousand variables."""
    chosen = func.json_each(json.dumps(sorted(keys))).table_valued("value")
    return select(chosen.c.value)
