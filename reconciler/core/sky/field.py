"""What else is in a picture: which deep-sky objects of its field are told, and in which order.

The solver's annotations name them; where there are none, they are computed from a catalogue, and only those
that a picture shows for certain. Nothing is looked up here.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import FieldObject
from reconciler.core.sky import famous
from reconciler.core.sky.object_names import format_name, name_key
from reconciler.core.sky.plane import project

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.catalogue import CatalogueObject
    from reconciler.core.sky.plane import Orientation

MOST_KEPT: Final = 24
"""Objects kept of a picture, besides its target."""

_STARS: Final = frozenset({"*", "**", "Nova", "Other", "NonEx", "Dup"})
"""Types that are no deep-sky object, or nobody knows what."""
_GALAXIES: Final = frozenset({"G", "GPair", "GTrpl", "GGroup"})
_FAINTEST: Final = {"OCl": 9.0, "GCl": 12.0, "PN": 13.0, "Cl+N": 10.0, **dict.fromkeys(_GALAXIES, 13.0)}
"""Magnitude up to which an object of a type shows in any picture that is long enough to be solved; of
nebulae, whose magnitude says little, the size decides alone."""
_LEAST: Final = {
    "HII": 0.03,
    "EmN": 0.03,
    "RfN": 0.03,
    "SNR": 0.03,
    "Neb": 0.03,
    **dict.fromkeys(_FAINTEST, 0.008),
}
"""Share of the longer side that an object of a type must cover."""
_LARGEST: Final = 1.5
"""Longer sides: what covers more is no thing in the picture."""
_COLLINDER: Final = re.compile(r"^Cl (?=[0-9])")
"""OpenNGC's abbreviation."""
_EDGE: Final = 0.04
"""Share of a side that stays free: the solver's angle is known to a degree or two."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture in its tangent plane; sides are as the plane's, in radians."""

    at: tuple[float, float]
    """Right ascension and declination of its centre, degrees."""
    width: float
    height: float
    orientation: Orientation

    @property
    def half_diagonal_deg(self) -> float:
        """The angle from the centre to a corner."""
        return math.degrees(math.atan(math.hypot(self.width, self.height) / 2))

    @property
    def least_arcmin(self) -> float:
        """The size below which nothing of the picture is told."""
        return self.side_arcmin * min(_LEAST.values())

    @property
    def side_arcmin(self) -> float:
        """The angle that the longer side covers."""
        return math.degrees(2 * math.atan(max(self.width, self.height) / 2)) * 60

    def place(self, ra_deg: float, dec_deg: float) -> complex | None:
        """Return where a position lies, as shares of width and height from the centre, right and down."""
        if (offset := project(ra_deg, dec_deg, self.at)) is None:
            return None
        place = self.orientation.place(offset)
        return complex(place.real / self.width, place.imag / self.height)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An object that may be told."""

    name: str
    """As the annotation has it."""
    known: CatalogueObject | None
    keys: frozenset[str]
    """All its names, as `name_key` has them."""
    place: complex | None = None
    """Right and down, as shares of width and height from the upper left corner."""
    radius: float = 0.0
    """As a share of the width, or without one, in any unit that is the same for all of the picture."""


def keys_of(found: CatalogueObject) -> frozenset[str]:
    """Return all names of an object as keys."""
    return frozenset(map(name_key, filter(None, (found.name, found.messier, *found.identifiers))))


def is_deep_sky(found: CatalogueObject) -> bool:
    """Return whether it is no star: Messier's own stay, whatever they are."""
    return found.messier is not None or _kind_of(found) not in _STARS


def _kind_of(found: CatalogueObject) -> str | None:
    """Return its type code; that of the table of famous objects corrects OpenNGC's."""
    known = famous.find(format_name(found.name))
    return (known.type_code if known else "") or found.type_code


def chosen(candidates: Iterable[Candidate], target: frozenset[str]) -> tuple[FieldObject, ...]:
    """Return what is told, best known first, each object once.

    Args:
        candidates: what there is.
        target: keys of the picture's own targets: they are marked.
    """
    taken: set[str] = set()
    told: list[tuple[bool, FieldObject]] = []
    for one in sorted(candidates, key=_rank):
        shown = _shown(one)
        keys = one.keys | {name_key(shown)}
        if taken & keys:
            continue
        taken |= keys
        is_target = bool(target & keys)
        left, top = (None, None) if one.place is None else (one.place.real, one.place.imag)
        told.append(
            (
                is_target,
                FieldObject(
                    shown,
                    None if left is None else round(left * 1000),
                    None if top is None else round(top * 1000),
                    round(one.radius * 1000) if one.place is not None else 0,
                    is_target,
                ),
            )
        )
    others = [each for is_target, each in told if not is_target][:MOST_KEPT]
    return (*(each for is_target, each in told if is_target), *others)


def visible(objects: Iterable[CatalogueObject], frame: Frame) -> Iterable[Candidate]:
    """Yield those objects of a catalogue that a picture shows for certain: well inside, bright and large."""
    side = frame.side_arcmin
    for each in objects:
        if each.ra_deg is None or each.dec_deg is None or each.major_arcmin is None or not is_deep_sky(each):
            continue
        place = frame.place(each.ra_deg, each.dec_deg)
        if place is None or max(abs(place.real), abs(place.imag)) > 0.5 - _EDGE:
            continue
        kind = _kind_of(each) or ""
        least = _LEAST.get(kind)
        if least is None or not least * side <= each.major_arcmin <= _LARGEST * side:
            continue
        faintest = _FAINTEST.get(kind)
        if faintest is not None and (each.magnitude is None or each.magnitude > faintest):
            continue
        radius = math.radians(each.major_arcmin / 120) / frame.width
        yield Candidate(each.name, each, keys_of(each), place + complex(0.5, 0.5), radius)


def _shown(one: Candidate) -> str:
    """Return the designation that people use: ``Sh2-155`` of OpenNGC's ``C 9``."""
    found = one.name if one.known is None else one.known.messier or one.known.name
    known = famous.find(_COLLINDER.sub("Cr ", format_name(found)))
    return known.designation if known else format_name(found)


def _rank(one: Candidate) -> tuple[int, float, float, str]:
    """Order by fame, then by how large and bright it is, then by name."""
    known, shown = one.known, _shown(one)
    if shown.startswith("M "):
        fame = 0
    elif known is not None and (known.common_names or famous.find(shown) is not None):
        fame = 1
    else:
        fame = 2 if shown.startswith("NGC") else 3 if shown.startswith("IC") else 4
    if known is None or (known.major_arcmin is None and known.magnitude is None):
        return fame, 99.0, -one.radius, shown
    assumed = 14.0 if known.type_code in _GALAXIES else 10.0
    magnitude = assumed if known.magnitude is None else known.magnitude
    return fame, magnitude - 2.5 * math.log10(max(known.major_arcmin or 1.0, 0.1)), -one.radius, shown
