"""Who may ask: strangers, other sites' pages, rebound names, guessers."""

from __future__ import annotations

import pytest

from reconciler.errors import ConfigurationError
from reconciler.web.access import Access, check_binding
from reconciler.web.session import LIFETIME, Session, Slowdown

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


def test_guessing_is_slowed_down_even_when_the_right_token_comes(guarded):
    codes = [
        guarded.get("/api/v1/status", headers={"authorization": f"Bearer {number}"}).status_code
        for number in range(6)
    ]
    assert codes[:4] == [401] * 4
    assert codes[4:] == [429] * 2
    answer = guarded.get("/api/v1/status", headers=TOKEN)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_waiting_grows_to_a_minute_and_is_forgotten_after_a_success():
    moment = [0.0]
    slow = Slowdown(lambda: moment[0])
    for _ in range(20):
        slow.note("peer", right=False)
    assert slow.wait("peer") == 60.0
    assert slow.wait("another") == 0.0
    moment[0] = 61.0
    assert slow.wait("peer") == 0.0
    slow.note("peer", right=True)
    slow.note("peer", right=False)
    assert slow.wait("peer") == 0.0


def test_a_flood_of_addresses_takes_no_more_memory():
    slow = Slowdown()
    for number in range(3000):
        slow.note(str(number), right=False)
    assert len(slow._wrong) == Slowdown.remembered


def test_a_session_ends_and_can_not_be_made_up():
    moment = [1000.0]
    session = Session("token", lambda: moment[0])
    value = session.issue()
    assert session.holds(value)
    assert not Session("other", lambda: moment[0]).holds(value)
    assert not session.holds(value[:-1] + ("0" if value[-1] != "0" else "1"))
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
