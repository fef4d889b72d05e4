"""Parts of statements that several modules of this room make, in the words of the database they go to.

Most of the room's statements are SQLAlchemy's, and the same for both. What goes straight to the driver is
written as SQLite has it and translated here.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Text, cast, literal, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from state.tables import JsonText, storable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, CursorResult, Dialect
    from sqlalchemy.sql import ColumnElement, Select
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.dml import Insert

    from state.rows import Values


SQLITE: Final = "sqlite"
VALUE: Final = "SELECT value FROM meta WHERE key = ?"
"""A small JSON value by its name, for a call past SQLAlchemy's own statements: each look asks for twenty."""


def raw(
    connection: Connection, query: str, values: tuple[object, ...] | list[tuple[object, ...]] = ()
) -> CursorResult[*tuple[Any, ...]]:
    """Carry out a statement past SQLAlchemy's own, which take longer to make than such a one to carry out.

    Args:
        connection: to the store.
        query: as SQLite has it, with ``?`` for each value.
        values: of one call, or of several.
    """
    return connection.exec_driver_sql(in_words_of(connection.dialect.name, query), values)


@lru_cache(maxsize=128)
def in_words_of(dialect: str, query: str) -> str:
    """Translate a statement that goes straight to the driver."""
    if dialect == SQLITE:
        return query
    members = "json_array_elements_text(?::json)"
    return query.replace("%", "%%").replace("json_each(?)", members).replace("?", "%s")


def upsert(connection: Connection, table: Table, values: Sequence[Values]) -> None:
    """Insert, or replace by primary key just the columns that are given."""
    connection.execute(_upserting(table, tuple(values[0]), connection.dialect.name), values)


@lru_cache(maxsize=128)
def _upserting(table: Table, names: tuple[str, ...], dialect: str) -> Insert:
    """Return the statement: to make it takes longer than to carry it out for a few."""
    keys = [column.name for column in table.primary_key]
    if dialect == SQLITE:
        statement = sqlite.insert(table)
        changes = {name: statement.excluded[name] for name in names if name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=changes)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - who has a file pays nothing for it

    theirs = postgresql.insert(table)
    changes = {name: theirs.excluded[name] for name in names if name not in keys}
    # By name: there the key has the installation in front.
    return theirs.on_conflict_do_update(constraint=f"{table.name}_pkey", set_=changes)


class Keys(TypeDecorator[Any]):
    """Keys as one JSON list, each as it is stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ANN401 - any collection
        """Make the list."""
        return keys_as_json(value, dialect.name)


def keys_as_json(keys: Collection[Any], dialect: str) -> str:
    """Return keys as one JSON list, each as it is stored: PostgreSQL reads no half of an emoji there."""
    return json.dumps(sorted(storable(key, dialect) if isinstance(key, str) else key for key in keys))


class _Members(FunctionElement[Any]):
    """The members of a JSON list, as rows of text."""

    name = "members"
    inherit_cache = True


class TagList(FunctionElement[Any]):
    """A group's values as one JSON list."""

    name = "tag_list"
    inherit_cache = True
    type = JsonText()


@compiles(_Members)
def _members(element: _Members, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    return f"json_each({compiler.process(element.clauses, **how)})"


@compiles(_Members, "postgresql")
def _members_there(element: _Members, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **how)} AS json))"


@compiles(TagList)
def _tag_list(element: TagList, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    return f"json_group_array({compiler.process(element.clauses, **how)})"


@compiles(TagList, "postgresql")
def _tag_list_there(element: TagList, compiler: SQLCompiler, **how: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    return f"CAST(json_agg({compiler.process(element.clauses, **how)}) AS text)"


def listed(keys: Collection[str]) -> Select[tuple[str]]:
    """Return a subquery of these keys as one variable: SQLite takes no hundred thousand variables."""
    return select(_member(keys))


def numbered(keys: Collection[int]) -> Select[tuple[int]]:
    """Return a subquery of these numbers as one variable."""
    return select(cast(_member(keys), BigInteger))


def _member(keys: Collection[Any]) -> ColumnElement[Any]:
    members = _Members(literal(tuple(keys), Keys()))
    found: ColumnElement[Any] = members.table_valued("value").c.value
    return found
