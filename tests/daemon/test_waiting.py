"""How long Immich is left alone: never for as long as whoever answers in its place likes."""

from __future__ import annotations

import httpx
import pytest

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", [429, 503])
async def test_a_day_of_retry_after_during_a_restart_costs_minutes(make_world, monkeypatch, status):
    world = make_world(images=4)
    world.start()
    await world.run(300)
    real = world.wire.handle_async_request

    async def restarting(_):
        return httpx.Response(status, headers={"retry-after": "86400"}, json={"message": "Restarting"})

    monkeypatch.setattr(world.wire, "handle_async_request", restarting)
    await world.run(200)
    assert world.service.snapshot().level != "ok"
    monkeypatch.setattr(world.wire, "handle_async_request", real)
    world.sql("UPDATE astrophotography_images SET description = 'Written during the restart.'")
    await world.run(300)
    assert world.service.snapshot().level == "ok"
    assert all("during the restart" in world.description(asset_id) for asset_id in world.assets)
    await world.stop()
