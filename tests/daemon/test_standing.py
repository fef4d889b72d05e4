"""A look goes on from what the last one found: what stands costs nothing, and what moved is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.reasons import reason
from reconciler.core.store_keys import OWNER
from reconciler.engine.planner.slices import Slices
from state.store import StateStore

pytestmark = pytest.mark.anyio


@pytest.fixture
async def settled(make_world, monkeypatch):
    """A daemon whose library is in sync; ``looked`` are the images that later looks consider."""
    world = make_world(images=12, unkind=())
    world.start()
    await world.run(400)
    world.looked, world.read = [], []
    look, records_of = Slices._look, StateStore.records_of

    def noted(self, several, moved):
        world.looked.extend(image.image_id for image in several)
        return look(self, several, moved)

    def read(self, asset_ids):
        world.read.extend(asset_ids)
        return records_of(self, asset_ids)

    monkeypatch.setattr(Slices, "_look", noted)
    monkeypatch.setattr(StateStore, "records_of", read)
    monkeypatch.setattr(StateStore, "records", lambda _: pytest.fail("all records were read"))
    assert world.service.snapshot().level == "ok"
    yield world
    await world.stop()


async def test_an_idle_look_considers_no_image_and_reads_no_record(settled):
    await settled.run(600)
    assert (settled.looked, settled.read) == ([], [])


async def test_of_all_images_only_the_one_that_changed_is_considered(settled):
    (number,) = settled.sql("SELECT max(id) FROM astrophotography_images WHERE immich_id IS NOT NULL")[0]
    (asset_id,) = settled.sql("SELECT immich_id FROM astrophotography_images WHERE id = ?", number)[0]
    settled.sql("UPDATE astrophotography_images SET description = 'New words.' WHERE id = ?", number)
    await settled.run(300)
    assert "New words." in settled.description(asset_id)
    assert set(settled.looked) == {number}
    sentinels = set(OWNER.read(settled.store)["sentinels"])  # their records in Immich are written each time
    assert asset_id in settled.read
    assert set(settled.read) <= {asset_id, *sentinels}
    settled.looked.clear()
    await settled.run(300)
    assert settled.looked == []


async def test_what_a_person_changes_in_immich_is_considered_alone(settled):
    asset_id = min(settled.assets)
    settled.wire.person(asset_id, "set_description", "only this")
    await settled.run(300)
    assert settled.description(asset_id).startswith("only this")
    assert len(settled.description(asset_id)) > len("only this")
    assert len(set(settled.looked)) == 1


async def test_what_another_process_wrote_to_the_store_is_not_missed(settled):
    asset_id = min(settled.assets)
    with StateStore.open(settled.state) as other:
        record = other.record(asset_id)
        other.save_records([replace(record, fingerprint="", applied=replace(record.applied, block=None))])
    await settled.run(120)
    assert len(set(settled.looked)) == 12
    assert settled.store.record(asset_id).fingerprint == record.fingerprint


async def test_an_image_that_leaves_is_noted_and_one_that_comes_is_written(settled):
    number, asset_id = settled.sql(
        "SELECT id, immich_id FROM astrophotography_images WHERE immich_id IS NOT NULL ORDER BY id"
    )[0]
    settled.sql("UPDATE astrophotography_images SET immich_id = NULL WHERE id = ?", number)
    await settled.run(120)
    assert settled.store.record(asset_id).status == "unlinked"
    assert set(settled.looked) <= {number}
    settled.sql("UPDATE astrophotography_images SET immich_id = ? WHERE id = ?", asset_id, number)
    await settled.run(300)
    assert settled.store.record(asset_id).status == "in_sync"
    assert set(settled.looked) == {number}
    (run, *_) = settled.store.runs(1)
    assert run.counts.images == 12
    assert run.counts.statuses["in_sync"] == 12
    assert run.summary[0] == reason("run_images", count=12)
