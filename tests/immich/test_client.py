"""The client is patient with reads, careful with writes, quick to leave a dead server alone, and discreet."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace

import httpx
import pytest

from reconciler.errors import (
    ConfigurationError,
    ImmichRejectedError,
    ImmichTemporaryError,
    ImmichUnauthorizedError,
    ImmichUnreachableError,
    MaintenanceError,
    MissingPermissionError,
    WriteInDoubtError,
)
from reconciler.immich.call import Call, Patience

pytestmark = pytest.mark.anyio

READ = Call("GET", "/tags", permission="tag.read")
WRITE = Call("PUT", "/assets", body=b"{}", write=True, permission="asset.update")
SAFE_TO_REPEAT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]
LOST_ANSWER = [httpx.ReadTimeout, httpx.WriteTimeout, httpx.ReadError, httpx.RemoteProtocolError]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://immich.test:2283", "http://immich.test:2283/api/tags"),
        (" http://immich.test:2283// ", "http://immich.test:2283/api/tags"),
        ("http://immich.test:2283/api", "http://immich.test:2283/api/tags"),
        ("http://immich.test:2283//api/", "http://immich.test:2283/api/tags"),
        ("https://photos.test/immich/", "https://photos.test/immich/api/tags"),
        ("https://photos.test/immich/api", "https://photos.test/immich/api/tags"),
        ("https://photos.test/my-api", "https://photos.test/my-api/api/tags"),
    ],
)
async def test_the_address_may_end_in_slashes_or_in_api(client, url, asked):
    seen = []

    def note(request):
        seen.append(str(request.url))
        return httpx.Response(200, json=[])

    await client(url, transport=httpx.MockTransport(note)).send(READ)
    assert seen == [asked]


@pytest.mark.parametrize(
    "url", ["", "immich.lan:2283", "ftp://x", "http://", "http://[::1", "http://h:99999"]
)
async def test_an_address_that_is_none_is_a_configuration_error(client, url):
    with pytest.raises(ConfigurationError) as caught:
        client(url)
    assert "url" in caught.value.remedy


async def test_every_request_carries_the_key_and_says_it_is_json(client, server, answer):
    server.on("GET", "/api/tags", answer.ok([]))
    await client().send(READ)
    assert server.asked[0].headers["x-api-key"] == "secret-key"
    assert server.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("trouble", SAFE_TO_REPEAT + LOST_ANSWER)
async def test_a_read_is_repeated_after_network_trouble(client, server, answer, trouble):
    server.on("GET", "/api/tags", trouble, trouble, answer.ok(["x"]))
    assert await client().send(READ) == ["x"]


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_read_is_repeated_after_a_temporary_refusal(client, server, answer, clock, status):
    server.on("GET", "/api/tags", answer.refused(status), answer.ok(["x"]))
    assert await client().send(READ) == ["x"]
    assert len(clock.waits) == 1


async def test_waits_are_random_and_their_ceiling_doubles(client, server, clock):
    server.on("GET", "/api/tags", httpx.ReadTimeout)
    with pytest.raises(ImmichUnreachableError):
        await client(patience=Patience(attempts=4, backoff=1.0)).send(READ)
    assert len(clock.waits) == 3
    assert all(0 <= wait <= ceiling for wait, ceiling in zip(clock.waits, [1, 2, 4], strict=True))
    assert len(set(clock.waits)) == 3


async def test_attempts_are_limited(client, server, answer):
    server.on("GET", "/api/tags", answer.refused(503))
    with pytest.raises(ImmichTemporaryError) as caught:
        await client(patience=Patience(attempts=2)).send(READ)
    assert len(server.asked) == 2
    assert caught.value.status == 503


@pytest.mark.parametrize("status", [400, 401, 403, 405, 413, 422])
async def test_a_permanent_refusal_is_not_repeated(client, server, answer, status):
    server.on("GET", "/api/tags", answer.refused(status))
    with pytest.raises((ImmichRejectedError, ImmichUnauthorizedError, MissingPermissionError)) as caught:
        await client().send(READ)
    assert len(server.asked) == 1
    assert caught.value.status == status


async def test_retry_after_in_seconds_is_waited_for(client, server, answer, clock):
    server.on("GET", "/api/tags", answer.refused(429, **{"retry-after": "7"}), answer.ok([]))
    await client().send(READ)
    assert clock.seconds == 7


async def test_retry_after_as_a_date_is_waited_for(client, server, answer, clock):
    date = "Sun, 22 Nov 2026 12:00:30 GMT"
    server.on("GET", "/api/tags", answer.refused(503, **{"retry-after": date}), answer.ok([]))
    await client().send(READ)
    assert clock.seconds == 30


async def test_retry_after_has_a_cap_and_the_wish_is_passed_on(client, server, answer, clock):
    server.on("GET", "/api/tags", answer.refused(429, **{"retry-after": "86400"}))
    with pytest.raises(ImmichTemporaryError) as caught:
        await client(patience=Patience(attempts=2, retry_after_cap=60)).send(READ)
    assert clock.seconds == 60
    assert caught.value.retry_after == 86400


async def test_what_must_be_fresh_is_given_back_rather_than_sent_late(client, server, answer, clock):
    """A description is made from a reading: words that a person wrote since would go with it."""
    busy = answer.refused(429, **{"retry-after": "30"})
    server.on("PUT", "/api/assets", busy, answer.nothing())
    fresh, patient = replace(WRITE, fresh=1.5), client()
    for _ in range(2):  # once it is told to wait, and once it knows
        with pytest.raises(ImmichTemporaryError) as caught:
            await patient.send(fresh)
    assert len(server.asked) == 1
    assert (clock.seconds, caught.value.retry_after) == (0, 30)
    assert not isinstance(caught.value, WriteInDoubtError)
    clock.advance(30)
    await patient.send(fresh)
    assert len(server.asked) == 2


async def test_what_must_be_fresh_is_sent_again_where_that_is_soon(client, server, answer):
    server.on("PUT", "/api/assets", answer.refused(429, **{"retry-after": "1"}), answer.nothing())
    await client().send(replace(WRITE, fresh=1.5))
    assert len(server.asked) == 2


async def test_retry_after_holds_back_every_other_call_too(client, server, answer, clock):
    server.on("GET", "/api/tags", answer.refused(429, **{"retry-after": "9"})).on(
        "GET", "/api/other", answer.ok([])
    )
    slow = client(patience=Patience(attempts=1))
    with pytest.raises(ImmichTemporaryError):
        await slow.send(READ)
    await slow.send(Call("GET", "/other"))
    assert clock.seconds == 9


@pytest.mark.parametrize("retry_after", ["soon", "-5", "²"])
async def test_a_retry_after_that_is_none_is_ignored(client, server, answer, retry_after):
    reply = httpx.Response(429, headers=[(b"retry-after", retry_after.encode("latin-1"))])
    server.on("GET", "/api/tags", reply, answer.ok([]))
    assert await client().send(READ) == []


@pytest.mark.parametrize("trouble", SAFE_TO_REPEAT)
async def test_a_write_that_surely_never_arrived_is_sent_again(client, server, answer, trouble):
    server.on("PUT", "/api/assets", trouble, answer.nothing())
    await client().send(WRITE)
    assert len(server.asked) == 2


async def test_a_write_that_was_told_too_many_requests_is_sent_again(client, server, answer):
    server.on("PUT", "/api/assets", answer.refused(429), answer.nothing())
    await client().send(WRITE)
    assert len(server.asked) == 2


@pytest.mark.parametrize("trouble", LOST_ANSWER)
async def test_a_write_whose_answer_was_lost_is_in_doubt_and_never_sent_again(client, server, trouble):
    server.on("PUT", "/api/assets", trouble)
    with pytest.raises(WriteInDoubtError) as caught:
        await client().send(WRITE)
    assert len(server.asked) == 1
    assert "not known" in caught.value.message


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_write_answered_by_what_may_be_a_proxy_is_in_doubt(client, server, answer, status):
    server.on("PUT", "/api/assets", answer.refused(status, **{"retry-after": "3"}))
    with pytest.raises(WriteInDoubtError) as caught:
        await client().send(WRITE)
    assert len(server.asked) == 1
    assert (caught.value.status, caught.value.retry_after) == (status, 3)


async def test_a_write_that_succeeded_with_an_unreadable_answer_succeeded(client, server):
    server.on("PUT", "/api/assets", httpx.Response(200, content=b'{"id": "5c0'))
    assert await client().send(WRITE) is None


async def test_a_read_that_was_cut_short_is_repeated(client, server, answer):
    server.on("GET", "/api/tags", httpx.Response(200, content=b'["x", '), answer.ok(["x"]))
    assert await client().send(READ) == ["x"]


async def test_a_server_that_is_down_costs_one_request_a_minute(client, server, answer, clock):
    server.on("GET", "/api/tags", httpx.ConnectError)
    dead = client(patience=Patience(attempts=1, circuit_threshold=5, probe_interval=60))
    for _ in range(100):
        with pytest.raises(ImmichUnreachableError):
            await dead.send(READ)
    assert len(server.asked) == 5
    assert dead.circuit.is_open
    assert dead.circuit.open_since == clock.start
    clock.advance(61)
    for _ in range(100):
        with pytest.raises(ImmichUnreachableError) as caught:
            await dead.send(READ)
    assert len(server.asked) == 6
    assert "since 2026-11-22 12:00:00 UTC" in caught.value.message

    clock.advance(61)
    server.on("GET", "/api/tags", answer.ok([]))
    assert await dead.send(READ) == []
    assert not dead.circuit.is_open
    assert dead.circuit.cause == ""


async def test_a_short_outage_that_retries_survive_opens_nothing(client, server, answer):
    server.on("GET", "/api/tags", httpx.ConnectError, httpx.ConnectError, httpx.ConnectError, answer.ok([]))
    patient = client(patience=Patience(attempts=4, circuit_threshold=2))
    assert await patient.send(READ) == []
    assert not patient.circuit.is_open


async def test_only_one_probe_goes_through_at_a_time(client, clock):
    arrived, go = asyncio.Event(), asyncio.Event()

    async def hang(request):
        arrived.set()
        await go.wait()
        return httpx.Response(200, json=[])

    half = client(
        transport=httpx.MockTransport(hang), patience=Patience(circuit_threshold=1, probe_interval=60)
    )
    half.circuit.failed(ImmichTemporaryError("down"))
    clock.advance(61)
    probe = asyncio.create_task(half.send(READ))
    await arrived.wait()
    with pytest.raises(ImmichUnreachableError):
        await half.send(READ)
    go.set()
    assert await probe == []
    assert await half.send(READ) == []


async def test_a_probe_that_is_cancelled_lets_the_next_one_through(client, clock):
    arrived = asyncio.Event()

    async def hang(request):
        if not arrived.is_set():
            arrived.set()
            await asyncio.Event().wait()
        return httpx.Response(200, json=[])

    half = client(transport=httpx.MockTransport(hang), patience=Patience(circuit_threshold=1))
    half.circuit.failed(ImmichTemporaryError("down"))
    clock.advance(61)
    probe = asyncio.create_task(half.send(READ))
    await arrived.wait()
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert await half.send(READ) == []


async def test_a_busy_server_is_not_a_dead_one(client, server, answer):
    server.on("GET", "/api/tags", answer.refused(429))
    busy = client(patience=Patience(attempts=20))
    with pytest.raises(ImmichTemporaryError):
        await busy.send(READ)
    assert not busy.circuit.is_open


async def test_no_more_calls_than_allowed_are_in_flight(client):
    now, most = 0, 0
    gate = asyncio.Event()

    async def count(request):
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        if now == 3:
            gate.set()
        await gate.wait()
        now -= 1
        return httpx.Response(200, json=[])

    limited = client(transport=httpx.MockTransport(count), in_flight=3)
    await asyncio.gather(*(limited.send(READ) for _ in range(12)))
    assert most == 3


async def test_a_404_in_maintenance_mode_is_maintenance(client, server, answer, clock):
    server.on("GET", "/api/server/config", answer.ok({"maintenanceMode": True}))
    closed = client()
    with pytest.raises(MaintenanceError):
        await closed.send(READ)
    sent = len(server.asked)
    with pytest.raises(MaintenanceError):
        await closed.send(READ)
    assert len(server.asked) == sent

    clock.advance(61)
    server.on("GET", "/api/server/config", answer.ok({"maintenanceMode": False})).on(
        "GET", "/api/tags", answer.ok([])
    )
    assert await closed.send(READ) == []


async def test_a_404_outside_maintenance_is_a_missing_route_and_says_nothing_of_assets(client):
    with pytest.raises(ImmichRejectedError) as caught:
        await client().send(Call("GET", "/assets/{id}", ids={"id": "x"}))
    assert caught.value.status == 404
    assert "says nothing about any asset" in caught.value.message


async def test_a_web_page_is_not_taken_for_an_answer(client, server):
    page = httpx.Response(200, headers={"content-type": "text/html; charset=utf-8"}, content=b"<html>")
    server.on("GET", "/api/tags", page).on("PUT", "/api/assets", page)
    for call in (READ, WRITE):
        with pytest.raises(ImmichRejectedError, match="web page") as caught:
            await client().send(call)
        assert "url" in caught.value.remedy


@pytest.mark.parametrize(
    ("location", "remedy"),
    [
        ("https://immich.test/api/assets", "Set [immich] url to https://immich.test"),
        ("https://login.test/?next=x", "https://login.test/ was not asked"),
    ],
)
async def test_a_redirect_is_not_followed_and_names_the_right_address(client, server, location, remedy):
    server.on("PUT", "/api/assets", httpx.Response(301, headers={"location": location}))
    with pytest.raises(ImmichRejectedError) as caught:
        await client().send(WRITE)
    assert remedy in caught.value.remedy
    assert len(server.asked) == 1


async def test_a_missing_scope_is_named_with_its_remedy(client, server, answer):
    server.on("GET", "/api/tags", answer.refused(403, "Missing required permission: tag.read"))
    with pytest.raises(MissingPermissionError) as caught:
        await client().send(READ)
    assert caught.value.permission == "tag.read"
    assert "tag.read" in caught.value.remedy


async def test_a_403_of_a_proxy_is_not_blamed_on_the_key(client, server):
    server.on("GET", "/api/tags", httpx.Response(403, content=b"<html>Forbidden</html>"))
    with pytest.raises(ImmichRejectedError, match="in front of Immich"):
        await client().send(READ)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": ["a must be b", "c"], "error": "Bad Request"}, "a must be b; c"),
        ({"message": "Validation failed", "errors": [{"path": ["ids", 0], "message": "no"}]}, "ids.0: no"),
        ({"message": {"odd": 1}}, "(400)"),
        (["odd"], "(400)"),
    ],
)
async def test_the_servers_own_words_are_shown_in_every_versions_form(client, server, body, words):
    server.on("GET", "/api/tags", httpx.Response(400, json=body))
    with pytest.raises(ImmichRejectedError) as caught:
        await client().send(READ)
    assert words in caught.value.message


async def test_requests_are_counted_by_route_and_status(client, server, answer):
    server.on("GET", "/api/tags", httpx.ReadTimeout, answer.refused(503), answer.ok([]))
    counting = client()
    await counting.send(READ)
    assert counting.requests == {("GET", "/tags", 0): 1, ("GET", "/tags", 503): 1, ("GET", "/tags", 200): 1}


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(401, json={"message": "Invalid API key secret-key"}),
        httpx.Response(400, json={"message": ["secret-key"]}),
        httpx.Response(500, json={"message": "secret-key"}),
        httpx.Response(403, json={"message": "no secret-key"}),
        httpx.ConnectError,
        httpx.ReadTimeout,
    ],
)
async def test_the_key_and_the_password_are_in_no_error_and_no_repr(client, server, trouble, caplog):
    caplog.set_level("DEBUG")
    password = "pass" + "w0rd"  # not as a whole in this file, so that no traceback can show it
    server.on("GET", "/api/tags", trouble)
    discreet = client(f"http://user:{password}@immich.test:2283")
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is, it must be discreet
        await discreet.send(READ)
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(discreet)
    said += caught.value.remedy + discreet.address + discreet.circuit.cause + caplog.text
    assert "secret-key" not in said
    assert password not in said


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "schlüssel"])
async def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(client, key):
    with pytest.raises(ConfigurationError) as caught:
        client(key=key)
    assert not key.strip() or key not in str(caught.value)


async def test_user_and_password_of_the_address_go_to_the_proxy_in_front(client, server, answer):
    server.on("GET", "/api/tags", answer.ok([]))
    await client("http://user:p%40ss@immich.test:2283/api").send(READ)
    assert server.asked[0].headers["authorization"] == "Basic dXNlcjpwQHNz"
    assert server.asked[0].path == "/api/tags"


async def test_blanks_around_the_key_are_stripped(client, server, answer):
    server.on("GET", "/api/tags", answer.ok([]))
    await client(key=" secret-key\n").send(READ)
    assert server.asked[0].headers["x-api-key"] == "secret-key"
