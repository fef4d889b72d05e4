"""Skymmich's own buttons, through a real nginx (and Caddy) with the very configuration of the documentation.

Behind the proxy are a real daemon, with the simulated Immich, and a stand-in for Skymmich.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import sqlite3
import ssl
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import ARGUMENTS, CHROMIUM, IMAGES, ROOT, eventually, need_chromium
from proxying import (
    EXAMPLES,
    PAGE_NAME,
    PASSWORD,
    TOKEN,
    Guarded,
    caddy,
    check,
    fenced,
    nginx,
)
from standing_in import NAME, Skymmich

from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve

PROXIES = {"nginx": nginx, "caddy": caddy}
PRESSED = {"Origin": f"http://{NAME}"}
"""What a browser sends over plain HTTP."""
WITH_TOKEN = pytest.mark.parametrize("place", ["with a token"], indirect=True)
ONLY_NGINX = pytest.mark.parametrize("proxy", ["nginx"], indirect=True)


@pytest.fixture(scope="module")
def skymmich():
    with Skymmich() as standing_in:
        yield standing_in


@pytest.fixture(scope="module", params=["no token", "with a token"])
def place(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    catalogue = folder / "skymmich.db"
    build_sample(catalogue)
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute(f"DELETE FROM {IMAGES} WHERE id > 6")
    with serve(catalogue=catalogue, unkind="settling,round_trip", drain=400.0) as simulator:
        place = Guarded(folder, catalogue, simulator, TOKEN if request.param == "with a token" else "")
        place.start()
        try:
            eventually(place.settled, "the first pass", 180)
            place.post("/api/v1/pause")
            yield place
        finally:
            place.kill()


@pytest.fixture(scope="module", params=sorted(PROXIES))
def proxy(request, place, skymmich, tmp_path_factory):
    with PROXIES[request.param](tmp_path_factory.mktemp("proxy"), place, skymmich) as ports:
        yield ports


def ask(port, method, path, headers=None, *, body=b"", host=NAME, source="127.0.0.1"):
    """Send one request; give status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=75, source_address=(source, 0))
    with closing(connection):
        connection.request(method, path, body, {"Host": host, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()


def press(port, path, headers=PRESSED, **more):
    """Send what Skymmich's page sends; give status and JSON."""
    status, body = ask(port, "POST", f"/api/immich/{path}", headers, **more)
    return status, json.loads(body)


def title(place, image_id, text):
    place.sql(f"UPDATE {IMAGES} SET title = ? WHERE id = ?", text, image_id)


def test_the_buttons_sync_one_image_and_all(place, proxy, skymmich):
    skymmich.asked.clear()
    text = f"Seen through {proxy.program}"
    title(place, 1, f"{text}, one")
    title(place, 2, f"{text}, two")
    assert press(proxy.buttons, "sync-metadata/1") == (
        200,
        {"success": True, "message": "Metadata synced to Immich"},
    )
    assert f"{text}, one" in place.shown(1)["description"]
    assert text not in place.shown(2)["description"]
    status, said = press(proxy.buttons, "sync-metadata-all", {"Sec-Fetch-Site": "same-origin", **PRESSED})
    linked = place.sql(f"SELECT count(*) FROM {IMAGES} WHERE immich_id IS NOT NULL")[0][0]
    expected = {
        "success": True,
        "message": f"Synced {linked} images, 0 failed",
        "synced": linked,
        "failed": 0,
    }
    assert (status, said) == (200, expected)
    assert f"{text}, two" in place.shown(2)["description"]
    assert skymmich.asked == []


def test_an_image_that_can_not_be_synced_is_said_so_where_skymmichs_page_looks(proxy):
    status, said = press(proxy.buttons, "sync-metadata/12345")
    assert status == 404
    assert said["success"] is False
    assert "no image with this id" in said["message"]


def test_everything_else_reaches_skymmich(place, proxy, skymmich):
    runs = place.runs()
    skymmich.asked.clear()
    requests = [
        ("GET", "/", b""),
        ("GET", "/api/images?tags=a%20b", b""),
        ("PATCH", "/api/images/1", b'{"description": "\xe2\x9c\xa6"}'),
        ("POST", "/api/immich/sync-immich", b""),
        ("POST", "/api/immich/sync-metadata/", b""),
        ("POST", "/api/immich/sync-metadata-all/more", b""),
        ("POST", "/api/v1/reconcile", b""),
        ("GET", "/metrics", b""),
    ]
    for method, path, body in requests:
        status, _ = ask(proxy.buttons, method, path, PRESSED, body=body)
        assert status == 200, path
    assert skymmich.asked == requests
    assert place.runs() == runs


def test_the_two_addresses_take_only_post(place, proxy):
    runs = place.runs()
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        for path in ("sync-metadata/1", "sync-metadata-all"):
            status, body = ask(proxy.buttons, method, f"/api/immich/{path}", PRESSED)
            assert status == 403 or body.startswith(b"Skymmich"), (method, status)
    assert place.runs() == runs


def test_skymmichs_websocket_goes_through(proxy):
    with closing(socket.create_connection(("127.0.0.1", proxy.buttons), timeout=10)) as wire:
        key = base64.b64encode(b"sixteen bytes ab").decode()
        wire.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {NAME}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        with wire.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 101")
            headers = b"".join(iter(answer.readline, b"\r\n"))
            assert b"sec-websocket-accept" in headers.lower()
            size = answer.read(2)[1]
            assert json.loads(answer.read(size))["event"] == "immich-sync-complete"


FORGED = [
    {"headers": {"Origin": "https://evil.example"}},
    {"headers": {"Origin": "null"}},
    {"headers": {"Sec-Fetch-Site": "cross-site", **PRESSED}},
    {"headers": {"Sec-Fetch-Site": "same-site", "Origin": "http://evil.example.org"}},
    {"headers": {"Origin": "http://evil.example"}, "host": "evil.example"},
    {"headers": {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"}, "host": "evil.example"},
]


def test_what_another_sites_page_forges_is_refused(place, proxy):
    runs = place.runs()
    for forged in FORGED:
        for path in ("sync-metadata/1", "sync-metadata-all"):
            if proxy.program == "caddy" and "host" in forged:
                # Caddy answers nothing for a name that is not in its configuration.
                assert ask(proxy.buttons, "POST", f"/api/immich/{path}", **forged) == (200, b"")
                continue
            status, said = press(proxy.buttons, path, **forged)
            assert status == (421 if "host" in forged else 403), forged
            assert said["success"] is False
            assert "allowed_hosts" in said["message"]
    assert place.runs() == runs


@ONLY_NGINX
def test_asked_for_by_an_address_no_name_has_to_be_configured(place, proxy):
    host = f"192.168.1.5:{proxy.buttons}"
    assert press(proxy.buttons, "sync-metadata/1", {"Origin": f"http://{host}"}, host=host)[0] == 200


@WITH_TOKEN
def test_a_token_that_the_proxy_does_not_show_is_asked_for(place, skymmich, tmp_path_factory, proxy):
    with PROXIES[proxy.program](
        tmp_path_factory.mktemp("p"), place, skymmich, shows_token=False
    ) as forgetful:
        # The header that names a user counts when it comes from the proxy, so the proxy must not pass it on.
        for headers in (PRESSED, {"Remote-User": "admin", **PRESSED}):
            status, said = press(forgetful.buttons, "sync-metadata/1", headers)
            assert status == 401
            assert said["success"] is False
            assert "token" in said["message"]


@WITH_TOKEN
def test_a_user_who_logged_in_at_the_proxy_sees_the_page_and_nobody_else(place, proxy):
    login = {"Authorization": "Basic " + base64.b64encode(f"alice:{PASSWORD}".encode()).decode()}
    own = {"Origin": f"https://{PAGE_NAME}", "Sec-Fetch-Site": "same-origin"}
    with page(proxy) as asked:
        assert asked("GET", "/")[0] == 401
        assert asked("GET", "/", {"Remote-User": "alice"})[0] == 401
        assert asked("GET", "/", login)[0] == 200
        assert asked("GET", "/api/v1/runs", login)[0] == 200
        assert asked("POST", "/api/v1/pause", {**login, **own})[0] == 200
        assert asked("POST", "/api/v1/pause", {**login, "Origin": "https://evil.example"})[0] == 403
        assert asked("GET", "/api/v1/events", login, part=12) == (200, b"retry: 3000\n")


@WITH_TOKEN
def test_the_header_that_names_a_user_counts_only_from_a_trusted_proxy(place):
    named = {"Remote-User": "alice"}
    assert ask(place.port, "GET", "/api/v1/runs", named, host="127.0.0.1")[0] == 200
    assert ask(place.port, "GET", "/api/v1/runs", host="127.0.0.1")[0] == 401
    assert ask(place.port, "GET", "/api/v1/runs", named, host="127.0.0.1", source="127.0.0.2")[0] == 401
    forwarded = {**named, "X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}
    assert ask(place.port, "GET", "/api/v1/runs", forwarded, host="127.0.0.1", source="127.0.0.2")[0] == 401


@contextmanager
def page(proxy):
    """Ask the daemon's own page through the proxy; with nginx over TLS."""
    context = ssl.create_default_context(cafile=proxy.certificate) if proxy.certificate else None

    def asked(method, path, headers=None, part=None):
        with closing(socket.create_connection(("127.0.0.1", proxy.page), timeout=30)) as plain:
            wire = context.wrap_socket(plain, server_hostname=PAGE_NAME) if context else plain
            connection = http.client.HTTPConnection(PAGE_NAME)
            connection.sock = wire
            with closing(connection):
                connection.request(method, path, headers=headers or {})
                answer = connection.getresponse()
                return answer.status, answer.read(part)

    yield asked


@ONLY_NGINX
@WITH_TOKEN
def test_the_buttons_work_in_a_browser_and_not_from_another_site(place, proxy, skymmich):
    need_chromium()
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright comes with the dev group")
    names = f"--host-resolver-rules=MAP {NAME}:80 127.0.0.1:{proxy.buttons}, MAP evil.example:80 127.0.0.1:{skymmich.port}"
    title(place, 3, "Clicked")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, names])
        window = browser.new_page()
        window.set_default_timeout(20_000)
        runs = place.runs()
        window.goto("http://evil.example/evil")
        window.click("text=Win")
        window.wait_for_load_state()
        assert window.url.startswith(f"http://{NAME}/api/immich/")
        assert 'success":false' in window.content()
        assert place.runs() == runs
        window.goto(f"http://{NAME}/page")
        window.click("text=Sync to Immich")
        playwright.expect(window.locator("#one")).to_have_text("Metadata synced to Immich", timeout=60_000)
        assert "Clicked" in place.shown(3)["description"]
        window.click("text=Sync All Metadata to Immich")
        playwright.expect(window.locator("#all")).to_contain_text("Sync Complete: Synced", timeout=60_000)
        browser.close()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_one_that_its_program_takes(name, tmp_path):
    check(name, tmp_path)


@pytest.mark.parametrize(
    "name", [name for name in EXAMPLES if name.endswith("skymmich") or "skymmich." in name]
)
def test_the_documentation_shows_the_examples_as_they_are(name):
    text = (ROOT / "systemd" / "examples" / name).read_text(encoding="utf-8")
    assert text in fenced("skymmich-buttons.md")


def test_the_documented_command_writes_the_file_that_shows_the_token(tmp_path):
    (command,) = [text for text in fenced("skymmich-buttons.md") if text.startswith("sudo")]
    (tmp_path / "credstore").mkdir()
    (tmp_path / "nginx").mkdir()
    (tmp_path / "credstore" / "skymmich-reconciler.status_token").write_text(f"{TOKEN}\n")
    script = 'sudo() { "$@"; }\n' + command.replace("cd /etc ", f"cd {tmp_path} ")
    subprocess.run(["bash", "-euc", script], check=True)
    made = tmp_path / "nginx" / "skymmich-reconciler.token"
    assert made.read_text() == f'proxy_set_header Authorization "Bearer {TOKEN}";\n'
    assert made.stat().st_mode & 0o777 == 0o600
