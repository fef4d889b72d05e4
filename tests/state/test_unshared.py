"""Of which assets the record in Immich is an old one: noted with the change itself, until it was written."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.asset import Applied, Coordinates
from reconciler.core.reasons import reason
from reconciler.core.records import Unsticking
from state.store import StateStore
from tests.state.test_migrations import store_of_version

OWNED = Applied("block", None, None, frozenset({"a"}))


def test_what_is_ours_and_changed_is_noted_until_it_was_written(store, make):
    store.save_records([make.record("a", applied=OWNED), make.record("b"), make.record("c", applied=OWNED)])
    assert store.unshared(10) == ["a", "c"]
    assert store.unshared(1) == ["a"]
    store.shared(["a", "c"])
    store.save_records([make.record("a", applied=OWNED, title="another", status="in_sync")])
    assert store.unshared(10) == []


@pytest.mark.parametrize(
    "changed",
    [
        Applied("other", None, None, OWNED.tags),
        Applied("block", "prose", None, OWNED.tags),
        Applied("block", None, Coordinates(1, 2), OWNED.tags),
        Applied("block", None, None, frozenset()),
        Applied("block", None, None, frozenset({"b"})),
        Applied("block", None, None, OWNED.tags, datetime(2024, 5, 1, 22, tzinfo=UTC)),
        Applied(),
    ],
)
def test_each_part_of_it_counts(store, make, changed):
    store.save_records([make.record("a", applied=OWNED)])
    store.shared(["a"])
    store.save_records([make.record("a", applied=changed)])
    assert store.unshared(10) == ["a"]


def test_what_a_person_took_back_counts_and_what_did_not_stick_does_not(store, make):
    lost = Unsticking("block", "d", "l", "2.7.5", reason("read_only"))
    store.save_records([make.record("a", unsticking=(lost,))])
    assert store.unshared(10) == []
    store.save_records([make.record("a", unsticking=(replace(lost, undone=True),))])
    assert store.unshared(10) == ["a"]


def test_a_change_that_is_rolled_back_is_not_noted(store, make):
    def fail():
        with store.transaction():
            store.save_records([make.record("a", applied=OWNED)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.unshared(10) == []


def test_all_can_be_noted_at_once(store, make):
    store.save_records([make.record(key) for key in "abc"])
    store.share_all()
    assert store.unshared(10) == ["a", "b", "c"]


def test_a_store_of_before_has_to_write_the_records_of_all_that_owns_something(path):
    store_of_version(path, "0004")
    undone = [{"field": "tags", "desired": "d", "live": "l", "server": "", "diagnosis": "x", "undone": True}]
    rows = [("owner", "block", []), ("none", None, []), ("tagged", None, []), ("undone", None, undone)]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO assets (asset_id, image_id, title, title_key, block, fingerprint, status, reason, "
            "unsticking, linked) VALUES (?, 1, '', '', ?, '', 'in_sync', '', ?, 1)",
            [(key, block, json.dumps(notes, separators=(",", ":"))) for key, block, notes in rows],
        )
        connection.execute("INSERT INTO owned_tags VALUES ('tagged', 'a')")
    with StateStore.open(path) as store:
        assert store.unshared(10) == ["owner", "tagged", "undone"]


def test_a_store_made_anew_in_its_place_has_the_same_home_and_no_other_has(path, tmp_path):
    with StateStore.open(path) as store:
        home = store.home()
    path.unlink()
    with StateStore.open(path) as store:
        assert store.home() == home
    other = tmp_path / "other"
    other.mkdir()
    shutil.copyfile(path, other / path.name)
    with StateStore.open(other / path.name) as store:
        assert store.home() != home
