"""What Immich keeps of what it is sent: texts, tags and coordinates after the sidecar's round trip.

Immich writes a change to an XMP sidecar with ExifTool, reads it back, and keeps *what it read*. The functions
here give the form that survives this unchanged, and the bytes to send so that it is what settles. Pure: no
network, no knowledge of a server's state. Not for merging or rendering: that is the core's.

Sources: measurements on Immich 2.7.5; numbers and booleans follow ExifTool's JSON writer (``EscapeJSON``),
and ``String(…).trim()`` of Immich's ``metadata.service``.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.core.asset import Coordinates

MAX_BYTES = 10_000
"""Longest text that is sent, in UTF-8 bytes: from about 12 kB on, multi-byte text came back corrupted."""

# ECMAScript's WhiteSpace and LineTerminator. Python's str.strip() would also take U+0085 and U+001C-U+001F.
_JS_WHITE = (
    "\t\n\v\f\r \xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_CONTROLS = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f]")
_NOT_TEXT = re.compile("[\ud800-\udfff\ufffe\uffff]")
# What ExifTool prints into JSON without quotes: JavaScript then reads a number, and writes it in its own way.
_NUMBER = re.compile(r"-?(?:\d|[1-9]\d{1,14})(?:\.\d{1,16})?(?:e[-+]?\d{1,3})?\n?", re.IGNORECASE | re.ASCII)
_BINARY = re.compile(r"\((Binary data \d+ bytes, use -b option to extract)\)", re.ASCII)
# Whatever could be read as an entity. Too many is harmless: ``&amp;`` always comes back as ``&``.
_ENTITY = re.compile(r"&(?=#?\w+;)", re.ASCII)
_ENTITY_WHOLE = re.compile(r"&#?\w+;", re.ASCII)


def js_trim(text: str) -> str:
    """Trim as JavaScript's ``String.prototype.trim`` does (ECMA-262, WhiteSpace and LineTerminator)."""
    return text.strip(_JS_WHITE)


def settled_description(text: str) -> str:
    """Return the form of ``text`` that Immich can keep; a fixed point: settled(settled(t)) = settled(t).

    Entities (``&amp;`` as literal text) are kept: ``encode_description`` protects them on their way.
    A text that reads as nothing to Immich (``0``, ``null``, ``undefined``, ``false``) becomes ``""``; one
    that looks like ExifTool's placeholder for bytes, and would come back as ``[object Object]``, loses its
    brackets.
    Line ends and Unicode normalisation are left as they are; Immich keeps them.
    """
    kept = _NOT_TEXT.sub("\ufffd", text.replace("\0", ""))
    kept = js_trim(_CONTROLS.sub(".", kept))
    if _NUMBER.fullmatch(kept):
        number = float(kept)
        return _js_number(number) if number else ""
    if kept.lower() in {"true", "false"}:
        return "true" if kept.lower() == "true" else ""
    if kept in {"null", "undefined"}:
        return ""
    return _BINARY.sub(r"\1", kept) if _BINARY.fullmatch(kept) else kept


def encode_description(settled: str) -> str:
    """Return what to send so that ``settled`` (in settled form) settles: entities are escaped once."""
    return _ENTITY.sub("&amp;", settled)


def settled_tag(path: str) -> str | None:
    """Return the form of a tag's full path that survives; a fixed point; ``None`` if there is none.

    Tags are created as sent and read back from the sidecar later, so there is no encoding that protects
    them: a tag that is not a fixed point would be replaced by another, newly made one.
    """
    tag = path
    while (reduced := _reduce_tag(tag)) != tag:
        tag = reduced
    return tag if tag not in {"", "null", "undefined"} else None


def _reduce_tag(tag: str) -> str:
    decoded = _ENTITY_WHOLE.sub(lambda match: unescape(match.group()), tag)
    cleaned = _NOT_TEXT.sub("\ufffd", _CONTROLS.sub("", decoded.replace("\0", "")))
    joined = "/".join(segment for segment in cleaned.split("/") if segment)
    if _NUMBER.fullmatch(joined):
        return _js_number(float(joined))
    if _BINARY.fullmatch(joined):  # it would come back as ``[object Object]``
        return _BINARY.sub(r"\1", joined)
    return joined.lower() if joined.lower() in {"true", "false"} else joined


def fits(text: str) -> bool:
    """Return whether a text is short enough to come back whole: at most 10,000 bytes of UTF-8."""
    return len(text.encode("utf-8", "surrogatepass")) <= MAX_BYTES


def writable(coordinates: Coordinates) -> bool:
    """Return whether a place can be kept at all: in range, and not 0/0, which Immich takes for no place.

    What lies so near to 0/0 that six decimals make it that counts as 0/0.
    """
    latitude, longitude = coordinates.latitude, coordinates.longitude
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return False
    if abs(latitude) > 90 or abs(longitude) > 180:
        return False
    return (plain_degrees(latitude), plain_degrees(longitude)) != ("0", "0")


def plain_degrees(value: float) -> str:
    """Write an angle in degrees with at most six decimals, never with an exponent: ``4e-06`` → ``0.000004``.

    Immich 2.7.5 answers 400 to JSON's exponent form, and keeps six decimals.
    """
    plain = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain


def field_body(
    *,
    description: str | None,
    coordinates: Coordinates | None,
    taken_at: datetime | None = None,
    ids: Sequence[str] | None = None,
) -> bytes:
    """Return the JSON body of a write of description and values; ``ids`` for the bulk form.

    Args:
        description: in settled form; it is encoded here.
        coordinates: a writable pair.
        taken_at: aware; its offset is what Immich shows it in, unless the asset has a place.
        ids: lower-case asset ids, or ``None`` for a write to one asset.
    """
    members: dict[str, str] = {}
    if ids is not None:
        members["ids"] = json.dumps(list(ids))
    if description is not None:
        members["description"] = json.dumps(encode_description(description), ensure_ascii=False)
    if coordinates is not None:
        members["latitude"] = plain_degrees(coordinates.latitude)
        members["longitude"] = plain_degrees(coordinates.longitude)
    if taken_at is not None:
        members["dateTimeOriginal"] = json.dumps(taken_at.isoformat())
    return _join(members)


def _join(members: Mapping[str, str]) -> bytes:
    # By hand, because json.dumps writes a small float with an exponent, whatever its class.
    return ("{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}").encode()


def _js_number(number: float) -> str:
    """Write a number as JavaScript's ``String(number)`` does (ECMA-262, Number::toString)."""
    if number == 0:
        return "0"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if 1e-6 <= abs(number) < 1e21:
        plain = format(Decimal(repr(number)), "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    mantissa, _, exponent = f"{Decimal(repr(number)).normalize():e}".partition("e")
    return f"{mantissa}e{int(exponent):+d}"
