"""An HTTP answer's body and its JSON, read within bounds: of bytes, of unpacked bytes, of values, of depth.

A server, or whatever stands in front of it, may answer without end, or with a few kilobytes that unpack to
gigabytes. So a body is read as it comes, and given up as soon as it is beyond its bound. Knows no server and
no errors of any; whoever asks turns what is raised here into its own. How long a body may take is for the
caller as well: ``asyncio.timeout``.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

ACCEPT_ENCODING = "gzip"
"""The one packing that is asked for, because it can be unpacked in bounded steps."""
MOST_CONTAINERS = 200_000
"""Objects and lists of one answer: ``{"":0}`` takes 7 bytes on the wire and some 450 in memory."""
MOST_VALUES = 400_000
"""Of an answer larger than ``_LARGE``, commas in texts included."""
_LARGE = 3 << 20
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = re.compile(r"[ \t\r\n]*")
_BYTES_A_CONTAINER = 40
"""Of a list that is read row by row: a row of a catalogue has more than that, and so has an annotation."""


class BoundError(Exception):
    """An answer is beyond a bound; the text goes on from "Immich's answer to …": ``is longer than 4 MB``."""


class CutShortError(Exception):
    """An answer ended in the middle, or is not JSON; asked again it may be whole."""


async def read_body(response: httpx.Response, most: int) -> bytes:
    """Read and unpack a streamed response's body, and close it.

    Args:
        response: opened with ``stream=True``, nothing of it read.
        most: bytes, on the wire and unpacked.

    Raises:
        BoundError: longer than that, or packed in another way than was asked for.
        CutShortError: packed, and without its end.
        httpx.HTTPError: the connection broke.
    """
    try:
        packing = response.headers.get("content-encoding", "").strip().lower()
        if packing in {"", "identity"}:
            return await _plain(response, most)
        if packing in {"gzip", "x-gzip"}:
            return await _unpacked(response, most)
        raise BoundError(f"is packed as {packing[:20]!r}, which was not asked for")
    finally:
        await response.aclose()


async def _plain(response: httpx.Response, most: int) -> bytes:
    parts, size = [], 0
    async for part in _stream(response):
        size += len(part)
        if size > most:
            raise BoundError(f"is longer than {_megabytes(most)}")
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _unpacked(response: httpx.Response, most: int) -> bytes:
    parts, received, size = [], 0, 0
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 16)
    async for packed in _stream(response):
        received += len(packed)
        if received > most:
            raise BoundError(f"is longer than {_megabytes(most)}")
        try:
            part = unpacking.decompress(packed, most - size + 1)
        except zlib.error as error:
            raise CutShortError("is not packed as it says") from error
        size += len(part)
        if size > most:
            raise BoundError(f"unpacks to more than {_megabytes(most)}")
        parts.append(part)
    if received and not unpacking.eof:
        raise CutShortError("was cut short")
    return b"".join(parts)


def _stream(response: httpx.Response) -> httpx.AsyncByteStream:
    # Not aiter_bytes, which unpacks without a bound; and one layer less than aiter_raw.
    return cast("httpx.AsyncByteStream", response.stream)


def read_json(body: bytes) -> object:
    """Read JSON that a program may rely on.

    A number of 5,000 digits is infinite, not an error: all are floats, as in JavaScript. A text with half a
    surrogate pair, which no database keeps, is ``None``: it says nothing reliable.

    Raises:
        BoundError: too many values, nested too deep, or a name twice in one object.
        CutShortError: no JSON.
    """
    value = _decoded(body, _DECODER)
    return _without_halves(value) if _ESCAPED_SURROGATE.search(body) else value


def read_exact_json(body: bytes) -> object:
    """Read JSON that is to be sent back as it is: whole numbers stay whole, and what cannot stay is refused.

    Raises:
        BoundError: as above, or a number or a text that could not be sent back.
        CutShortError: no JSON.
    """
    value = _decoded(body, _EXACT)
    if _ESCAPED_SURROGATE.search(body) and _without_halves(value) != _decoded(body, _EXACT):
        raise BoundError("has a text with half a surrogate pair")
    return value


def read_rows(body: bytes) -> Iterator[tuple[str, object]]:
    """Yield the elements of a JSON list one by one, each with its text: a long list is never whole in memory.

    Whole numbers stay whole up to 18 digits. A text with half a surrogate pair stays as it is.

    Raises:
        BoundError: too many values for its length, nested too deep, or a name twice in one object.
        CutShortError: no JSON list.
    """
    if body.count(b"{") + body.count(b"[") > MOST_CONTAINERS + len(body) // _BYTES_A_CONTAINER:
        raise BoundError("has too many values")
    try:
        text = body.decode().removeprefix("\ufeff")
        at = _past(_BLANK, text, 0)
        if not text.startswith("[", at):
            raise CutShortError("is no list")
        at = _past(_BLANK, text, at + 1)
        if text.startswith("]", at):
            return
        while True:
            value, end = _ROWS.raw_decode(text, at)
            yield text[at:end], value
            at = _past(_BLANK, text, end)
            if text.startswith("]", at):
                return
            if not text.startswith(",", at):
                raise CutShortError("is no JSON; it was probably cut short")
            at = _past(_BLANK, text, at + 1)
    except RecursionError as error:
        raise BoundError("is nested too deep") from error
    except ValueError as error:
        raise CutShortError("is no JSON; it was probably cut short") from error


def _past(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _decoded(body: bytes, decoder: json.JSONDecoder) -> object:
    if _has_too_many_values(body):
        raise BoundError("has too many values")
    try:
        return decoder.decode(body.decode().removeprefix("\ufeff"))
    except RecursionError as error:
        raise BoundError("is nested too deep") from error
    except ValueError as error:
        raise CutShortError("is not JSON; it was probably cut short") from error


def _has_too_many_values(body: bytes) -> bool:
    """Count what becomes an object in memory, as far as the body is long enough for too many."""
    if len(body) <= MOST_CONTAINERS:
        return False
    containers = body.count(b"{") + body.count(b"[")
    return containers > MOST_CONTAINERS or (
        len(body) > _LARGE and containers + body.count(b",") > MOST_VALUES
    )


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BoundError("has a name twice in one object")
    return members


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _exact_whole(digits: str) -> int:
    if len(digits) > 300:
        raise BoundError("has a number that cannot be kept")
    return int(digits)


def _exact_float(digits: str) -> float:
    if math.isinf(value := float(digits)):
        raise BoundError("has a number that cannot be kept")
    return value


def _whole_or_float(digits: str) -> int | float:
    return int(digits) if len(digits) <= 18 else float(digits)


_ROWS = json.JSONDecoder(parse_int=_whole_or_float, parse_constant=_no_constant, object_pairs_hook=_each_once)
_DECODER = json.JSONDecoder(parse_int=float, parse_constant=_no_constant, object_pairs_hook=_each_once)
_EXACT = json.JSONDecoder(
    parse_int=_exact_whole,
    parse_float=_exact_float,
    parse_constant=_no_constant,
    object_pairs_hook=_each_once,
)


def _without_halves(value: object) -> object:
    """Put ``None`` in place of every text with half a surrogate pair. Not recursive: it may be deep."""
    root = [value]
    left: list[dict[str, object] | list[object]] = [root]
    while left:
        container = left.pop()
        places = list(container) if isinstance(container, dict) else range(len(container))
        for place in places:
            inner = container[place]  # type: ignore[index] # the place came from this very container
            if isinstance(inner, dict | list):
                left.append(inner)
            elif isinstance(inner, str) and _LONE_SURROGATE.search(inner):
                container[place] = None  # type: ignore[index] # the same
    return root[0]


def _megabytes(size: int) -> str:
    return f"{size >> 20} MB" if size >= 1 << 20 else f"{size >> 10} kB"
