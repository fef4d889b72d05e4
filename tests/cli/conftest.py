"""A whole installation, small: a catalogue file, a simulated Immich, a configuration, and the real program."""

from __future__ import annotations

import io
import os
import pty
import select
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reconciler.cli.app import main
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from tests.catalogues import keep_only
from tests.free_port import free_port
from tests.quick_start import QuickProcess

ROOT = Path(__file__).resolve().parents[2]
RING, M13, JELLYFISH = 19, 20, 33
"""Images of the sample that the small catalogues keep."""


@dataclass
class Installation:
    """What a user has; ``run`` is what they type."""

    folder: Path
    catalogue: Path
    simulator: object
    environ: dict[str, str] = field(default_factory=dict)
    popen: type[subprocess.Popen] = QuickProcess

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def store(self) -> Path:
        return self.folder / "state.sqlite3"

    def configure(self, text: str = "", *, url: str | None = None) -> None:
        self.config.write_text(
            f'[skymmich]\nsource = "{self.catalogue}"\n[state]\nurl = "{self.store}"\n'
            f'[immich]\nurl = "{url or self.simulator.url}"\n[status]\nport = 0\n{text}'
        )

    def started(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        return self.popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=ROOT, env=self._environment(environ), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        process = self.started(*arguments, **environ)
        out, err = process.communicate(timeout=50)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def call(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Do as ``run`` does, in this process: a second less each time."""
        out, err, before = io.StringIO(), io.StringIO(), dict(os.environ)
        try:
            wanted = self._environment(environ)
            os.environ.clear()
            os.environ.update(wanted)
            with redirect_stdout(out), redirect_stderr(err):
                code = main(arguments)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def typed(self, *arguments: str, answer: str) -> tuple[int, str]:
        """Run it on a terminal of 80 columns, and answer its question."""
        leader, follower = pty.openpty()
        environ = self._environment({"TERM": "xterm", "COLUMNS": "80", "LINES": "40"})
        process = self.popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=ROOT, env=environ, stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
        )  # fmt: skip
        os.close(follower)
        shown, asked, end = b"", False, time.monotonic() + 50
        while time.monotonic() < end:
            if select.select([leader], [], [], 0.1)[0]:
                try:
                    piece = os.read(leader, 65536)
                except OSError:  # Linux says so when the other side is closed
                    break
                shown += piece
            if not asked and b"[y/N]" in shown:
                os.write(leader, answer.encode() + b"\n")
                asked = True
        os.close(leader)
        return process.wait(timeout=10), shown.decode()

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.catalogue)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def asset(self, image_id: int) -> str:
        return str(self.sql("SELECT immich_id FROM astrophotography_images WHERE id = ?", image_id)[0][0])

    def shown(self, image_id: int) -> dict[str, object]:
        return self.simulator.assets()[self.asset(image_id)]

    def person(self, image_id: int, action: str, value: object) -> None:
        self.simulator.person(self.asset(image_id), action, value)
        self.simulator.wait_until_idle()

    @property
    def writes(self) -> int:
        return self.simulator.requests()["writes"]

    @property
    def surroundings(self) -> dict[str, str]:
        """The environment in which it runs."""
        return self._environment({})

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LANG": "C.UTF-8"}
        key = {"RECONCILER_IMMICH__API_KEY": self.simulator.api_key}
        return base | key | {"RECONCILER_CONFIG": str(self.config)} | self.environ | more


@contextmanager
def installed(folder: Path, *image_ids: int, **simulator: object):
    catalogue = folder / "skymmich.db"
    build_sample(catalogue)
    keep_only(catalogue, ", ".join(map(str, image_ids)))
    options = {"unkind": "settling,lost_updates,round_trip", "drain": 2000.0} | simulator
    with serve(catalogue=catalogue, **options) as server:
        installation = Installation(folder, catalogue, server)
        installation.configure("[guard]\ncanary = 0\n")
        yield installation


@contextmanager
def daemon_of(installation, **environ: str):
    """Run an installation's daemon, ready; commands find it by the port of their environment."""
    port = str(free_port())
    settings = {"RECONCILER_STATUS__PORT": port}
    if "RECONCILER_POLICY__MODE" not in installation.environ:
        settings["RECONCILER_POLICY__MODE"] = "sync"
    installation.environ |= settings
    process = installation.started("run", **environ)
    said = []
    for line in process.stderr:
        said.append(line)
        if '"ready"' in line:
            break
    assert process.poll() is None, "".join(said)
    process.said = said
    rest = threading.Thread(target=process.stderr.read)
    rest.start()
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
        rest.join()
        process.stdout.close()
        process.stderr.close()
        for name in settings:
            del installation.environ[name]


@pytest.fixture
def serving():
    """Give what runs an installation's daemon, as a context."""
    return daemon_of


@pytest.fixture
def two(tmp_path):
    """Two images that nothing was written of yet."""
    with installed(tmp_path, RING, JELLYFISH) as installation:
        yield installation


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """Three images in sync, for tests that only look."""
    with installed(tmp_path_factory.mktemp("applied"), RING, M13, JELLYFISH) as installation:
        done = installation.call("apply", "--yes")
        assert done.returncode == 0, done.stderr
        yield installation


@pytest.fixture
def install(tmp_path):
    """Give what makes an installation of these images, as a context."""
    return lambda *image_ids, **simulator: installed(tmp_path, *image_ids, **simulator)
