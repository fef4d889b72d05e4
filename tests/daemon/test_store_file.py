"""The store's file under the running daemon: deleted, moved, replaced, put back; a real process, real files."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from state.store import StateStore
from tests.daemon.test_process import a_home, ended, until

IN_FLIGHT = 4
"""Requests that the daemon sends at the same time (its default)."""
SIDECARS = ("", "-wal", "-shm")


@pytest.fixture
def home(tmp_path):
    with a_home(tmp_path, images=48, drain=12.0) as made:
        yield made


@pytest.fixture
def small_home(tmp_path):
    """For tests that need nothing of the daemon in the midst of a pass."""
    with a_home(tmp_path, images=12, drain=500.0) as made:
        yield made


def files(home):
    return [home.state.with_name(home.state.name + suffix) for suffix in SIDECARS]


def readyz(home, process):
    """Give status and body, as the machine's own monitor sees them."""
    address = re.search(r'"page": "([^"]+)"', process.log.read_text())[1]
    try:
        with urllib.request.urlopen(f"{address}/readyz?verbose", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def writing(home):
    """Start the daemon, and wait until it is in the midst of writing."""
    process = home.started()
    until(lambda: home.simulator.requests().get("writes", 0) > 6)
    return process


def gone(home, process):
    condition = home.condition(process, "StoreWritable")
    return condition if condition.get("reason") == "StoreGone" else None


def assert_silent(home, process):
    """Nothing more is written, however often the daemon's schedule comes round."""
    home.simulator.wait_until_idle()
    writes = home.simulator.requests()["writes"]
    looks = set()
    until(lambda: looks.add(home.status(process)["next_looks"]["immich"]) or len(looks) > 6)
    assert home.simulator.requests()["writes"] == writes


def stopped(process):
    assert "Traceback" not in process.log.read_text()
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


def test_a_store_deleted_in_the_midst_of_a_pass_stops_all_writes_and_one_made_anew_is_taken_up(home):
    process = writing(home)
    for file in files(home):
        file.unlink(missing_ok=True)
    before = home.simulator.requests()["writes"]
    condition = until(lambda: gone(home, process), 8.0)
    assert home.simulator.requests()["writes"] - before <= IN_FLIGHT  # what was on the wire
    assert "was deleted or moved" in condition["message"]
    assert "touch" in condition["message"]
    assert home.status(process)["level"] == "trouble"
    status, text = readyz(home, process)
    assert status == 503
    assert "[-]store failed" in text
    assert_silent(home, process)
    home.simulator.configure(drain=500.0)
    home.state.touch()
    until(lambda: home.in_sync(process), 60)
    assert readyz(home, process)[0] == 200
    with StateStore.open(home.state, read_only=True) as store:
        assert not [run for run in store.runs(100) if run.outcome == "running"]
        assert len(store.records()) == 48
    assert home.state.stat().st_mode & 0o077 == 0
    assert home.simulator.faults()["overlaps"] == 0
    stopped(process)


def test_a_store_that_was_moved_and_is_put_back_goes_on_where_it_stood(home):
    process = writing(home)
    away = home.folder / "away"
    away.mkdir()
    for file in files(home):
        if file.exists():
            file.rename(away / file.name)
    until(lambda: gone(home, process), 8.0)
    assert_silent(home, process)
    for file in away.iterdir():
        file.rename(home.folder / file.name)
    home.simulator.configure(drain=500.0)
    until(lambda: home.in_sync(process), 60)
    assert [run.trigger for run in home.runs() if run.outcome == "running"] == []
    assert "store" in {run.trigger for run in home.runs()}
    stopped(process)


def test_a_backup_in_the_place_of_the_store_is_taken_up_and_the_old_log_is_not_played_into_it(small_home):
    home = small_home
    process = home.started()
    until(lambda: home.in_sync(process), 60)
    backup = home.folder / "backup.sqlite3"
    with closing(sqlite3.connect(home.state)) as one, closing(sqlite3.connect(backup)) as two:
        one.backup(two)
    home.sql("UPDATE astrophotography_images SET title = title || '.'")
    until(lambda: home.in_sync(process) and len(home.runs()) > 1, 60)
    assert files(home)[1].exists()
    home.state.unlink()  # its log stays
    until(lambda: gone(home, process), 8.0)
    shutil.copy(backup, home.state)
    until(lambda: "store" in {run.trigger for run in home.runs()} and home.in_sync(process), 60)
    with closing(sqlite3.connect(home.state)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert list(home.folder.glob("state.sqlite3.gone-*-wal"))
    stopped(process)


def backup_of(home):
    backup = home.folder / "backup.sqlite3"
    with closing(sqlite3.connect(home.state)) as one, closing(sqlite3.connect(backup)) as two:
        one.backup(two)
    return backup


@pytest.mark.parametrize("how", ["while it is stopped", "under the daemon"])
def test_an_approval_that_was_used_is_not_revived_by_a_backup_of_the_store(small_home, how):
    home = small_home
    process = home.started()
    until(lambda: home.in_sync(process), 60)
    kept = home.sql("SELECT id, tags FROM astrophotography_images")

    def taken_away():
        """Take the tags away; gives the name of the harm that the guard holds back."""
        home.sql("UPDATE astrophotography_images SET tags = '[]'")

        def held():
            guard = home.status(process)["guard"] or {}
            return guard["hash"] if guard.get("tripped") else ""

        return until(held, 60)

    first = taken_away()
    backup = backup_of(home)
    code, out, err = home.command("apply", "--approve", first, "--config", str(home.config))
    assert code == 0, (out, err)
    until(lambda: home.in_sync(process), 60)
    for image_id, tags in kept:
        home.sql("UPDATE astrophotography_images SET tags = ? WHERE id = ?", tags, image_id)

    def whole():
        """Of what is lost with a store in the midst of a pass, Immich's records tell nothing yet."""
        with StateStore.open(home.state, read_only=True) as store:
            return all(run.finished_at for run in store.runs(9)) and not store.unshared(1)

    until(lambda: home.in_sync(process) and len(home.runs()) > 3 and whole(), 60)
    if how == "while it is stopped":
        stopped(process)
    for file in files(home):
        file.unlink(missing_ok=True)
    shutil.copy(backup, home.state)
    if how == "while it is stopped":
        process = home.started()
    else:
        until(lambda: "store" in {run.trigger for run in home.runs()}, 60)
    until(lambda: home.in_sync(process), 60)
    assert taken_away() != first
    code, out, err = home.command("apply", "--approve", first, "--config", str(home.config))
    assert code != 0
    assert "does not name what the guard holds back" in " ".join((out + err).split())
    stopped(process)


def test_a_file_that_is_no_store_is_not_taken_up_and_not_touched(home):
    process = writing(home)
    for file in files(home):
        file.unlink(missing_ok=True)
    until(lambda: gone(home, process), 8.0)
    home.state.write_bytes(b"half of a backup" * 1000)
    until(lambda: "damaged" in home.condition(process, "StoreWritable")["message"], 10.0)
    assert home.state.read_bytes() == b"half of a backup" * 1000
    assert_silent(home, process)
    home.state.unlink()
    home.simulator.configure(drain=500.0)
    until(lambda: gone(home, process), 8.0)
    home.state.touch()
    until(lambda: home.in_sync(process), 60)
    stopped(process)


def test_a_daemon_whose_store_is_gone_stops_cleanly(home):
    process = writing(home)
    for file in files(home):
        file.unlink(missing_ok=True)
    until(lambda: gone(home, process), 8.0)
    stopped(process)
