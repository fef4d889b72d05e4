"""Reads Skymmich's catalogue from its PostgreSQL database.

Only the way in differs from SQLite: what the rows mean is ``assembly``. Timestamps and JSON are taken as
the text the server sends, so that one odd value (``infinity``, say) spoils its own row and not the query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from reconciler.errors import CatalogueError, ConfigurationError
from reconciler.skymmich.assembly import assemble
from reconciler.skymmich.tables import TABLES, take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.catalogue import Catalogue
    from reconciler.skymmich.tables import Row, Snapshot

CONNECT_TIMEOUT_S = 5

_AS_TEXT = ("timestamp", "timestamptz", "date", "json", "jsonb")
_LIMITS = """
    SET LOCAL statement_timeout = '30s'; SET LOCAL lock_timeout = '5s';
    SET LOCAL datestyle = 'ISO'; SET LOCAL timezone = 'UTC'
"""
# Not information_schema: it hides what this user may not read, and a table that seems missing seems empty.
_COLUMNS = """
    SELECT t.relname AS table_name, a.attname AS column_name
    FROM pg_catalog.pg_class AS t JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid
    WHERE t.relkind IN ('r', 'p', 'v', 'm', 'f') AND t.relnamespace <> 'pg_catalog'::regnamespace
        AND pg_catalog.pg_table_is_visible(t.oid) AND a.attnum > 0 AND NOT a.attisdropped
"""
_CHANGES = """
    SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_user_tables WHERE relname = ANY (%s)
"""


class PostgresCatalogue:
    """A Skymmich database in PostgreSQL; every transaction is read-only.

    Args:
        address: ``postgresql://user:password@host:port/database``; the password may come from
            ``PGPASSWORD`` or ``~/.pgpass`` instead. It is never shown.

    Raises:
        ConfigurationError: the address cannot be understood.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        try:
            parts = conninfo_to_dict(address)
        except psycopg.Error:
            # The library's own message, and so the error it would be raised from, can show the password.
            message = "The address of the PostgreSQL database cannot be understood."
            remedy = (
                "Write postgresql://user@host:5432/skymmich; percent-encode special characters in a password."
            )
            raise ConfigurationError(message, remedy=remedy) from None
        host, port, name = (parts.get(key) for key in ("host", "port", "dbname"))
        self.place = f"{name or 'skymmich'} at {host or 'this machine'}{f':{port}' if port else ''}"

    def __repr__(self) -> str:
        return f"PostgresCatalogue({self.place!r})"

    def read(self) -> Catalogue:
        """Read everything as of one moment.

        Raises:
            CatalogueError: the server does not answer, refuses, or has no database of Skymmich.
        """
        return assemble(self._snapshot())

    def data_version(self) -> object:
        """Give a token that differs once rows have changed: the server's own counters, up to a second late.

        Returns:
            ``None`` while the server does not answer.
        """
        try:
            with self._connect() as connection:
                return connection.execute(_CHANGES, ([table.name for table in TABLES],)).fetchone()
        except psycopg.Error:
            return None

    def _snapshot(self) -> Snapshot:
        try:
            with self._connect() as connection:
                version = connection.info.server_version // 10000
                with connection.cursor(row_factory=dict_row) as cursor:

                    def run(query: str) -> Sequence[Row]:
                        return cursor.execute(query).fetchall()

                    columns: dict[str, set[str]] = {}
                    for row in run(_COLUMNS):
                        columns.setdefault(str(row["table_name"]), set()).add(str(row["column_name"]))
                    found = {table: frozenset(names) for table, names in columns.items()}
                    return take(found, f"PostgreSQL {version}", run)
        except psycopg.Error as error:
            raise self._as_catalogue_error(error) from None

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        connection = psycopg.connect(
            self._address,
            connect_timeout=CONNECT_TIMEOUT_S,
            client_encoding="utf8",
            application_name="skymmich-reconciler",
        )
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for name in _AS_TEXT:
            connection.adapters.register_loader(name, TextLoader)
        try:
            connection.execute(_LIMITS)
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _as_catalogue_error(self, error: psycopg.Error) -> CatalogueError:
        """Say what an error of the server means; libpq's own text names no password."""
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            remedy = "Grant this user SELECT on Skymmich's tables."
        elif isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
            remedy = "Check that the server runs and is reachable from here, and the user and password."
        else:
            remedy = "It is tried again by itself. Check the server's log if it lasts."
        return CatalogueError(f"The catalogue {self.place} cannot be read: {reason}.", remedy=remedy)
