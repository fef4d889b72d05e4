"""When an image was taken: of a night, or at Skymmich's capture date, in the time of its site.

Of a night only the date is known, which is that of its evening: it lasts from noon to noon. An hour is
written with it, and any other moment of that night is as good.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.coordinates import desired_coordinates
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from reconciler.core.asset import ObservedAsset
    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.policy import DatesPolicy
    from reconciler.core.ports import TimeZones
    from reconciler.core.reasons import Reason

TOLERANCE: Final = timedelta(seconds=1)
"""Two moments closer than this are the same: a file has whole seconds, Immich milliseconds."""
_NOON: Final = timedelta(hours=12)
_FIRST_YEAR: Final = 1850
_LAST_YEAR: Final = 2200
_EARLIEST: Final = timedelta(hours=-11)
_LATEST: Final = timedelta(hours=14)
"""Immich loses a date that is twelve hours behind UTC (measured): no such offset is sent."""


def same_moment(one: datetime, other: datetime) -> bool:
    """Return whether two moments are the same to Immich, wherever they are told."""
    return abs(one - other) < TOLERANCE


def sendable(moment: datetime) -> datetime:
    """Return a moment with an offset that Immich keeps, in whole seconds."""
    offset = moment.utcoffset() or timedelta()
    if not _EARLIEST <= offset <= _LATEST or offset % timedelta(minutes=1):
        moment = moment.astimezone(UTC)
    return moment.replace(microsecond=0)


def desired_date(
    image: CatalogueImage, policy: DatesPolicy, zones: TimeZones | None
) -> tuple[datetime | None, Reason | None]:
    """Decide when an image was taken.

    Args:
        image: of the catalogue.
        policy: the user's choice.
        zones: tell local time at the image's place.

    Returns:
        the moment with its local offset, or ``None``; and the reason if there is something but not all.
    """
    place, _ = desired_coordinates(image.latitude, image.longitude)
    found = image.captured_at if policy.source == "capture_date" else _evening(image, policy)
    if found is None:
        return None, None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        return None, reason("date_out_of_range", day=found.date().isoformat())
    offset = zones.offset(place, found, policy.time_zone) if zones else None
    if found.tzinfo is not None:  # a moment is what it is, wherever it is told
        return sendable(found if offset is None else found.astimezone(timezone(offset))), None
    if offset is None:
        return None, reason("date_without_zone")
    return sendable(found.replace(tzinfo=timezone(offset))), None


def _evening(image: CatalogueImage, policy: DatesPolicy) -> datetime | None:
    """Return the local time that stands for the first or the last night."""
    nights = [row.night for row in image.acquisitions if row.night is not None]
    if not nights:
        return None
    night = min(nights) if policy.source == "first_night" else max(nights)
    if night.year > _LAST_YEAR:  # so that a day more is none too many
        return datetime(night.year, 1, 1)  # noqa: DTZ001 - out of range anyhow
    evening = datetime(night.year, night.month, night.day, policy.hour)  # noqa: DTZ001 - local, of a place
    return evening if policy.hour >= _NOON.seconds // 3600 else evening + timedelta(days=1)


def is_of_night(policy: DatesPolicy) -> bool:
    """Return whether only the night is known."""
    return policy.source != "capture_date"


def night_of(wanted: datetime, seen: ObservedAsset) -> datetime:
    """Return the moment that is wanted: the one that is there where that is of the same night."""
    there = seen.taken_at
    if there is None:
        return wanted
    # A file without a zone has local time, which Immich takes for that of its server.
    local = there if seen.date_is_files and not there.utcoffset() else there.astimezone(wanted.tzinfo)
    same = (local.replace(tzinfo=None) - _NOON).date() == (wanted.replace(tzinfo=None) - _NOON).date()
    return there if same else wanted
