"""OpenNGC's objects (https://github.com/mattiaverga/OpenNGC, CC-BY-SA-4.0) by name and by place, offline.

They come with ``pyongc``. Its classes read one object a query, two seconds for all; so its database, whose
place it names, is read here in one go, at the first question. What an object's type or name is worth is not
decided here.
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
from array import array
from bisect import bisect_left, bisect_right
from contextlib import closing
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import CatalogueObject
from reconciler.core.sky.object_names import format_name, name_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.core.ports import ObjectCatalogue

_QUERY: Final = (
    "SELECT name, type, ra, dec, const, majax, minax, coalesce(vmag, bmag), messier, ngc, ic, identifiers,"
    " commonnames FROM objects"
)
_NO_OBJECTS: Final = frozenset({"Dup", "NonEx"})
_USED: Final = re.compile(r"(?:C|SH|LBN|UGC|UGCA|PGC|Cl|Mel|HCG|MWSC|PN G|PK|HD|HIP) ?\d.*|SH 2-\d+")
"""Identifiers that people use; ten more an object, of surveys, nobody writes."""
_COLLINDER: Final = re.compile(r"cl(?=\d)")


class OpenNgc:
    """Fulfils ``ports.ObjectCatalogue``; loaded once, at the first question."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._loaded: _Index | None = None

    def find(self, designation: str) -> CatalogueObject | None:
        """Return the object of a designation; of a duplicate entry, the object that it repeats."""
        return self._index().named.get(_key(designation))

    def near(self, ra_deg: float, dec_deg: float, radius_deg: float) -> Sequence[CatalogueObject]:
        """Return the objects within a radius of a position, from south to north."""
        index = self._index()
        low = bisect_left(index.southward, dec_deg - radius_deg)
        high = bisect_right(index.southward, dec_deg + radius_deg)
        ra, dec = math.radians(ra_deg), math.radians(dec_deg)
        least = math.cos(math.radians(min(radius_deg, 180.0)))
        sin_dec, cos_dec = math.sin(dec), math.cos(dec)
        found = []
        for place in range(low, high):
            its = math.radians(index.southward[place])
            cosine = sin_dec * math.sin(its) + cos_dec * math.cos(its) * math.cos(index.ra[place] - ra)
            if cosine >= least:
                found.append(index.placed[place])
        return found

    def _index(self) -> _Index:
        with self._turn:
            if self._loaded is None:
                self._loaded = _Index(_rows())
            return self._loaded


class _Index:
    """All objects, by key and from south to north."""

    __slots__ = ("named", "placed", "ra", "southward")

    def __init__(self, rows: Iterable[tuple[object, ...]]) -> None:
        self.named: dict[str, CatalogueObject] = {}
        objects: list[CatalogueObject] = []
        repeated: list[tuple[str, str]] = []
        others: list[tuple[CatalogueObject, str]] = []
        for (
            name,
            kind,
            ra,
            dec,
            constellation,
            major,
            minor,
            magnitude,
            messier,
            ngc,
            ic,
            ids,
            common,
        ) in rows:
            key = _key(str(name))
            if kind in _NO_OBJECTS:
                if main := f"m{messier}" if messier else f"ngc{ngc}" if ngc else f"ic{ic}" if ic else "":
                    repeated.append((key, _key(main)))
                continue
            found = CatalogueObject(
                name=format_name(str(name)),
                type_code=intern(str(kind)),
                messier=f"M {int(str(messier))}" if messier else None,
                common_names=_split(common),
                constellation=intern(str(constellation)) if constellation else None,
                ra_deg=_degrees(ra),
                dec_deg=_degrees(dec),
                major_arcmin=_number(major),
                minor_arcmin=_number(minor),
                magnitude=_number(magnitude),
                identifiers=tuple(each for each in _split(ids) if _USED.fullmatch(each)),
            )
            objects.append(found)
            self.named.setdefault(key, found)
            if found.messier:
                self.named.setdefault(_key(found.messier), found)
            others += [(found, f"ngc{part}") for part in _split(ngc)]
            others += [(found, f"ic{part}") for part in _split(ic)]
            others += [(found, identifier) for identifier in found.identifiers]
        for found, other in others:
            self.named.setdefault(_key(other), found)
        for key, main in repeated:
            if (target := self.named.get(main)) is not None:
                self.named.setdefault(key, target)
        placed = sorted(
            (
                (each.dec_deg, each.ra_deg, each)
                for each in objects
                if each.dec_deg is not None and each.ra_deg is not None
            ),
            key=lambda entry: (entry[0], entry[1], entry[2].name),
        )
        self.southward = array("d", (dec for dec, _, _ in placed))
        self.ra = array("d", (math.radians(ra) for _, ra, _ in placed))
        self.placed = tuple(each for _, _, each in placed)


def _rows() -> Iterator[tuple[object, ...]]:
    # To read its own version costs it as long as half of this.
    from pyongc import DBPATH  # noqa: PLC0415  see above

    with closing(sqlite3.connect(f"{Path(DBPATH).as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        yield from database.execute(_QUERY)


def _key(designation: str) -> str:
    """Fold case, blanks and padding; OpenNGC's ``Cl`` is Collinder's."""
    return _COLLINDER.sub("cr", name_key(designation))


def _split(listed: object) -> tuple[str, ...]:
    return (
        tuple(part.strip() for part in listed.split(",") if part.strip()) if isinstance(listed, str) else ()
    )


def _degrees(value: object) -> float | None:
    return math.degrees(value) if isinstance(value, int | float) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


if TYPE_CHECKING:
    _fulfils: type[ObjectCatalogue] = OpenNgc
