"""Places on Earth: what of the catalogue's numbers Immich can keep."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reconciler.core.asset import Coordinates
from reconciler.core.reasons import Reason, reason

if TYPE_CHECKING:
    from reconciler.core.policy import CoordinatesPolicy

TOLERANCE_DEG = 2e-6
"""Two coordinates closer than this are the same: Immich keeps six decimals, half cases either way."""

_EARTH_RADIUS_KM = 6371.0088
"""Mean radius (IUGG)."""

_NEAR_DEG = 0.06
"""Immich's sign correction strikes within about this of the equator, Greenwich and the antimeridian."""


def desired_coordinates(
    latitude: float | None, longitude: float | None
) -> tuple[Coordinates | None, Reason | None]:
    """Decide on the pair of the catalogue, in degrees.

    Returns:
        the pair, rounded to Immich's six decimals, or ``None``; and the reason if numbers were there but
        cannot be used. Never one of the two; 0 is valid; 0/0 is not (Immich reads it as no place).
    """
    if latitude is None or longitude is None:
        return None, _half(latitude, longitude)
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return None, reason("place_no_number")
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None, reason("place_out_of_range", latitude=latitude, longitude=longitude)
    pair = Coordinates(round(latitude, 6) + 0.0, round(longitude, 6) + 0.0)
    if pair.latitude == 0 and pair.longitude == 0:
        return None, reason("place_zero")
    return pair, None


def _half(latitude: float | None, longitude: float | None) -> Reason | None:
    if latitude is None and longitude is None:
        return None
    return reason("only_longitude") if latitude is None else reason("only_latitude")


def told_place(exact: Coordinates | None, site: str, policy: CoordinatesPolicy) -> Coordinates | None:
    """Return what Immich is told of a place: the place itself, the middle of its square, or a site's own.

    Args:
        exact: the catalogue's.
        site: the name of the observing site, empty for none.
        policy: the user's choice.
    """
    if exact is None:
        return None
    one = (
        next((one for one in policy.sites if one.name.casefold() == site.casefold()), None) if site else None
    )
    if one is not None and one.at is not None:
        return Coordinates(*one.at)
    own = one.precision_km if one is not None else None
    return coarse(exact, policy.precision_km if own is None else own)


def coarse(place: Coordinates, kilometres: float) -> Coordinates:
    """Return the middle of the square of a fixed grid in which a place lies; 0: the place itself.

    Every place of a square gives the very same point, so that many of them tell no more than one.
    """
    if kilometres <= 0:
        return place
    rows = max(1, math.floor(180 / math.degrees(kilometres / _EARTH_RADIUS_KM)))
    height = 180 / rows
    row = min(math.floor((place.latitude + 90) / height), rows - 1)
    latitude = (row + 0.5) * height - 90
    columns = max(1, math.floor(rows * 2 * math.cos(math.radians(latitude))))
    width = 360 / columns
    column = math.floor((place.longitude + 180) / width) % columns
    found = Coordinates(round(latitude, 6) + 0.0, round((column + 0.5) * width - 180, 6) + 0.0)
    # Immich takes 0/0 for no place.
    return found if found.latitude or found.longitude else Coordinates(0.0, round(width / 4, 6))


def same_place(one: Coordinates | None, other: Coordinates | None) -> bool:
    """Return whether two places are the same within Immich's rounding; absent equals absent."""
    if one is None or other is None:
        return one is other
    turn = abs(one.longitude - other.longitude)
    apart = max(abs(one.latitude - other.latitude), min(turn, 360 - turn))  # 180° and -180° are one meridian
    return apart <= TOLERANCE_DEG + 1e-12


def distance_km(one: Coordinates, other: Coordinates) -> float:
    """Return the distance on a sphere (haversine formula); longitudes may wrap around."""
    phi, phi_other = math.radians(one.latitude), math.radians(other.latitude)
    across = math.sin(math.radians(one.longitude - other.longitude) / 2)
    along = math.sin((phi - phi_other) / 2)
    chord = along * along + math.cos(phi) * math.cos(phi_other) * across * across
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(chord, 1.0)))


def sign_flipped(wanted: Coordinates, kept: Coordinates | None) -> bool:
    """Return whether Immich kept the place with a sign turned: such a place cannot be written at all."""
    if kept is None or same_place(wanted, kept):
        return False
    absolute = Coordinates(abs(wanted.latitude), abs(wanted.longitude))
    return same_place(absolute, Coordinates(abs(kept.latitude), abs(kept.longitude)))


def near_a_zero_line(place: Coordinates) -> bool:
    """Return whether a place is where Immich's sign correction is known to strike."""
    longitude = abs(place.longitude)
    return min(abs(place.latitude), longitude, 180 - longitude) <= _NEAR_DEG
