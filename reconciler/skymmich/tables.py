"""Which of Skymmich's tables and columns are read, and how: nothing else of its database is touched.

Columns and tables came release by release, so every query is made from what a database really has.
What the values mean is not known here; see ``fields`` and ``assembly``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = Mapping[str, object]
"""A row by column name; a column that this release lacks is absent."""

Columns = Mapping[str, frozenset[str]]
"""Table name → names of its columns, as found."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of Skymmich: useless without its ``required`` columns, readable without the others."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    where: str = ""
    owner: str = ""
    """The column that names the image a row belongs to; empty in tables whose rows belong to none."""
    stands_for: str = ""
    """The ``table.column`` that stands for all of a table whose rows belong to images."""

    def names(self, present: frozenset[str]) -> list[str]:
        """List the columns that are read and exist."""
        return [name for name in self.required + self.optional if name in present]

    def query(self, present: frozenset[str], what: str = "", where: str = "", order: str = '"id"') -> str:
        """Return the query for the columns that exist; quoted, since ``offset`` is reserved in SQL.

        Args:
            present: what the table has.
            what: is asked for instead of the columns.
            where: a further condition.
            order: of the rows.
        """
        listed = what or ", ".join(f'"{name}"' for name in self.names(present))
        conditions = " AND ".join(f"({one})" for one in (self.where, where) if one)
        condition = f" WHERE {conditions}" if conditions else ""
        ordered = f" ORDER BY {order}" if order else ""
        return f'SELECT {listed} FROM "{self.name}"{condition}{ordered}'  # noqa: S608  names of this module


IMAGES = Table(
    "astrophotography_images",
    ("id", "immich_id"),
    (
        "title", "filename", "description", "capture_date", "tags", "object_type", "constellation",
        "target_name", "plate_solved", "ra", "dec", "field_of_view", "rotation", "latitude", "longitude",
        "telescope", "camera", "mount", "filters", "focal_length", "aperture", "iso", "exposure_time",
        "frame_count", "total_integration_hours", "original_path",
    ),
    owner="id",
)  # fmt: skip
EQUIPMENT = Table("equipment", ("id", "name"), ("type", "specifications"))
LINKS = Table(
    "image_equipment",
    ("id", "image_id", "equipment_id"),
    owner="image_id",
    stands_for="image_equipment.equipment_id",
)
ACQUISITIONS = Table(
    "image_acquisition",
    ("id", "image_id", "frame_count", "exposure_time"),
    ("filter_id", "filter_name", "gain", "offset", "binning", "sensor_temp", "date"),
    owner="image_id",
    stands_for="image_acquisition.frame_count",
)
WITHOUT_ANSWER = ("pending", "processing", "failed")
"""States of a job without an answer. ``success`` has one; any other may mean that one is there, too."""
SOLVES = Table(
    "plate_solving_jobs",
    ("id", "image_id", "status", "result"),
    ("submitted_at", "completed_at"),
    where=f"status IS NULL OR status NOT IN ({', '.join(map(repr, WITHOUT_ANSWER))})",
    owner="image_id",
    stands_for="plate_solving_jobs.result",
)
LOCATIONS = Table("locations", ("id", "name", "latitude", "longitude"))
OBJECTS = Table(
    "catalog_objects",
    ("id", "name"),
    ("type", "messier", "common_names", "constellation", "ra_deg", "dec_deg"),
)
SETTINGS = Table("admin_settings", ("id", "key", "value"), where="key = 'immich'")

OWNED = (LINKS, ACQUISITIONS, SOLVES)
"""Tables whose rows belong to images."""
SMALL = (EQUIPMENT, LOCATIONS, OBJECTS, SETTINGS)
"""Tables that do not grow with the images."""
TABLES = (IMAGES, EQUIPMENT, LINKS, ACQUISITIONS, SOLVES, LOCATIONS, OBJECTS, SETTINGS)
LASTING = (SOLVES, OBJECTS)
"""Tables from which a person can delete nothing: once they have rows, they have rows."""

_MIGRATIONS = "__drizzle_migrations"
_BY_MIGRATIONS = ((9, "0.9"), (8, "0.7"), (7, "0.6"), (4, "0.5"))
"""Skymmich's own migrations 0000 to 0008 of SQLite: with so many applied, the schema is that release's."""
_SINCE = {LOCATIONS.name: "0.5", ACQUISITIONS.name: "0.5", OBJECTS.name: "0.7"}
"""The tables that the first release did not have yet."""
_TARGET_NAME = f"{IMAGES.name}.target_name"
_PATH = f"{IMAGES.name}.original_path"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Rows of one moment, raw."""

    storage: str
    """For people: ``SQLite, journal mode delete``."""
    release: str
    rows: Mapping[str, Sequence[Row]]
    columns: frozenset[str] = frozenset()
    """``table.column`` of all that is read and is there."""
    gone: frozenset[str] = frozenset()
    """``table.column`` of what this schema once had, and has no longer."""


def take(columns: Columns, storage: str, run: Callable[[str], Sequence[Row]]) -> Snapshot:
    """Read what there is besides images: the tables that do not grow with them, one query each.

    Args:
        columns: what the database has.
        storage: its kind, for people.
        run: runs a query and fetches all its rows.

    Raises:
        CatalogueError: this is no database of Skymmich.
    """
    missing = [name for name in IMAGES.required if name not in columns.get(IMAGES.name, frozenset())]
    if missing:
        what = (
            f"its table {IMAGES.name} has no column {missing[0]}"
            if IMAGES.name in columns
            else f"it has no table {IMAGES.name}"
        )
        raise CatalogueError(
            f"This is not a database of Skymmich: {what}.",
            remedy="Check [skymmich] source. If Skymmich is new, start it once, so that it makes its tables.",
        )
    rows: dict[str, Sequence[Row]] = {}
    for table in SMALL:
        if is_there(table, columns):
            rows[table.name] = run(table.query(columns[table.name]))
    found = release(columns)
    made_by = max(found, _migrated_to(columns, run))
    expected = _expected(made_by, postgres="SQLite" not in storage)
    there = frozenset(
        f"{table.name}.{name}"
        for table in TABLES
        for name in table.required + table.optional
        if name in columns.get(table.name, frozenset())
    )
    return Snapshot(storage, made_by, rows, there, expected - there)


def is_there(table: Table, columns: Columns) -> bool:
    """Return whether a table is there, with all that it is useless without."""
    return columns.get(table.name, frozenset()).issuperset(table.required)


def release(columns: Columns) -> str:
    """Return which release made these tables, by what it added (Skymmich's migrations 0001 to 0008)."""
    if "target_name" in columns.get(IMAGES.name, frozenset()):
        return "0.9"
    if OBJECTS.name in columns or "user_targets" in columns:
        return "0.7"
    if "equipment_groups" in columns or "cost" in columns.get(EQUIPMENT.name, frozenset()):
        return "0.6"
    return "0.5" if ACQUISITIONS.name in columns or LOCATIONS.name in columns else "0.2"


def _migrated_to(columns: Columns, run: Callable[[str], Sequence[Row]]) -> str:
    """Tell to which release Skymmich's own migrations came, which it notes in SQLite alone."""
    if _MIGRATIONS not in columns:
        return ""
    (row,) = run(f'SELECT count(*) AS "applied" FROM "{_MIGRATIONS}"')  # noqa: S608  a name of this module
    applied = row["applied"]
    if not isinstance(applied, int):
        return ""
    return next((name for least, name in _BY_MIGRATIONS if applied >= least), "0.2")


def _expected(made_by: str, *, postgres: bool) -> frozenset[str]:
    """Return what of the columns that are read a release has: what is missing of them is gone.

    SQLite got the target's name with 0.9, PostgreSQL with 0.7. Of the file's path nothing is expected: some
    installations of PostgreSQL never got it, and nothing that is shown rests on it.
    """
    names = {
        f"{table.name}.{name}"
        for table in TABLES
        if _SINCE.get(table.name, "") <= made_by
        for name in table.required + table.optional
    }
    names.discard(_PATH)
    return frozenset(names if made_by >= ("0.7" if postgres else "0.9") else names - {_TARGET_NAME})
