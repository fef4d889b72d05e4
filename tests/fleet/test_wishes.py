"""What is asked of workers, real processes: by persons, by the ceiling of a server, by a newer version."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from reconciler.config import load
from reconciler.fleet import tasks
from reconciler.fleet.configured import Configured
from reconciler.fleet.standing import NotAtWorkError, Standings
from reconciler.fleet.visit import Visits
from state.postgres import installations
from tests.daemon.test_process import until

from .conftest import faults, later


def test_a_paused_installation_is_left_alone_and_a_person_s_wish_goes_first(fleet):
    fleet.add("one")
    assert fleet.call("installations", "pause", "one")[0] == 0
    fleet.worker()
    until(later(7))
    assert fleet.writes() == 0
    code, out, _ = fleet.call("installations")
    assert code == 0
    assert "paused since" in out
    code, _, err = fleet.call("installations", "sync", "one")
    assert code == 1
    assert "is paused" in err
    assert fleet.call("installations", "resume", "one")[0] == 0
    code, _, err = fleet.call("installations", "sync", "one")
    assert code == 0, err
    until(fleet.in_sync)


def test_a_person_s_wish_goes_before_the_pass_that_is_under_way(fleet):
    fleet.add("one", images=24, drain=4.0)
    process = fleet.worker()
    until(lambda: fleet.writes() > 6)
    code, _, err = fleet.call("installations", "sync", "one")
    assert code == 0, err

    def runs():
        with fleet.store("one") as store:
            return store.runs(10)

    until(lambda: "wish taken into a visit" in fleet.events(process), 15)
    until(lambda: any(run.trigger == "api" for run in runs()), 15)
    assert not fleet.in_sync()  # the first pass had still much to do
    until(fleet.in_sync, 90)
    asked = f"SELECT count(*) FROM {tasks.SCHEMA}.procrastinate_jobs WHERE task_name = 'sync'"
    with psycopg.connect(fleet.address) as connection:
        until(lambda: connection.execute(asked).fetchone() == (0,), 15)
    assert [run.trigger for run in runs()].count("api") == 1  # its task is not carried out once more
    assert not any(faults(fleet).values())


def test_what_was_written_is_taken_back_by_a_worker_and_people_s_words_stay(fleet):
    fleet.add("one", images=6)
    simulator = fleet.simulators["one"]
    before = {asset: (one["description"], one["tags"]) for asset, one in simulator.assets().items()}
    fleet.worker()
    until(fleet.in_sync)
    theirs = min(simulator.assets())
    simulator.person(theirs, "add_tag", "family")

    def written():  # counted when the run ends, which is after its last image is in sync
        with fleet.store("one") as store:
            return next((run for run in store.runs(10) if run.counts.wrote), None)

    run = until(written)
    for arguments, said in (
        (("one",), "not clear what to undo"),
        (("one", run.run_id, "--all"), "not clear what to undo"),
        (("one", "no-such-run"), "No run and no image"),
        (("two", "--all"), "There is no installation two"),
        (("one", "--all"), "Nobody is there to be asked"),
    ):
        code, _, err = fleet.call("installations", "undo", *arguments)
        assert code != 0
        assert said in err
    code, out, err = fleet.call("installations", "undo", "one", run.run_id, "--yes")
    assert code == 0, err
    assert "A worker takes it next" in out

    def taken_back():
        now = {asset: (one["description"], one["tags"]) for asset, one in simulator.assets().items()}
        return all(now[asset] == known for asset, known in before.items() if asset != theirs)

    until(taken_back, 60)
    assert "family" in str(simulator.assets()[theirs]["tags"])
    assert simulator.assets()[theirs]["description"] == before[theirs][0]
    until(lambda: "taken back" in fleet.call("installations")[1])
    writes = fleet.writes()
    until(later(6))
    assert fleet.writes() == writes  # what was taken back is left alone
    assert not any(faults(fleet).values())


def test_a_newer_versions_tables_end_a_worker_that_says_why(fleet, postgres):
    fleet.add("one")
    process = fleet.worker()
    until(fleet.in_sync)
    with psycopg.connect(postgres.address("fleet"), autocommit=True) as connection:
        connection.execute("UPDATE skymmich_reconciler.alembic_version SET version_num = '9999'")
    assert process.wait(30) != 0
    assert "newer version" in process.log.read_text()


def test_all_workers_together_keep_below_the_ceiling_of_a_server(make_fleet):
    fleet = make_fleet(requests_per_server=4)
    shared = fleet.add("i0", images=4, drain=30.0)
    for number in range(1, 4):
        fleet.add(f"i{number}", images=4, simulator=shared)
    fleet.worker()
    fleet.worker()
    at_once = []

    def done():
        with psycopg.connect(fleet.address) as connection:
            rows = connection.execute("SELECT name FROM skymmich_reconciler.installations").fetchall()
        holders = 0
        for (name,) in rows:
            with fleet.store(name) as store, store.database.reading() as reading:
                holders += reading.exec_driver_sql("SELECT count(*) FROM lease").scalar()
        at_once.append(holders)
        return fleet.in_sync("i0")

    until(done)
    assert max(at_once) == 1  # four requests under way are one visit's


def test_a_removed_installation_is_left_alone_and_not_made_again(fleet):
    fleet.add("one")
    fleet.add("two")
    process = fleet.worker()
    until(fleet.in_sync)
    installations.remove(fleet.address, "one")
    before = fleet.writes("one")
    fleet.sql("one", "UPDATE astrophotography_images SET description = 'Too late.'")
    fleet.sql("two", "UPDATE astrophotography_images SET description = 'In time.'")
    until(lambda: "In time." in str(fleet.simulators["two"].assets()))
    until(later(6))
    assert [one.name for one in installations.installations(fleet.address)] == ["two"]
    assert "Too late." not in str(fleet.simulators["one"].assets())
    assert fleet.writes("one") == before
    assert "not visited" not in fleet.events(process)


def test_one_that_is_removed_in_the_midst_of_a_visit_is_no_error(fleet):
    fleet.add("one", images=20, drain=6.0)
    fleet.add("two")
    process = fleet.worker()
    until(lambda: fleet.writes("one") > 5)
    installations.remove(fleet.address, "one")
    until(lambda: 'result="left"' in fleet.health(process, "metrics")[1])
    before = fleet.writes("one")
    until(later(3))
    assert fleet.writes("one") == before
    until(lambda: fleet.in_sync("two"))
    assert "not visited" not in fleet.events(process)


def test_housekeeping_of_a_removed_installation_does_not_make_it_again(fleet):
    fleet.add("one")
    installations.remove(fleet.address, "one")
    configured = Configured(load(fleet.config, fleet.environ()))
    standings = Standings(configured, None, None, right=6, fresh_for=30)
    visits = Visits(standings, None, None, told=None)
    with pytest.raises(NotAtWorkError):
        asyncio.run(visits.tidy("one"))
    assert installations.installations(fleet.address) == []


def test_a_key_of_an_installation_is_in_no_log_and_in_no_table(fleet, postgres):
    fleet.add("one")
    process = fleet.worker()
    until(fleet.in_sync)
    process.terminate()
    assert process.wait(30) == 0
    key = fleet.simulators["one"].api_key
    assert key not in process.log.read_text()
    with psycopg.connect(postgres.address("fleet"), autocommit=True) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname LIKE 'skymmich%'"
        ).fetchall()
        assert len(tables) > 15
        for schema, table in tables:
            rows = connection.execute(f"SELECT row_to_json(t)::text FROM {schema}.{table} AS t").fetchall()
            assert not any(key in row for (row,) in rows)


# Commands


def test_installations_are_added_listed_and_removed(fleet):
    code, out, _ = fleet.call("installations")
    assert code == 0
    assert "There is no installation yet" in out
    code, _, err = fleet.call("installations", "add", "one")
    assert code == 78
    assert "one.toml" in err
    fleet.make("one")
    assert "Added one" in fleet.call("installations", "add", "one")[1]
    assert "is there already" in fleet.call("installations", "add", "one")[1]
    assert "0 images" in fleet.call("installations")[1]
    for command in (("installations", "--json"), ("installations", "list", "--json")):
        assert '"name": "one"' in fleet.call(*command)[1]
    code, _, err = fleet.call("installations", "remove", "one")
    assert code != 0
    assert "--yes" in err
    assert fleet.call("installations", "remove", "one", "--yes")[0] == 0
    assert installations.installations(fleet.address) == []
