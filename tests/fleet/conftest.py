"""A fleet: a real PostgreSQL, real worker processes, a catalogue and a simulated Immich for each installation."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from state.postgres import installations
from state.postgres.place import PostgresPlace
from state.store import StateStore
from tests.daemon.test_process import until
from tests.postgres_server import a_server
from tests.quick_start import QuickProcess

from .pages import OPERATORS, own, secret

ROOT = Path(__file__).resolve().parents[2]


class Wire:
    """A way to the database that can be cut: what is sent then arrives when it is mended, or never."""

    def __init__(self, target):
        self._target = str(target)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._whole = threading.Event()
        self._whole.set()
        self._ends, self._closed = [], False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self._whole.clear()

    def mend(self):
        self._whole.set()

    def close(self):
        self._closed = True
        self._listener.close()
        self.mend()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self):
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                self._whole.wait()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self._target)
                self._ends += [here, there]
                if self._closed:
                    here.close()
                    there.close()
                    return
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                self._whole.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


class Fleet:
    """All of it. ``settings`` are of ``[fleet]``."""

    def __init__(self, folder, server, stack, **settings):
        self.folder, self.server, self._stack = folder, server, stack
        self.address = server.address("fleet", "keeper")
        self.simulators, self.workers, self.wires = {}, [], {}
        (folder / "installations").mkdir()
        lines = {"folder": f'"{folder}/installations"', "look_seconds": 5, "right_seconds": 6} | settings
        self.config = folder / "fleet.toml"
        self.config.write_text(
            "[fleet]\n"
            + "".join(f"{key} = {value}\n" for key, value in lines.items())
            + "[status]\nport = 0\n"
        )

    def environ(self, address=None):
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "RECONCILER_STATE__URL": address or self.address,
        }

    def make(self, name, images=4, simulator=None, **simulated):
        """Make an installation: catalogue, Immich, configuration, key; not yet added."""
        catalogue = self.folder / f"{name}.db"
        build_sample(catalogue)
        with closing(sqlite3.connect(catalogue)) as connection, connection:
            connection.execute(
                "DELETE FROM astrophotography_images WHERE id NOT IN (SELECT id FROM astrophotography_images "
                "WHERE immich_id IS NOT NULL ORDER BY id LIMIT ?)", (images,),
            )  # fmt: skip
        options = {"unkind": "settling,round_trip", "drain": 60.0} | simulated
        simulator = simulator or self._stack.enter_context(serve(catalogue=catalogue, **options))
        self.simulators[name] = simulator
        secrets = self.folder / "installations" / name
        secrets.mkdir()
        (secrets / "immich_api_key").write_text(simulator.api_key)
        (secrets / "immich_api_key").chmod(0o600)
        (self.folder / "installations" / f"{name}.toml").write_text(
            f'[skymmich]\nsource = "{catalogue}"\n[immich]\nurl = "{simulator.url}"\n[policy]\nmode = "sync"\n'
        )
        return simulator

    def add(self, name, **options):
        made = self.make(name, **options)
        installations.add(self.address, name)
        return made

    def spoil(self, name):
        """Let an installation's configuration be wrong; gives what mends it."""
        configured = self.folder / "installations" / f"{name}.toml"
        text = configured.read_text()
        configured.write_text("[skymmich]\nsource = 5\n")
        return lambda: configured.write_text(text)

    def sql(self, name, statement, *values):
        with closing(sqlite3.connect(self.folder / f"{name}.db", timeout=5)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def call(self, *arguments, config=None):
        with QuickProcess(
            [sys.executable, "-m", "reconciler", *arguments, "--config", config or self.config],
            cwd=ROOT, env=self.environ(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        ) as process:  # fmt: skip
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def way(self):
        """Make a way to the database that can be cut; gives the address by it, and the way."""
        way = Wire(self.server.home / ".s.PGSQL.5432")
        self._stack.callback(way.close)
        return f"postgresql://keeper@127.0.0.1:{way.port}/fleet", way

    def worker(self, *, wire=False, concurrency=4, ready=True):
        """Start a worker; with ``wire`` its way to the database can be cut."""
        address, way = self.way() if wire else (None, None)
        log = self.folder / f"worker-{len(self.workers)}.jsonl"
        with log.open("w") as stream:
            process = QuickProcess(
                [sys.executable, "-m", "reconciler", "worker", "--concurrency", str(concurrency), "--config", self.config],
                cwd=ROOT, env=self.environ(address), stdin=subprocess.DEVNULL, stderr=stream,
            )  # fmt: skip
        process.log, process.wire = log, way
        self.workers.append(process)
        if ready:
            until(lambda: self.health(process, "readyz")[0] == 200)
        return process

    until = staticmethod(until)

    def start(self, command, config, *, wire=False):
        """Start another process of the fleet's, and wait until it is ready; ``wire`` as for a worker."""
        address, way = self.way() if wire else (None, None)
        log = self.folder / f"{command}-{len(self.workers)}.jsonl"
        with log.open("w") as stream:
            process = QuickProcess(
                [sys.executable, "-m", "reconciler", command, "--config", config],
                cwd=ROOT, env=self.environ(address), stdin=subprocess.DEVNULL, stderr=stream,
            )  # fmt: skip
        process.log, process.wire = log, way
        self.workers.append(process)
        until(lambda: self.told(process, "ready"))
        return process

    @staticmethod
    def told(process, event):
        """Return the first line of the log that tells of an event; ``None``: none does."""
        lines = [json.loads(line) for line in process.log.read_text().splitlines() if line.endswith("}")]
        return next((line for line in lines if line["event"] == event), None)

    @staticmethod
    def health(process, path):
        found = re.search(r'"health": "([^"]+)"', process.log.read_text())
        if found is None:
            return 0, ""
        try:
            with urllib.request.urlopen(f"{found[1]}/{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def events(self, process):
        lines = [json.loads(line) for line in process.log.read_text().splitlines() if line.startswith("{")]
        return [line["event"] for line in lines]

    def store(self, name):
        return StateStore.open(PostgresPlace(self.address, name), read_only=True)

    def in_sync(self, *names):
        for name in names or self.simulators:
            with self.store(name) as store:
                counts = store.counts_by_status()
                images = self.sql(name, "SELECT count(*) FROM astrophotography_images")[0][0]
                if counts != {"in_sync": images} or store.pending():
                    return False
        return True

    def writes(self, *names):
        return sum(self.simulators[name].requests().get("writes", 0) for name in names or self.simulators)

    def close(self):
        for process in self.workers:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


@pytest.fixture(scope="session")
def postgres():
    # The tests of the store have the one from PyPI, so both are tried.
    with a_server(debians=True) as made:
        made.execute("CREATE ROLE keeper LOGIN")
        yield made


@pytest.fixture
def make_fleet(postgres, tmp_path):
    with ExitStack() as stack:

        def make(**settings):
            postgres.execute(
                "DROP DATABASE IF EXISTS fleet WITH (FORCE)", "CREATE DATABASE fleet OWNER keeper"
            )
            fleet = Fleet(tmp_path, postgres, stack, **settings)
            stack.callback(fleet.close)
            return fleet

        yield make


@pytest.fixture
def fleet(make_fleet):
    return make_fleet()


def later(seconds):
    """Return a condition that is true after so many seconds."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def faults(fleet):
    return {name: simulator.faults().get("overlaps", 0) for name, simulator in fleet.simulators.items()}


@pytest.fixture
def two(fleet):
    secret(fleet.folder / "operators.token", OPERATORS)
    for name in ("anna", "ben"):
        fleet.add(name)
        own(fleet, name)
    return fleet
