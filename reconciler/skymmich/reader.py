"""Reads a catalogue again and again, and understands of it what changed.

All rows of an image, its own and those that belong to it, have one digest. Images whose digest is the one of
the reading before stay as they were understood then; the rows of the others are read. Where equipment,
places, objects or the schema changed, which any image may show, all are read anew, slice by slice.
"""

from __future__ import annotations

import marshal
from array import array
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Protocol, cast

from reconciler.core.catalogue import Catalogue, RowProblem
from reconciler.core.packed_catalogue import PackedImages
from reconciler.core.unknown import without
from reconciler.skymmich.assembly import Assembler, each_linked_once
from reconciler.skymmich.dangling import refers_to_nothing
from reconciler.skymmich.settings import read_settings
from reconciler.skymmich.tables import (
    EQUIPMENT,
    IMAGES,
    LASTING,
    LINKS,
    LOCATIONS,
    OBJECTS,
    OWNED,
    SETTINGS,
    is_there,
    take,
)
from reconciler.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.ports import ObjectCatalogue
    from reconciler.skymmich.tables import Columns, Row, Snapshot, Table

    Values = tuple[object, ...]

SLICE: Final = 500
"""Images whose rows are held at once."""
FEW: Final = 2_000
"""So many changed images are asked for by their ids; for more, all rows are read."""
_MASK: Final = 2**64 - 1
_TOLD: Final = (EQUIPMENT, *OWNED, LOCATIONS, OBJECTS, IMAGES, SETTINGS)
_ORDER: Final = {table.name: place for place, table in enumerate(_TOLD)}
"""In which order problems are told."""


class Moment(Protocol):
    """A database at one moment, open for reading."""

    storage: str
    """For people: ``SQLite, journal mode delete``."""

    def columns(self) -> Columns:
        """Return what there is."""
        ...

    def rows(self, query: str) -> Iterator[Values]:
        """Run a query and give its rows one by one."""
        ...

    def named_rows(self, query: str) -> Sequence[Row]:
        """Run a query and give all its rows by the names of their columns."""
        ...

    def digests(self, tables: Sequence[tuple[Table, frozenset[str]]]) -> Digests:
        """Return a digest of all rows of each image."""
        ...


@dataclass(frozen=True, slots=True)
class Digests:
    """What tells whether something changed."""

    of_image: Mapping[int, int]
    """64 bits."""
    stray: int
    """Of all rows that name no image."""
    counts: Mapping[Table, tuple[int, int]]
    """Rows of each table that belong to images, and how many of them name none."""
    foreign: tuple[Table, ...] = ()
    """Those of these tables of which no row names an image that there is."""
    equipment: AbstractSet[object] = frozenset()
    """Ids of equipment that links lead to."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A reading, in little memory."""

    base: int
    stray: int
    ids: array[int]
    digests: array[int]
    images: PackedImages
    """Before links that are there twice were taken out."""
    problems: Mapping[int | None, tuple[RowProblem, ...]]
    """By image; ``None``: of rows that belong to none."""
    assembler: Assembler
    doubled: bool
    """Whether two images were linked to one asset."""


class CatalogueReader:
    """Reads one catalogue; keeps what it takes to see what changed since.

    Args:
        sky: knows objects that Skymmich's own table lacks.
    """

    def __init__(self, sky: ObjectCatalogue | None = None) -> None:
        self._sky = sky
        self._known: _Known | None = None
        self._readings = 0

    def read(self, moment: Moment) -> Catalogue:
        """Read a moment.

        Raises:
            CatalogueError: this is no database of Skymmich.
        """
        columns = moment.columns()
        snapshot = take(columns, moment.storage, moment.named_rows)
        tables = [(table, columns[table.name]) for table in (IMAGES, *OWNED) if is_there(table, columns)]
        digests = moment.digests(tables)
        strange = [(table, table.owner, IMAGES) for table in digests.foreign]
        if refers_to_nothing(digests.equipment, _ids(snapshot, EQUIPMENT)):
            strange.append((LINKS, "equipment_id", EQUIPMENT))
        base = _digest_of(snapshot, digests, strange)
        changed = self._changed(base, digests)
        known, self._known = self._known, None
        if known is not None and changed is not None:
            images, problems = self._some(known, changed, moment, tables)
            assembler = known.assembler
        else:
            changed = None
            assembler = Assembler(snapshot, digests.counts, strange, sky=self._sky)
            images, problems = _all(assembler, moment, tables)
        linked, doubled = each_linked_once(images)
        if doubled or (known is not None and known.doubled):
            changed = None  # which of them counts as linked depends on the others
        ids = sorted(digests.of_image)
        values = array("Q", map(digests.of_image.__getitem__, ids))
        self._known = _Known(
            base, digests.stray, array("q", ids), values, images, problems, assembler, doubled=bool(doubled)
        )
        told = [*assembler.problems, *chain.from_iterable(problems.values())]
        settings = read_settings(snapshot, told)
        told.sort(key=_place)
        self._readings += 1
        catalogue = Catalogue(
            images=linked,
            settings=settings,
            problems=(*told, *doubled),
            schema=f"{snapshot.storage}, schema of {snapshot.release}",
            columns=snapshot.columns,
            empty=frozenset(table.name for table in LASTING if _is_empty(table, snapshot, digests)),
            changed=None if changed is None else frozenset(changed),
            reading=self._readings,
        )
        return without(catalogue, snapshot.gone)

    def _changed(self, base: int, digests: Digests) -> set[int] | None:
        """Return which images changed since the last reading; ``None``: any may have."""
        known = self._known
        if known is None or (known.base, known.stray) != (base, digests.stray):
            return None
        of_image = digests.of_image
        get = of_image.get
        changed = {key for key, value in zip(known.ids, known.digests, strict=True) if get(key) != value}
        if len(of_image) != len(known.ids) - sum(key not in of_image for key in changed):
            changed |= {key for key in of_image if not _has(known.ids, key)}
        return changed if len(changed) <= FEW else None

    def _some(
        self,
        known: _Known,
        changed: set[int],
        moment: Moment,
        tables: Sequence[tuple[Table, frozenset[str]]],
    ) -> tuple[PackedImages, dict[int | None, tuple[RowProblem, ...]]]:
        """Read the rows of images that changed."""
        if not changed:
            return known.images, dict(known.problems)
        of_changed: dict[str, list[Row]] = {}
        listed = ", ".join(map(str, sorted(changed)))
        for table, present in tables:
            names = table.names(present)
            query = table.query(present, where=f'"{table.owner}" IN ({listed})')
            of_changed[table.name] = [dict(zip(names, row, strict=True)) for row in moment.rows(query)]
        images, problems = _attributed(known.assembler, of_changed)
        news: dict[int, CatalogueImage | None] = dict.fromkeys(changed)
        news |= {image.image_id: image for image in images}
        kept = {key: value for key, value in known.problems.items() if key not in changed}
        return known.images.replaced(news), kept | problems


def _all(
    assembler: Assembler, moment: Moment, tables: Sequence[tuple[Table, frozenset[str]]]
) -> tuple[PackedImages, dict[int | None, tuple[RowProblem, ...]]]:
    """Read all images, slice by slice."""
    problems: dict[int | None, tuple[RowProblem, ...]] = {}

    def found() -> Iterator[CatalogueImage]:
        for rows in _slices(moment, tables):
            images, odd = _attributed(assembler, rows)
            for owner, more in odd.items():
                problems[owner] = (*problems.get(owner, ()), *more)
            yield from images

    return PackedImages(found(), Spill), problems


def _attributed(
    assembler: Assembler, rows: Mapping[str, Sequence[Row]]
) -> tuple[list[CatalogueImage], dict[int | None, tuple[RowProblem, ...]]]:
    """Put a slice together, and tell whose the problems are: image by image, where there are any."""
    images, problems = assembler.images(rows)
    if not problems:
        return images, {}
    of: dict[int | None, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for table in (IMAGES, *OWNED):
        for row in rows.get(table.name, ()):
            of[_owner(row.get(table.owner))][table.name].append(row)
    found = {owner: tuple(assembler.images(mine)[1]) for owner, mine in of.items()}
    return images, {owner: odd for owner, odd in found.items() if odd}


def _slices(moment: Moment, tables: Sequence[tuple[Table, frozenset[str]]]) -> Iterator[dict[str, list[Row]]]:
    """Yield the rows of so many images at a time: all streams are in the order of the images they belong to.

    Rows that name no image stand before and after all numbers.
    """
    (images, present), *owned = tables
    names = images.names(present)
    rows: Iterator[Row] = (dict(zip(names, row, strict=True)) for row in moment.rows(images.query(present)))
    others = {table.name: _Owned(moment, table, present) for table, present in owned}
    while several := list(islice(rows, SLICE)):
        last = next((own for row in reversed(several) if (own := _owner(row.get("id"))) is not None), None)
        mine = {name: stream.until(last) for name, stream in others.items()}
        yield {IMAGES.name: several, **mine}
    while any((rest := {name: stream.some() for name, stream in others.items()}).values()):
        yield rest


class _Owned:
    """The rows of a table, in the order of the images that they belong to."""

    def __init__(self, moment: Moment, table: Table, present: frozenset[str]) -> None:
        self._names = table.names(present)
        self._owner = self._names.index(table.owner)
        self._rows = moment.rows(table.query(present, order=f'"{table.owner}" NULLS FIRST, "id"'))
        self._next = next(self._rows, None)

    def until(self, last: int | None) -> list[Row]:
        """Take those that belong to images up to this one."""
        found: list[Row] = []
        while (row := self._next) is not None:
            owner = row[self._owner]
            if last is None or (owner is not None and not (isinstance(owner, int | float) and owner <= last)):
                break
            found.append(dict(zip(self._names, row, strict=True)))
            self._next = next(self._rows, None)
        return found

    def some(self) -> list[Row]:
        """Take some of what is left: it belongs to no image that there is."""
        if (row := self._next) is None:
            return []
        rows = list(islice(self._rows, SLICE))
        self._next = next(self._rows, None)
        return [dict(zip(self._names, each, strict=True)) for each in (row, *rows)]


def digests_of(moment: Moment, tables: Sequence[tuple[Table, frozenset[str]]]) -> Digests:
    """Compute digests from the rows themselves, where the database cannot."""
    of_image: dict[int, int] = {}
    get, dumps = of_image.get, marshal.dumps
    stray = 0
    counts: dict[Table, tuple[int, int]] = {}
    foreign: list[Table] = []
    equipment: set[object] = set()
    images = array("q")
    for salt, (table, present) in enumerate(tables):
        listed = ", ".join(f'"{name}"' for name in (table.owner, *table.names(present)))
        count = lost = 0
        known, strangers = table is IMAGES, set[object]()
        place = 1 + table.names(present).index("equipment_id") if table is LINKS else 0
        factor = 2 * salt + 1
        for row in cast("Iterator[tuple[int]]", moment.rows(table.query(present, what=listed, order=""))):
            owner: object = row[0]
            count += 1
            # Not the tuple's own hash: to that -1 and -2 are the same.
            value = hash(dumps(row, 2)) * factor
            if isinstance(owner, int):
                of_image[owner] = get(owner, 0) + value
            else:
                stray += value
                lost += 1
            if not known and owner is not None:
                strangers.add(owner)
                known = isinstance(owner, int | float) and _has(images, owner)
            if place:
                equipment.add(row[place])
        if table is IMAGES:
            images = array("q", sorted(of_image))
            continue
        counts[table] = (count, lost)
        if not known and refers_to_nothing(strangers, frozenset()):  # none of them is an image's
            foreign.append(table)
    for key, value in of_image.items():
        of_image[key] = value & _MASK
    return Digests(of_image, stray & _MASK, counts, tuple(foreign), equipment - {None})


def _has(ids: array[int], key: float) -> bool:
    """Return whether a number is among those that are in order."""
    place = bisect_left(ids, key)
    return place < len(ids) and ids[place] == key


def _ids(snapshot: Snapshot, table: Table) -> set[object]:
    return {row.get("id") for row in snapshot.rows.get(table.name, ())}


def _is_empty(table: Table, snapshot: Snapshot, digests: Digests) -> bool:
    """Return whether a table is there, and has no row that is read."""
    if table in digests.counts:
        return digests.counts[table][0] == 0
    return table.name in snapshot.rows and not snapshot.rows[table.name]


def _digest_of(snapshot: Snapshot, digests: Digests, strange: Sequence[tuple[Table, str, Table]]) -> int:
    """Digest all that any image may show, and how much of what belongs to them leads nowhere."""
    rows = [
        (name, [tuple(row.values()) for row in rows])
        for name, rows in snapshot.rows.items()
        if name != SETTINGS.name
    ]
    lost = sorted((table.name, *counts) for table, counts in digests.counts.items() if counts[1])
    elsewhere = [(table.name, column) for table, column, _ in strange]
    return hash(
        repr((rows, snapshot.release, sorted(snapshot.columns), sorted(snapshot.gone), lost, elsewhere))
    )


def _place(problem: RowProblem) -> tuple[int, bool, int, str]:
    """Return where a problem is told: in order of the tables, then of the rows."""
    named, row_id = isinstance(problem.row_id, str), problem.row_id
    return _ORDER.get(problem.table, 0), named, 0 if isinstance(row_id, str) else row_id, str(row_id)


def _owner(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
