"""Immich's JSON as the core's values: lenient in what it accepts.

Unknown members are ignored, missing ones tolerated, wrong types read as absent: a strict model broke other
tools with every major version. Not for sending: see ``roundtrip`` and ``writer``.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast, get_args

from reconciler.core.asset import Coordinates, ObservedAsset, Visibility

if TYPE_CHECKING:
    from collections.abc import Mapping

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOST_EXACT = 2**53
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


def is_uuid(value: str) -> bool:
    """Tell whether an id has a UUID's usual form, in either case. Ids become part of addresses."""
    return _UUID.fullmatch(value) is not None


def member(value: object, *names: str) -> object:
    """Walk into nested JSON objects; ``None`` where the way ends."""
    for name in names:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text(value: object) -> str:
    """Read a string; anything else is ``""``."""
    return value if isinstance(value, str) else ""


def items(value: object) -> list[object]:
    """Read an array; anything else is empty."""
    return value if isinstance(value, list) else []


def whole(value: object) -> int | None:
    """Read a whole number, from a string too (``nextPage``); anything else is ``None``.

    So is one beyond 2⁵³, which JSON's own numbers can not tell from its neighbours.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if -_MOST_EXACT <= value <= _MOST_EXACT else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    return None


def moment(value: object) -> datetime | None:
    """Read an ISO time as aware UTC; a time without a zone is UTC; anything else is ``None``."""
    try:
        return plausible(datetime.fromisoformat(text(value)))
    except ValueError:
        return None


def plausible(read: datetime) -> datetime | None:
    """Give a time as aware UTC; ``None`` if it is none that a server can mean.

    A year further away has no use, and breaks the arithmetic: a zone or a day more leads out of the calendar.
    """
    if not _FIRST_YEAR <= read.year <= _LAST_YEAR:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def iso(value: datetime) -> str:
    """Write an aware time as Immich does, cut to the millisecond: ``2026-11-22T14:42:32.866Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def observed(row: object, *, with_tags: bool) -> ObservedAsset | None:
    """Read an asset; ``None`` without an id or ``updatedAt``, for then nothing can be said of it.

    Args:
        row: an asset as ``GET /assets/{id}`` or a search answers it (``withExif``).
        with_tags: whether this answer carries tags. A search never does, whatever it may show.
    """
    asset_id, updated_at = text(member(row, "id")).lower(), moment(member(row, "updatedAt"))
    if not asset_id or updated_at is None:
        return None
    exif = member(row, "exifInfo")
    tags = member(row, "tags")
    return ObservedAsset(
        asset_id=asset_id,
        owner_id=text(member(row, "ownerId")),
        updated_at=updated_at,
        description=text(member(exif, "description")),
        coordinates=_coordinates(exif),
        tags=frozenset(tag_values(tags)) if with_tags and isinstance(tags, list) else None,
        visibility=_visibility(row),
        is_trashed=member(row, "isTrashed") is True,
        has_exif=isinstance(exif, dict) and member(row, "hasMetadata") is not False,
        width=whole(member(exif, "exifImageWidth")) or whole(member(row, "width")),
        height=whole(member(exif, "exifImageHeight")) or whole(member(row, "height")),
        filename=text(member(row, "originalFileName")),
        library_id=text(member(row, "libraryId")) or None,
    )


def tag_values(tags: object) -> Mapping[str, str]:
    """Read tags as full path → id."""
    return {
        value: tag_id
        for tag in items(tags)
        if (value := text(member(tag, "value"))) and (tag_id := text(member(tag, "id")))
    }


def _coordinates(exif: object) -> Coordinates | None:
    latitude, longitude = _degrees(member(exif, "latitude"), 90), _degrees(member(exif, "longitude"), 180)
    return None if latitude is None or longitude is None else Coordinates(latitude, longitude)


def _degrees(value: object, limit: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if abs(value) <= limit else None


def _visibility(row: object) -> Visibility:
    value = member(row, "visibility")
    if value in get_args(Visibility):
        return cast("Visibility", value)
    # Servers before 1.133 know isArchived only.
    return "archive" if member(row, "isArchived") is True else "timeline"
