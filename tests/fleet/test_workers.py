"""Workers as real processes: they share the work, and whatever becomes of one of them, nothing is lost or doubled."""

from __future__ import annotations

import signal
import time

import pytest

from tests.daemon.test_process import until

from .conftest import faults, later


def test_workers_bring_all_into_sync_keep_it_and_stop_cleanly(fleet):
    for number in range(3):
        fleet.add(f"i{number}")
    workers = [fleet.worker(), fleet.worker()]
    until(fleet.in_sync)
    before = fleet.writes()
    (image_id, asset_id), *_ = fleet.sql(
        "i1", "SELECT id, immich_id FROM astrophotography_images ORDER BY id"
    )
    fleet.sql(
        "i1", "UPDATE astrophotography_images SET description = 'Saved just now.' WHERE id = ?", image_id
    )
    until(lambda: "Saved just now." in fleet.simulators["i1"].assets()[asset_id]["description"])
    until(fleet.in_sync)
    assert 0 < fleet.writes() - before <= 2  # of the other images and installations nothing
    assert not any(faults(fleet).values())

    status, text = fleet.health(workers[0], "metrics")
    assert status == 200
    assert 'reconciler_worker_visits_total{result="done",task="look"}' in text
    assert (
        "reconciler_installations 3.0" in text
        or "reconciler_installations 3.0" in fleet.health(workers[1], "metrics")[1]
    )
    for process in workers:
        process.terminate()
    assert [process.wait(30) for process in workers] == [0, 0]
    assert all("stopped" in fleet.events(process) for process in workers)
    assert fleet.in_sync()


def test_one_killed_one_cut_off_one_stopped_people_edit_and_all_comes_right(fleet):
    names = [f"i{number}" for number in range(6)]
    for name in names:
        fleet.add(name, images=6, drain=25.0)
    killed, cut, stopped = fleet.worker(), fleet.worker(wire=True), fleet.worker()
    until(lambda: fleet.writes() > 30)
    killed.kill()
    cut.wire.cut()
    stopped.send_signal(signal.SIGSTOP)
    before = time.monotonic()
    edits = {}
    for name, simulator in fleet.simulators.items():
        asset_id = min(simulator.assets())
        simulator.person(asset_id, "add_tag", "family")
        edits[name] = asset_id
    assert killed.wait() == -signal.SIGKILL

    fleet.worker()
    until(fleet.in_sync, 120.0)
    taken_over = time.monotonic() - before
    cut.wire.mend()
    stopped.send_signal(signal.SIGCONT)
    writes = fleet.writes()
    # They wake up, find that their right is gone, and go on with what is due.
    until(lambda: fleet.health(cut, "readyz")[0] == fleet.health(stopped, "readyz")[0] == 200)
    until(later(6))
    assert fleet.in_sync()
    assert fleet.writes() == writes
    assert not any(faults(fleet).values())
    for name, asset_id in edits.items():
        assert "family" in str(fleet.simulators[name].assets()[asset_id]["tags"])
    assert taken_over < 90
    for process in (cut, stopped):
        process.terminate()
        assert process.wait(30) == 0


def test_the_work_of_a_killed_worker_is_taken_over_within_thirty_seconds(fleet):
    fleet.add("one", images=12, drain=8.0)
    first = fleet.worker()
    until(lambda: fleet.writes() > 6)
    fleet.worker()
    first.kill()
    first.wait()
    at = fleet.simulators["one"].requests()["total"]
    began = time.monotonic()
    until(lambda: fleet.simulators["one"].requests()["total"] > at, 60.0)
    assert time.monotonic() - began < 30
    until(fleet.in_sync)
    assert not any(faults(fleet).values())


def test_a_worker_that_is_told_to_stop_finishes_what_is_in_flight_and_another_goes_on(fleet):
    fleet.add("one", images=12, drain=8.0)
    first = fleet.worker()
    until(lambda: fleet.writes() > 4)
    first.terminate()
    assert first.wait(30) == 0
    assert "stopped" in fleet.events(first)
    with fleet.store("one") as store:
        assert [run.outcome for run in store.runs(1)] == ["stopped"]
    fleet.worker()
    until(fleet.in_sync)
    assert not any(faults(fleet).values())


def test_a_database_that_is_gone_is_waited_for(fleet, postgres):
    fleet.add("one")
    process = fleet.worker()
    until(fleet.in_sync)
    postgres.stop()
    try:
        until(lambda: fleet.health(process, "readyz")[0] == 503)
        until(lambda: "waiting for the database" in fleet.events(process))
        assert process.poll() is None
    finally:
        postgres.start()
    until(lambda: fleet.health(process, "readyz")[0] == 200)
    fleet.sql("one", "UPDATE astrophotography_images SET description = 'Afterwards.'")
    until(lambda: "Afterwards." in str(fleet.simulators["one"].assets()))
    until(fleet.in_sync)


def test_an_installation_that_cannot_be_visited_costs_only_itself_and_is_taken_again_when_it_can(fleet):
    fleet.add("good")
    fleet.add("bad")
    mend = fleet.spoil("bad")
    process = fleet.worker()
    until(lambda: fleet.in_sync("good"))
    until(lambda: "not visited" in fleet.events(process))
    assert fleet.events(process).count("not visited") == 1
    assert fleet.writes("bad") == 0
    mend()
    until(fleet.in_sync)


@pytest.mark.parametrize("what", ["pause", "resume", "sync", "remove"])
def test_one_that_is_not_there_is_said_so(fleet, what):
    fleet.add("one")
    code, _, err = fleet.call("installations", what, "two")
    assert code != 0
    assert "two" in err
    assert "There is no" in err


def test_a_file_is_no_fleet(fleet, tmp_path):
    fleet.address = str(tmp_path / "state.sqlite3")
    for command in (["worker"], ["installations"]):
        code, _, err = fleet.call(*command)
        assert code == 78
        assert "postgresql://" in err
