"""A whole installation for the browser tests: catalogue, simulated Immich, the real daemon, and Chromium."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import time
import urllib.request
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.core.records import Crossing
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from state.store import StateStore
from tests.free_port import free_port
from tests.quick_start import QuickProcess

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "/usr/bin/chromium"
"""The one without windows, if it is here, takes a third less computing for the same pages."""
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FAST = 400.0
IMAGES = "astrophotography_images"


AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def need_chromium() -> None:
    """Skip where there is no Chromium; in CI, which must have one, fail."""
    if Path(CHROMIUM).exists():
        return
    reason = "no Chromium on this machine (Debian: apt install chromium-headless-shell, or chromium)"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has to be able to run this: {reason}", pytrace=False)
    pytest.skip(reason)


def eventually(holds, what: str, patience: float = 60.0):
    """Wait until ``holds`` gives something true; give it."""
    end = time.monotonic() + patience
    while True:
        found = holds()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.05)


class Place:
    """The installation, with the daemon as a process of its own that can be killed and started again."""

    def __init__(self, folder: Path, catalogue: Path, simulator, mode: str = "sync") -> None:
        self.folder, self.catalogue, self.simulator = folder, catalogue, simulator
        self.process: QuickProcess | None = None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "config.toml"
        self.config.write_text(
            f'[skymmich]\nsource = "{catalogue}"\n'
            f'[state]\nurl = "sqlite:///{folder}/state.sqlite3"\n'
            f'[immich]\nurl = "{simulator.url}"\n'
            f'[status]\nport = {self.port}\n[policy]\nmode = "{mode}"\n'
            "[schedule]\ncatalogue_seconds = 0.3\nimmich_seconds = 5\ndebounce_seconds = 0.1\n"
        )

    def start(self, **more: str) -> None:
        # Nothing of the person's own configuration, nor what switches these tests on.
        environ = {name: value for name, value in os.environ.items() if not name.startswith("RECONCILER_")}
        environ |= {"RECONCILER_IMMICH__API_KEY": self.simulator.api_key, **more}
        log = (self.folder / "daemon.log").open("ab")
        command = [sys.executable, "-m", "reconciler", "run", "--config", str(self.config)]
        self.process = QuickProcess(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
        log.close()
        eventually(lambda: self.answers() or self.process.poll() is not None, "the daemon answers", 90)
        assert self.process.poll() is None, self.log

    def answers(self) -> bool:
        try:
            return self.get("/livez") == b"ok\n"
        except OSError:
            return False

    @property
    def log(self) -> str:
        path = self.folder / "daemon.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read()

    def status(self) -> dict:
        return json.loads(self.get("/api/v1/status"))

    def settled(self) -> bool:
        found = self.status()
        return bool(found["checked_at"]) and found["current"] is None and not found["queue_depth"]

    def sql(self, text: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(self.catalogue, timeout=10)) as connection, connection:
            return connection.execute(text, values).fetchall()

    def asset_of(self, image_id: int) -> str:
        return self.sql(f"SELECT immich_id FROM {IMAGES} WHERE id = ?", image_id)[0][0]

    def shown(self, image_id: int) -> dict:
        """What the simulated Immich has of an image."""
        return self.simulator.assets()[self.asset_of(image_id)]

    def note_crossing(self, image_id: int) -> None:
        """Let the last write of an image be one that an edit crossed with, as a pass would record it."""
        with StateStore.open(self.folder / "state.sqlite3") as store:
            asset_id = self.asset_of(image_id)
            run_id = store.journal_of(asset_id=asset_id, limit=1)[0].run_id
            crossing = Crossing(datetime.now(UTC), frozenset({"block", "prose", "tags"}), run_id)
            store.note_crossings({asset_id: crossing})

    def image_ids(self, status: str = "in_sync") -> list[int]:
        items = json.loads(self.get(f"/api/v1/images?status={status}&limit=100"))["items"]
        return [one["image_id"] for one in items]


def post(place, path, body=None):
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"origin": place.url} | ({} if body is None else {"content-type": "application/json"})
    request = urllib.request.Request(place.url + path, data, headers, method="POST")
    with urllib.request.urlopen(request, timeout=70) as answer:
        return answer.status


@contextmanager
def launched():
    """A browser; without one the test skips, or fails in CI."""
    need_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def installation(folder: Path):
    """The sample catalogue, a simulated Immich, and a daemon between them that is not started yet."""
    catalogue = folder / "skymmich.db"
    build_sample(catalogue)
    with serve(catalogue=catalogue, unkind="settling,round_trip", drain=FAST) as simulator:
        place = Place(folder, catalogue, simulator)
        try:
            yield place
        finally:
            place.kill()


@contextmanager
def window(browser, place, *, gone=False, **options):
    """A window; afterwards: no error in its console, and no request to another host."""
    context = browser.new_context(base_url=place.url, **options)
    page = context.new_page()
    page.set_default_timeout(30_000)
    wrong, elsewhere = [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    context.on(
        "request",
        lambda request: None if request.url.startswith(place.url) else elsewhere.append(request.url),
    )
    yield page
    context.close()
    assert elsewhere == []
    if not gone:
        assert wrong == []
