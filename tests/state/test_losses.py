"""What was lost lately: counted per asset, over a window, across restarts, until it is back or approved."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import create_engine

from reconciler.core.records import Correction, RecentLosses
from state.store import StateStore
from tests.state.test_migrations import store_of_version

DAY = timedelta(days=1)


@pytest.fixture
def kept(store, make):
    store.save_records([make.record("a", fingerprint="before"), make.record("b", fingerprint="before")])
    return store


def test_losses_are_counted_once_an_asset_and_survive_a_restart(kept, noon):
    kept.note_losses("values", {"a": "", "b": ""}, noon, noon - DAY)
    kept.note_losses("values", {"a": ""}, noon + timedelta(hours=1), noon - DAY)
    kept.note_losses("left", {"c": ""}, noon, noon - DAY)
    kept.close()
    with StateStore.open(kept.target) as again:
        found = again.losses(noon - DAY)
        assert found == RecentLosses(frozenset({"a", "b"}), frozenset({"c"}))
        assert again.losses(noon) == RecentLosses(frozenset({"a"}))
        assert again.losses(noon + timedelta(hours=1)) == RecentLosses()


def test_what_is_before_the_window_is_forgotten_with_the_next(kept, noon):
    kept.note_losses("values", {"a": ""}, noon, noon - DAY)
    kept.note_losses("values", {"b": ""}, noon + 2 * DAY, noon + DAY)
    assert kept.losses(noon - DAY) == RecentLosses(frozenset({"b"}))


def test_an_asset_that_is_as_it_was_has_lost_nothing(kept, make, noon):
    kept.note_losses("values", {"a": "before", "b": "before"}, noon, noon - DAY)
    kept.save_records([make.record("a", fingerprint="less"), make.record("b", fingerprint="less")])
    assert kept.losses(noon - DAY).values == {"a", "b"}
    kept.note_losses("values", {"a": "less"}, noon, noon - DAY)  # once more: it is the first that counts
    kept.save_records([make.record("a", fingerprint="less still"), make.record("b", fingerprint="before")])
    assert kept.losses(noon - DAY).values == {"a"}
    kept.save_records([make.record("a", fingerprint="before")])
    assert kept.losses(noon - DAY).values == frozenset()


def test_a_write_that_is_under_way_is_a_loss_though_the_record_is_as_it_was(kept, make, noon):
    kept.note_losses("values", {"a": "before"}, noon, noon - DAY)
    kept.save_pending([make.pending("a")])
    assert kept.losses(noon - DAY).values == {"a"}


def test_an_image_that_is_back_in_the_catalogue_has_not_left_it(kept, make, noon):
    kept.save_records([make.record("a", linked=False)])
    kept.note_losses("left", {"a": "", "gone for good": ""}, noon, noon - DAY)
    assert kept.losses(noon - DAY).left == {"a", "gone for good"}
    kept.save_records([make.record("a", linked=True)])
    assert kept.losses(noon - DAY).left == {"gone for good"}


def test_an_approval_forgets_all(kept, noon):
    kept.note_losses("left", {"a": ""}, noon, noon - DAY)
    kept.forget_losses()
    assert kept.losses(noon - DAY) == RecentLosses()


def test_corrections_superseded_tags_and_kinds_come_back(store, make, noon):
    record = make.record(
        "a",
        corrections=(
            Correction("block", "d", 2, noon, until=noon + DAY),
            Correction("tags", "e", 3, noon, held=True),
        ),
        superseded=frozenset({"Astro/Equipment/Ä", "Astro/Equipment/\ud83d"}),
        kinds=(("Astro/FRA400", "Equipment"),),
    )
    store.save_records([record])
    assert store.record("a") == record
    plain = replace(record, corrections=(), superseded=frozenset(), kinds=())
    store.save_records([plain])
    assert store.record("a") == plain
    with store.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT more FROM assets").scalar() is None


def test_a_store_of_the_version_before_goes_on(path, make, noon):
    store_of_version(path, "0004")
    engine = create_engine(f"sqlite:///{path}")
    with closing(engine.raw_connection()) as connection:
        connection.execute(
            "INSERT INTO assets (asset_id, image_id, title, title_key, fingerprint, status, reason, unsticking, "
            "linked, held) VALUES ('a', 1, 'M 31', 'm 31', 'f', 'in_sync', '', '[]', 1, '')"
        )
        connection.commit()
    engine.dispose()
    with StateStore.open(path) as store:
        record = store.record("a")
        assert (record.title, record.corrections, record.superseded, record.kinds) == (
            "M 31",
            (),
            frozenset(),
            (),
        )
        store.note_losses("values", {"a": ""}, noon, noon - DAY)
        assert store.losses(noon - DAY).values == {"a"}
