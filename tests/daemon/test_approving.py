"""An approval that was left in the store: taken at the next look, for the very same harm, once."""

from __future__ import annotations

import pytest

from reconciler.engine.approving import leave_approval, waiting_approval
from reconciler.engine.control import Request

pytestmark = pytest.mark.anyio

IMAGES = 12
EMPTIED = "UPDATE astrophotography_images SET tags = '[]'"


@pytest.fixture
async def world(make_world):
    """A daemon whose guard holds the removal of every image's tags."""
    world = make_world(images=IMAGES, unkind=())
    world.start()
    await world.run(90)
    world.sql(EMPTIED)
    await world.run(130)
    yield world
    await world.stop()


def tags(world):
    return {asset_id: frozenset(world.wire.assets()[asset_id]["tags"]) for asset_id in world.assets}


def held(world):
    return world.service.snapshot().counts.get("held", 0)


async def test_the_next_look_takes_it_and_writes_what_was_held(world):
    before = tags(world)
    assert held(world) >= 10
    leave_approval(world.store, world.service.snapshot().verdict.hash)
    await world.run(70)
    assert (held(world), waiting_approval(world.store)) == (0, "")
    after = tags(world)
    assert all(after[asset_id] < before[asset_id] for asset_id in world.assets)
    assert world.service.snapshot().level == "ok"


@pytest.mark.parametrize("other", ["another hash", "another harm"])
async def test_it_passes_no_other_harm_and_is_forgotten(world, other):
    before, verdict = tags(world), world.service.snapshot().verdict
    leave_approval(world.store, "0" * 20 if other == "another hash" else verdict.hash)
    if other == "another harm":
        world.sql("UPDATE astrophotography_images SET description = '', object_type = NULL")
    await world.run(70)
    assert waiting_approval(world.store) == ""
    assert tags(world) == before
    assert held(world) >= 10
    assert world.service.snapshot().verdict.tripped


async def test_a_look_at_some_images_and_one_that_could_not_read_leave_it_waiting(world):
    harm, (asset_id, *_) = world.service.snapshot().verdict.hash, sorted(world.assets)
    before = tags(world)
    world.wire.broken.add(asset_id)
    leave_approval(world.store, harm)
    image_id = world.store.record(asset_id).image_id
    world.service.enqueue(Request(frozenset({image_id}), by_person=False))
    await world.run(70)
    assert (waiting_approval(world.store), tags(world)) == (harm, before)
    world.wire.broken.clear()
    await world.run(130)
    assert (waiting_approval(world.store), held(world)) == ("", 0)
