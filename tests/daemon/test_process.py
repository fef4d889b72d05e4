"""The daemon as a process: started, signalled, killed and started again, with real sockets and files."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from state.store import StateStore
from tests.catalogues import FIRST_LINKED, keep_only
from tests.quick_start import QuickProcess

ROOT = Path(__file__).resolve().parents[2]
QUICK = "[schedule]\ncatalogue_seconds = 0.2\nimmich_seconds = 0.5\ndebounce_seconds = 0.1\nheartbeat_seconds = 0.2\n"


def until(true, seconds=60.0, what="it"):
    """Wait for a condition, and give what it gave."""
    end = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if value := true():
            return value
        asked = time.monotonic()
        assert asked < end, f"{what} did not happen within {seconds} s"
        time.sleep(max(0.03, 6 * (asked - began)))  # who is asked has to get something done meanwhile


class Manager:
    """systemd's end of the notification socket; reads as soon as something comes, as systemd does."""

    def __init__(self):
        # An address may have 107 bytes, and a test's own folder has a long name
        self._folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.path = f"{self._folder.name}/notify"
        self.channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.channel.bind(self.path)
        self.messages = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while message := self.channel.recv(4096).decode():
            self.messages.append(message)

    def wait_for(self, text, seconds=60.0):
        """Wait for a message that contains ``text``, and give it."""
        return until(lambda: next((m for m in list(self.messages) if text in m), None), seconds, text)

    def forget(self):
        self.messages.clear()

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.path)
        self._reader.join()
        self.channel.close()
        self._folder.cleanup()


class Home:
    """What a user has: a catalogue, an Immich, a configuration; and the daemons that were started on it."""

    popen = QuickProcess

    def __init__(self, folder, url, key, *, images):
        self.folder, self.url, self.key = folder, url, key
        self.catalogue, self.state = folder / "skymmich.db", folder / "state.sqlite3"
        self.config = folder / "config.toml"
        self.manager = Manager()
        self.processes = []
        self.images = images

    def make_catalogue(self):
        build_sample(self.catalogue)
        keep_only(self.catalogue, FIRST_LINKED, self.images)

    def configure(self, text=QUICK, **more):
        url = more.get("url", self.url)
        self.config.write_text(
            f'[skymmich]\nsource = "{self.catalogue}"\n[immich]\nurl = "{url}"\n[state]\nurl = "{self.state}"\n'
            f'[policy]\nmode = "{more.get("mode", "sync")}"\n[status]\nport = 0\n{text}'
        )

    def start(self, **environ):
        log = self.folder / f"log-{len(self.processes)}.jsonl"
        with log.open("w") as stream:
            process = self._command("run", "--config", str(self.config), stderr=stream, **environ)
        process.log = log
        self.processes.append(process)
        return process

    def command(self, *arguments):
        """Run another command to its end."""
        process = self._command(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def _command(self, *arguments, stdout=subprocess.DEVNULL, stderr=None, text=False, **environ):
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "RECONCILER_IMMICH__API_KEY": self.key,
            "NOTIFY_SOCKET": self.manager.path,
            "PYTHONWARNINGS": "error",
            **environ,
        }
        return self.popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=text,
        )  # fmt: skip

    def started(self, **environ):
        """Start it and wait until it is ready."""
        self.manager.forget()
        process = self.start(**environ)
        self.manager.wait_for("READY=1")
        return process

    def sql(self, statement, *values):
        with closing(sqlite3.connect(self.catalogue, timeout=5)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def status(self, process):
        """Ask the daemon itself."""
        page = re.search(r'"page": "([^"]+)"', process.log.read_text())[1]
        with urllib.request.urlopen(f"{page}/api/v1/status", timeout=10) as answer:
            return json.load(answer)

    def condition(self, process, kind):
        return next((c for c in self.status(process)["conditions"] if c["type"] == kind), {})

    def in_sync(self, process):
        status = self.status(process)
        return status["level"] == "ok" and status["counts"] == {"in_sync": self.images}

    def runs(self):
        with StateStore.open(self.state, read_only=True) as store:
            return store.runs(100)

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.manager.close()


@contextmanager
def a_home(folder, *, images=5, popen=QuickProcess, **simulated):
    path = folder / "skymmich.db"
    home = Home(folder, "", "", images=images)
    home.popen = popen
    home.make_catalogue()
    options = {"unkind": "settling,round_trip,lost_updates", "drain": 200.0} | simulated
    with serve(catalogue=path, **options) as simulator:
        home.url, home.key, home.simulator = simulator.url, simulator.api_key, simulator
        home.configure()
        try:
            yield home
        finally:
            home.close()


@pytest.fixture
def make_home(tmp_path):
    """Make a user's home with a simulated Immich in this process."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        # The tests of this file start it as its users do.
        yield lambda **options: stack.enter_context(a_home(tmp_path, popen=subprocess.Popen, **options))


@pytest.fixture
def home(make_home):
    return make_home()


def ended(process, seconds=60.0):
    """Wait for the end; gives the exit code and how long it took."""
    began = time.monotonic()
    return process.wait(seconds), time.monotonic() - began


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One daemon at the default schedule, for all tests that leave it as it is."""
    with a_home(tmp_path_factory.mktemp("running"), popen=subprocess.Popen) as home:
        home.configure("[schedule]\nheartbeat_seconds = 0.5\n")
        process = home.started(WATCHDOG_USEC="1500000")
        home.manager.wait_for("STATUS=In sync: 5 images")
        yield home, process
        process.terminate()
        assert ended(process)[0] == 0
        home.manager.wait_for("STOPPING=1", 1.0)


def test_systemd_is_told_ready_a_headline_and_signs_of_life(running):
    home, process = running
    assert home.in_sync(process)
    home.manager.forget()
    for _ in range(3):
        home.manager.wait_for("WATCHDOG=1")
        home.manager.forget()


def test_a_saved_change_is_settled_in_immich_within_fifteen_seconds_at_the_default_schedule(running):
    home, _ = running
    image_id, asset_id = home.sql("SELECT id, immich_id FROM astrophotography_images ORDER BY id")[0]
    began = time.monotonic()
    home.sql("UPDATE astrophotography_images SET description = 'Saved just now.' WHERE id = ?", image_id)
    until(lambda: "Saved just now." in home.simulator.assets()[asset_id]["description"], 15.0)
    until(home.simulator.is_idle)
    assert time.monotonic() - began < 15
    assert "Saved just now." in home.simulator.assets()[asset_id]["description"]


def test_sigusr1_reconciles_everything_with_hashes_ignored(running):
    home, process = running
    until(lambda: home.in_sync(process))
    home.simulator.reset()
    process.send_signal(signal.SIGUSR1)
    until(lambda: [run for run in home.runs() if run.trigger == "signal" and run.finished_at])
    assert home.simulator.requests()["GET /assets/{id}"] == 5
    assert home.simulator.requests()["writes"] == 0


def test_sighup_reads_the_configuration_again_and_a_broken_one_is_refused(running):
    home, process = running
    good = home.config.read_text()
    home.manager.forget()
    home.config.write_text(good + "[guard]\ncanary = 'many'\n")
    process.send_signal(signal.SIGHUP)
    reloading = home.manager.wait_for("RELOADING=1")
    assert re.search(r"^MONOTONIC_USEC=\d+$", reloading, re.MULTILINE)
    home.manager.wait_for("READY=1")
    refused = home.condition(process, "ConfigurationCurrent")
    assert refused["status"] == "False"
    assert "canary" in refused["message"]
    assert home.status(process)["level"] == "attention"

    home.manager.forget()
    home.config.write_text(good + "[description]\nprecision_arcsec = 2\n")
    process.send_signal(signal.SIGHUP)
    home.manager.wait_for("READY=1")
    until(lambda: [run for run in home.runs() if run.trigger == "reload" and run.counts.wrote.get("block")])
    assert home.condition(process, "ConfigurationCurrent")["status"] == "True"
    home.config.write_text(good)
    process.send_signal(signal.SIGHUP)
    until(lambda: home.in_sync(process))


def test_a_second_daemon_is_refused_and_told_who_holds_the_right_to_write(running):
    home, process = running
    second = home.start()
    assert ended(second)[0] == 1
    assert f"'daemon', process {process.pid} " in second.log.read_text()
    until(lambda: home.in_sync(process))


def test_an_apply_beside_the_daemon_is_refused_and_told_who_writes(running):
    home, process = running
    home.sql("UPDATE astrophotography_images SET title = title || '.'")
    code, out, err = home.command("apply", "--yes", "--config", str(home.config))
    assert code == 1, out
    assert f"'daemon', process {process.pid} " in err
    until(lambda: home.in_sync(process))


def test_a_stop_is_clean_quick_and_told(home):
    process = home.started()
    until(lambda: home.in_sync(process))
    process.send_signal(signal.SIGINT)
    code, seconds = ended(process)
    assert code == 0
    assert seconds < 5
    home.manager.wait_for("STOPPING=1", 1.0)
    # The next start takes its word for it: no full audit.
    process = home.started()
    until(lambda: home.in_sync(process))
    home.simulator.reset()
    until(lambda: home.simulator.requests().get("POST /search/metadata", 0) > 2)
    assert "GET /assets/{id}" not in home.simulator.requests()
    process.terminate()
    assert ended(process)[0] == 0


def test_a_stop_in_the_midst_of_writing_ends_in_time_and_the_next_start_goes_on(make_home):
    home = make_home(images=12, drain=8.0)
    process = home.started()
    until(lambda: home.simulator.requests().get("PUT /tags/assets", 0) > 1)
    process.terminate()
    code, seconds = ended(process)
    assert code == 0
    assert seconds < 10
    assert [run.outcome for run in home.runs()] == ["stopped"]
    home.simulator.configure(drain=500.0)
    process = home.started()
    until(lambda: home.in_sync(process), 30)
    assert home.simulator.faults()["overlaps"] == 0
    process.terminate()
    assert ended(process)[0] == 0


@contextmanager
def an_immich_of_its_own(home):
    """A simulated Immich that can be stopped in the middle of an answer, as a machine that hangs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.simulator", "--catalogue", str(home.catalogue), "--unkind",
         "settling,round_trip", "--drain", "20"],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        home.url = process.stdout.readline().removeprefix("URL: ").strip()
        home.key = process.stdout.readline().removeprefix("API key: ").strip()
        home.configure()
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        process.stdout.close()


def writes_of(home):
    with urllib.request.urlopen(f"{home.url}/_simulator/requests", timeout=10) as answer:
        return json.load(answer)["writes"]


def hang_up_on(home, immich):
    """Stop Immich's process while the daemon writes, and wait until a write of the daemon's is in flight."""
    before = writes_of(home)
    until(lambda: writes_of(home) > before + 2)
    immich.send_signal(signal.SIGSTOP)
    port = f":{int(home.url.rpartition(':')[2]):04X}"

    def unread():
        """Tell whether a living connection to Immich's port holds what nobody read (address, state, queues)."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return any(
            row[1].endswith(port) and row[3] == "01" and not row[4].endswith(":00000000") for row in rows
        )

    until(unread)


def test_a_second_signal_ends_it_at_once_and_neither_that_nor_a_kill_loses_anything(make_home):
    home = make_home(images=48)
    with an_immich_of_its_own(home) as immich:
        process = home.started()
        hang_up_on(home, immich)
        process.terminate()
        home.manager.wait_for("STOPPING=1")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)  # a call is in flight
        process.terminate()
        code, seconds = ended(process)
        assert code == -signal.SIGTERM
        assert seconds < 1
        immich.send_signal(signal.SIGCONT)

        process = home.started()
        hang_up_on(home, immich)
        process.kill()
        assert ended(process)[0] == -signal.SIGKILL
        immich.send_signal(signal.SIGCONT)

        process = home.started()
        until(lambda: home.in_sync(process), 60)
        assert "the last end was not a clean one" in process.log.read_text()
        assert [run.outcome for run in home.runs()].count("stopped") == 2
        with urllib.request.urlopen(f"{home.url}/_simulator/faults", timeout=10) as answer:
            assert json.load(answer)["overlaps"] == 0


def test_one_signal_is_enough_to_be_gone_in_ten_seconds_even_while_immich_hangs(make_home):
    home = make_home(images=48)  # so many that it is still writing when Immich hangs
    with an_immich_of_its_own(home) as immich:
        process = home.started()
        hang_up_on(home, immich)
        process.terminate()
        code, seconds = ended(process)
        assert code == 0
        assert 5 < seconds < 10


def test_it_is_ready_without_catalogue_and_immich_and_begins_when_they_come(make_home):
    home = make_home(images=3)
    away = home.catalogue.with_suffix(".away")
    home.catalogue.rename(away)
    process = home.started()
    until(lambda: home.condition(process, "CatalogueReadable").get("status") == "False")
    assert home.status(process)["level"] == "trouble"
    home.simulator.configure(down=True)
    away.rename(home.catalogue)
    until(lambda: home.condition(process, "ImmichReachable").get("status") == "False")
    home.simulator.configure(down=False)
    until(lambda: home.in_sync(process), 70)
    process.terminate()
    assert ended(process)[0] == 0


def test_a_wrong_configuration_ends_with_78_and_says_why(home):
    home.configure(QUICK + "[guard]\ncanary = -1\n")
    process = home.start()
    assert ended(process)[0] == 78
    assert "canary" in process.log.read_text()
    process = home.start(RECONCILER_STATUS__HOST="0.0.0.0")
    home.configure()
    assert ended(process)[0] == 78


def test_a_store_that_can_not_be_written_ends_with_1_and_says_what_to_do(home):
    home.state.mkdir()
    process = home.start()
    assert ended(process)[0] == 1
    assert str(home.state) in process.log.read_text()


def test_no_secret_and_no_traceback_is_in_any_log(running):
    home, _ = running
    for log in home.folder.glob("log-*"):
        assert home.key not in log.read_text()
        assert "Traceback" not in log.read_text()
