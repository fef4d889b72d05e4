"""Reads Skymmich's catalogue from its SQLite file.

A transaction that stays open for more than five seconds makes Skymmich's own saves fail, so the database is
copied page by page, in one short transaction, and read and understood only after the file is closed again.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.skymmich.change_detection import ChangeProbe
from reconciler.skymmich.files import as_catalogue_error, as_text, opened
from reconciler.skymmich.reader import CatalogueReader, digests_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.ports import ObjectCatalogue
    from reconciler.skymmich.reader import Digests, Values
    from reconciler.skymmich.tables import Columns, Row, Table

IN_MEMORY = 8 << 20
"""Bytes of a database whose copy is kept in memory while it is read; of a larger one it is a file."""
BUSY_TIMEOUT_S = 4.0
"""How long to wait for a writer: Skymmich's transactions take milliseconds."""

_COLUMNS = """
    SELECT t.name, c.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'
"""


class SqliteCatalogue:
    """A Skymmich database file, of any release, in delete mode or in WAL mode; never written to.

    Args:
        path: the file.
        timeout_s: how long to wait for a writer to finish.
        sky: knows objects that Skymmich's own table lacks.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        timeout_s: float = BUSY_TIMEOUT_S,
        sky: ObjectCatalogue | None = None,
    ) -> None:
        self.path = Path(path).expanduser().absolute()
        self._timeout_s = timeout_s
        self._probe = ChangeProbe(self.path)
        self._reader, self._turn = CatalogueReader(sky), threading.Lock()

    def __repr__(self) -> str:
        return f"SqliteCatalogue({str(self.path)!r})"

    def read(self) -> Catalogue:
        """Read everything as of one moment.

        Raises:
            CatalogueError: the file is missing, locked, damaged, forbidden, or not Skymmich's.
        """
        # Two threads may ask: what is known of the last reading is one's at a time.
        with self._turn:
            try:
                with self._private() as moment:
                    return self._reader.read(moment)
            except sqlite3.Error as error:
                raise as_catalogue_error(error, self.path) from error

    def data_version(self) -> object:
        """Return a token that differs once the file has changed: cheap, to be asked every few seconds."""
        return self._probe.token()

    def close(self) -> None:
        """Let go of what ``data_version`` keeps open."""
        self._probe.close()

    @contextmanager
    def _private(self) -> Iterator[SqliteMoment]:
        """Yield a copy of the database at one moment."""
        with ExitStack() as stack:
            with opened(self.path, timeout_s=self._timeout_s) as connection:
                mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
                connection.execute("BEGIN")
                # The first reading takes the lock that the copying needs, and waits for it.
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                (size,) = connection.execute("PRAGMA page_size").fetchone()
                place = ":memory:"
                if pages * size > IN_MEMORY:
                    place = f"{stack.enter_context(tempfile.TemporaryDirectory(prefix='skymmich-'))}/copy.db"
                copy = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
                stack.callback(copy.close)
                copy.execute("PRAGMA journal_mode = OFF")
                copy.execute("PRAGMA synchronous = OFF")
                connection.backup(copy)
            copy.text_factory = as_text
            yield SqliteMoment(copy, f"SQLite, journal mode {mode}")


class SqliteMoment:
    """A copy of the database, as ``CatalogueReader`` wants it."""

    def __init__(self, connection: sqlite3.Connection, storage: str) -> None:
        self._connection, self.storage = connection, storage

    def columns(self) -> Columns:
        """Return what there is."""
        columns: dict[str, set[str]] = {}
        for table, column in self._connection.execute(_COLUMNS):
            columns.setdefault(table, set()).add(column)
        return {table: frozenset(names) for table, names in columns.items()}

    def rows(self, query: str) -> Iterator[Values]:
        """Run a query and give its rows one by one."""
        return self._connection.execute(query)

    def named_rows(self, query: str) -> Sequence[Row]:
        """Run a query and give all its rows by the names of their columns."""
        cursor = self._connection.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def digests(self, tables: Sequence[tuple[Table, frozenset[str]]]) -> Digests:
        """Return a digest of all rows of each image: SQLite has no function for it."""
        # Whether a text is one is asked where it is understood: here only whether it is the same.
        self._connection.text_factory = bytes
        try:
            return digests_of(self, tables)
        finally:
            self._connection.text_factory = as_text
