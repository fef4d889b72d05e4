"""Reads Skymmich's catalogue from its PostgreSQL database.

Only the way in differs from SQLite: what the rows mean is ``assembly``. Timestamps and JSON are taken as
the text the server sends, so that one odd value (``infinity``, say) spoils its own row and not the query.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from reconciler.errors import CatalogueError, ConfigurationError
from reconciler.skymmich.dangling import refers_to_nothing
from reconciler.skymmich.reader import CatalogueReader, Digests
from reconciler.skymmich.tables import IMAGES, LINKS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.ports import ObjectCatalogue
    from reconciler.errors import Again
    from reconciler.skymmich.reader import Values
    from reconciler.skymmich.tables import Columns, Row, Table

CONNECT_TIMEOUT_S = 5
_MASK = 2**64 - 1
_AT_ONCE = 2_000
"""Rows that are fetched at once."""

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
        sky: knows objects that Skymmich's own table lacks.

    Raises:
        ConfigurationError: the address cannot be understood.
    """

    def __init__(self, address: str, *, sky: ObjectCatalogue | None = None) -> None:
        self._address = address
        self._reader, self._turn = CatalogueReader(sky), threading.Lock()
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
        with self._turn:
            try:
                with self._connect() as connection:
                    return self._reader.read(_Moment(connection))
            except psycopg.Error as error:
                raise self._as_catalogue_error(error) from None

    def data_version(self) -> object:
        """Return a token that differs once rows have changed: the server's own counters, up to a second late.

        Returns:
            ``None`` while the server does not answer.
        """
        try:
            with self._connect() as connection:
                return connection.execute(_CHANGES, ([table.name for table in TABLES],)).fetchone()
        except psycopg.Error:
            return None

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
        again: Again | None = None
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            remedy = "Grant this user SELECT on Skymmich's tables."
        elif isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
            remedy = "Check that the server runs and is reachable from here, and the user and password."
        else:
            again, remedy = "by_itself", "Check the server's log if it lasts."
        return CatalogueError(
            f"The catalogue {self.place} cannot be read: {reason}.", remedy=remedy, again=again
        )


class _Moment:
    """One transaction, as ``CatalogueReader`` wants it."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self._connection = connection
        self._streams = 0
        self.storage = f"PostgreSQL {connection.info.server_version // 10000}"

    def columns(self) -> Columns:
        """Return what there is."""
        columns: dict[str, set[str]] = {}
        for table, column in self._connection.execute(_COLUMNS):
            columns.setdefault(str(table), set()).add(str(column))
        return {table: frozenset(names) for table, names in columns.items()}

    def rows(self, query: str) -> Iterator[Values]:
        """Run a query and give its rows one by one; the server keeps those that were not fetched."""
        self._streams += 1
        with self._connection.cursor(name=f"rows{self._streams}") as cursor:
            cursor.itersize = _AT_ONCE
            yield from cursor.execute(query)

    def named_rows(self, query: str) -> Sequence[Row]:
        """Run a query and give all its rows by the names of their columns."""
        with self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query).fetchall()

    def digests(self, tables: Sequence[tuple[Table, frozenset[str]]]) -> Digests:
        """Let the server compute a digest of all rows of each image: none of them is sent."""
        of_image: dict[int, int] = {}
        stray = 0
        counts: dict[Table, tuple[int, int]] = {}
        foreign: list[Table] = []
        equipment: set[object] = set()
        images: AbstractSet[object] = frozenset()
        for table, present in tables:
            listed = ", ".join(f'"{name}"' for name in table.names(present))
            digest = f"sum(hashtextextended(ROW({listed})::text, {len(counts)})::numeric)"
            what = f'"{table.owner}", mod({digest}, 9223372036854775807)::bigint, count(*)'
            query = table.query(present, what=what, order="") + f' GROUP BY "{table.owner}"'
            rows = lost = 0
            owners: set[object] = set()
            for owner, value, count in self.rows(query):
                if not isinstance(value, int) or not isinstance(count, int):
                    continue
                rows += count
                if owner is not None:
                    owners.add(owner)
                if isinstance(owner, int):
                    of_image[owner] = hash((of_image.get(owner, 0), len(counts), value)) & _MASK
                else:
                    stray = hash((stray, value))
                    lost += count
            if table is IMAGES:
                images = owners
                continue
            counts[table] = (rows, lost)
            if refers_to_nothing(owners, images):
                foreign.append(table)
            if table is LINKS:
                what, where = 'DISTINCT "equipment_id"', '"equipment_id" IS NOT NULL'
                equipment = {key for (key,) in self.rows(table.query(present, what, where, order=""))}
        return Digests(of_image, stray, counts, tuple(foreign), equipment)
