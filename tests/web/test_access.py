"""Who may ask: strangers, other sites' pages, rebound names, guessers."""

from __future__ import annotations

import asyncio
import json

import pytest

from reconciler.core.store_keys import WEB_SESSIONS
from reconciler.errors import ConfigurationError, StateError, StateGoneError
from reconciler.web.access.policy import Access, check_binding
from reconciler.web.access.session import LIFETIME, Session, forget_sessions
from reconciler.web.access.throttle import Slowdown
from reconciler.web.params import local

TOKEN = {"authorization": "Bearer right-token"}
SAME = {"origin": "http://127.0.0.1:8287"}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "127.8.8.8"])
def test_this_machine_alone_needs_no_token(host):
    check_binding(host, "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "photos.lan"])
def test_beyond_this_machine_a_token_is_needed(host):
    with pytest.raises(ConfigurationError) as caught:
        check_binding(host, "  ")
    assert "token_file" in caught.value.remedy
    check_binding(host, "a token")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8287", "", "localhost.evil.example", "[", "a b"]
)
def test_a_name_that_was_made_to_mean_this_machine_is_refused(client, host):
    answer = client.get("/api/v1/status", headers={"host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("host", ["localhost:8287", "127.0.0.1", "[::1]:8287", "192.168.1.5:8287"])
def test_an_address_and_a_loopback_name_are_answered(client, host):
    assert client.get("/api/v1/status", headers={"host": host}).status_code == 200


def test_a_proxys_name_is_answered_once_it_is_configured(build):
    client = build(access=Access(allowed_hosts=frozenset({"photos.example"})))
    assert client.get("/livez", headers={"host": "photos.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://localhost:8287"},
        {"sec-fetch-site": "cross-site", **SAME},
        {"sec-fetch-site": "same-site", **SAME},
        {"sec-fetch-site": "none"},
        {"authorization": "Bearer anything"},
    ],
)
def test_another_sites_page_changes_nothing(client, control, headers):
    answer = client.post("/api/v1/pause", headers=headers)
    assert answer.status_code == 403
    assert answer.json()["remedy"]
    assert not control.paused


@pytest.mark.parametrize("headers", [SAME, {"sec-fetch-site": "same-origin"}])
def test_our_own_page_does(client, control, headers):
    assert client.post("/api/v1/pause", headers=headers).status_code == 200
    assert control.paused


def test_a_page_behind_a_configured_proxy_does(build, control):
    client = build(access=Access(allowed_hosts=frozenset({"photos.example"})))
    assert client.post("/api/v1/pause", headers={"origin": "https://photos.example"}).status_code == 200


def test_with_a_token_strangers_see_nothing_but_health(guarded):
    for path in ("/api/v1/status", "/api/v1/images", "/metrics", "/api/v1/nothing"):
        answer = guarded.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert guarded.get("/livez").status_code == 200
    assert guarded.get("/api/v1/openapi.json").status_code == 200


def test_the_token_opens_everything_and_needs_no_origin(guarded, control):
    assert guarded.get("/api/v1/status", headers=TOKEN).status_code == 200
    assert guarded.post("/api/v1/pause", headers=TOKEN).status_code == 200
    assert control.paused


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_the_token_does_not_speak_for_another_sites_page(guarded, control, headers):
    """A reverse proxy may show it for whoever comes."""
    assert guarded.post("/api/v1/pause", headers={**TOKEN, **headers}).status_code == 403
    assert not control.paused
    assert guarded.post("/api/v1/pause", headers={**TOKEN, **SAME}).status_code == 200


class Sleeps:
    """Waits no time, and remembers for how long it should have."""

    def __init__(self):
        self.seconds = []

    async def __call__(self, seconds):
        self.seconds.append(seconds)


def test_whoever_guesses_waits_ever_longer_and_the_right_token_never_does(build):
    sleeps = Sleeps()
    client = build(access=Access(token="right-token", slowdown=Slowdown(sleep=sleeps)))
    codes = [
        client.get("/api/v1/status", headers={"authorization": f"Bearer {number}"}).status_code
        for number in range(9)
    ]
    assert codes == [401] * 3 + [429] * 6
    assert sleeps.seconds == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    answer = client.get("/api/v1/status", headers={"authorization": "Bearer wrong"})
    assert int(answer.headers["retry-after"]) == 8
    sleeps.seconds.clear()
    assert client.get("/api/v1/status", headers=TOKEN).status_code == 200
    assert client.post("/login", data={"token": "right-token"}, headers=SAME).status_code == 200
    assert sleeps.seconds == []


def test_a_wrong_token_in_the_form_waits_too(build):
    sleeps = Sleeps()
    client = build(access=Access(token="right-token", slowdown=Slowdown(sleep=sleeps)))
    codes = [
        client.post("/login", data={"token": str(number)}, headers=SAME).status_code for number in range(5)
    ]
    assert codes == [403] * 3 + [429] * 2
    assert sleeps.seconds == [0.5, 1.0]
    answer = client.post("/login", data={"token": "right-token"}, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303


@pytest.mark.anyio
async def test_wrong_guesses_are_forgotten_after_a_while_and_after_a_right_one():
    moment = [0.0]
    slow = Slowdown(lambda: moment[0], Sleeps())
    for _ in range(5000):
        wait = await slow.wrong("192.0.2.1")
    assert wait == Slowdown.longest
    assert await slow.wrong("192.0.2.2") == 0.0
    slow.right("192.0.2.1")
    assert await slow.wrong("192.0.2.1") == 0.0
    for _ in range(4):
        await slow.wrong("192.0.2.1")
    moment[0] = Slowdown.forgotten_after + 1
    assert await slow.wrong("192.0.2.1") == 0.0


@pytest.mark.anyio
async def test_a_network_of_ipv6_guesses_as_one():
    slow = Slowdown(sleep=Sleeps())
    waits = [await slow.wrong(f"2001:db8:0:1::{number:x}") for number in range(6)]
    assert waits == [0.0, 0.0, 0.0, 0.5, 1.0, 2.0]
    assert await slow.wrong("2001:db8:0:2::1") == 0.0
    assert [await slow.wrong("::ffff:192.0.2.9") for _ in range(4)][-1] == 0.5
    assert await slow.wrong("::ffff:192.0.2.10") == 0.0


@pytest.mark.anyio
async def test_a_flood_of_guesses_takes_no_more_memory_and_few_connections():
    slow = Slowdown(sleep=Sleeps())
    for number in range(3000):
        await slow.wrong(str(number))
    assert len(slow._wrong) == Slowdown.remembered
    over = asyncio.Event()
    asleep = []

    async def until_over(seconds):
        asleep.append(seconds)
        await over.wait()

    slow = Slowdown(sleep=until_over)
    guesses = [asyncio.create_task(slow.wrong("192.0.2.1")) for _ in range(100)]
    await asyncio.sleep(0)
    assert len(asleep) == Slowdown.most_waiting
    over.set()
    await asyncio.gather(*guesses)


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\x00/evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "//evil.example@127.0.0.1/",
        "/images//evil.example",
        "/.//evil.example",
        "//[",
        "evil.example",
        "",
        "／／evil.example",
    ],
)
def test_what_leaves_this_site_is_no_way_back(guarded, address):
    assert local(address, "/") == "/"
    where = guarded.post(
        "/login",
        params={"next": address},
        data={"token": "right-token"},
        headers=SAME,
        follow_redirects=False,
    )
    assert (where.status_code, where.headers["location"]) == (303, "/")


@pytest.mark.parametrize("address", ["/", "/images/3", "/images?q=M+31&status=conflict", "/runs?a=//b#c"])
def test_a_page_of_this_site_is(address):
    assert local(address, "/other") == address


def test_logging_out_ends_the_session_for_every_copy_of_its_cookie(guarded):
    guarded.post("/login", data={"token": "right-token"}, headers=SAME, follow_redirects=False)
    cookie = guarded.cookies[Session.cookie]
    assert guarded.get("/api/v1/status").status_code == 200
    guarded.post("/logout", headers=SAME, follow_redirects=False)
    guarded.cookies.clear()
    again = guarded.get("/api/v1/status", headers={"cookie": f"{Session.cookie}={cookie}"})
    assert again.status_code == 401


def test_sessions_outlive_a_restart_and_their_end_does_too(store):
    first = Session("token", store)
    stays, ends = first.issue(), first.issue()
    first.end(ends)
    after = Session("token", store)
    assert after.holds(stays)
    assert not after.holds(ends)
    assert not Session("another token", store).holds(stays)
    assert Session("token", store).holds(stays)


def test_the_store_alone_opens_no_session(store):
    """What is kept names no session and makes no cookie without the token."""
    session = Session("token", store)
    cookie = session.issue()
    kept = json.dumps(WEB_SESSIONS.read(store))
    name = session._name(cookie)
    assert name not in kept
    assert "token" not in kept
    made = Session("", store)
    made._token = "guess"
    assert not Session("token", store).holds(str(made._ready().dumps(name)))


def test_a_store_that_can_not_be_read_opens_nothing_and_breaks_nothing(build, store):
    cookie = Session("right-token", store).issue()

    class Broken:
        broken = True

        def get(self, key):
            if self.broken:
                raise StateError("the disk is gone")
            return store.get(key)

        def put(self, *_):
            raise StateError("the disk is gone")

    broken = Broken()
    client = build(access=Access(token="right-token", memory=broken))
    client.cookies.set(Session.cookie, cookie)
    assert client.get("/livez").status_code == 200
    assert client.get("/api/v1/status").status_code == 401
    assert client.get("/api/v1/status", headers=TOKEN).status_code == 200
    broken.broken = False
    assert client.get("/api/v1/status").status_code == 200


class Breaking:
    """A store that can be gone for a while, and be put back as it was."""

    def __init__(self, store):
        self.store, self.gone = store, False

    def get(self, key):
        self._look()
        return self.store.get(key)

    def put(self, key, value):
        self._look()
        self.store.put(key, value)

    def _look(self):
        if self.gone:
            raise StateGoneError("The state store was deleted.")


@pytest.mark.parametrize("from_the_start", [False, True])
def test_logging_in_and_out_works_while_the_store_is_gone(build, store, from_the_start):
    memory = Breaking(store)
    memory.gone = from_the_start
    client = build(access=Access(token="right-token", memory=memory))
    memory.gone = True
    form = {"data": {"token": "right-token"}, "headers": SAME, "follow_redirects": False}
    answer = client.post("/login", params={"next": "/images?q=M+31"}, **form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/images?q=M+31&said=unkept")
    assert "You are logged in until the daemon stops" in client.get(answer.headers["location"]).text
    cookie = client.cookies[Session.cookie]
    answer = client.post("/logout", headers=SAME, follow_redirects=False)
    assert answer.status_code == 303
    assert f'{Session.cookie}=""' in answer.headers["set-cookie"]
    client.cookies.clear()
    copied = {"cookie": f"{Session.cookie}={cookie}"}
    assert client.get("/api/v1/status", headers=copied).status_code == 401


def test_a_backup_that_is_taken_up_revives_no_session_and_ends_none(store):
    memory = Breaking(store)
    session = Session("token", memory)
    stays, ends = session.issue(), session.issue()
    backup = WEB_SESSIONS.read(store)
    memory.gone = True
    session.end(ends)
    opened_meanwhile = session.issue()
    assert not session.is_kept
    WEB_SESSIONS.write(store, backup)
    memory.gone = False
    session.keep()
    assert session.is_kept
    for now in (session, Session("token", store)):
        assert [now.holds(each) for each in (stays, ends, opened_meanwhile)] == [True, False, True]


def test_sessions_that_are_forgotten_are_over_for_good(store):
    cookie = Session("token", store).issue()
    kept = WEB_SESSIONS.read(store)
    forget_sessions(store)
    after = Session("token", store)
    assert not after.holds(cookie)
    after.issue()
    assert WEB_SESSIONS.read(store)["salt"] != kept["salt"]


def test_more_sessions_than_there_can_be_people_end_the_oldest():
    moment = [1000.0]
    session = Session("token", clock=lambda: moment[0])
    cookies = []
    for _ in range(203):
        moment[0] += 1
        cookies.append(session.issue())
    assert [session.holds(cookie) for cookie in cookies] == [False] * 3 + [True] * 200


def test_a_session_ends_and_can_not_be_made_up():
    moment = [1000.0]
    session = Session("token", clock=lambda: moment[0])
    value = session.issue()
    assert session.holds(value)
    assert not Session("other", clock=lambda: moment[0]).holds(value)
    # Not the last character: some of its bits are of no byte.
    assert not session.holds(value[:-9] + ("0" if value[-9] != "0" else "1") + value[-8:])
    assert not session.holds("9" + value)
    assert not session.holds("")
    assert not session.holds("é.ü.ß")
    moment[0] += LIFETIME
    assert not session.holds(value)


def test_without_a_token_no_cookie_is_a_session():
    assert not Session("").holds(Session("").issue())


def test_a_user_named_by_a_trusted_proxy_is_let_in(build):
    access = Access(token="t", user_header="Remote-User", proxies=frozenset({"testclient"}))
    assert build(access=access).get("/api/v1/status", headers={"remote-user": "ann"}).status_code == 200
    access = Access(token="t", user_header="Remote-User")
    assert build(access=access).get("/api/v1/status", headers={"remote-user": "ann"}).status_code == 401


def test_a_large_body_is_refused_with_and_without_its_length(client):
    large = b"x" * 70_000
    assert client.post("/api/v1/reconcile", content=large, headers=SAME).status_code == 413

    def pieces():
        for _ in range(70):
            yield b"x" * 1000

    assert client.post("/api/v1/reconcile", content=pieces(), headers=SAME).status_code == 413


def test_every_answer_keeps_other_sites_out(client):
    for path in ("/api/v1/status", "/nothing", "/livez"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers


def test_the_token_shows_in_no_repr():
    assert "right-token" not in repr(Access(token="right-token"))


def test_which_store_a_daemon_has_is_told_by_its_status_alone_to_strangers_too(build):
    client = build(access=Access(token="right-token", mark=lambda: "a-mark"))
    for headers, code in (({}, 401), (TOKEN, 200)):
        answer = client.get("/api/v1/status", headers=headers)
        assert (answer.status_code, answer.headers["reconciler-store"]) == (code, "a-mark")
    for path in ("/livez", "/api/v1/images"):
        assert "reconciler-store" not in client.get(path, headers=TOKEN).headers
    assert "reconciler-store" not in build(access=Access()).get("/api/v1/status").headers


def test_of_a_proxys_users_only_those_named_may_see_the_page_and_the_machine_itself_may_not(build):
    header = {"user_header": "remote-user", "proxies": frozenset({"testclient"})}
    for token in ("", "right-token"):
        client = build(access=Access(token=token, users=frozenset({"anna"}), **header))
        assert client.get("/api/v1/status", headers={"remote-user": "anna"}).status_code == 200
        for named in ({}, {"remote-user": "ben"}, {"remote-user": ""}):
            assert client.get("/api/v1/status", headers=named).status_code == 401
        html = {"accept": "text/html", "remote-user": "ben"}
        assert client.get("/", headers=html, follow_redirects=False).headers["location"] == "/login"
        # Without a token there is nothing to log in with, and no way round in circles.
        assert client.get("/login", headers=html, follow_redirects=False).status_code == (
            200 if token else 403
        )
