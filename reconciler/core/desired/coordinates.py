"""Places on Earth: what of the catalogue's numbers Immich can keep."""

from __future__ import annotations

import math

from reconciler.core.asset import Coordinates
from reconciler.core.reasons import Reason, reason

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
