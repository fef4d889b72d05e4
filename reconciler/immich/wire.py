"""Immich's JSON as the core's values: lenient about what is more than expected, strict about what is less.

Unknown members are ignored: a strict model broke other tools with every major version. A member that decides
what is written is *known*, *known to be empty* (in the one form that the server has for it), or *unknown*.

=============================  =============================  ============================================
member                         known to be empty              unknown, so that the asset is incomplete
=============================  =============================  ============================================
``exifInfo.description``       ``""``                         missing, ``null``, another type
``exifInfo.latitude`` and      both ``null``                  missing, one of the two, another type, out of
``longitude``                                                 range
``tags`` (never in searches)   ``[]``                         missing, another type, an entry without value
``id``, ``ownerId``,           never                          missing, another type
``updatedAt``, ``isTrashed``
``visibility``                 never; before Immich 1.133     missing, another type, a value that is not known
                               ``isArchived`` tells
=============================  =============================  ============================================

Not for sending: see ``roundtrip`` and ``writer``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from typing import Final, cast, get_args

from reconciler.core.asset import Coordinates, IncompleteAsset, ObservedAsset, Visibility

NO_EXIF: Final = "exifInfo"
"""Missing whole, as until Immich has read the file."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOST_EXACT = 2**53
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


def is_uuid(value: str) -> bool:
    """Return whether an id has a UUID's usual form, in either case. Ids become part of addresses."""
    return _UUID.fullmatch(value) is not None


def is_v4(value: str) -> bool:
    """Return whether a UUID is one of version 4 (RFC 9562): random, of the usual variant."""
    return value[14] == "4" and value[19] in "89abAB"


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

    So is one beyond 2⁵³, which JSON's own numbers cannot tell from its neighbours.
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
    """Return a time as aware UTC; ``None`` if it is none that a server can mean.

    A year further away has no use, and breaks the arithmetic: a zone or a day more leads out of the calendar.
    """
    if not _FIRST_YEAR <= read.year <= _LAST_YEAR:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def iso(value: datetime) -> str:
    """Write an aware time as Immich does, cut to the millisecond: ``2026-11-22T14:42:32.866Z``."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def observed(
    row: object, *, with_tags: bool, with_visibility: bool = True
) -> ObservedAsset | IncompleteAsset:
    """Read an asset; what is unknown makes it incomplete.

    Args:
        row: an asset as ``GET /assets/{id}`` or a search answers it (``withExif``).
        with_tags: whether this answer carries tags. A search never does, whatever it may show.
        with_visibility: whether this server tells the visibility; before 1.133 ``isArchived`` does.
    """
    asset_id, owner_id = text(member(row, "id")).lower(), text(member(row, "ownerId"))
    updated_at, is_trashed = moment(member(row, "updatedAt")), member(row, "isTrashed")
    visibility = _visibility(row) if with_visibility else _archived(row)
    exif = member(row, "exifInfo") if member(row, "hasMetadata") is not False else None
    description, place = member(exif, "description"), _place(exif)
    tags = _tags(member(row, "tags")) if with_tags else None
    # Nothing is missing, in the words of a type checker.
    if (
        asset_id
        and owner_id
        and updated_at is not None
        and visibility is not None
        and isinstance(is_trashed, bool)
        and isinstance(description, str)
        and not isinstance(place, _Unknown)
        and (tags is not None or not with_tags)
    ):
        return ObservedAsset(
            asset_id=asset_id,
            owner_id=owner_id,
            updated_at=updated_at,
            description=description,
            coordinates=place,
            taken_at=taken_at(row, exif),
            date_is_files=date_is_files(row, exif),
            tags=tags,
            visibility=visibility,
            is_trashed=is_trashed,
            width=whole(member(exif, "exifImageWidth")) or whole(member(row, "width")),
            height=whole(member(exif, "exifImageHeight")) or whole(member(row, "height")),
            filename=text(member(row, "originalFileName")),
            library_id=text(member(row, "libraryId")) or None,
        )
    told = {
        "id": bool(asset_id),
        "ownerId": bool(owner_id),
        "updatedAt": updated_at is not None,
        "visibility": visibility is not None,
        "isTrashed": isinstance(is_trashed, bool),
        NO_EXIF: isinstance(exif, dict),
        f"{NO_EXIF}.description": isinstance(description, str) or not isinstance(exif, dict),
        f"{NO_EXIF}.latitude": not isinstance(place, _Unknown) or not isinstance(exif, dict),
        "tags": tags is not None or not with_tags,
    }
    return IncompleteAsset(asset_id, owner_id, tuple(name for name, known in told.items() if not known))


def taken_at(row: object, exif: object) -> datetime | None:
    """Read when it was taken, with the offset of the local time that is shown; ``None``: it is not told.

    The offset is not in the answer as such: ``localDateTime`` is ``fileCreatedAt`` in local time.
    """
    shown = moment(member(exif, "dateTimeOriginal"))
    local, created = moment(member(row, "localDateTime")), moment(member(row, "fileCreatedAt"))
    if shown is None:
        return None
    offset = local - created if local is not None and created is not None else timedelta()
    minutes = timedelta(minutes=round(offset / timedelta(minutes=1)))
    return shown.astimezone(timezone(minutes)) if abs(minutes) <= _FARTHEST else shown


def date_is_files(row: object, exif: object) -> bool:
    """Return whether nobody entered the date in Immich: who does, gives it a time zone.

    Measured: without one, it was read from a file without one, or is the file's own time; and the time of the
    file is no one's word, whatever zone its place has given it since.
    """
    if not isinstance(exif, dict) or "timeZone" not in exif:
        return False
    shown, file = moment(exif.get("dateTimeOriginal")), moment(member(row, "fileModifiedAt"))
    if shown is None:
        return False
    return exif["timeZone"] is None or (file is not None and abs(shown - file) < _SAME)


def tag_values(tags: object) -> dict[str, str] | None:
    """Read tags as full path → id; ``None`` where the list or one of its tags cannot be read.

    A tag with an empty path (Immich 3.1 can make one) is left out: nobody can want it.
    """
    if not isinstance(tags, list):
        return None
    pairs = [(member(tag, "value"), text(member(tag, "id"))) for tag in tags]
    known = {path: tag_id for path, tag_id in pairs if isinstance(path, str) and is_uuid(tag_id)}
    if any(not isinstance(path, str) or not is_uuid(tag_id) for path, tag_id in pairs):
        return None
    return {path: tag_id for path, tag_id in known.items() if path}


_FARTHEST: Final = timedelta(hours=14)
_SAME: Final = timedelta(seconds=1)


class _Unknown(Enum):
    """What is neither a value nor the server's way to say that there is none."""

    UNKNOWN = "unknown"


def _place(exif: object) -> Coordinates | _Unknown | None:
    """Read the pair: both numbers, or both ``null``, which says that there is none."""
    if not isinstance(exif, dict) or not {"latitude", "longitude"} <= exif.keys():
        return _Unknown.UNKNOWN
    latitude, longitude = exif["latitude"], exif["longitude"]
    if latitude is None and longitude is None:
        return None
    north, east = _degrees(latitude, 90), _degrees(longitude, 180)
    return _Unknown.UNKNOWN if north is None or east is None else Coordinates(north, east)


def _degrees(value: object, limit: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= limit else None  # not so with NaN


def _tags(value: object) -> frozenset[str] | None:
    """Read an asset's tags; ``None`` if there is one that cannot be read: then the set is not known."""
    if not isinstance(value, list):
        return None
    values = [member(tag, "value") for tag in value]
    known = [path for path in values if isinstance(path, str)]
    return frozenset(filter(None, known)) if len(known) == len(values) else None


def _visibility(row: object) -> Visibility | None:
    value = member(row, "visibility")
    return cast("Visibility", value) if value in get_args(Visibility) else None


def _archived(row: object) -> Visibility | None:
    archived = member(row, "isArchived")
    if isinstance(archived, bool):
        return "archive" if archived else "timeline"
    return None
