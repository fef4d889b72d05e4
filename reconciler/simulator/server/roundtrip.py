"""What exiftool makes of a value between the write and the reading back. Pure functions.

The tables are those of measurements on Immich 2.7.5: a description, a tag's path and a pair of coordinates
each go into an XMP sidecar and come back through exiftool's JSON and JavaScript, and Immich keeps what came
back. Nothing here knows about queues or assets.
"""

from __future__ import annotations

import html.entities
import math
import re
from datetime import datetime, timedelta
from decimal import Decimal

from reconciler.simulator.server.unkindness import chance

JS_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript's ``trim`` removes (ECMA-262, WhiteSpace and LineTerminator)."""

_ENTITY = re.compile(r"&(#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
# exiftool's EscapeJSON: what looks like this is put into its JSON as a number, everything else as a string.
_NUMBER = re.compile(r"-?([0-9]|[1-9][0-9]{1,14})(\.[0-9]{1,16})?([eE][-+]?[0-9]{1,3})?")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f]")
_BINARY = re.compile(r"\(Binary data [0-9]+ bytes, use -b option to extract\)")
_WHOLE_BYTES = 12_288
_CHUNK = 8192

_KNOWN_SIGNS: dict[tuple[float, float], tuple[int, int]] = {
    # measured points by their absolute values: the signs of the nearest city; 0: not corrected
    (1.0, 1.0): (0, -1),
    (51.48, 0.001): (0, -1),
    (47.5, 0.004): (0, -1),
    (0.001, 78.45): (-1, 0),
    (17.8, 179.998): (0, 1),
    (1.234568, 2.345679): (-1, 0),
}


def settled_description(text: str) -> str:
    """Return what Immich shows of a description once it has settled."""
    text = _through_file(text)
    if _BINARY.fullmatch(text):
        return "[object Object]"
    if _NUMBER.fullmatch(text):
        number = float(text)
        return "" if number == 0 else js_number(number)
    if text in {"null", "undefined"}:
        return ""
    return text.strip(JS_SPACE)


def settled_tag(path: str) -> str:
    """Return the path under which a tag comes back. It is not trimmed."""
    path = _decoded(path)
    if _BINARY.fullmatch(path):
        return "[object Object]"
    if _NUMBER.fullmatch(path):
        return js_number(float(path))
    return "undefined" if path == "null" else path


def settled_coordinates(point: tuple[float, float], *, flips: bool) -> tuple[float, float] | None:
    """Return the point that comes back: six decimals, 0/0 taken as none, and some signs flipped.

    Args:
        point: latitude and longitude in degrees.
        flips: whether the sign is "corrected" to that of the nearest city.
    """
    latitude, longitude = (_micro(value) for value in point)
    if latitude == 0 and longitude == 0:
        return None
    if not flips:
        return latitude, longitude
    signs = city_signs(abs(latitude), abs(longitude))
    flipped = (
        math.copysign(latitude, signs[0]) if signs[0] else latitude,
        math.copysign(longitude, signs[1]) if signs[1] else longitude,
    )
    return flipped[0] + 0.0, flipped[1] + 0.0


def zone_of(taken: str | None, place: tuple[float, float] | None) -> int | None:
    """Return the minutes from UTC in which a date is shown: the place's, else its own; ``None``: no zone.

    The zones of this server are a twenty-fourth of the globe each.
    """
    if place is not None:
        return 60 * round(place[1] / 15)
    offset = datetime.fromisoformat(taken).utcoffset() if taken else None
    return None if offset is None else round(offset / timedelta(minutes=1))


def zone_name(minutes: int) -> str:
    """Return how a zone without a name is called: ``UTC+2``, ``UTC+5:45``."""
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def loses_date(taken: str) -> bool:
    """Return whether a date does not come back from the file: before the year 100, or twelve hours behind."""
    moment = datetime.fromisoformat(taken)
    return moment.year < 100 or moment.utcoffset() == timedelta(hours=-12)


def _micro(degrees: float) -> float:
    """Round to six decimals as JavaScript's ``Math.round`` does: half cases go up."""
    return math.floor(degrees * 1e6 + 0.5) / 1e6


def city_signs(latitude: float, longitude: float) -> tuple[int, int]:
    """Return the signs that the nearest city has, for absolute coordinates; 0 where nothing is corrected.

    Measured: 47 % of the points within 0.05° of the equator, Greenwich or the antimeridian flip, and 1 % of
    all; which of them, beyond the measured ones, is drawn from the point itself, so that it never changes.
    """
    known = _KNOWN_SIGNS.get((latitude, longitude))
    if known is not None:
        return known
    to_antimeridian = 180 - longitude
    return (
        _sign(latitude, latitude, longitude, "latitude"),
        _sign(min(longitude, to_antimeridian), latitude, longitude, "longitude"),
    )


def _sign(distance: float, latitude: float, longitude: float, axis: str) -> int:
    """Draw the city's sign for a point this far (degrees) from where the sign changes."""
    if distance == 0 or distance > 2.5:
        return 0
    share = 0.47 if distance <= 0.05 else 0.12
    drawn = chance(0, axis, latitude, longitude)
    if drawn < share:
        return 1
    return -1 if drawn < 2 * share else 0


def js_number(number: float) -> str:
    """Write a number as JavaScript's ``String(number)`` does."""
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    digits = Decimal(repr(number))
    if 1e-6 <= abs(number) < 1e21:
        text = f"{digits:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{digits.normalize():e}".partition("e")
    return f"{mantissa}e{int(exponent):+d}"


def _through_file(text: str) -> str:
    """Apply what the XMP file and the pipe to exiftool do to a text."""
    text = _CONTROL.sub(".", text).replace("\ufffe", "???")
    text = _decoded(text)
    raw = text.encode("utf-8", "replace")
    if len(raw) <= _WHOLE_BYTES or len(raw) == len(text):
        return text
    return _torn(raw)


def _decoded(text: str) -> str:
    """Decode HTML entities, once."""
    return _ENTITY.sub(_entity, text) if "&" in text else text


def _entity(match: re.Match[str]) -> str:
    name = match[1]
    if not name.startswith("#"):
        return html.entities.html5.get(f"{name};", match[0])
    digits, base = (name[2:], 16) if name[1] in "xX" else (name[1:], 10)
    code = int(digits, base)
    if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return match[0]
    return chr(code)


def _torn(raw: bytes) -> str:
    """Spoil each character that lies across a border of the pipe's chunks."""
    parts = []
    start = 0
    for border in range(_CHUNK, len(raw) + _CHUNK, _CHUNK):
        end = min(border, len(raw))
        first = start
        while first < end and raw[first] & 0xC0 == 0x80:
            first += 1  # the rest of the character that the border tore
        parts.append(raw[first:end].decode("utf-8", "replace"))
        start = end
    return "".join(parts)
