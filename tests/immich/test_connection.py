"""The way to Immich over real sockets: past a login, under an own authority, through a proxy."""

from __future__ import annotations

import socket
import ssl
import traceback
from contextlib import asynccontextmanager

import httpx
import pytest

from reconciler.core.ports import FieldWrite
from reconciler.errors import (
    ConfigurationError,
    ImmichRejectedError,
    ImmichUnauthorizedError,
    ImmichUnreachableError,
)
from reconciler.immich.call import Call, Patience
from reconciler.immich.connection import Connection
from reconciler.immich.target import Immich
from reconciler.simulator.serve import serve
from tests.immich.gates import ID, SECRET, TOKEN, Answer, cloudflare, for_users, gate, own_authority

pytestmark = pytest.mark.anyio

ASSET = "00000000-0000-4000-8000-000000000001"
HASTY = Patience(attempts=1, connect=5.0, read=20.0)
PASSWORD = "pr0xy-pass" + "word"
HEADERS = ((ID, TOKEN[ID.lower()]), (SECRET, TOKEN[SECRET.lower()]))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return own_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def simulator():
    with serve(assets=[ASSET], unkind="none", drain=5000) as running:
        yield running


@asynccontextmanager
async def asked(url, key, **way):
    async with Immich(url, key, patience=HASTY, connection=Connection(**way)) as target:
        await target.open()
        yield target


async def trouble(kind, url, key="a-key-of-its-own", **way):
    """Give the error of asking, and all that is said of it."""
    with pytest.raises(kind) as caught:
        async with asked(url, key, **way):
            pass
    error = caught.value
    return error, f"{error.message} {error.remedy} {''.join(traceback.format_exception(error))} {error!r}"


# -- a login in front of Immich -----------------------------------------------------------------------------------


async def test_past_a_login_everything_goes_on_with_its_headers(simulator):
    with gate(simulator.url, cloudflare) as standing:
        async with asked(standing.url, simulator.api_key, headers=HEADERS) as target:
            outcome = await target.write_fields([ASSET], FieldWrite("words"))
            assert outcome.sent == {ASSET}
            assert (await target.asset(ASSET)).description == "words"
            await target.thumbnail(ASSET, "thumbnail")
        for _, _, headers in standing.seen:
            assert {name: headers[name] for name in TOKEN} == TOKEN
            assert headers["x-api-key"] == simulator.api_key
    assert simulator.assets()[ASSET]["description"] == "words"


@pytest.mark.parametrize("headers", [(), ((ID, TOKEN[ID.lower()]), (SECRET, "another-secret-value"))])
async def test_a_login_is_named_with_the_headers_that_help_and_no_secret(simulator, headers):
    with gate(simulator.url, cloudflare) as standing:
        error, said = await trouble(ImmichRejectedError, standing.url, simulator.api_key, headers=headers)
    assert "asks for a login of Cloudflare Access" in error.message
    assert "team.cloudflareaccess.com" in error.message
    assert (
        "[immich.headers]: Cloudflare Access takes CF-Access-Client-Id and CF-Access-Client-Secret"
        in error.remedy
    )
    assert not [value for _, value in (*headers, ("", simulator.api_key)) if value in said]
    assert simulator.requests()["total"] == 0


PAGES = {
    "a form": (
        Answer(200, {"Content-Type": "text/html"}, b"<form><input type='password'></form>"),
        "Cloudflare",
    ),
    "a form that calls itself JSON": (
        Answer(200, {"Content-Type": "application/json"}, b"<!doctype html><title>Sign in</title>"),
        "Cloudflare",
    ),
    "Authelia": (
        Answer(401, {"Content-Type": "text/html"}, b"<a href='https://auth.lan/authelia'>"),
        "Authelia takes",
    ),
    "Basic": (Answer(401, {"WWW-Authenticate": 'Basic realm="x"'}), "user and password in [immich] url"),
    "a bare 403": (Answer(403, {"Content-Type": "text/html"}, b"<html>Forbidden</html>"), "Cloudflare"),
    "a path of its own": (Answer(302, {"Location": "/outpost.goauthentik.io/start"}), "authentik takes"),
    "another host": (Answer(302, {"Location": "https://sso.example.org/"}), "Cloudflare"),
    "oauth2-proxy": (
        Answer(302, {"Location": "/oauth2/sign_in"}),
        "oauth2-proxy takes Authorization: Bearer",
    ),
}


@pytest.mark.parametrize("name", PAGES)
async def test_each_kind_of_login_is_known_by_its_answer(simulator, name):
    answer, hint = PAGES[name]
    with gate(simulator.url, lambda _: answer) as standing:
        error, _ = await trouble(ImmichRejectedError, standing.url)
    assert "asks for a login" in error.message
    assert "[immich.headers]" in error.remedy
    assert hint in error.remedy
    assert not isinstance(error, ImmichUnauthorizedError)


async def test_immich_s_own_page_and_its_own_refusal_of_a_key_are_no_login(simulator):
    error, _ = await trouble(ImmichRejectedError, f"{simulator.url}/photos")
    assert "web page" in error.message
    assert "login" not in error.message
    error, _ = await trouble(ImmichUnauthorizedError, simulator.url)
    assert "does not accept the API key" in error.message


async def test_a_server_that_repeats_a_header_s_value_is_not_quoted_with_it(simulator):
    body = b'{"message": "no such token: %s"}' % TOKEN[SECRET.lower()].encode()
    with gate(simulator.url, lambda _: Answer(400, {"Content-Type": "application/json"}, body)) as standing:
        error, said = await trouble(ImmichRejectedError, standing.url, headers=HEADERS)
    assert "no such token: [redacted]" in error.message
    assert TOKEN[SECRET.lower()] not in said


async def test_no_secret_of_the_way_is_in_a_repr_or_a_log(simulator, caplog):
    caplog.set_level("DEBUG")
    with gate(simulator.url, for_users("me", PASSWORD)) as proxy:
        way = {"headers": HEADERS, "proxy": proxy.url.replace("://", f"://me:{PASSWORD}@")}
        async with asked(simulator.url, simulator.api_key, **way) as target:
            said = repr(Connection(**way)) + repr(target) + repr(target._client) + caplog.text
    assert not [secret for secret in (*TOKEN.values(), PASSWORD) if secret in said]


# -- an own authority ---------------------------------------------------------------------------------------------


async def test_an_own_authority_is_trusted_where_its_file_is_named(simulator, authority):
    file, context = authority
    with gate(simulator.url, tls=context) as standing:
        async with asked(standing.url, simulator.api_key, ca_file=file) as target:
            assert (await target.asset(ASSET)).asset_id == ASSET
        error, _ = await trouble(ImmichUnreachableError, standing.url)
    assert "CERTIFICATE_VERIFY_FAILED" in error.message
    assert "[immich] ca_file" in error.remedy
    assert error.again is None


async def test_another_authority_is_not_trusted(simulator, authority, tmp_path):
    _, context = authority
    other, _ = own_authority(tmp_path)
    with gate(simulator.url, tls=context) as standing:
        await trouble(ImmichUnreachableError, standing.url, ca_file=other)
        assert standing.seen == []


@pytest.mark.parametrize(
    ("address", "proxy", "environ", "loaded"),
    [
        ("http://immich:2283", "", {}, False),
        ("https://photos.example", "", {}, True),
        ("HTTPS://photos.example", "", {}, True),
        ("http://immich:2283", "http://proxy:3128", {}, False),
        ("http://immich:2283", "https://proxy:3128", {}, True),
        ("http://immich:2283", "", {"http_proxy": "http://proxy:3128"}, False),
        ("http://immich:2283", "", {"http_proxy": "https://proxy:3128"}, True),
    ],
)
async def test_certificates_are_loaded_once_and_where_something_on_the_way_is_secure(
    monkeypatch, address, proxy, environ, loaded
):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = Connection(proxy=proxy).tls(address)
    if not loaded:
        assert found is False
        return
    assert found.verify_mode is ssl.CERT_REQUIRED
    assert found.check_hostname
    assert found is Connection().tls("https://another.example")


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "no such file"), ("not a certificate\n", "no certificate in PEM form"), ("", "no certificate")],
)
async def test_a_file_without_certificates_is_told_and_nothing_is_sent(simulator, tmp_path, content, why):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=why) as caught:
        Immich(simulator.url, "key", connection=Connection(ca_file=file))
    assert str(file) in caught.value.message
    assert "[immich] ca_file" in caught.value.remedy


# -- a proxy on the way -------------------------------------------------------------------------------------------


async def test_a_proxy_leads_to_immich_with_and_without_tls(simulator, authority):
    file, context = authority
    with gate(simulator.url, tls=context) as secure, gate("http://nowhere:1") as proxy:
        async with asked(simulator.url, simulator.api_key, proxy=proxy.url) as target:
            await target.write_fields([ASSET], FieldWrite("words"))
        assert {path.split("/api/")[0] for _, path, _ in proxy.seen} == {simulator.url}
        proxy.seen.clear()
        async with asked(
            secure.url, simulator.api_key, proxy=proxy.url, ca_file=file, headers=HEADERS
        ) as target:
            assert (await target.asset(ASSET)).description == "words"
        assert {(method, path) for method, path, _ in proxy.seen} == {
            ("CONNECT", secure.url.removeprefix("https://"))
        }
        # What is for Immich is not for the proxy.
        assert not [headers for _, _, headers in proxy.seen if {"x-api-key", *TOKEN} & headers.keys()]
        assert secure.seen[-1][2][SECRET.lower()] == TOKEN[SECRET.lower()]


@pytest.mark.parametrize("secure", [False, True])
async def test_a_proxy_that_asks_who_is_there_is_told_and_a_wrong_answer_is_named(
    simulator, authority, secure
):
    file, context = authority
    with (
        gate(simulator.url, tls=context) as behind,
        gate("http://nowhere:1", for_users("me", PASSWORD)) as proxy,
    ):
        url = behind.url if secure else simulator.url
        named = proxy.url.replace("://", f"://me:{PASSWORD}@")
        async with asked(url, simulator.api_key, proxy=named, ca_file=file) as target:
            assert (await target.asset(ASSET)).asset_id == ASSET
        wrong = proxy.url.replace("://", "://me:wr0ng-word@")
        error, said = await trouble(
            (ImmichRejectedError, ImmichUnreachableError), url, proxy=wrong, ca_file=file
        )
    assert "407" in error.message
    assert "[immich] proxy a user and a password" in error.remedy
    assert "wr0ng-word" not in said


async def test_a_proxy_that_is_not_there_is_named_and_not_immich(simulator):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gone = f"http://me:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}"
        error, said = await trouble(ImmichUnreachableError, simulator.url, proxy=gone)
    assert f"no connection to the proxy {gone.replace(f'me:{PASSWORD}@', '')}" in error.message
    assert "[immich] proxy is right" in error.remedy
    assert PASSWORD not in said


async def test_a_proxy_that_leads_nowhere_is_named(simulator, authority):
    file, context = authority
    with gate(simulator.url, tls=context) as behind, gate("http://x:1", lambda _: Answer(403)) as proxy:
        error, _ = await trouble(ImmichUnreachableError, behind.url, proxy=proxy.url, ca_file=file)
    assert f"the proxy {proxy.url} refused to lead there (403" in error.message


async def test_a_write_that_a_proxy_refused_was_not_sent(simulator, authority):
    """No doubt is left: what never arrived may be sent again."""
    file, context = authority
    with gate(simulator.url, tls=context) as behind, gate("http://x:1", lambda _: Answer(403)) as proxy:
        target = Immich(
            behind.url, "key", patience=HASTY, connection=Connection(proxy=proxy.url, ca_file=file)
        )
        async with target:
            call = Call("PUT", "/assets", body=b"{}", write=True)
            with pytest.raises(ImmichUnreachableError) as caught:
                await target._client.send(call)
    assert isinstance(caught.value.__cause__, httpx.ProxyError)
