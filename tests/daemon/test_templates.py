"""Templates that would freeze or fill the daemon, given to a real one: by file, by signal, by its store, by its page."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from test_process import QUICK, a_home, ended, until

from reconciler.core.desired.facts import facts_of
from reconciler.core.policy import DescriptionPolicy
from reconciler.core.store_keys import TEMPLATE_OVERRIDE
from reconciler.openngc.catalogue import OpenNgc
from reconciler.skymmich.sources import open_catalogue
from state.store import StateStore

RUNAWAYS = {
    "loops": "\n" + "{% for a in range(99999) %}" * 2 + "{% endfor %}" * 2,
    "a power": "\n{{ (frames + 9) ** (10 ** 8) > 5 }}",
    "a power in reading": "\n{{ 10 ** (10 ** 8) }}",
    "padding": "\n{{ '%2000000000s' % heading }}",
    "a text that doubles": "\n{% set n = namespace(x='x') %}{% for a in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
}


class Daemon:
    """A daemon that runs, as a visitor and its user see it."""

    def __init__(self, home):
        self.home = home
        self.process = None

    def start(self):
        self.process = self.home.started()
        self.page = re.search(r'"page": "([^"]+)"', self.process.log.read_text())[1]
        return self

    def configure(self, template):
        file = self.home.folder / "mine.j2"
        file.write_text(template)
        self.home.configure(QUICK + f'[description]\ntemplate_file = "{file}"\n')

    def ask(self, path, body=None, method=None):
        request = urllib.request.Request(f"{self.page}{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
            request.add_header("Origin", self.page)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def slowest_sign_of_life(self, deed):
        """Do something, and tell how long the slowest answer took meanwhile, and what came of it."""
        done = threading.Event()
        took = []

        def look():
            while not took or not done.is_set():
                began = time.monotonic()
                assert self.ask("/livez")[0] == 200
                took.append(time.monotonic() - began)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            result = deed()
        finally:
            done.set()
            looking.join()
        return max(took), result

    def memory(self):
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))

    def stop(self):
        self.process.terminate()
        code, seconds = ended(self.process)
        assert code == 0
        return seconds


@pytest.fixture
def daemon(make_home):
    return Daemon(make_home())


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One daemon for all that leave it as it is."""
    with a_home(tmp_path_factory.mktemp("running")) as home:
        daemon = Daemon(home).start()
        until(lambda: home.in_sync(daemon.process))
        yield daemon
        assert daemon.stop() < 3


@pytest.fixture
def make_home(tmp_path):
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(a_home(tmp_path, **options))


@pytest.mark.parametrize("name", RUNAWAYS)
def test_no_preview_and_no_save_of_one_stops_the_daemon(running, name):
    body = {"text": RUNAWAYS[name]}
    for path, method in (("/preview", "POST"), ("", "PUT"), ("/plan", "POST")):
        slowest, (status, text) = running.slowest_sign_of_life(
            lambda path=path, method=method: running.ask(f"/api/v1/template{path}", body, method)
        )
        assert status == 422, text
        assert json.loads(text)["line"] == (None if name == "a power in reading" else 2)
        assert slowest < 1.5
    assert json.loads(running.ask("/api/v1/template")[1])["origin"] == "the built-in one"
    assert running.home.in_sync(running.process)
    assert running.memory() < 200


def test_one_that_runs_away_for_the_last_image_only_is_not_saved(running):
    catalogue = open_catalogue(str(running.home.catalogue), sky=OpenNgc()).read()
    told = [facts_of(image, DescriptionPolicy(), None) for image in catalogue.linked()]
    last = told[-1].heading, told[-1].total_integration
    assert last not in [(one.heading, one.total_integration) for one in told[:-1]]
    text = "{% if (heading, total_integration) == LAST %}\n{{ heading * 2000000000 }}{% endif %}{{ heading }}"
    body = {"text": text.replace("LAST", repr(last)), "confirm": True}
    status, found = running.ask("/api/v1/template", body, "PUT")
    assert (status, json.loads(found)["line"]) == (422, 2), found
    assert json.loads(running.ask("/api/v1/template")[1])["origin"] == "the built-in one"


@pytest.mark.parametrize("name", ["loops", "a power in reading"])
def test_one_in_the_configuration_at_the_start_is_told_and_nothing_is_written(daemon, name):
    daemon.configure(RUNAWAYS[name])
    for _ in range(2):  # a restart is no worse
        daemon.start()
        broken = until(
            lambda: (
                (c := daemon.home.condition(daemon.process, "Configured")) and c["status"] == "False" and c
            )
        )
        assert "mine.j2:" in broken["message"]
        assert "Mend the template" in broken["message"]
        assert daemon.slowest_sign_of_life(lambda: time.sleep(0.5))[0] < 1.5
        assert daemon.stop() < 3
    assert daemon.home.simulator.requests()["writes"] == 0
    # Mended, all is well.
    daemon.configure("{{ heading }} by me")
    daemon.start()
    until(lambda: daemon.home.in_sync(daemon.process))
    assert daemon.stop() < 3


@pytest.mark.parametrize("name", ["a power", "a power in reading"])
def test_one_that_comes_with_sighup_is_refused_and_the_former_one_stays(daemon, name):
    home = daemon.home
    daemon.configure("{{ heading }} by me")
    daemon.start()
    until(lambda: home.in_sync(daemon.process))
    daemon.configure(RUNAWAYS[name])
    home.manager.forget()

    def reload():
        daemon.process.send_signal(signal.SIGHUP)
        home.manager.wait_for("READY=1")

    assert daemon.slowest_sign_of_life(reload)[0] < 1.5
    refused = home.condition(daemon.process, "ConfigurationCurrent")
    assert refused["status"] == "False"
    assert "mine.j2:" in refused["message"]
    home.sql("UPDATE astrophotography_images SET description = 'Later words.'")
    assets = [row[0] for row in home.sql("SELECT immich_id FROM astrophotography_images")]
    until(lambda: all("Later words." in home.simulator.assets()[one]["description"] for one in assets))
    assert all(" by me" in home.simulator.assets()[one]["description"] for one in assets)
    assert daemon.stop() < 3


def test_one_that_was_saved_by_an_older_version_does_not_freeze_the_start(daemon):
    daemon.start()
    until(lambda: daemon.home.in_sync(daemon.process))
    assert daemon.stop() < 3
    with StateStore.open(daemon.home.state) as store:
        TEMPLATE_OVERRIDE.write(store, {"text": RUNAWAYS["loops"], "versions": []})
    daemon.start()
    broken = until(
        lambda: (c := daemon.home.condition(daemon.process, "Configured")) and c["status"] == "False" and c
    )
    assert "the page's template:2: it takes more than 1 s" in broken["message"]
    assert daemon.ask("/api/v1/template", {"text": None, "confirm": True}, "PUT")[0] == 200
    until(lambda: daemon.home.in_sync(daemon.process))
    assert daemon.stop() < 3


def test_a_stop_does_not_wait_for_one_that_runs_away(daemon):
    daemon.start()
    until(lambda: daemon.home.in_sync(daemon.process))
    # Warm, so that it is the template that runs and no process that starts.
    daemon.ask("/api/v1/template/preview", {"text": "{{ heading }}"})
    body = {"text": RUNAWAYS["a power"]}
    asking = threading.Thread(target=lambda: quietly(daemon.ask, "/api/v1/template", body, "PUT"))
    asking.start()
    until(lambda: worker_is_busy(daemon.process.pid))
    assert daemon.stop() < 2
    asking.join()


def quietly(deed, *arguments):
    with suppress(OSError):  # the daemon goes meanwhile
        deed(*arguments)


def worker_is_busy(parent):
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] == "R" and int(fields[11]) > 30:
            return True
    return False


def test_a_template_file_that_is_a_pipe_stops_neither_start_nor_reload(daemon):
    daemon.start()
    pipe = daemon.home.folder / "pipe"
    os.mkfifo(pipe)
    daemon.home.configure(QUICK + f'[description]\ntemplate_file = "{pipe}"\n')
    daemon.home.manager.forget()
    daemon.process.send_signal(signal.SIGHUP)
    daemon.home.manager.wait_for("READY=1")
    assert "is not a file" in daemon.home.condition(daemon.process, "ConfigurationCurrent")["message"]
    assert daemon.stop() < 3
    assert ended(daemon.home.start())[0] == 78


@pytest.mark.parametrize("named", ["token_file", "the file itself"])
def test_a_file_that_becomes_a_pipe_stops_no_reload_and_no_end(daemon, named):
    daemon.start()
    pipe = daemon.home.folder / "pipe"
    os.mkfifo(pipe)
    if named == "the file itself":
        pipe.replace(daemon.home.config)
    else:
        daemon.home.configure(f'{named} = "{pipe}"\n' + QUICK)
    daemon.home.manager.forget()
    daemon.process.send_signal(signal.SIGHUP)
    daemon.home.manager.wait_for("READY=1")
    told = daemon.home.condition(daemon.process, "ConfigurationCurrent")["message"]
    assert "is not a file: it is a named pipe" in told
    assert daemon.stop() < 6  # it was 9.5: what ends a process that hangs


def test_the_commands_refuse_one_that_runs_away(daemon):
    daemon.configure(RUNAWAYS["loops"])
    for command in (("plan",), ("doctor",), ("explain", "1"), ("apply", "--yes")):
        code, out, err = daemon.home.command(*command, "--config", str(daemon.home.config))
        assert code == 1, (command, out, err)
        assert "mine.j2:2: it takes more than 1 s of computing" in " ".join((out + err).split())
