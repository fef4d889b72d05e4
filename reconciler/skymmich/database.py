"""Reads Skymmich's catalogue from its SQLite file.

A transaction that stays open for more than five seconds makes Skymmich's own saves fail, so everything is
fetched at once, in one short transaction, and understood only after the file is closed again.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.skymmich.assembly import assemble
from reconciler.skymmich.files import as_catalogue_error, opened
from reconciler.skymmich.probe import ChangeProbe
from reconciler.skymmich.tables import take

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.catalogue import Catalogue
    from reconciler.skymmich.tables import Row, Snapshot

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
    """

    def __init__(self, path: Path | str, *, timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = Path(path).expanduser().absolute()
        self._timeout_s = timeout_s
        self._probe = ChangeProbe(self.path)

    def __repr__(self) -> str:
        return f"SqliteCatalogue({str(self.path)!r})"

    def read(self) -> Catalogue:
        """Read everything as of one moment.

        Raises:
            CatalogueError: the file is missing, locked, damaged, forbidden, or not Skymmich's.
        """
        return assemble(self._snapshot())

    def data_version(self) -> object:
        """Give a token that differs once the file has changed: cheap, to be asked every few seconds."""
        return self._probe.token()

    def close(self) -> None:
        """Let go of what ``data_version`` keeps open."""
        self._probe.close()

    def _snapshot(self) -> Snapshot:
        try:
            with opened(self.path, timeout_s=self._timeout_s) as connection:

                def run(query: str) -> Sequence[Row]:
                    cursor = connection.execute(query)
                    names = [column[0] for column in cursor.description]
                    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

                mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
                connection.execute("BEGIN")
                columns: dict[str, set[str]] = {}
                for table, column in connection.execute(_COLUMNS).fetchall():
                    columns.setdefault(table, set()).add(column)
                found = {table: frozenset(names) for table, names in columns.items()}
                return take(found, f"SQLite, journal mode {mode}", run)
        except sqlite3.Error as error:
            raise as_catalogue_error(error, self.path) from error
