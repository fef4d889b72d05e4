"""What changed since when: by this process exactly, by another one "anything may have"."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.records import Resolution
from state.store import StateStore

AT = datetime(2026, 1, 1, tzinfo=UTC)


def since(store, mark):
    return store.changes(mark)[1]


def test_what_this_process_wrote_is_told_asset_by_asset(store, make):
    store.save_records([make.record("a"), make.record("b")])
    mark, _ = store.changes(None)
    assert since(store, mark) == frozenset()
    store.save_records([make.record("b", title="Another")])
    store.save_pending([make.pending("c")])
    assert since(store, mark) == {"b", "c"}
    later, _ = store.changes(mark)
    store.save_resolution("a", Resolution("prose", "immich", "d", "l", AT))
    store.clear_pending(["c"])
    assert since(store, later) == {"a", "c"}
    assert since(store, mark) == {"a", "b", "c"}


def test_what_concerns_no_asset_is_no_change(store, make):
    store.save_records([make.record("a")])
    mark, _ = store.changes(None)
    store.put("watermark", "later")
    store.journal([make.entry()])
    assert since(store, mark) == frozenset()


def test_of_what_another_process_wrote_anything_may_be_another(store, target, make):
    store.save_records([make.record("a")])
    mark, _ = store.changes(None)
    with StateStore.open(target) as other:
        other.save_records([make.record("b")])
    assert since(store, mark) is None
    mark, _ = store.changes(None)
    store.save_records([make.record("c")])
    assert since(store, mark) == {"c"}


def test_what_was_rolled_back_is_no_change_and_hides_none(store, make):
    store.save_records([make.record("a")])
    mark, _ = store.changes(None)

    def work():
        with store.transaction():
            store.save_records([make.record("lost")])
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert since(store, mark) == frozenset()
    store.save_records([make.record("b")])
    assert since(store, mark) == {"b"}


def test_an_earlier_state_of_the_store_is_not_taken_for_the_present_one(store, make):
    store.save_records([make.record("a")])
    before, _ = store.changes(None)
    store.save_records([make.record("b")])
    now, _ = store.changes(None)
    store.put("assets_mark", before)  # as after a backup was put back
    assert since(store, now) is None


def test_the_count_by_status_is_as_the_store_is_whoever_wrote(store, target, make):
    store.save_records([make.record("a", status="in_sync")])
    assert store.counts_by_status() == store.counts_by_status() == {"in_sync": 1}
    store.save_records([make.record("a", status="conflict")])
    assert store.counts_by_status() == {"conflict": 1}
    with StateStore.open(target) as other:
        other.save_records([make.record("b", status="held")])
    assert store.counts_by_status() == {"conflict": 1, "held": 1}

    def work():
        with store.transaction():
            store.save_records([make.record("c", status="new")])
            assert store.counts_by_status() == {"conflict": 1, "held": 1, "new": 1}
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert store.counts_by_status() == {"conflict": 1, "held": 1}
