"""Skymmich's switches, changed over real HTTP in a stand-in that replaces whole objects, as Skymmich does."""

from __future__ import annotations

import gzip
import json
import threading
import time
import tracemalloc
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciler.core.policy import Switches
from reconciler.errors import CatalogueError
from reconciler.skymmich import settings_api
from reconciler.skymmich.settings_api import SkymmichSettings

pytestmark = pytest.mark.anyio
KEY = "the-real-key-1234"
STORED = {
    "host": "http://immich.lan:2283",
    "apiKey": KEY,
    "autoSync": False,
    "selectedAlbumIds": ["a"],
    "metadataSyncEnabled": True,
    "syncDescription": True,
    "syncCoordinates": True,
    "syncTags": True,
    "futureSetting": {"kept": 1},
}


def endless():
    while True:
        yield b" " * 65536


def dripping():
    while True:
        time.sleep(0.02)
        yield b" "


BOMB = gzip.compress(bytes(64 << 20))
GZIP = {"content-encoding": "gzip"}
BODIES = {
    "endless": ({}, endless),
    "bomb": (GZIP, lambda: [BOMB]),
    "deep": ({}, lambda: [b'{"immich":' + b"[" * 100_000]),
    "twice": ({}, lambda: [b'{"immich":{},"immich":{}}']),
    "cut": ({}, lambda: [b'{"immich":{"host":"http']),
    "dripping": ({}, dripping),
    "huge": ({}, lambda: [b'{"immich":{"apiKey":"","a":1e400}}']),
    "half": ({}, lambda: [rb'{"immich":{"apiKey":"","a":"\ud83d"}}']),
    "digits": ({}, lambda: [b'{"immich":[' + b"9" * 5000 + b"]}"]),
}


class Skymmich(BaseHTTPRequestHandler):
    """Masks the key in what it shows, and takes the mask for "unchanged": measured on 0.9.2."""

    stored: dict
    fault: str
    seen: list

    def do_GET(self):
        self.seen.append(("GET", self.headers.get("authorization")))
        if self.fault == "down":
            return self.answer(500, {"message": "no"})
        if self.fault == "moved":
            self.send_response(302)
            self.send_header("location", "/login")
            self.end_headers()
            return None
        if self.fault in BODIES:
            return self.raw(*BODIES[self.fault])
        immich = dict(self.stored)
        if self.fault != "unmasked":
            immich["apiKey"] = f"••••{immich['apiKey'][-4:]}" if immich.get("apiKey") else ""
        return self.answer(200, {"immich": immich, "app": {"debugMode": False}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.seen.append(("POST", json.loads(json.dumps(body))))
        new = body["immich"]
        if str(new.get("apiKey", "")).startswith("••••"):
            new["apiKey"] = self.stored["apiKey"]
        if self.fault != "deaf":
            self.stored.clear()
            self.stored.update(new)
        return self.answer(200, {"message": "saved"})

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def raw(self, headers, body):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):
            for part in body():
                self.wfile.write(part)
                self.wfile.flush()

    def log_message(self, *_):
        pass


@pytest.fixture
def skymmich():
    kind = type("Handler", (Skymmich,), {"stored": dict(STORED), "fault": "", "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    kind.url = f"http://127.0.0.1:{server.server_port}"
    yield kind
    server.shutdown()
    server.server_close()
    thread.join()


async def test_only_the_switches_change_and_address_key_and_all_else_stay(skymmich):
    wanted = Switches(enabled=True, description=False, coordinates=True, tags=False)
    assert await SkymmichSettings(skymmich.url).write({"description": False, "tags": False}) == wanted
    assert skymmich.stored == {**STORED, "syncDescription": False, "syncTags": False}


async def test_every_other_setting_is_sent_back_as_it_was(skymmich):
    odd = {"every": 5, "share": 0.1, "big": 12345678901234567890, "text": "\U0001f600 \\ud83d", "none": None}
    skymmich.stored.update(odd)
    await SkymmichSettings(skymmich.url).write({"tags": False})
    sent = next(body["immich"] for method, body in skymmich.seen if method == "POST")
    assert {name: repr(sent[name]) for name in odd} == {name: repr(value) for name, value in odd.items()}


async def test_what_was_changed_in_skymmich_meanwhile_stays(skymmich):
    skymmich.stored["syncCoordinates"] = False
    wanted = Switches(coordinates=False, tags=False)
    assert await SkymmichSettings(skymmich.url).write({"tags": False}) == wanted
    assert skymmich.stored == {**STORED, "syncCoordinates": False, "syncTags": False}


async def test_what_is_like_that_already_is_not_sent(skymmich):
    assert await SkymmichSettings(skymmich.url).write({"tags": True}) == Switches()
    assert [method for method, _ in skymmich.seen] == ["GET"]


async def test_the_key_itself_never_travels(skymmich):
    await SkymmichSettings(skymmich.url + "/").write({"enabled": False})
    assert KEY not in json.dumps(skymmich.seen)


async def test_what_does_not_read_back_is_an_error(skymmich):
    skymmich.fault = "deaf"
    with pytest.raises(CatalogueError, match="reads back other values for metadataSyncEnabled"):
        await SkymmichSettings(skymmich.url).write({"enabled": False})


@pytest.mark.parametrize(
    ("fault", "said"), [("down", "answered 500"), ("moved", "answered 302"), ("unmasked", "unmasked")]
)
async def test_nothing_is_sent_where_the_settings_can_not_be_read_as_expected(skymmich, fault, said):
    skymmich.fault = fault
    with pytest.raises(CatalogueError, match=said):
        await SkymmichSettings(skymmich.url).write({"enabled": False})
    assert [method for method, _ in skymmich.seen] == ["GET"]
    assert skymmich.stored == STORED


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("endless", "is longer than 1 MB"),
        ("bomb", "unpacks to more than 1 MB"),
        ("deep", "is nested too deep"),
        ("twice", "has a name twice"),
        ("cut", "is not JSON"),
        ("dripping", "no answer came in time"),
        ("digits", "has a number that cannot be kept"),
        ("huge", "has a number that cannot be kept"),
        ("half", "has a text with half a surrogate pair"),
    ],
)
async def test_an_answer_beyond_its_bounds_is_an_error_and_nothing_is_sent(
    skymmich, monkeypatch, fault, said
):
    skymmich.fault = fault
    monkeypatch.setattr(settings_api, "_TOTAL", 0.5 if fault == "dripping" else 20.0)
    tracemalloc.start()
    try:
        with pytest.raises(CatalogueError, match=said):
            await SkymmichSettings(skymmich.url).write({"enabled": False})
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert [method for method, _ in skymmich.seen] == ["GET"]
    assert skymmich.stored == STORED


async def test_a_skymmich_that_is_not_there_is_said_with_the_remedy():
    with pytest.raises(CatalogueError) as caught:
        await SkymmichSettings("http://127.0.0.1:9").write({"enabled": False})
    assert "[skymmich] url" in caught.value.remedy


async def test_a_login_of_a_proxy_is_sent_and_never_shown(skymmich):
    host = skymmich.url.removeprefix("http://")
    await SkymmichSettings(f"http://ann:p%40ss@{host}").write({"enabled": False})
    assert skymmich.seen[0][1] == "Basic YW5uOnBAc3M="
    with pytest.raises(CatalogueError) as caught:
        await SkymmichSettings("http://ann:p%40ss@127.0.0.1:9").write({"enabled": False})
    assert "p@ss" not in str(caught.value)


def test_an_answer_measured_on_a_real_skymmich_is_as_expected(shared):
    from reconciler.skymmich.settings_api import _immich

    for sample in (shared / "skymmich" / "rest-samples").glob("*.admin_settings.json"):
        found = _immich(json.loads(sample.read_text(encoding="utf-8")))
        assert found["apiKey"].startswith("••••")
        assert isinstance(found["metadataSyncEnabled"], bool)


@pytest.mark.parametrize("odd", ["off", "true", 1, None, [True]])
def test_a_switch_that_reads_back_as_something_else_is_not_on(odd):
    found = settings_api._switches({"metadataSyncEnabled": True, "syncTags": odd})
    assert found == Switches(enabled=True, description=True, coordinates=True, tags=False)
