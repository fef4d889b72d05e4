"""The four switches on the command line: shown, changed in Skymmich or here, and given up again."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import urllib.request
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.free_port import free_port

RING, JELLYFISH = 19, 33
NAMES = ("metadataSyncEnabled", "syncDescription", "syncCoordinates", "syncTags")
KEY = "the-real-key-1234"


def stands(installation):
    done = installation.call("settings", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def skymmich_says(installation, **values):
    """Let somebody save other settings in Skymmich."""
    for name, value in values.items():
        installation.sql(
            "UPDATE admin_settings SET value = json_set(value, ?, json(?)) WHERE key = 'immich'",
            f"$.{name}",
            json.dumps(value),
        )


def test_each_switch_is_shown_with_the_place_that_decides_it(two):
    skymmich_says(two, syncCoordinates=False)
    done = two.call("settings")
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert [row.split()[:2] for row in rows[:4]] == [
        ["metadataSyncEnabled", "on"], ["syncDescription", "on"], ["syncCoordinates", "off"], ["syncTags", "on"],
    ]  # fmt: skip
    assert all("Skymmich's own" in row for row in rows[:4])
    assert "settings set syncTags=off" in done.stdout
    assert not two.store.exists()


def test_our_own_switch_is_kept_here_and_is_no_override_of_skymmichs(two):
    done = two.call("settings", "set", "syncDates=on")
    assert (done.returncode, "syncDates is on" in done.stdout) == (0, True), done.stderr
    found = stands(two)
    assert (found["settings"]["syncDates"], found["source"], found["override"]) == (True, "Skymmich", {})
    assert two.call("settings", "set", "syncDates=off", "syncTags=off").returncode == 0
    assert stands(two)["settings"]["syncDates"] is False
    two.call("settings", "set", "syncDates=on")
    two.call("settings", "follow")
    assert (stands(two)["settings"]["syncDates"], stands(two)["settings"]["syncTags"]) == (True, True)


def test_only_what_differs_is_kept_here_and_the_rest_follows_skymmich(two):
    done = two.call("settings", "set", "SYNCTAGS=Off", "syncDescription=yes")
    assert done.returncode == 0, done.stderr
    assert "syncTags is off. No daemon runs; the next plan or apply takes it." in done.stdout
    skymmich_says(two, syncCoordinates=False)
    found = stands(two)
    assert found["settings"] == dict(zip(NAMES, (True, True, False, False), strict=True)) | {
        "syncDates": False,
        "syncAlbums": False,
        "syncStacks": False,
    }
    assert (found["source"], found["override"]) == ("override", {"syncTags": False})
    assert found["skymmich"]["syncTags"] is True
    shown = two.call("settings").stdout
    assert "set here; Skymmich itself says on" in shown
    assert "settings follow" in shown
    assert "syncTags off (set here, over Skymmich's own settings)" in two.call("status").stdout


@pytest.mark.parametrize("way", [["follow"], ["set", "syncTags=on"]])
def test_what_was_set_here_is_given_up_again(two, way):
    two.call("settings", "set", "syncTags=off")
    done = two.call("settings", *way)
    assert done.returncode == 0, done.stderr
    assert "syncTags is on" in done.stdout
    assert (stands(two)["source"], stands(two)["override"]) == ("Skymmich", {})


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["syncTags=off", "syncDescripton=on"], "Did you mean syncDescription?"),
        (["syncTags=off", "coordinates=on"], "Did you mean syncCoordinates?"),
        (["syncTags=off", "x=on"], "There are metadataSyncEnabled, syncDescription"),
        (["syncTags=off", "syncCoordinates=maybe"], "Say syncCoordinates=on or syncCoordinates=off."),
        (["syncTags"], "Say syncTags=on or syncTags=off."),
        (["syncTags=on", "synctags=off"], "both on and off"),
    ],
)
def test_a_mistake_changes_nothing_and_says_what_was_meant(two, words, said):
    done = two.call("settings", "set", *words)
    assert done.returncode == 64
    assert said in done.stderr
    assert not two.store.exists()
    assert stands(two)["override"] == {}


def test_who_forgets_the_word_set_is_told(two):
    done = two.call("settings", "syncTags=off")
    assert done.returncode == 64
    assert "skymmich-reconciler settings set syncTags=off" in done.stderr


def test_what_is_like_that_already_is_not_changed(two):
    done = two.call("settings", "set", "syncTags=on")
    assert "nothing was changed" in done.stdout
    assert stands(two)["source"] == "Skymmich"


def test_a_field_that_is_switched_off_stays_as_it_is_in_immich_until_it_is_on_again(two):
    assert two.call("apply", "--yes").returncode == 0
    before = two.shown(RING)
    two.call("settings", "set", "syncTags=off")
    two.sql("UPDATE astrophotography_images SET tags = '[\"Backyard\"]'")
    assert two.call("plan").returncode == 0
    assert two.shown(RING) == before
    two.call("settings", "set", "syncTags=on")
    assert "Backyard" in two.call("plan").stdout


def test_switched_off_altogether_nothing_is_written_and_the_doctor_says_where_it_was(two):
    two.call("settings", "set", "metadataSyncEnabled=false")
    assert two.call("apply", "--yes").returncode == 1
    assert two.writes == 0
    told = two.call("doctor").stdout
    assert "switched off here: apply refuses" in told
    assert "settings set metadataSyncEnabled=on" in told
    assert "Set here, over Skymmich's own settings: metadataSyncEnabled off" in told


class Skymmich(BaseHTTPRequestHandler):
    """Its settings, in the catalogue itself: masks the key, and replaces the object as a whole."""

    catalogue = ""
    fault = ""

    def do_GET(self):
        self.answer({"immich": {**self.stored(), "apiKey": f"••••{KEY[-4:]}"}})

    def do_POST(self):
        new = json.loads(self.rfile.read(int(self.headers["content-length"])))["immich"]
        if new["apiKey"].startswith("••••"):
            new["apiKey"] = KEY
        if self.fault:
            return self.send_error(500, self.fault)
        with closing(sqlite3.connect(self.catalogue)) as connection, connection:
            connection.execute("UPDATE admin_settings SET value = ? WHERE key = 'immich'", [json.dumps(new)])
        return self.answer({"message": "saved"})

    def stored(self):
        with closing(sqlite3.connect(self.catalogue)) as connection:
            query = "SELECT value FROM admin_settings WHERE key = 'immich'"
            return json.loads(connection.execute(query).fetchone()[0])

    def answer(self, body):
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextmanager
def skymmich(installation, catalogue=None):
    kind = type("Handler", (Skymmich,), {"catalogue": str(catalogue or installation.catalogue)})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        url = {"RECONCILER_SKYMMICH__URL": f"http://127.0.0.1:{server.server_port}"}
        try:
            yield kind, url
        finally:
            server.shutdown()
            thread.join()


def immich_settings(installation):
    return json.loads(installation.sql("SELECT value FROM admin_settings WHERE key = 'immich'")[0][0])


def test_with_its_address_they_are_changed_in_skymmich_itself_and_nothing_else_is(two):
    skymmich_says(two, host="http://immich.lan", apiKey=KEY)
    two.call("settings", "set", "syncTags=off")
    before = immich_settings(two)
    with skymmich(two) as (_, url):
        assert "changed in Skymmich itself, at http://127.0.0.1" in two.call("settings", **url).stdout
        done = two.call("settings", "set", "syncDescription=off", "--json", **url)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["changed"], found["as_asked"]) == ({"syncDescription": False}, True)
    # What held here before holds there now, and not here any more.
    assert (found["source"], found["override"]) == ("Skymmich", {})
    assert immich_settings(two) == {**before, "syncDescription": False, "syncTags": False}
    assert KEY not in done.stdout + done.stderr


def test_a_skymmich_that_does_not_take_them_leaves_all_as_it_was(two):
    two.call("settings", "set", "syncTags=off")
    with skymmich(two) as (kind, url):
        kind.fault = "no"
        done = two.call("settings", "set", "syncDescription=off", **url)
    assert done.returncode == 1
    assert "Skymmich answered 500" in done.stderr
    assert stands(two)["override"] == {"syncTags": False}


def test_another_skymmichs_address_is_noticed(two):
    other = two.folder / "other.db"
    other.write_bytes(two.catalogue.read_bytes())
    with skymmich(two, other) as (_, url):
        done = two.call("settings", "set", "syncTags=off", **url)
    assert "name the same Skymmich?" in done.stdout
    assert "syncTags             on" in done.stdout


def test_beside_a_daemon_it_works_and_the_daemon_takes_it(install):
    port = free_port()
    with install(RING, JELLYFISH) as it:
        it.configure("[schedule]\nimmich_seconds = 1\ncatalogue_seconds = 0.5\n")
        it.environ = {"RECONCILER_STATUS__PORT": str(port)}
        daemon = it.started("run")
        try:
            _until(lambda: _status(port).get("checked_at"))
            done = it.call("settings", "set", "syncTags=off")
            assert done.returncode == 0, done.stderr
            assert "The daemon takes it at its next look" in done.stdout
            _until(lambda: _tags(port) == (False, "override"))
            it.call("settings", "follow")
            _until(lambda: _tags(port) == (True, "Skymmich"))
        finally:
            daemon.terminate()
            daemon.communicate(timeout=20)
    assert daemon.returncode == 0


def _status(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/status", timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return {}


def _tags(port):
    found = _status(port)
    return (found.get("settings") or {}).get("syncTags"), found.get("settings_source")


def _until(holds, patience=40.0):
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
