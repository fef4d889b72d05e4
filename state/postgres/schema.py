"""The tables in PostgreSQL: made by the same revisions as a file's, then each row given to an installation.

All installations of a database share the tables. Each row has its installation in front of its key, by
itself: the connection says whose it is (the setting ``reconciler.installation``), a column's default takes it
from there, and row-level security shows and lets change that installation's rows only. So a statement that
forgets to ask for the installation finds no other one's rows, and cannot write any.

Row-level security does not bind a superuser, nor a role that may bypass it. Such a one takes on a role of its
own that it binds (``ROLE``), made here.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from psycopg import errors, sql
from sqlalchemy import BigInteger, Boolean, Integer, Text, text

from reconciler.errors import StateError, StateTooNewError
from state.migrations import HEAD, is_known, upgrade
from state.tables import METADATA

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Column, Table
    from sqlalchemy.engine import Connection

    from state.postgres.place import PostgresPlace

SCHEMA: Final = "skymmich_reconciler"
ROLE: Final = "skymmich_reconciler_rows"
SETTING: Final = "reconciler.installation"
LOCK: Final = 0x534B5952
"""The first number of all advisory locks that this program takes; the second is the installation, or 0."""
_OURS: Final = f"current_setting('{SETTING}')::integer"
_WHOSE: Final = f"nullif(current_setting('{SETTING}', true), '')"
"""Whose rows a connection shows; null: it has not said, so it keeps the installations, and opens none."""
_INSTALLATIONS: Final = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.installations (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    made_at timestamptz NOT NULL DEFAULT now(),
    paused_at timestamptz
);
CREATE TABLE IF NOT EXISTS {SCHEMA}.installation_statuses (
    installation integer PRIMARY KEY REFERENCES {SCHEMA}.installations (id) ON DELETE CASCADE,
    level text NOT NULL,
    text text NOT NULL,
    by_status jsonb,
    checked_at timestamptz,
    visited_at timestamptz NOT NULL,
    worker text NOT NULL
);
ALTER TABLE {SCHEMA}.installation_statuses ENABLE ROW LEVEL SECURITY;
ALTER TABLE {SCHEMA}.installation_statuses FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS own ON {SCHEMA}.installation_statuses;
CREATE POLICY own ON {SCHEMA}.installation_statuses
    USING ({_WHOSE} IS NULL OR installation = {_WHOSE}::integer);
"""
_GRANTS: Final = f"""
GRANT USAGE ON SCHEMA {SCHEMA} TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO {ROLE};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO {ROLE};
"""
_MAY: Final = (
    "SELECT bool_and(has_table_privilege(%s, format('%%I.%%I', schemaname, tablename), 'INSERT')) "
    "FROM pg_tables WHERE schemaname = %s"
)
_WHO: Final = (
    "SELECT rolsuper, rolbypassrls, EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s) "
    "FROM pg_roles WHERE rolname = current_user"
)


def revision(connection: psycopg.Connection) -> str:
    """Return the revision of the tables that are there; empty: there are none."""
    name = f"{SCHEMA}.alembic_version"
    (there,) = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone() or (False,)
    if not there:
        return ""
    row = connection.execute(sql.SQL("SELECT version_num FROM {}").format(sql.SQL(name))).fetchone()
    return str(row[0]) if row else ""


def installation(connection: psycopg.Connection, name: str) -> int | None:
    """Return an installation's number; ``None``: there is none of this name."""
    found = sql.SQL("SELECT id FROM {}.installations WHERE name = %s").format(sql.SQL(SCHEMA))
    row = connection.execute(found, (name,)).fetchone()
    return None if row is None else int(row[0])


def add(connection: psycopg.Connection, name: str) -> int:
    """Make an installation, if there is none of this name, and return its number."""
    statement = "INSERT INTO {}.installations (name) VALUES (%s) ON CONFLICT DO NOTHING"
    connection.execute(sql.SQL(statement).format(sql.SQL(SCHEMA)), (name,))
    found = installation(connection, name)
    if found is None:
        raise RuntimeError("an installation that was just made is not there")
    return found


def refuse_newer(place: PostgresPlace, found: str) -> None:
    """Make sure that this program knows the tables.

    Raises:
        StateTooNewError: they are a newer version's.
    """
    if found in {"", HEAD} or is_known(found):
        return
    raise StateTooNewError(
        f"The state store, {place}, was written by a newer version of this program (its schema is {found!r}, "
        f"the newest known here is {HEAD!r}). It was left as it is, and nothing was written to Immich.",
        remedy="Install that version here, too: all that share a database have to be of one version.",
    )


def restricted_role(connection: psycopg.Connection, place: PostgresPlace) -> str:
    """Return the role to take on so that row-level security binds; empty: it binds this user as it is.

    Raises:
        StateError: it does not bind this user, who may not make a role that it binds.
    """
    super_, bypasses, there = connection.execute(_WHO, (ROLE,)).fetchone() or (False, False, False)
    if not (super_ or bypasses):
        return ""
    role = sql.SQL(ROLE)
    try:
        if not there:
            with suppress(errors.DuplicateObject, errors.UniqueViolation):  # another process made it just now
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
        if not super_ and not _may_take(connection):
            # Who makes a role may give it to others, and so to itself; since PostgreSQL 16 it has to.
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
    except errors.InsufficientPrivilege:
        raise StateError(
            f"The user of {place} may see the rows of every installation (BYPASSRLS), and may not make, or "
            "take on, a role that does not. Nothing was read or written.",
            remedy=f"Use a user without it: ALTER ROLE … NOBYPASSRLS; or GRANT {ROLE} to this one.",
        ) from None
    return ROLE


def _may_take(connection: psycopg.Connection) -> bool:
    try:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.SQL(ROLE)))
    except errors.InsufficientPrivilege:
        return False
    connection.execute("RESET ROLE")
    return True


def make(connection: psycopg.Connection) -> None:
    """Make the schema and the tables about installations, if they are missing: else no right to is needed."""
    name = f"{SCHEMA}.installation_statuses"
    (there,) = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone() or (False,)
    if not there:
        connection.execute(sql.SQL(_INSTALLATIONS))


def grant(connection: psycopg.Connection) -> None:
    """Let the restricted role read and write all tables, if it may not yet."""
    (may,) = connection.execute(_MAY, (ROLE, SCHEMA)).fetchone() or (False,)
    if not may:
        connection.execute(sql.SQL(_GRANTS))


def bring_up_to_date(connection: Connection) -> None:
    """Bring all tables to ``HEAD``, in the transaction of their owner, for all installations at once."""
    connection.execute(text(f"SET LOCAL {SETTING} = '0'"))
    tables = {row[0] for row in connection.execute(text(_TABLES), {"schema": SCHEMA})}
    for table in METADATA.sorted_tables:
        if table.name in tables:
            # Its owner is bound by it, too, but a revision changes all rows.
            connection.execute(text(f"ALTER TABLE {table.name} NO FORCE ROW LEVEL SECURITY"))
    upgrade(connection)
    for table in METADATA.sorted_tables:
        for statement in (*_owned(table), *_typed(table), *_keyed(connection, table), *_guarded(table)):
            connection.execute(text(statement))


_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = :schema"


def _owned(table: Table) -> list[str]:
    return [
        (
            f"ALTER TABLE {table.name} ADD COLUMN IF NOT EXISTS installation integer NOT NULL "
            f"DEFAULT {_OURS} REFERENCES installations (id) ON DELETE CASCADE"
        )
    ]


def _typed(table: Table) -> list[str]:
    """Return what gives columns the types that SQLite's have: sorted by bytes, numbers of 64 bits."""
    changes = [f'ALTER COLUMN "{column.name}" TYPE {kind}' for column in table.c if (kind := _kind(column))]
    return [f"ALTER TABLE {table.name} {', '.join(changes)}"] if changes else []


def _kind(column: Column[object]) -> str:
    kind = getattr(column.type, "impl_instance", column.type)
    if isinstance(kind, Text):
        return 'text COLLATE "C"'
    if isinstance(kind, Integer | BigInteger) and not isinstance(kind, Boolean):
        return "bigint"
    return ""


def _keyed(connection: Connection, table: Table) -> list[str]:
    """Return what puts the installation in front of keys and indexes that do not have it yet."""
    name, statements = table.name, []
    found = connection.execute(text(_DEFINITIONS), {"schema": SCHEMA, "table": name}).all()
    have = {index for index, definition in found if "(installation, " in definition}
    if (key := f"{name}_pkey") not in have:
        columns = ", ".join(column.name for column in table.primary_key)
        statements += [
            f"ALTER TABLE {name} DROP CONSTRAINT {key} CASCADE",
            f"ALTER TABLE {name} ADD CONSTRAINT {key} PRIMARY KEY (installation, {columns})",
        ]
        for foreign in table.foreign_keys:
            (mine, theirs), there = (foreign.parent.name, foreign.column.name), foreign.column.table.name
            statements.append(
                f"ALTER TABLE {name} ADD CONSTRAINT {name}_{mine}_fkey FOREIGN KEY (installation, {mine}) "
                f"REFERENCES {there} (installation, {theirs}) ON DELETE {foreign.ondelete or 'NO ACTION'}"
            )
    for index in table.indexes:
        if index.name not in have:
            columns = ", ".join(column.name for column in index.columns)
            statements += [
                f"DROP INDEX IF EXISTS {index.name}",
                f"CREATE INDEX {index.name} ON {name} (installation, {columns})",
            ]
    return statements


_DEFINITIONS: Final = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = :schema AND tablename = :table"
)


def _guarded(table: Table) -> list[str]:
    return [
        f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS own ON {table.name}",
        (
            f"CREATE POLICY own ON {table.name} USING (installation = {_OURS}) "
            f"WITH CHECK (installation = {_OURS})"
        ),
    ]
