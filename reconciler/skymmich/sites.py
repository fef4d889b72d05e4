"""Finds an image's observing site: Skymmich links none, so it is the location at the image's coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.asset import Coordinates
from reconciler.core.catalogue import Site
from reconciler.core.desired.coordinates import distance_km
from reconciler.skymmich.fields import read_rows
from reconciler.skymmich.tables import LOCATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.catalogue import RowProblem
    from reconciler.skymmich.dangling import Doubts
    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Snapshot

TOLERANCE_KM = 1.0
"""Skymmich copies a location's coordinates into its images, but cameras and people round them."""


@dataclass(frozen=True, slots=True)
class Location:
    """A named place, in degrees."""

    name: str
    latitude: float
    longitude: float


def read_locations(snapshot: Snapshot, problems: list[RowProblem], doubts: Doubts) -> list[Location]:
    """Return the locations that have a name and a place."""

    def note(_: Fields) -> None:
        doubts.nameless.add(LOCATIONS.name)

    rows = read_rows(snapshot, LOCATIONS, _read_location, problems, after=note)
    return [place for place in rows if place is not None]


def site_at(latitude: float | None, longitude: float | None, locations: Sequence[Location]) -> Site | None:
    """Return the nearest location within ``TOLERANCE_KM`` of a place in degrees, or ``None``."""
    if latitude is None or longitude is None or not _on_earth(latitude, longitude):
        return None
    here = Coordinates(latitude, longitude)
    near = [
        (distance_km(here, Coordinates(place.latitude, place.longitude)), place.name) for place in locations
    ]
    found = min(near, default=None, key=lambda pair: pair[0])
    return Site(found[1]) if found is not None and found[0] <= TOLERANCE_KM else None


def _read_location(fields: Fields) -> Location | None:
    name, latitude, longitude = fields.text("name"), fields.number("latitude"), fields.number("longitude")
    if name is None or latitude is None or longitude is None or not _on_earth(latitude, longitude):
        return None
    return Location(name, latitude, longitude)


def _on_earth(latitude: float, longitude: float) -> bool:
    return abs(latitude) <= 90 and abs(longitude) <= 180
