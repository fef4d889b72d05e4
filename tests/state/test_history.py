"""Runs and the journal: in order, by page, pruned without costing what undo or recovery needs."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.records import FormerValue
from state import history
from state.database import BUSY_SECONDS
from state.history import RECENT, Pruned
from state.store import StateStore


def ids(entries):
    return [entry.entry_id for entry in entries]


def test_journal_entries_come_newest_first_by_page(store, make):
    store.journal([make.entry(after=n) for n in range(5)])
    first = store.journal_of(limit=2)
    assert [entry.after for entry in first] == [4, 3]
    second = store.journal_of(limit=2, before=first[-1].entry_id)
    assert [entry.after for entry in second] == [2, 1]
    assert [entry.after for entry in store.journal_of(limit=2, before=second[-1].entry_id)] == [0]


def test_journal_entries_are_found_by_run_and_by_asset(store, make):
    store.journal([make.entry(asset, run_id=run) for run in ("r1", "r2") for asset in ("a", "b")])
    assert [entry.asset_id for entry in store.journal_of(run_id="r1")] == ["b", "a"]
    assert [entry.run_id for entry in store.journal_of(asset_id="a")] == ["r2", "r1"]
    (one,) = store.journal_of(run_id="r2", asset_id="b")
    assert (one.run_id, one.asset_id) == ("r2", "b")
    assert store.journal_of(run_id="r3") == []


def test_what_was_last_done_is_whole_for_each_of_the_last_assets(store, make):
    fields = ("tags", "description")
    for field in fields:  # as a pass writes: the tags of all, then the descriptions of all
        store.journal([make.entry(f"a{number:03}", run_id="r1", field=field) for number in range(100)])
    store.journal([make.entry("a050", run_id="r2", field="coordinates")])
    groups = store.latest(3)
    assert [group[0].asset_id for group in groups] == ["a050", "a099", "a098"]
    assert [[entry.field for entry in group] for group in groups] == [["coordinates"], *[[*fields[::-1]]] * 2]
    assert all(group[0].run_id == entry.run_id for group in groups for entry in group)


def test_what_was_last_done_is_found_by_reading_the_journals_end_only(store, make):
    assert store.latest(8) == []
    store.journal([make.entry("old")])
    store.journal([make.entry("restless", run_id=f"r{number}") for number in range(RECENT)])
    (group,) = store.latest(8)
    assert [(entry.asset_id, entry.run_id) for entry in group] == [("restless", f"r{RECENT - 1}")]


def test_runs_come_newest_first_by_page(store, make, noon):
    for number in range(5):
        store.start_run(make.run(f"r{number}", started_at=noon + timedelta(minutes=number // 2)))
    first = store.runs(2)
    assert [run.run_id for run in first] == ["r4", "r3"]
    second = store.runs(2, before="r3")
    assert [run.run_id for run in second] == ["r2", "r1"]
    assert [run.run_id for run in store.runs(2, before="r1")] == ["r0"]
    assert store.runs(2, before="unheard of") == []


def test_an_unknown_run_is_none(store):
    assert store.run("r1") is None


def test_a_run_that_was_never_started_can_still_be_finished(store, make, noon):
    store.finish_run(make.run(finished_at=noon, outcome="succeeded"))
    assert store.run("r1").outcome == "succeeded"


def test_pruning_forgets_old_entries_and_runs_and_counts_them(store, make, noon):
    for day in range(10):
        at = noon + timedelta(days=day)
        store.finish_run(make.run(f"r{day}", started_at=at, finished_at=at, outcome="succeeded"))
        store.journal([make.entry(run_id=f"r{day}", at=at)])
    assert store.prune(noon + timedelta(days=7), keep_runs=2) == Pruned(journal=7, runs=7)
    assert [run.run_id for run in store.runs(20)] == ["r9", "r8", "r7"]
    assert [entry.run_id for entry in store.journal_of()] == ["r9", "r8", "r7"]
    assert store.prune(noon + timedelta(days=7), keep_runs=2) == Pruned(journal=0, runs=0)


def test_pruning_the_journal_leaves_what_was_there_before_us(store, make, noon):
    first = FormerValue("a", "prose", "A person's words.", noon)
    store.journal([make.entry()])
    store.keep_former([first, FormerValue("b", "coordinates", [1.0, 2.0], noon)])
    store.prune(noon + timedelta(days=1), 1)
    assert store.journal_of() == []
    assert store.former_of(["a", "c"]) == {"a": [first]}
    newer = replace(first, value="Other words.")
    store.keep_former([newer])
    assert store.former_of(["a"]) == {"a": [newer]}
    store.forget_former(["a"])
    assert store.former_of(["a", "b"]).keys() == {"b"}


def test_pruning_never_takes_the_newest_runs_entries(store, make, noon):
    """Undo of the last pass works however long ago it was."""
    store.finish_run(make.run("old", started_at=noon, outcome="succeeded"))
    store.finish_run(make.run("new", started_at=noon + timedelta(seconds=1), outcome="succeeded"))
    store.journal([make.entry(run_id="old"), make.entry(run_id="new")])
    store.prune(noon + timedelta(days=9999), keep_runs=0)
    assert [run.run_id for run in store.runs(9)] == ["new"]
    assert [entry.run_id for entry in store.journal_of()] == ["new"]


def test_pruning_never_takes_a_pending_write_nor_its_run_nor_one_that_goes_on(store, make, noon):
    store.finish_run(make.run("pending", started_at=noon, outcome="failed"))
    store.start_run(make.run("running", started_at=noon))
    store.finish_run(make.run("new", started_at=noon + timedelta(days=1), outcome="succeeded"))
    store.save_pending([make.pending(run_id="pending")])
    assert store.prune(noon + timedelta(days=9999), keep_runs=1) == Pruned(journal=0, runs=0)
    assert {run.run_id for run in store.runs(9)} == {"pending", "running", "new"}
    assert store.pending() == {"a": make.pending(run_id="pending")}


def test_entry_ids_are_never_given_twice(store, make, noon):
    store.journal([make.entry()])
    (first,) = ids(store.journal_of())
    store.prune(noon + timedelta(days=1), keep_runs=1)
    assert store.journal_of() == []
    store.journal([make.entry()])
    assert ids(store.journal_of()) == [first + 1]


def test_whoever_writes_gets_a_turn_while_much_is_forgotten(store, make, noon, monkeypatch):
    monkeypatch.setattr(history, "AT_ONCE", 10)
    store.journal([make.entry() for _ in range(35)])
    store.start_run(make.run("newest"))
    forget, between = history.prune_entries, []

    def noted(connection, before):
        with StateStore.open(store.target, read_only=True) as other:
            between.append(len(other.journal_of()))
        return forget(connection, before)

    monkeypatch.setattr(history, "prune_entries", noted)
    assert store.prune(noon + timedelta(days=9), keep_runs=1) == Pruned(journal=35, runs=0)
    assert between == [35, 25, 15, 5]


@pytest.mark.usefixtures("path")
def test_the_log_is_not_waited_for_while_somebody_reads_it(store, make):
    store.save_records([make.record("a")])
    with store.database.reading() as reading:
        reading.exec_driver_sql("SELECT count(*) FROM assets").fetchall()
        store.save_records([make.record("b")])
        began = time.monotonic()
        store.optimize()
        assert time.monotonic() - began < BUSY_SECONDS
    store.optimize()
    assert store.file.with_name(store.file.name + "-wal").stat().st_size == 0


@pytest.mark.usefixtures("path")
def test_what_was_pruned_goes_back_to_the_disk(store, make, noon):
    store.journal([make.entry(after="x" * 5000) for _ in range(400)])
    store.optimize()
    before = store.file.stat().st_size
    store.prune(noon + timedelta(days=1), keep_runs=1)
    store.optimize()
    assert store.file.stat().st_size < before / 10
    assert store.file.with_name(store.file.name + "-wal").stat().st_size == 0


START = """
from datetime import UTC, datetime
from reconciler.core.records import Run
from state.store import StateStore
store = StateStore.open(argv[0])
store.start_run(Run(argv[1], "cli", datetime(2025, 3, 14, tzinfo=UTC)))
say('started')
sys.stdin.read()
"""


def test_runs_of_killed_processes_are_interrupted_and_living_ones_go_on(spawn, store, target, make):
    children = {name: spawn(START, target, name) for name in ("dead", "alive")}
    for child in children.values():
        assert child.stdout.readline() == "started\n"
    store.start_run(make.run("mine"))
    store.finish_run(make.run("done", outcome="succeeded"))
    children["dead"].kill()
    children["dead"].wait()
    assert store.mark_interrupted() == ["dead"]
    assert {run.run_id: run.outcome for run in store.runs(9)} == {
        "dead": "stopped",
        "alive": "running",
        "mine": "running",
        "done": "succeeded",
    }
    assert store.run("dead").finished_at is None
    assert store.mark_interrupted() == []


def test_whoever_writes_alone_ends_all_other_processes_runs(spawn, store, target, make):
    """In a container that was made anew the old process cannot be looked at; the lease tells."""
    child = spawn(START, target, "other")
    assert child.stdout.readline() == "started\n"
    store.start_run(make.run("mine"))
    assert store.mark_interrupted(alone=True) == ["other"]
    assert store.run("mine").outcome == "running"


def titles(records):
    return [record.title for record in records]


@pytest.fixture
def sky(store, make):
    names = ["M 31", "m 33", "Ångström", "andromeda", "Zeta", "ANDROMÈDE", "100% Hα_test"]
    store.save_records(
        make.record(str(n), title=name, status="conflict" if n % 2 else "in_sync")
        for n, name in enumerate(names)
    )
    return store


def test_search_orders_titles_without_case_and_accents(sky):
    assert titles(sky.search()) == [
        "100% Hα_test",
        "andromeda",
        "ANDROMÈDE",
        "Ångström",
        "M 31",
        "m 33",
        "Zeta",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("andromede", ["ANDROMÈDE"]),
        ("ÅNG", ["Ångström"]),
        ("M 3", ["M 31", "m 33"]),
        ("%", ["100% Hα_test"]),
        ("_", ["100% Hα_test"]),
        ("hα", ["100% Hα_test"]),
        ("nothing", []),
        ("\ud83d", []),
    ],
)
def test_search_finds_any_part_of_a_title(sky, text, found):
    assert titles(sky.search(text)) == found


def test_search_can_be_kept_to_a_status(sky):
    assert titles(sky.search("and", status="conflict")) == ["andromeda", "ANDROMÈDE"]
    assert sky.search("and", status="in_sync") == []


def test_pages_of_a_search_join_to_the_whole_even_with_equal_titles(store, make):
    store.save_records(make.record(f"{n:02}", title="same" if n % 3 else "other") for n in range(25))
    whole = store.search(limit=99)
    pages, after = [], None
    while page := store.search(limit=4, after=after):
        pages += page
        after = (page[-1].title, page[-1].asset_id)
    assert pages == whole
    assert len(whole) == 25


@pytest.mark.usefixtures("path")
def test_a_page_among_a_hundred_thousand_is_a_walk_along_an_index(store):
    """No sorting and no scan of whole rows: the plan says so, without a clock."""
    plans = []
    with store.database.writing() as connection:
        driver = connection.connection.dbapi_connection
        driver.set_trace_callback(plans.append)
    store.search("x", limit=10, after=("m", "1"))
    store.search("x", status="in_sync", limit=10, after=("m", "1"))
    queries = [sql for sql in plans if sql.startswith("SELECT")]
    assert len(queries) == 2
    with store.database.reading() as connection:
        driver = connection.connection.dbapi_connection
        driver.set_trace_callback(None)
        explained = [
            " ".join(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {query}")) for query in queries
        ]
    assert "SEARCH assets USING INDEX ix_assets_title" in explained[0]
    assert "SEARCH assets USING INDEX ix_assets_status_title" in explained[1]
    assert not any("TEMP B-TREE" in plan for plan in explained)


def test_statuses_are_counted(sky):
    assert sky.counts_by_status() == {"in_sync": 4, "conflict": 3}


def test_an_unknown_asset_is_none(store):
    assert store.record("a") is None


def test_a_reader_can_ask_all_questions(sky):
    with StateStore.open(sky.target, read_only=True) as reader:
        assert reader.counts_by_status() == sky.counts_by_status()
        assert reader.search("zeta") == sky.search("zeta")
        assert (reader.runs(5), reader.journal_of(), reader.get("key")) == ([], [], None)
