"""Keeps what Skymmich answered, as the rows that its own database would have: a small SQLite file.

So one reader understands all three sources, and a restart does not ask for every image again. It is a cache:
what is lost is read anew, so it is made anew when it cannot be used, or is of another address. Times are Unix
seconds of this machine. No key is kept: Skymmich shows none.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from reconciler.errors import CatalogueError
from reconciler.plainfile import exists, make_folders
from reconciler.skymmich.rest.shapes import ODD
from reconciler.skymmich.tables import ACQUISITIONS, IMAGES, LINKS, OWNED, SETTINGS, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from reconciler.skymmich.rest.shapes import Answered
    from reconciler.skymmich.tables import Columns, Table

_VERSION: Final = 2
_DETAILS: Final = """
    CREATE TABLE details (
        image_id INTEGER PRIMARY KEY, digest BLOB, updated_at TEXT,
        read_at REAL, due_at REAL, closely INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX details_due ON details (due_at);
    CREATE TABLE memory (value TEXT NOT NULL);
"""
_REMEDY: Final = "Free some space there, or mend the folder's rights: it is the folder of [state] url."


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of the answers as a whole."""

    address: str = ""
    complete: bool = False
    """Whether all that belongs to the lists as last read is here."""
    version: int = 0
    """Counts what was changed here."""
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Table → the columns that its answers have."""
    kind: str = ""
    """``sqlite`` or ``postgresql``: what is behind Skymmich."""
    stamp: str = ""
    """When its SQLite file was last saved, and how long it is."""
    stamp_tells: bool = True
    """Whether every save moves the stamp: not in WAL mode."""
    lists_at: float = 0.0
    lists_bytes: int = 0
    links_at: float = 0.0
    links_bytes: int = 0
    links_due: bool = True
    """Whether something was saved since then that may be a link."""
    solves_at: float = 0.0
    solves_due: float = 0.0
    """From when on they are to be read again; 0: when the interval is over."""
    digests: tuple[tuple[str, str], ...] = ()
    """Table → a digest of its rows, of those that are exchanged as a whole."""
    objects: str = ""
    """Skymmich's own name for the state of its catalogue of objects."""
    objects_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an image's own row."""

    digest: bytes
    solved: tuple[object, ...]
    """What a new plate solution changes."""


class Mirror:
    """The file.

    Args:
        path: where it is; ``None``: in memory alone.
        address: Skymmich's. What is here of another one is forgotten.

    Raises:
        CatalogueError: it can be neither used nor made anew.
    """

    def __init__(self, path: Path | None, address: str) -> None:
        self.path, self._address = path, address
        try:
            self.connection = self._opened()
            if self.memory().address != address:
                raise sqlite3.DatabaseError("of another address")  # noqa: TRY301  one way to begin anew
        except (sqlite3.DatabaseError, ValueError, TypeError):
            with suppress(AttributeError):
                self.connection.close()
            self.connection = self._made_anew()

    def _opened(self) -> sqlite3.Connection:
        place = ":memory:" if self.path is None else str(self.path)
        if self.path is not None and not exists(self.path):
            try:
                make_folders(self.path)
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
            except FileExistsError:
                pass  # another process was quicker; to open and close it would take SQLite's locks away
            except OSError as error:
                message = f"What Skymmich answers cannot be kept in {self.path}: {error.strerror}."
                raise CatalogueError(message, remedy=_REMEDY) from error
        connection = sqlite3.connect(place, isolation_level=None, check_same_thread=False, timeout=10.0)
        try:
            # A look keeps something nearly each time: in this mode that waits for no disk, and is never torn.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._make(connection)
            elif version != _VERSION:
                raise sqlite3.DatabaseError("of another version")  # noqa: TRY301  one way to close it
        except BaseException:
            connection.close()
            raise
        return connection

    def _make(self, connection: sqlite3.Connection) -> None:
        """Make the tables; another process may do the same just now."""
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for table in TABLES:
                names = ", ".join(f'"{name}"' for name in table.required + table.optional if name != "id")
                connection.execute(f'CREATE TABLE "{table.name}" ("id" INTEGER PRIMARY KEY, {names})')
                if table in OWNED:
                    connection.execute(f'CREATE INDEX "of_{table.name}" ON "{table.name}" ("image_id")')
            for statement in filter(str.strip, _DETAILS.split(";")):
                connection.execute(statement)
            start = json.dumps(asdict(Memory(address=self._address)))
            connection.execute("INSERT INTO memory (value) VALUES (?)", (start,))
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute("COMMIT")

    def _made_anew(self) -> sqlite3.Connection:
        try:
            if self.path is not None:
                for suffix in ("", "-journal", "-wal", "-shm"):
                    self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return self._opened()
        except (OSError, sqlite3.Error) as error:
            message = f"What Skymmich answers cannot be kept in {self.path}: {error}."
            raise CatalogueError(message, remedy=_REMEDY) from error

    def close(self) -> None:
        """Close it."""
        self.connection.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change several things, or none of them."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read several things as of one moment, whatever another process keeps meanwhile."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("COMMIT")

    # What is known of the whole

    def memory(self) -> Memory:
        """Return what is known of the answers as a whole."""
        (text,) = self.connection.execute("SELECT value FROM memory").fetchone()
        known = {one.name for one in fields(Memory)}
        found = {name: value for name, value in json.loads(text).items() if name in known}
        found["columns"] = tuple((name, tuple(columns)) for name, columns in found.get("columns", ()))
        found["digests"] = tuple((name, digest) for name, digest in found.get("digests", ()))
        return Memory(**found)

    def remember(self, *, changed: bool = False, **news: object) -> Memory:
        """Keep some of it; ``changed``: rows were, too."""
        memory = self.memory()
        memory = replace(memory, **news, version=memory.version + changed)  # type: ignore[arg-type]  # by name
        self.connection.execute("UPDATE memory SET value = ?", (json.dumps(asdict(memory)),))
        return memory

    def columns(self) -> Columns:
        """Return which tables and columns the answers have; what no answer told yet is taken to be there."""
        told = {name: frozenset(columns) for name, columns in self.memory().columns}
        found = {}
        for table in TABLES:
            names = told.get(table.name, frozenset(table.required + table.optional))
            if names:
                found[table.name] = names
        return found

    def told_of(self, table: Table) -> frozenset[str]:
        """Return which columns a table's answers have, as far as one told."""
        return frozenset(dict(self.memory().columns).get(table.name, ()))

    def told(self, table: Table, columns: Iterable[str] | None) -> None:
        """Keep which columns a table's answers have; ``None``: there is no such table."""
        known = dict(self.memory().columns)
        known[table.name] = () if columns is None else tuple(sorted(columns))
        self.remember(columns=tuple(sorted(known.items())))

    # Rows

    def images(self) -> dict[int, Kept]:
        """Return what is kept of all images."""
        found = self.connection.execute(
            f"""SELECT d.image_id, d.digest, i.plate_solved, i.ra, i.dec, i.field_of_view, i.rotation
                FROM details AS d JOIN {IMAGES.name} AS i ON i.id = d.image_id"""  # noqa: S608  a name of this module
        )
        return {image_id: Kept(digest, tuple(solved)) for image_id, digest, *solved in found}

    def put(self, table: Table, rows: Iterable[Answered]) -> None:
        """Put rows in, in the place of those with the same ids."""
        for row in rows:
            self._insert(table, {"id": row.row_id, **row.values})

    def exchange(self, table: Table, rows: Sequence[Answered]) -> bool:
        """Put these rows in the place of all of a table; gives whether anything changed."""
        found = blake2b(digest_size=16)
        for row in sorted(rows, key=lambda row: row.row_id):
            found.update(row.digest)
        digests = dict(self.memory().digests)
        if digests.get(table.name) == found.hexdigest():
            return False
        digests[table.name] = found.hexdigest()
        self.connection.execute(f'DELETE FROM "{table.name}"')  # noqa: S608  a name of this module
        self.put(table, rows)
        self.remember(digests=tuple(sorted(digests.items())))
        return True

    def own(self, table: Table, image_id: int, rows: Iterable[Mapping[str, object]]) -> bool:
        """Put rows in the place of all that belong to an image; gives whether anything changed."""
        names = table.required + table.optional
        listed = ", ".join(f'"{name}"' for name in names)
        query = f'SELECT {listed} FROM "{table.name}" WHERE image_id = ? ORDER BY id'  # noqa: S608
        before = self.connection.execute(query, (image_id,)).fetchall()
        after = sorted((tuple(row.get(name) for name in names) for row in rows), key=_by_id)
        if before == after:
            return False
        self.connection.execute(f'DELETE FROM "{table.name}" WHERE image_id = ?', (image_id,))  # noqa: S608
        for row in after:
            self._insert(table, dict(zip(names, row, strict=True)))
        return True

    def link(self, image_id: int, equipment: Iterable[object]) -> bool:
        """Let these be the equipment of an image; gives whether it was another."""
        query = f"SELECT equipment_id FROM {LINKS.name} WHERE image_id = ?"  # noqa: S608  a name of this module
        before, after = {piece for (piece,) in self.connection.execute(query, (image_id,))}, set(equipment)
        if before == after:
            return False
        query = f"DELETE FROM {LINKS.name} WHERE image_id = ?"  # noqa: S608  a name of this module
        self.connection.execute(query, (image_id,))
        for piece in sorted(after, key=repr):
            # No answer shows the links' own ids.
            self._insert(LINKS, {"image_id": image_id, "equipment_id": piece})
        return True

    def doubt(self, image_id: int) -> bool:
        """Note that nothing of what belongs to an image is known: unknown, and not empty."""
        return self.link(image_id, [ODD])

    def links(self) -> dict[int, set[int]]:
        """Return the equipment of each image that has some."""
        found: dict[int, set[int]] = {}
        for image_id, piece in self.connection.execute(
            f"SELECT image_id, equipment_id FROM {LINKS.name}"  # noqa: S608  a name of this module
        ):
            found.setdefault(image_id, set()).add(piece)
        return found

    def is_doubted(self, image_id: int) -> bool:
        """Return whether nothing is known of what belongs to an image."""
        query = f"SELECT 1 FROM {LINKS.name} WHERE image_id = ? AND equipment_id = ?"  # noqa: S608
        return self.connection.execute(query, (image_id, ODD)).fetchone() is not None

    def ids(self, table: Table) -> set[int]:
        """Return the ids of a table's rows."""
        found = self.connection.execute(f'SELECT "id" FROM "{table.name}"')  # noqa: S608  a name of this module
        return {row_id for (row_id,) in found}

    def forget(self, image_ids: Iterable[int]) -> None:
        """Take images out, with all that belongs to them."""
        gone = [(image_id,) for image_id in image_ids]
        for table in (IMAGES, *OWNED):
            query = f'DELETE FROM "{table.name}" WHERE "{table.owner}" = ?'  # noqa: S608  names of this module
            self.connection.executemany(query, gone)
        self.connection.executemany("DELETE FROM details WHERE image_id = ?", gone)

    def settings(self, value: object) -> bool:
        """Keep Skymmich's ``immich`` settings; gives whether they were others."""
        text = json.dumps(value, ensure_ascii=True)
        before = self.connection.execute(f"SELECT value FROM {SETTINGS.name}").fetchone()  # noqa: S608
        self.connection.execute(f"DELETE FROM {SETTINGS.name}")  # noqa: S608  a name of this module
        self._insert(SETTINGS, {"id": 1, "key": "immich", "value": text})
        return before is None or before[0] != text

    def _insert(self, table: Table, row: Mapping[str, object]) -> None:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" * len(row))
        query = f'INSERT OR REPLACE INTO "{table.name}" ({names}) VALUES ({marks})'  # noqa: S608
        self.connection.execute(query, tuple(row.values()))

    # When what belongs to an image was read

    def read(self, row: Answered, now: float, due_at: float, *, closely: bool = False) -> None:
        """Note that an image is here as a row of its list says, with all that belongs to it.

        Args:
            row: of the list.
            now: the time.
            due_at: when what belongs to it is to be read again.
            closely: its equipment as well then.
        """
        self.connection.execute(
            """INSERT OR REPLACE INTO details (image_id, digest, updated_at, read_at, due_at, closely)
                VALUES (?, ?, ?, ?, ?, ?)""",
            (row.row_id, row.digest, row.updated_at, now, due_at, closely),
        )

    def read_again(self, image_id: int, now: float, due_at: float) -> None:
        """Note that what belongs to an image was read again."""
        self.connection.execute(
            "UPDATE details SET read_at = ?, due_at = ?, closely = 0 WHERE image_id = ?",
            (now, due_at, image_id),
        )

    def put_off(self, image_id: int, due_at: float) -> None:
        """Let an image's details be due later: they could not be read."""
        self.connection.execute("UPDATE details SET due_at = ? WHERE image_id = ?", (due_at, image_id))

    def expect(self, image_id: int | None = None) -> None:
        """Let an image's details be due at once; ``None``: those that nothing else would show.

        To take the last sub-exposure from an image moves nothing in its row: see ``facts``.
        """
        if image_id is not None:
            query, values = "UPDATE details SET due_at = 0, closely = 1 WHERE image_id = ?", (image_id,)
            self.connection.execute(query, values)
            return
        self.connection.execute(
            f"""UPDATE details SET due_at = 0 WHERE image_id IN (
                SELECT image_id FROM {ACQUISITIONS.name} GROUP BY image_id HAVING count(*) = 1)"""  # noqa: S608
        )

    def due(self, now: float, most: int) -> list[tuple[int, bool]]:
        """Return images whose details are due, who waits longest first, and whether their equipment is."""
        found = self.connection.execute(
            """SELECT image_id, closely FROM details WHERE due_at <= ?
                ORDER BY closely DESC, due_at > 0, read_at, image_id LIMIT ?""",
            (now, most),
        )
        return [(image_id, bool(closely)) for image_id, closely in found]

    def oldest(self) -> float | None:
        """Return when the details were read that were read first; ``None``: there are none."""
        (at,) = self.connection.execute("SELECT min(read_at) FROM details").fetchone()
        return None if at is None else float(at)


def _by_id(row: tuple[object, ...]) -> int:
    return row[0] if isinstance(row[0], int) else 0
