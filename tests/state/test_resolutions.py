"""What a person decided of conflicts: kept beside the records, and not undone by a pass that ran meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.records import Resolution
from state.store import StateStore
from tests.state.conftest import set_back


@pytest.fixture
def decision(noon):
    return Resolution("prose", "both", "d" * 20, "l" * 20, noon, "r" * 20)


def test_a_decision_comes_back_with_its_record_from_every_way_to_read_it(store, make, decision):
    store.save_records([make.record("a"), make.record("b")])
    store.save_resolution("a", decision)
    assert store.record("a").resolutions == (decision,)
    assert store.records()["a"].resolutions == (decision,)
    assert store.records()["b"].resolutions == ()
    assert [one.resolutions for one in store.search()] == [(decision,), ()]


def test_each_field_has_one_and_the_later_counts(store, make, decision):
    store.save_records([make.record("a")])
    place = replace(decision, field="coordinates", result="")
    for one in (decision, place, replace(decision, keep="immich")):
        store.save_resolution("a", one)
    assert store.record("a").resolutions == (place, replace(decision, keep="immich"))


def test_a_pass_that_saves_its_records_leaves_what_was_decided_meanwhile(store, make, decision):
    before = make.record("a")
    store.save_records([before])
    store.save_resolution("a", decision)
    store.save_records([replace(before, title="New")])
    assert store.record("a").resolutions == (decision,)


def test_only_the_very_decision_is_dropped(store, make, decision, noon):
    store.save_records([make.record("a")])
    store.save_resolution("a", decision)
    newer = replace(decision, at=noon.replace(hour=13))
    assert not store.drop_resolution("a", newer)
    assert not store.drop_resolution("b", decision)
    assert store.record("a").resolutions == (decision,)
    assert store.drop_resolution("a", decision)
    assert store.record("a").resolutions == ()


def test_a_decision_may_come_before_the_first_pass(store, make, decision):
    store.save_resolution("a", decision)
    assert store.records() == {}
    store.save_records([make.record("a")])
    assert store.record("a").resolutions == (decision,)


def test_a_store_of_the_version_before_is_taken_along_with_all_it_has(path, make, decision):
    with StateStore.open(path) as store:
        store.save_records([make.record("a", title="M 31")])
    set_back(path, "0001", "resolutions")
    with StateStore.open(path) as store:
        assert store.record("a").title == "M 31"
        store.save_resolution("a", decision)
        assert store.record("a").resolutions == (decision,)
