"""Time zones by place, offline: the outlines come with ``tzfpy``, the rules are the system's (``zoneinfo``).

Nothing is loaded before the first question: the outlines take a quarter of a second and some 35 MB, which
only those pay who have dates written, or a place's day told. Which zone Immich takes is its own business;
both read the same outlines (timezone-boundary-builder), here simplified: near a border they may differ.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from reconciler.core.asset import Coordinates
    from reconciler.core.ports import TimeZones


class OfflineTimeZones:
    """Fulfils ``ports.TimeZones``."""

    def offset(self, place: Coordinates | None, at: datetime, otherwise: str = "") -> timedelta | None:
        """Return how far local time is from UTC; see there."""
        name = _zone_at(place.latitude, place.longitude) if place is not None else otherwise
        zone = _zone(name) if name else None
        if zone is None:
            return None
        try:
            local = at.replace(tzinfo=zone) if at.tzinfo is None else at.astimezone(zone)
            return local.utcoffset()
        except (OverflowError, ValueError):  # at the calendar's end
            return None


def is_zone(name: str) -> bool:
    """Return whether there is a time zone of this name here."""
    return _zone(name) is not None


@lru_cache(maxsize=4_096)
def _zone_at(latitude: float, longitude: float) -> str:
    import tzfpy  # noqa: PLC0415 - see above

    # Its outlines end a hair before the antimeridian.
    name = tzfpy.get_tz(max(-179.9999, min(longitude, 179.9999)), max(-89.9999, min(latitude, 89.9999)))
    return str(name or "")


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


if TYPE_CHECKING:
    _fulfils: type[TimeZones] = OfflineTimeZones
