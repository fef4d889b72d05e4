"""OpenNGC's objects (https://github.com/mattiaverga/OpenNGC, CC-BY-SA-4.0) by name and by place, offline.

They come with ``pyongc``. Its classes take two seconds to read all objects; so its database, whose place it
names, is asked here: once for an index, at the first question, and then for each object. What an object's
type or name is worth is not decided here.
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
import weakref
from array import array
from bisect import bisect_left, bisect_right
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import CatalogueObject
from reconciler.core.sky.object_names import format_name, name_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.ports import ObjectCatalogue

_INDEXED: Final = (
    "SELECT id, name, type, ra, dec, majax, messier, ngc, ic, identifiers FROM objects ORDER BY id"
)
_OBJECT: Final = (
    "SELECT name, type, ra, dec, const, majax, minax, coalesce(vmag, bmag), messier, identifiers, commonnames"
    " FROM objects WHERE id = ?"
)
_KEPT: Final = 2000
"""Objects in memory, some 700 bytes each; a library shows fewer."""
_NO_OBJECTS: Final = frozenset({"Dup", "NonEx"})
_USED: Final = re.compile(r"(?:C|SH|LBN|UGC|UGCA|PGC|Cl|Mel|HCG|MWSC|PN G|PK|HD|HIP) ?\d.*|SH 2-\d+")
"""Identifiers that people use; ten more an object, of surveys, nobody writes."""


class OpenNgc:
    """Fulfils ``ports.ObjectCatalogue``; loaded once, at the first question.

    What stays in memory is where each object stands in the database, by name and from south to north; the
    objects themselves are read as they are asked for, and the last of them kept.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._loaded: _Index | None = None

    def find(self, designation: str) -> CatalogueObject | None:
        """Return the object of a designation; of a duplicate entry, the object that it repeats."""
        with self._turn:
            index = self._index()
            place = index.place_of(name_key(designation))
            return None if place is None else index.object_at(place)

    def near(
        self, ra_deg: float, dec_deg: float, radius_deg: float, least_arcmin: float = 0.0
    ) -> Sequence[CatalogueObject]:
        """Return the objects so large, or larger, within a radius of a position, from south to north."""
        with self._turn:
            index = self._index()
            low = bisect_left(index.southward, dec_deg - radius_deg)
            high = bisect_right(index.southward, dec_deg + radius_deg)
            ra, dec = math.radians(ra_deg), math.radians(dec_deg)
            least = math.cos(math.radians(min(radius_deg, 180.0)))
            sin_dec, cos_dec = math.sin(dec), math.cos(dec)
            found = []
            for place in range(low, high):
                if index.arcmin[place] < least_arcmin:
                    continue
                its = math.radians(index.southward[place])
                cosine = sin_dec * math.sin(its) + cos_dec * math.cos(its) * math.cos(index.ra[place] - ra)
                if cosine >= least:
                    found.append(index.object_at(index.placed[place]))
            return found

    def _index(self) -> _Index:
        if self._loaded is None:
            self._loaded = _Index()
        return self._loaded


class _Index:
    """Where the objects stand: row ids of the database, by hashes of their keys and from south to north."""

    __slots__ = (
        "__weakref__",
        "_database",
        "_hashes",
        "_places",
        "_read",
        "arcmin",
        "placed",
        "ra",
        "southward",
    )

    def __init__(self) -> None:
        self._database: sqlite3.Connection | None = None
        self._read = lru_cache(_KEPT)(self._object)
        named: dict[int, int] = {}
        repeated: list[tuple[str, str]] = []
        others: list[tuple[str, int]] = []
        positions: list[tuple[float, float, int, float]] = []
        with closing(_connected()) as database:
            for place, name, kind, ra, dec, major, messier, ngc, ic, ids in database.execute(_INDEXED):
                key = name_key(str(name))
                if kind in _NO_OBJECTS:
                    if main := f"m{messier}" if messier else f"ngc{ngc}" if ngc else f"ic{ic}" if ic else "":
                        repeated.append((key, name_key(main)))
                    continue
                named.setdefault(hash(key), place)
                if messier:
                    named.setdefault(hash(name_key(f"M {int(messier)}")), place)
                others += [(name_key(f"ngc{part}"), place) for part in _split(ngc)]
                others += [(name_key(f"ic{part}"), place) for part in _split(ic)]
                others += [(name_key(identifier), place) for identifier in _used(ids)]
                if ra is not None and dec is not None:
                    positions.append((math.degrees(dec), ra, place, _number(major) or 0.0))
        for key, place in others:
            named.setdefault(hash(key), place)
        for key, main in repeated:
            if (its := named.get(hash(main))) is not None:
                named.setdefault(hash(key), its)
        by_hash = sorted(named.items())
        self._hashes = array("q", (each for each, _ in by_hash))
        self._places = array("i", (place for _, place in by_hash))
        positions.sort()
        self.southward = array("d", (dec for dec, *_ in positions))
        self.ra = array("d", (ra for _, ra, *_ in positions))
        self.placed = array("i", (place for _, _, place, _ in positions))
        self.arcmin = array("d", (arcmin for *_, arcmin in positions))

    def place_of(self, key: str) -> int | None:
        """Return where the object of a key stands. Of 50,000 hashes of 64 bits, no two are alike."""
        wanted = hash(key)
        at = bisect_left(self._hashes, wanted)
        return self._places[at] if at < len(self._hashes) and self._hashes[at] == wanted else None

    def object_at(self, place: int) -> CatalogueObject:
        """Return the object that stands there."""
        return self._read(place)

    def _opened(self) -> sqlite3.Connection:
        """Return the connection for objects, opened for the first of them: an index may outlive a fork."""
        if self._database is None:
            self._database = _connected()
            # It is nobody's to close: who asks for an object knows of no file. Python 3.13 warns of it.
            weakref.finalize(self, self._database.close)
        return self._database

    def _object(self, place: int) -> CatalogueObject:
        name, kind, ra, dec, constellation, major, minor, magnitude, messier, ids, common = (
            self._opened().execute(_OBJECT, (place,)).fetchone()
        )
        return CatalogueObject(
            name=format_name(str(name)),
            type_code=str(kind),
            messier=f"M {int(messier)}" if messier else None,
            common_names=_split(common),
            constellation=str(constellation) if constellation else None,
            ra_deg=_degrees(ra),
            dec_deg=_degrees(dec),
            major_arcmin=_number(major),
            minor_arcmin=_number(minor),
            magnitude=_number(magnitude),
            identifiers=_used(ids),
        )


def _connected() -> sqlite3.Connection:
    # To read its own version costs it as long as half of what is read here.
    from pyongc import DBPATH  # noqa: PLC0415  see above

    address = f"{Path(DBPATH).as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(address, uri=True, check_same_thread=False)  # one asks at a time


def _split(listed: object) -> tuple[str, ...]:
    return (
        tuple(part.strip() for part in listed.split(",") if part.strip()) if isinstance(listed, str) else ()
    )


def _used(listed: object) -> tuple[str, ...]:
    """Return the identifiers that people use."""
    return tuple(each for each in _split(listed) if _USED.fullmatch(each))


def _degrees(value: object) -> float | None:
    return math.degrees(value) if isinstance(value, int | float) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


if TYPE_CHECKING:
    _fulfils: type[ObjectCatalogue] = OpenNgc
