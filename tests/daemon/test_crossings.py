"""A person who saves in the very moment of a write: told by the running daemon until they have looked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.core.records import Crossed
from reconciler.messages.headlines import sentence

pytestmark = pytest.mark.anyio


@pytest.fixture
async def crossed(make_world):
    """A daemon whose last write met an edit that was digested between its reading and its write."""
    # A look at the catalogue less often than by default: a day has 17,000 of those.
    world = make_world(images=6, unkind=("settling", "lost_updates"), catalogue_seconds=60)
    world.start()
    await world.run(130)
    (image_id, asset_id) = world.sql("SELECT id, immich_id FROM astrophotography_images ORDER BY id")[0]
    handle, typed = world.wire.handle_async_request, []

    async def meanwhile(request):
        if request.method == "PUT" and asset_id in request.url.path and not typed:
            typed.append(world.clock.now())
            world.wire.person(asset_id, "set_description", "Just now.")
            world.clock.pass_until(world.clock.seconds + 0.5)
            world.wire.assets()
        return await handle(request)

    world.wire.handle_async_request = meanwhile
    world.sql("UPDATE astrophotography_images SET title = 'Another' WHERE id = ?", image_id)
    await world.run(60)
    assert typed
    assert "Just now." not in world.description(asset_id)
    yield world, asset_id
    await world.stop()


async def test_it_is_told_through_a_day_and_a_restart_until_a_person_looked(crossed):
    world, asset_id = crossed
    snapshot = world.service.snapshot()
    assert (snapshot.level, snapshot.counts) == ("attention", {"in_sync": 6})
    assert "an edit may be missing in 1 of 6 images" in sentence(snapshot.headline)
    at = world.store.record(asset_id).crossing.at
    assert snapshot.crossed == Crossed(1, at)
    await world.run(26 * 3600)  # the daily audit reads all
    await world.stop()
    world.start()
    await world.run(130)
    assert world.service.snapshot().crossed == Crossed(1, at)
    assert world.service.snapshot().level == "attention"

    assert await world.service.looked_at(at - timedelta(seconds=1)) == 0
    assert world.service.snapshot().crossed.count == 1
    async with world.service.subscribe() as notices:
        assert await world.service.looked_at(at, [asset_id]) == 1
        assert (await anext(notices)).data["level"] == "ok"  # pages that are open hear of it
    assert world.service.snapshot().level == "ok"
    assert await world.service.looked_at(at) == 0


async def test_what_is_said_to_the_store_beside_it_is_noticed_at_the_next_look(crossed):
    world, asset_id = crossed
    world.store.forget_crossings(world.store.record(asset_id).crossing.at)
    await world.run(70)
    assert world.service.snapshot().crossed == Crossed()
    assert world.service.snapshot().level == "ok"
