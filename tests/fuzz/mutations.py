"""How a recorded answer of Immich is spoiled: by kinds, each with a name, drawn from a seed.

A kind never tells a plausible lie: another text in place of a person's, or ``""``, which means that there is
none, could not be told from the truth by anybody. It leaves out, retypes, repeats, exchanges, cuts, nests and
exaggerates.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import zlib
from dataclasses import dataclass, field, replace

import httpx

FIELDS = (
    "assets", "items", "nextPage", "id", "ownerId", "updatedAt", "visibility", "isTrashed", "hasMetadata",
    "exifInfo", "description", "latitude", "longitude", "tags", "value", "originalFileName", "libraryId",
    "exifImageWidth", "total", "count", "success", "error", "version", "major", "permissions",
    "maintenanceMode", "enabled", "message", "key", "digest", "generation", "dateTimeOriginal", "timeZone",
    "localDateTime", "fileCreatedAt", "fileModifiedAt", "primaryAssetId",
)  # fmt: skip
DATES = (
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59Z", "1969-01-01",
    "2026-13-45T99:99:99Z", "yesterday", "", "2026-11-22T14:42:32+99:99", "٢٠٢٦-١١-٢٢T00:00:00Z",
)  # fmt: skip
NUMBERS = ("1e300", "1e400", "-1e400", "-1", "9" * 5000, "9" * 300, "0.1", "1e-400", "true")
PAGES = ("1e300", '"' + "9" * 5000 + '"', "-5", '"-5"', "2.5", "[]", '"two"', "1", '"1"', "999999999", "{}")
HEADERS = (
    ("date", "Fri, 31 Dec 9999 23:59:59 -0500"), ("date", "Mon, 01 Jan 0001 00:00:00 +1400"),
    ("date", "x" * 9000), ("retry-after", "9" * 400), ("retry-after", "-1"), ("retry-after", "1e308"),
    ("retry-after", "Fri, 31 Dec 9999 23:59:59 -0500"), ("content-type", "text/plain; charset=utf-7"),
    ("content-type", "\x80"), ("content-encoding", "gzip"), ("content-encoding", "br"),
    ("content-encoding", "identity, gzip, gzip"), ("set-cookie", "a=" + "b" * 4000),
    ("location", "http://[::1"), ("etag", "\x80" * 500),
)  # fmt: skip
STATUSES = (204, 206, 299, 301, 304, 399, 400, 401, 403, 404, 408, 409, 413, 429, 500, 502, 503, 504, 600)
_RAW = re.compile('"@@([0-9a-f]+)@@"')


def packed(megabytes):
    """Give so many megabytes of nothing, as gzip, without ever having them in memory."""
    packing = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join(packing.compress(bytes(1 << 20)) for _ in range(megabytes)) + packing.flush()


BOMB = packed(256)


@dataclass(frozen=True)
class Recorded:
    """An answer as the real server gave it, and as it is passed on."""

    method: str
    path: str
    status: int
    body: bytes
    headers: tuple = ()
    stream: object = None
    """Instead of the body: an async generator function."""
    error: type | None = None

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def saying(self, value):
        text = json.dumps(value, ensure_ascii=False)
        return replace(self, body=_RAW.sub(lambda found: bytes.fromhex(found[1]).decode(), text).encode())

    @property
    def is_asset(self):
        return self.method == "GET" and self.path.startswith("/api/assets/") and self.path.count("/") == 3


@dataclass
class Past:
    """What was answered before, for exchanges; bounded."""

    answers: list = field(default_factory=list)

    def note(self, answer):
        if len(answer.body) < 100_000:
            self.answers.append(answer)
            del self.answers[:-60]


def raw(text):
    """Give what stands in an answer as it is, not as a string."""
    return f"@@{text.encode().hex()}@@"


def objects(value):
    """List all objects in a JSON value."""
    found, left = [], [value]
    while left:
        inner = left.pop()
        if isinstance(inner, dict):
            found.append(inner)
            left.extend(inner.values())
        elif isinstance(inner, list):
            left.extend(inner)
    return found


def holders(chance, value, name):
    """Choose from the objects that have this member: one, some or all."""
    having = [inner for inner in objects(value) if name in inner]
    if not having:
        return []
    share = chance.choice((0.0, 0.5, 1.0))
    return [one for one in having if chance.random() < share] or [chance.choice(having)]


def on_member(name, change):
    def mutate(chance, answer, past):
        value = answer.json
        chosen = holders(chance, value, name)
        for holder in chosen:
            change(chance, holder, name)
        return answer.saying(value) if chosen else None

    return mutate


def drop(chance, holder, name):
    del holder[name]


def null(chance, holder, name):
    holder[name] = None


def retype(chance, holder, name):
    """Put a value of another type there, and never one that would be a plausible value."""
    kinds = {
        "number": [7, -1.5],
        "bool": [True],
        "list": [[], [None], [[]]],
        "object": [{}, {"a": []}, {name: name}],
        "huge": [raw("1e400")],
        "text": ["∞"],
    }
    here = type(holder[name])
    if here is list or name == "tags":
        del kinds["list"]
    if here is str or name in {"description", "value", "id", "error"}:
        del kinds["text"]
    if here in {int, float} or name in {"latitude", "longitude"}:
        del kinds["number"]
    if here is dict:
        del kinds["object"]
    if here is bool:
        del kinds["bool"]
    holder[name] = chance.choice(chance.choice(list(kinds.values())))


def one_null(chance, answer, past):
    """Leave one coordinate out of two: half a place is none."""
    value = answer.json
    whole = [exif for exif in objects(value) if None not in (exif.get("latitude"), exif.get("longitude"))]
    for exif in whole:
        name = chance.choice(("latitude", "longitude"))
        exif[name] = chance.choice((None, "12.5", [], raw("1e400"), 91 if name == "latitude" else 181, True))
    return answer.saying(value) if whole else None


def odd_date(chance, answer, past):
    value = answer.json
    chosen = holders(chance, value, "updatedAt")
    for holder in chosen:
        holder["updatedAt"] = chance.choice(DATES)
    return answer.saying(value) if chosen else None


def odd_number(chance, answer, past):
    """Exaggerate numbers, wherever one stands."""
    value, changed = answer.json, False
    for holder in objects(value):
        for name, inner in holder.items():
            known = name in {"latitude", "longitude"} and inner is not None
            if (
                isinstance(inner, int | float) and not isinstance(inner, bool) and chance.random() < 0.4
            ) or known:
                huge = [number for number in NUMBERS if not (known and number in {"-1", "0.1", "1e-400"})]
                holder[name], changed = raw(chance.choice(huge)), True
    return answer.saying(value) if changed else None


def odd_page(chance, answer, past):
    value = answer.json
    chosen = holders(chance, value, "nextPage")
    for holder in chosen:
        holder["nextPage"] = raw(chance.choice(PAGES))
    return answer.saying(value) if chosen else None


def huge_text(chance, answer, past):
    """Make one text so long that the answer is beyond its bound."""
    value = answer.json
    texts = [
        (holder, name)
        for holder in objects(value)
        for name, inner in holder.items()
        if isinstance(inner, str)
    ]
    if not texts:
        return None
    holder, name = chance.choice(texts)
    holder[name] = "@long@"
    longer = "x" * (9 << 20)
    return replace(answer, body=json.dumps(value).replace("@long@", longer).encode())


def surrogates(chance, answer, past):
    """Put half a surrogate pair into some texts, as an escape."""
    value, changed = answer.json, False
    for holder in objects(value):
        for name, inner in list(holder.items()):
            if isinstance(inner, str) and chance.random() < 0.3:
                holder[name], changed = inner + "\ud83d", True
    if not changed:
        return None
    return replace(answer, body=json.dumps(value).encode())


def constants(chance, answer, past):
    value = answer.json
    found = [holder for holder in objects(value) if holder]
    if not found:
        return None
    holder = chance.choice(found)
    holder[chance.choice(sorted(holder))] = raw(chance.choice(("NaN", "Infinity", "-Infinity")))
    return answer.saying(value)


def repeat_names(chance, answer, past):
    """Name members twice in one object, the second time empty."""
    body = answer.body
    for name in (b"description", b"tags", b"id", b"updatedAt", b"ownerId"):
        at = body.find(b'"' + name + b'":')
        if at >= 0 and chance.random() < 0.7:
            other = chance.choice((b'""', b"null", b"[]"))
            start = body.rfind(b"{", 0, at) + 1
            end = body.find(b"}", at)
            if start and end > 0:
                return replace(answer, body=body[:end] + b',"' + name + b'":' + other + body[end:])
    return None


def repeat_rows(chance, answer, past):
    value, changed = answer.json, False
    for rows in lists(value):
        if rows:
            rows.extend(json.loads(json.dumps(rows)) * chance.randint(1, 3))
            chance.shuffle(rows)
            changed = True
    return answer.saying(value) if changed else None


def extra_rows(chance, answer, past):
    """Add rows that say nothing, or are of nobody."""
    value, changed = answer.json, False
    odd = [None, 5, "x", [], {}, {"id": 5}, {"id": "x"}, {"id": "0" * 36, "updatedAt": "x"}, [[]]]
    for rows in lists(value):
        for _ in range(chance.randint(1, 5)):
            rows.insert(chance.randint(0, len(rows)), chance.choice(odd))
            changed = True
    return answer.saying(value) if changed else None


def lists(value):
    found = [value] if isinstance(value, list) else []
    return found + [
        inner for holder in objects(value) for inner in holder.values() if isinstance(inner, list)
    ]


def other_asset(chance, answer, past):
    """Answer about an asset with the body of another one."""
    others = [one for one in past.answers if one.is_asset and one.path != answer.path and one.status == 200]
    if not answer.is_asset or not others:
        return None
    return replace(answer, body=chance.choice(others).body)


def other_route(chance, answer, past):
    """Exchange answers of two routes."""
    others = [one for one in past.answers if one.path.rpartition("/")[0] != answer.path.rpartition("/")[0]]
    if not others:
        return None
    other = chance.choice(others)
    return replace(answer, body=other.body, status=other.status)


def other_page(chance, answer, past):
    """Answer a search with an earlier answer to a search."""
    others = [one for one in past.answers if one.path == answer.path]
    if "search" not in answer.path or not others:
        return None
    return replace(answer, body=chance.choice(others).body)


def wrong_id(chance, answer, past):
    value = answer.json
    chosen = holders(chance, value, "id")
    for holder in chosen:
        holder["id"] = chance.choice(("", "x", "0" * 36, "../../x", "00000000-0000-4000-8000-00000000dead"))
    return answer.saying(value) if chosen else None


def truncate(chance, answer, past):
    return (
        replace(answer, body=answer.body[: chance.randint(0, len(answer.body) - 1)]) if answer.body else None
    )


def garbage(chance, answer, past):
    if not answer.body:
        return None
    body = bytearray(answer.body)
    for _ in range(chance.randint(1, 5)):
        body[chance.randrange(len(body))] = chance.choice(b'\x00\xff"{}[],:\\')
    try:  # what is still JSON may be a plausible lie
        json.loads(body)
    except ValueError:
        return replace(answer, body=bytes(body))
    return None


def nest(chance, answer, past):
    depth = chance.choice((50, 5_000, 200_000))
    opening, closing = chance.choice(((b"[", b"]"), (b'{"assets":', b"}"), (b'{"items":[', b"]}")))
    return replace(answer, body=opening * depth + answer.body + closing * depth)


def many(chance, answer, past):
    """Answer with millions of small values."""
    return replace(
        answer, body=b'{"assets":{"items":[' + chance.choice((b"{},", b"0,", b'"a",')) * 3_000_000 + b"0]}}"
    )


def bomb(chance, answer, past):
    body = BOMB if chance.random() < 0.7 else gzip.compress(BOMB)
    packing = "gzip" if body is BOMB else "gzip, gzip"
    return replace(answer, body=body, headers=(("content-encoding", packing),))


def endless(chance, answer, past):
    async def pour():
        while True:
            yield b" " * 65536

    return replace(answer, stream=pour)


def drip(chance, answer, past):
    async def trickle():
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    return replace(answer, stream=trickle)


def broken(chance, answer, past):
    errors = (
        httpx.ReadError,
        httpx.RemoteProtocolError,
        httpx.ReadTimeout,
        httpx.ConnectError,
        httpx.CloseError,
    )
    return replace(answer, error=chance.choice(errors))


def status(chance, answer, past):
    return replace(answer, status=chance.choice(STATUSES))


def header(chance, answer, past):
    name, value = chance.choice(HEADERS)
    return replace(answer, headers=((name, value),), status=chance.choice((answer.status, 429, 503, 302)))


def page_of_the_web(chance, answer, past):
    kind = chance.choice(("text/html", "application/json"))
    return replace(answer, body=b"<!doctype html><p>Please log in.</p>", headers=(("content-type", kind),))


def nothing(chance, answer, past):
    return replace(answer, body=chance.choice((b"", b" ", b"null", b"{}", b"[]", b"0", b'""', b"true")))


def charset(chance, answer, past):
    text = answer.body.decode()
    return replace(answer, body=chance.choice((text.encode("utf-16"), b"\xef\xbb\xbf\xff" + answer.body)))


KINDS = {
    **{f"drop {name}": on_member(name, drop) for name in FIELDS},
    **{f"null {name}": on_member(name, null) for name in FIELDS},
    **{f"retype {name}": on_member(name, retype) for name in FIELDS},
    "half a place": one_null,
    "odd date": odd_date,
    "odd number": odd_number,
    "odd page": odd_page,
    "huge text": huge_text,
    "surrogates": surrogates,
    "constants": constants,
    "repeated names": repeat_names,
    "repeated rows": repeat_rows,
    "extra rows": extra_rows,
    "other asset": other_asset,
    "other route": other_route,
    "other page": other_page,
    "wrong id": wrong_id,
    "truncated": truncate,
    "garbage": garbage,
    "nested": nest,
    "many values": many,
    "bomb": bomb,
    "endless": endless,
    "drip": drip,
    "broken": broken,
    "status": status,
    "header": header,
    "web page": page_of_the_web,
    "nothing": nothing,
    "charset": charset,
}


def lie(chance, answer, past):
    """Say that there is no text where there is one. Nobody can tell: the oracle has to see it."""
    value = answer.json
    chosen = holders(chance, value, "description")
    for holder in chosen:
        holder["description"] = ""
    return answer.saying(value) if chosen else None


LIE = {"a lie": lie}
"""Not among the kinds: it shows that a loss would be seen."""
HEAVY = frozenset({"huge text", "many values", "bomb", "endless", "drip", "nested"})
"""Kinds that take a while each: fewer of them."""
# Both coordinates missing is how Immich says that there is no place.
LIES = frozenset(
    {"null latitude", "null longitude", "null count", "null error", "null libraryId", "null nextPage"}
)
for lie in LIES:
    del KINDS[lie]
