"""What the server checks in a request before it acts: types, ranges, ids. Pure functions.

Messages are those of 2.7.5 (class-validator); a client must not read them, but a person debugging does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.simulator.server.model import Exif
from reconciler.simulator.server.problems import V3, ApiError, ValidationError
from reconciler.simulator.server.roundtrip import js_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.simulator.server.model import FieldName

Version = tuple[int, int, int]

_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_LATITUDE = re.compile(r"[+-]?(90(\.0+)?|[1-8]?[0-9](\.[0-9]+)?)")
_LONGITUDE = re.compile(r"[+-]?(180(\.0+)?|1[0-7][0-9](\.[0-9]+)?|[0-9]{1,2}(\.[0-9]+)?)")
_SWITCHES = ("isFavorite", "isOffline", "withDeleted", "withExif", "withPeople", "withStacked")
_VISIBILITIES = ("archive", "timeline", "hidden", "locked")


def is_uuid(value: object) -> bool:
    """Return whether a value is a UUID in text form, of any version and case."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def is_v4(value: str) -> bool:
    """Return whether a UUID is one of version 4: servers from 3.0 accept no other."""
    return value[14] == "4" and value[19] in "89abAB"


def is_id(value: object, version: Version) -> bool:
    """Return whether a server of this version takes a value for an id."""
    return isinstance(value, str) and is_uuid(value) and (version < V3 or is_v4(value))


def uuids(body: Mapping[str, object], name: str, version: Version) -> list[str]:
    """Read a required list of UUIDs.

    Raises:
        ValidationError: it is missing, no list, or has something else in it.
    """
    value = body.get(name)
    if not isinstance(value, list):
        complaints = [(name, f"each value in {name} must be a UUID"), (name, f"{name} must be an array")]
        raise ValidationError(complaints)
    wrong = [number for number, item in enumerate(value) if not is_id(item, version)]
    if wrong:
        where = name if version < V3 else f"{name}.{wrong[0]}"
        raise ValidationError([(where, f"each value in {name} must be a UUID")])
    return value


def asset_changes(body: Mapping[str, object], version: Version) -> tuple[Exif, list[FieldName]]:
    """Read the exif fields of an update: their values, and which of them the body has.

    Raises:
        ValidationError: a value is wrong, or one coordinate stands alone.
        ApiError: a text has a NUL in it, or from 3.0 on is no date, which the database refuses (500).
    """
    complaints: list[tuple[str, str]] = []
    values = Exif()
    fields: list[FieldName] = []
    if "description" in body:
        text = body["description"]
        if isinstance(text, str):
            values.description = _stored(text, "Failed to update asset")
            fields.append("description")
        else:
            complaints.append(("description", "description must be a string"))
    if "latitude" in body or "longitude" in body:
        if version >= V3 and not ("latitude" in body and "longitude" in body):
            complaints.append(("", "Latitude and longitude must be provided together"))
        latitude = _coordinate(body, "latitude", _LATITUDE, version, complaints)
        longitude = _coordinate(body, "longitude", _LONGITUDE, version, complaints)
        if latitude is not None and longitude is not None:
            values.coordinates = (latitude, longitude)
            fields.append("coordinates")
    if "rating" in body:
        values.rating = _rating(body["rating"], version, complaints)
        fields.append("rating")
    if "dateTimeOriginal" in body:
        values.taken = _date(body["dateTimeOriginal"], version, complaints)
        fields += ["taken"] if values.taken else []
    complaints += _row_complaints(body)
    if complaints:
        raise ValidationError(complaints)
    return values, fields


def _date(value: object, version: Version, complaints: list[tuple[str, str]]) -> str | None:
    """Read a date. From 3.0 on any text passes, and the database refuses what is none (500)."""
    parsed = parse_date(value) if isinstance(value, str) else None
    if parsed is None and isinstance(value, str) and version >= V3:
        raise ApiError(500, "Failed to update asset")
    if parsed is None:
        complaints.append(("dateTimeOriginal", "dateTimeOriginal must be a valid ISO 8601 date string"))
    return parsed.isoformat(timespec="milliseconds") if parsed else None


def _row_complaints(body: Mapping[str, object]) -> list[tuple[str, str]]:
    complaints = []
    if "isFavorite" in body and not isinstance(body["isFavorite"], bool):
        complaints.append(("isFavorite", "isFavorite must be a boolean value"))
    if "visibility" in body and body["visibility"] not in _VISIBILITIES:
        complaints.append(
            ("visibility", f"visibility must be one of the following values: {', '.join(_VISIBILITIES)}")
        )
    return complaints


def _coordinate(
    body: Mapping[str, object],
    name: str,
    pattern: re.Pattern[str],
    version: Version,
    complaints: list[tuple[str, str]],
) -> float | None:
    """Read one of the pair. Up to 2.x the number is checked as text, so 1e-8 fails and "12.5" passes."""
    value = body.get(name)
    if value is None or value == "":
        complaints.append((name, f"{name} should not be empty"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        if version >= V3 and abs(value) <= (90 if name == "latitude" else 180):
            return float(value)
        text = js_number(float(value))
    else:
        text = value if isinstance(value, str) and version < V3 else ""
    if pattern.fullmatch(text):
        return float(text)
    complaints.append((name, f"{name} must be a {name} string or number"))
    return None


def _rating(value: object, version: Version, complaints: list[tuple[str, str]]) -> int | None:
    if value is None or (version < V3 and value == 0):
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        complaints.append(("rating", "rating must be an integer number"))
        return None
    if not -1 <= value <= 5 or value == 0:
        bound = "greater than 5" if value > 5 else "0" if value == 0 else "less than -1"
        complaints.append(("rating", f"rating must not be {bound}"))
    return value


def _stored(text: str, complaint: str) -> str:
    """Return a text as the database takes it: lone surrogates replaced, no NUL.

    Raises:
        ApiError: there is a NUL in it.
    """
    if "\0" in text:
        raise ApiError(500, complaint)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def tag_paths(body: Mapping[str, object], version: Version) -> list[str]:
    """Read the paths of an upsert, each once. A string is taken letter by letter up to 2.x.

    Raises:
        ValidationError: no list of strings, or an empty one among them.
        ApiError: a path has a NUL in it.
    """
    value = body.get("tags")
    if isinstance(value, str) and version < V3:
        value = list(value)
    if not isinstance(value, list):
        raise ValidationError(
            [("tags", "each value in tags must be a string"), ("tags", "tags must be an array")]
        )
    if not all(isinstance(path, str) for path in value):
        raise ValidationError([("tags", "each value in tags must be a string")])
    if version < V3 and "" in value:
        raise ValidationError([("tags", "each value in tags should not be empty")])
    complaint = "Internal server error" if version < V3 else "Failed to upsert tags"
    return list(dict.fromkeys(_stored(path, complaint) for path in value))


def parse_date(text: str) -> datetime | None:
    """Read an ISO date or date-time (naive: UTC); ``None`` if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def moment(body: Mapping[str, object], name: str, version: Version) -> int | None:
    """Read an optional moment of a search, in milliseconds. From 3.0 it needs a time and an offset.

    Raises:
        ValidationError: it is no such moment.
    """
    value = body.get(name)
    if value is None:
        return None
    parsed = parse_date(value) if isinstance(value, str) else None
    full = isinstance(value, str) and re.search(r"T.*(Z|[+-][0-9:]+)$", value)
    if parsed is None or (version >= V3 and not full):
        raise ValidationError([(name, f"{name} must be a Date instance")])
    return int(parsed.timestamp() * 1000)


def checked_types(body: Mapping[str, object], version: Version) -> None:
    """Check the types of a search's filters: from 3.0 nothing is turned from text, and no rating is below 0.

    Raises:
        ValidationError: one is of another type, or out of bounds.
    """
    if version < V3:
        return
    wrong = [
        (name, f"{name}: expected boolean")
        for name in _SWITCHES
        if body.get(name) is not None and not isinstance(body[name], bool)
    ]
    rating = body.get("rating")
    if rating is not None and not (isinstance(rating, int) and 0 <= rating <= 5 and rating is not True):
        wrong.append(("rating", "rating: expected a number from 0 to 5"))
    if wrong:
        raise ValidationError(wrong)


def whole_number(
    body: Mapping[str, object], name: str, default: int, most: int | None, version: Version
) -> int:
    """Read an optional positive number of a search. Up to 2.x a numeric string passes.

    Raises:
        ValidationError: it is none, or out of bounds.
    """
    value = body.get(name)
    if value is None:
        return default
    if version < V3 and isinstance(value, str) and value.isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValidationError([(name, f"{name} must be an integer number")])
    if value < 1:
        raise ValidationError([(name, f"{name} must not be less than 1")])
    if most is not None and value > most:
        raise ValidationError([(name, f"{name} must not be greater than {most}")])
    return value
