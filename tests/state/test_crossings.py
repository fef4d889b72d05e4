"""Edits that may have crossed with a write: kept through any number of passes, until a person has looked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.records import Crossed, Crossing
from state.store import StateStore
from tests.state.conftest import set_back


@pytest.fixture
def crossing(noon):
    return Crossing(noon, frozenset({"prose", "block"}), "r1")


def later(crossing, **more):
    return replace(crossing, at=crossing.at + timedelta(hours=1), **more)


def test_a_crossing_comes_back_with_its_record_from_every_way_to_read_it_after_a_restart(
    store, make, crossing
):
    store.save_records([make.record("a"), make.record("b")])
    store.note_crossings({"a": crossing})
    store.close()
    with StateStore.open(store.target) as again:
        assert again.record("a").crossing == crossing
        assert again.records()["a"].crossing == crossing
        assert again.records()["b"].crossing is None
        assert [one.crossing for one in again.search()] == [crossing, None]
        assert [one.asset_id for one in again.search(crossed=True)] == ["a"]
        assert again.crossed() == Crossed(1, crossing.at)


def test_a_pass_that_saves_its_records_neither_erases_nor_brings_back_a_crossing(store, make, crossing):
    before = make.record("a")
    store.save_records([before])
    store.note_crossings({"a": crossing})
    store.save_records([replace(before, title="As the pass began, without it")])
    held = store.record("a")
    assert held.crossing == crossing
    assert store.forget_crossings(crossing.at) == 1
    store.save_records([replace(held, title="As the pass began, with it")])
    assert store.record("a").crossing is None
    assert store.crossed() == Crossed()


def test_another_one_before_a_person_looked_is_added(store, make, crossing):
    store.save_records([make.record("a")])
    store.note_crossings({"a": crossing})
    second = later(crossing, fields=frozenset({"tags"}), run_id="r2")
    store.note_crossings({"a": second})
    store.note_crossings({"a": later(second, fields=frozenset({"tags"}), run_id="r3")})
    found = store.record("a").crossing
    assert (found.times, found.since, found.run_id) == (3, crossing.at, "r3")
    assert found.fields == {"prose", "block", "tags"}
    assert store.crossed() == Crossed(1, found.at)


def test_what_came_after_a_person_looked_is_kept(store, make, crossing):
    store.save_records([make.record(one) for one in "abc"])
    store.note_crossings({"a": crossing, "b": later(crossing), "c": crossing})
    assert store.forget_crossings(crossing.at, ["a", "b", "no such asset"]) == 1
    assert [one.asset_id for one in store.search(crossed=True)] == ["b", "c"]
    assert store.forget_crossings(crossing.at) == 1
    assert store.crossed() == Crossed(1, later(crossing).at)
    assert store.forget_crossings(later(crossing).at, []) == 0
    assert store.forget_crossings(later(crossing).at) == 1


def test_housekeeping_leaves_what_is_still_to_be_compared(store, make, crossing, noon):
    old = noon - timedelta(days=900)
    kept, others = make.entry("a", run_id="r1", at=old), make.entry("b", run_id="r1", at=old)
    store.save_records([make.record("a"), make.record("b")])
    store.journal([kept, others, make.entry("a", run_id="r0", at=old)])
    store.note_crossings({"a": crossing})
    store.prune(noon, keep_runs=1)
    assert [(one.asset_id, one.run_id) for one in store.journal_of()] == [("a", "r1")]
    store.forget_crossings(crossing.at)
    store.prune(noon, keep_runs=1)
    assert store.journal_of() == []


def test_a_store_of_the_version_before_is_taken_along_with_all_it_has(path, make, crossing):
    with StateStore.open(path) as store:
        store.save_records([make.record("a", title="M 31")])
    set_back(path, "0002")
    with StateStore.open(path) as store:
        assert store.record("a").title == "M 31"
        store.note_crossings({"a": crossing})
        assert store.record("a").crossing == crossing
