"""The way to Skymmich over real sockets: under an authority of one's own, through a proxy."""

from __future__ import annotations

import socket
import traceback

import pytest

from reconciler.errors import CatalogueError, ConfigurationError
from reconciler.http_way import Way
from reconciler.skymmich.settings_api import SkymmichSettings
from reconciler.skymmich.sources import Web, open_catalogue
from tests.immich.gates import Answer, for_users, gate, own_authority

pytestmark = pytest.mark.anyio
PASSWORD = "pr0xy-pass" + "word"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return own_authority(tmp_path_factory.mktemp("authority"))


def trouble(over_the_web, url, **way):
    """Give the error of reading, and all that is said of it."""
    with pytest.raises(CatalogueError) as caught:
        over_the_web(url, way=Way(**way)).read()
    error = caught.value
    return error, f"{error.message} {error.remedy} {''.join(traceback.format_exception(error))}"


def test_an_own_authority_is_trusted_where_it_is_named_and_else_nothing_is_sent(
    standin, over_the_web, authority
):
    file, context = authority
    with gate(standin.url, tls=context) as secure:
        error, _ = trouble(over_the_web, secure.url)
        assert "certificate" in error.message
        assert secure.seen == []
        assert len(over_the_web(secure.url, way=Way(ca_file=file)).read().images) == 8
        assert secure.seen


def test_another_authority_is_not_trusted(standin, over_the_web, authority, tmp_path):
    other, _ = own_authority(tmp_path)
    with gate(standin.url, tls=authority[1]) as secure:
        trouble(over_the_web, secure.url, ca_file=other)
        assert secure.seen == []


@pytest.mark.parametrize("content", [None, "not a certificate\n"])
def test_a_file_without_certificates_is_told_when_the_catalogue_is_opened(standin, tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    for opened in (
        lambda: open_catalogue(standin.url, web=Web(way=Way(ca_file=file))),
        lambda: SkymmichSettings(standin.url, Way(ca_file=file)),
    ):
        with pytest.raises(ConfigurationError, match="The certificates for Skymmich in") as caught:
            opened()
        assert "[skymmich] ca_file" in caught.value.remedy


def test_a_proxy_leads_to_skymmich_with_and_without_tls(standin, over_the_web, authority):
    file, context = authority
    with gate(standin.url, tls=context) as secure, gate("http://nowhere:1") as proxy:
        assert len(over_the_web(standin.url, way=Way(proxy=proxy.url)).read().images) == 8
        assert {path.split("/api/")[0] for _, path, _ in proxy.seen} == {standin.url}
        proxy.seen.clear()
        both = Way(ca_file=file, proxy=proxy.url)
        assert len(over_the_web(secure.url, way=both, kept=None).read().images) == 8
        assert {(method, path) for method, path, _ in proxy.seen} == {
            ("CONNECT", secure.url.removeprefix("https://"))
        }


def test_a_proxy_of_the_environment_is_not_taken(standin, over_the_web, monkeypatch):
    with gate("http://nowhere:1") as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert len(over_the_web(standin.url).read().images) == 8
        assert proxy.seen == []


@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_that_asks_who_is_there_is_told_and_a_wrong_answer_is_named(
    standin, over_the_web, authority, secure
):
    file, context = authority
    with (
        gate(standin.url, tls=context) as behind,
        gate("http://nowhere:1", for_users("me", PASSWORD)) as proxy,
    ):
        url = behind.url if secure else standin.url
        named = proxy.url.replace("://", f"://me:{PASSWORD}@")
        assert len(over_the_web(url, way=Way(file, named)).read().images) == 8
        wrong = proxy.url.replace("://", "://me:wr0ng-word@")
        error, said = trouble(over_the_web, url, proxy=wrong, ca_file=file)
    assert "407" in error.message
    assert "[skymmich] proxy" in error.remedy
    assert "wr0ng-word" not in said


def test_a_proxy_that_is_not_there_is_named_without_its_password(standin, over_the_web):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gone = f"http://me:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}"
        error, said = trouble(over_the_web, standin.url, proxy=gone)
    assert f"through the proxy {gone.replace(f'me:{PASSWORD}@', '')}" in error.message
    assert "[skymmich] proxy is right" in error.remedy
    assert PASSWORD not in said + repr(Way(proxy=gone))


async def test_settings_are_changed_the_same_way(standin, authority):
    file, context = authority
    with gate(standin.url, tls=context) as secure, gate("http://x:1") as proxy:
        with pytest.raises(CatalogueError, match="certificate"):
            await SkymmichSettings(secure.url).write({"tags": False})
        assert secure.seen == []
        await SkymmichSettings(secure.url, Way(file, proxy.url)).write({})
        assert [method for method, *_ in proxy.seen] == ["CONNECT"]
        assert secure.seen


async def test_a_proxy_that_refuses_is_told_where_settings_are_changed(standin):
    with gate("http://x:1", lambda _: Answer(403)) as proxy, pytest.raises(CatalogueError, match="403"):
        await SkymmichSettings(standin.url, Way(proxy=proxy.url)).write({"tags": False})
