"""Answers have bounds: whatever comes over a real socket, it costs that call an error of ours, and little else."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from contextlib import asynccontextmanager

import httpx
import pytest

from reconciler import bounded
from reconciler.errors import (
    AssetUnknownError,
    ImmichAnswerError,
    ImmichError,
    ImmichRejectedError,
    ImmichSlowError,
    ImmichTemporaryError,
    WriteInDoubtError,
)
from reconciler.immich import observer
from reconciler.immich.answers import http_date
from reconciler.immich.call import Call, Patience
from reconciler.immich.client import Client
from reconciler.immich.target import Immich
from reconciler.immich.wire import moment, whole

pytestmark = pytest.mark.anyio

READ = Call("GET", "/assets/{id}", ids={"id": "x"})
WRITE = Call("PUT", "/assets/{id}", body=b"{}", ids={"id": "x"}, write=True)
HASTY = Patience(read=5.0, backoff=0.001)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
MB = 1 << 20


@asynccontextmanager
async def raw_server(answer):
    """Serve what ``answer(writer)`` writes to whoever asks; ends with the connection."""
    asked = []

    async def handle(reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
            await reader.readexactly(int(length[0].partition(b":")[2]) if length else 0)
            asked.append(head)
            await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def whole_answer(body, head=OK, **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())

    async def answer(writer):
        writer.write(head + lines.encode() + f"content-length: {len(body)}\r\n\r\n".encode() + body)

    return answer


def endless(chunk, head=OK):
    async def answer(writer):
        writer.write(head + b"transfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            await writer.drain()

    return answer


async def said(url, call=READ, patience=HASTY):
    """Give the error of a call and the memory that the call took at most."""
    tracemalloc.start()
    try:
        async with Client(url, "key", patience=patience) as client:
            with pytest.raises(ImmichError) as caught:
                await client.send(call)
            assert not client.circuit.is_open
            return caught.value, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


BOMB = gzip.compress(bytes(64 * MB))
NESTED = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (endless(b" " * 65536), "is longer than 4 MB"),
        (whole_answer(BOMB, content_encoding="gzip"), "unpacks to more than 4 MB"),
        (whole_answer(gzip.compress(BOMB), content_encoding="gzip, gzip"), "is packed as 'gzip, gzip'"),
        (whole_answer(zlib.compress(b"{}"), content_encoding="deflate"), "is packed as 'deflate'"),
        (whole_answer(b"{}", content_encoding="br"), "is packed as 'br'"),
        (whole_answer(b"{}", content_encoding="zstd"), "is packed as 'zstd'"),
        (whole_answer(NESTED), "is nested too deep"),
        (whole_answer(b'{"a":' * 50_000), "is nested too deep"),
        (whole_answer(b"[" + b"0," * 1_700_000 + b"0]"), "has too many values"),
        (whole_answer(b"[" + b'{"":0},' * 250_000 + b"0]"), "has too many values"),
        (whole_answer(b'{"description":"a","description":""}'), "has a name twice in one object"),
    ],
)
async def test_an_answer_beyond_a_bound_is_an_error_of_that_call_and_not_asked_again(answer, words):
    async with raw_server(answer) as (url, asked):
        error, memory = await said(url)
    assert isinstance(error, ImmichAnswerError)
    assert words in error.message
    assert "GET /api/assets/{id}" in error.message
    assert error.remedy
    assert len(asked) == 1
    assert memory < 40 * MB


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (whole_answer(gzip.compress(b'{"a":1}' * 50)[:-9], content_encoding="gzip"), "was cut short"),
        (whole_answer(b"not gzip", content_encoding="gzip"), "is not packed as it says"),
        (whole_answer(b'{"a": NaN}'), "is not JSON"),
        (whole_answer(b'{"a": -Infinity}'), "is not JSON"),
        (whole_answer("{'a': 'ü'}".encode("latin-1")), "is not JSON"),
        (whole_answer(b'{"a": "\xed\xa0\x80"}'), "is not JSON"),
        (whole_answer(json.dumps({"a": 1}).encode("utf-16")), "is not JSON"),
    ],
)
async def test_an_answer_that_may_have_been_cut_short_is_asked_for_again(answer, words):
    async with raw_server(answer) as (url, asked):
        error, _ = await said(url)
    assert words in error.message
    assert isinstance(error, ImmichTemporaryError)
    assert len(asked) == HASTY.attempts


@pytest.mark.parametrize("packing", ["gzip", "x-gzip", "GZIP", "identity"])
async def test_an_answer_of_any_allowed_length_is_read_packed_or_not(packing):
    value = [str(number) * 7 for number in range(100_000)]
    body = json.dumps(value).encode()
    body = body if packing == "identity" else gzip.compress(body)
    async with (
        raw_server(whole_answer(body, content_encoding=packing)) as (url, asked),
        Client(url, "key") as client,
    ):
        assert await client.send(READ) == value
    assert b"accept-encoding: gzip\r\n" in asked[0].lower()


async def test_an_empty_answer_that_calls_itself_packed_is_empty():
    async with (
        raw_server(whole_answer(b"", content_encoding="gzip")) as (url, _),
        Client(url, "key") as client,
    ):
        assert await client.send(READ) is None


async def test_a_body_that_drips_ends_and_opens_the_circuit_after_a_few_calls():
    async def drip(writer):
        writer.write(OK + b"content-length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    patience = Patience(read=0.1, total=2.0, circuit_threshold=2)
    async with raw_server(drip) as (url, asked), Client(url, "key", patience=patience) as client:
        with pytest.raises(ImmichSlowError, match="did not finish its answer to GET /api/assets"):
            await client.send(READ)
        assert len(asked) == 1
        with pytest.raises(WriteInDoubtError):
            await client.send(WRITE)
        assert client.circuit.is_open
        assert client.requests["GET", "/assets/{id}", 0] == 1


async def test_a_head_that_drips_or_never_ends_is_an_error():
    async def drip(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"a: b\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def pour(writer):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"a: " + b"b" * 60_000 + b"\r\n")
            await writer.drain()

    for answer in (drip, pour):
        async with raw_server(answer) as (url, _):
            error, memory = await said(url, patience=Patience(read=0.1, total=2.0, backoff=0.001))
        assert isinstance(error, ImmichTemporaryError)
        assert memory < 40 * MB


async def test_interim_answers_without_end_are_given_up():
    async def interim(writer):
        while True:
            writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with raw_server(interim) as (url, _):
        error, _ = await said(url, patience=Patience(read=0.1, total=2.0))
    assert isinstance(error, ImmichSlowError)


@pytest.mark.parametrize(
    "body",
    [b"{" * 100_000, b'{"a":1}' + b" " * 5 * MB, gzip.compress(bytes(64 * MB)), b"\xff", b'{"a":1,"a":2}'],
)
async def test_a_write_that_succeeded_did_so_whatever_the_body(body):
    headers = {"content_encoding": "gzip"} if body.startswith(b"\x1f\x8b") else {}
    async with raw_server(whole_answer(body, **headers)) as (url, asked), Client(url, "key") as client:
        assert await client.send(WRITE) is None
    assert len(asked) == 1


@pytest.mark.parametrize("status", [b"400 Bad", b"503 Busy", b"600 Odd", b"399 Odd", b"451 No"])
async def test_of_a_refusal_no_more_is_read_than_words_need(status):
    head = b"HTTP/1.1 " + status + b"\r\n"
    async with raw_server(endless(b"x" * 65536, head)) as (url, _):
        error, memory = await said(url)
    assert error.status == int(status[:3])
    assert memory < 5 * MB


@pytest.mark.parametrize("message", ["\ud800", "a\x1b[31mb\nc", "x" * 5000, 7, {"deep": []}])
async def test_a_servers_words_are_printable_and_short(message):
    body = json.dumps({"message": message}).encode()
    async with raw_server(whole_answer(body, b"HTTP/1.1 400 Bad\r\n")) as (url, _):
        error, _ = await said(url)
    assert error.message.isprintable()
    error.message.encode()
    assert len(error.message) < 500


@pytest.mark.parametrize(
    "location", ["http://[::1", "http://h:99999999/", "//", "\x7f", "x" * 50_000, "http://a@b:c@d/", "data:,"]
)
async def test_a_redirect_to_nowhere_is_a_refusal(location):
    async with raw_server(whole_answer(b"", b"HTTP/1.1 302 Found\r\n", location=location)) as (url, _):
        error, _ = await said(url)
    assert isinstance(error, ImmichError)
    assert len(error.message) < 1000


async def test_lengths_that_lie_are_broken_connections():
    async def short(writer):
        writer.write(OK + b"content-length: 100\r\n\r\n{}")

    async def nonsense(writer):
        writer.write(OK + b"content-length: -5\r\n\r\n{}")

    async def both(writer):
        writer.write(OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}!")

    for answer in (short, nonsense, both):
        async with raw_server(answer) as (url, _):
            error, _ = await said(url)
        assert isinstance(error, ImmichTemporaryError)


async def test_a_server_cannot_make_cookies_grow():
    seen = []

    async def bake(writer):
        body = b"{}"
        cookie = f"set-cookie: c{len(seen)}={'x' * 3000}; Path=/\r\n".encode()
        seen.append(1)
        writer.write(OK + cookie + f"content-length: {len(body)}\r\n\r\n".encode() + body)

    async with raw_server(bake) as (url, asked), Client(url, "key") as client:
        for _ in range(3):
            await client.send(READ)
    assert not [head for head in asked if b"cookie" in head.lower()]


@pytest.mark.parametrize(
    "wish", ["9" * 400, "1e308", "-1", "Fri, 31 Dec 9999 23:59:59 -0500", "Mon, 01 Jan 0001 00:00:00 +1400"]
)
async def test_an_absurd_retry_after_is_a_day_or_none(wish):
    async with raw_server(whole_answer(b"", b"HTTP/1.1 503 Busy\r\n", retry_after=wish)) as (url, _):
        error, _ = await said(url, patience=Patience(attempts=1))
    assert error.retry_after is None or 0 <= error.retry_after <= 86400


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -0500",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 12026 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999",
        "Mon, 99999999999999999999 Jan 2026 00:00:00 GMT",
        "",
        "\ud800",
    ],
)
def test_a_date_of_another_planet_is_none(date):
    assert http_date(date) is None


@pytest.mark.parametrize(
    "time",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00",
        "2026-11-22T14:42:32+99:00",
        "2026-W53-9",
        "١٩٩٩-01-01",
        5,
        None,
        [],
    ],
)
def test_a_moment_beyond_the_calendar_is_none(time):
    assert moment(time) is None


@pytest.mark.parametrize(
    "number", ["9" * 5000, 1e300, float("inf"), float("nan"), 10**400, 2**60, "-1", "1e3", True]
)
def test_a_number_that_counts_nothing_is_none(number):
    assert whole(number) is None


def test_numbers_of_any_length_are_read_without_an_error():
    found = bounded.read_json(b'{"a":' + b"7" * 5000 + b',"b":1e400,"c":-0,"d":12}')
    assert found == {"a": float("inf"), "b": float("inf"), "c": 0, "d": 12}


def test_a_text_with_half_a_surrogate_pair_says_nothing():
    found = bounded.read_json(rb'{"a":["\ud83d\ude00","\ud83d",{"b":"x\uDE00"}],"c":"\\ud800"}')
    assert found == {"a": ["😀", None, {"b": None}], "c": "\\ud800"}
    assert bounded.read_json(rb'"\ud800"') is None


def page(items, following):
    return {"assets": {"items": items, "nextPage": following}}


SEARCH = ("POST", "/api/search/metadata")


@pytest.mark.parametrize(
    "following", ["9" * 5000, 1e300, "1e300", -1.5e308, [], {}, True, "", "two", "-3", observer.LAST_PAGE + 1]
)
async def test_a_next_page_that_is_none_ends_the_listing_with_an_error(
    immich, server, answer, row, following
):
    server.on(*SEARCH, answer.ok(page([row(1)], following)))
    with pytest.raises(ImmichAnswerError, match="POST /api/search/metadata"):
        await (await immich()).listing()
    assert len([call for call in server.asked if call.path == SEARCH[1]]) == 1


@pytest.mark.parametrize(
    "body", [{}, None, [], {"assets": None}, {"assets": {"items": None}}, {"assets": {"items": {}}}]
)
async def test_a_page_without_rows_is_no_empty_library(immich, server, answer, body):
    server.on(*SEARCH, answer.ok(body))
    with pytest.raises(ImmichAnswerError, match=r"has no assets\.items"):
        await (await immich()).listing()


async def test_a_library_of_long_texts_is_listed_in_smaller_pages(immich, server, answer, row, uuid):
    """A thousand texts of 10 kB are more than a page may have; that is no reason to stop for ever."""
    texts = [row(number, description="x" * 10_000) for number in range(1000)]

    def pages(asked):
        size, number = asked.json["size"], asked.json["page"]
        shown = texts[(number - 1) * size : number * size] if asked.json["visibility"] == "timeline" else []
        return answer.ok(page(shown, str(number + 1) if number * size < len(texts) and shown else None))

    server.on(*SEARCH, pages)
    assert len(await (await immich()).listing()) == 1000
    sizes = [call.json["size"] for call in server.calls(*SEARCH)]
    assert sizes == [1000, 250, 250, 250, 250, 1000]


async def test_pages_that_stay_beyond_the_bounds_end_the_listing(immich, server):
    server.on(*SEARCH, httpx.Response(200, content=b"[" * 50_000))
    with pytest.raises(ImmichAnswerError, match="nested too deep"):
        await (await immich()).listing()
    assert [call.json["size"] for call in server.calls(*SEARCH)] == [1000, 250, 62]


async def test_a_listing_of_ever_new_rows_ends(immich, server, answer, uuid, monkeypatch):
    monkeypatch.setattr(observer, "LAST_PAGE", 20)
    server.on(
        *SEARCH, lambda asked: answer.ok(page([{"id": uuid(asked.json["page"])}], asked.json["page"] + 1))
    )
    with pytest.raises(ImmichAnswerError, match="do not come to an end"):
        await (await immich()).listing()
    assert len(server.asked) < 30


async def test_a_listing_ends_after_half_an_hour(immich, server, answer, uuid, clock):
    def slow(asked):
        clock.advance(600)
        return answer.ok(page([{"id": uuid(asked.json["page"])}], asked.json["page"] + 1))

    server.on(*SEARCH, slow)
    with pytest.raises(ImmichAnswerError, match="do not come to an end"):
        await (await immich()).listing()
    assert len([call for call in server.asked if call.path == SEARCH[1]]) == 4


async def test_an_asset_beyond_the_bounds_opens_no_circuit(immich, server, uuid):
    twice = httpx.Response(200, content=b'{"id":"a","id":"b"}')
    server.on("GET", f"/api/assets/{uuid(1)}", twice)
    target = await immich()
    for _ in range(20):
        with pytest.raises(ImmichAnswerError):
            await target.asset(uuid(1))
    assert not target.circuit.is_open


async def test_a_picture_without_end_is_given_up():
    head = b"HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\n"
    identity = "00000000-0000-4000-8000-000000000001"
    tracemalloc.start()
    try:
        async with raw_server(endless(b"x" * 65536, head)) as (url, _), Immich(url, "key") as immich:
            with pytest.raises(ImmichAnswerError, match="is longer than 16 MB"):
                await immich.thumbnail(identity, "preview")
        assert tracemalloc.get_traced_memory()[1] < 40 * MB
    finally:
        tracemalloc.stop()
    with pytest.raises(AssetUnknownError):
        await Immich("http://127.0.0.1:9", "key").thumbnail("../etc", "preview")


async def test_a_web_page_of_any_length_is_told_as_such():
    html = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"
    async with raw_server(whole_answer(b"<html>", html)) as (url, _):
        error, _ = await said(url)
    assert isinstance(error, ImmichRejectedError)
    assert "web page" in error.message
