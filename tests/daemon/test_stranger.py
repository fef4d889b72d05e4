"""A daemon behind whose back Immich, or the key's user, becomes another one."""

from __future__ import annotations

import pytest

from reconciler.engine.identity import KnownImmich
from reconciler.messages.conditions import message
from reconciler.service.api import Request

pytestmark = pytest.mark.anyio


def condition(world, kind):
    return next(one for one in world.service.snapshot().conditions if one.type == kind)


@pytest.mark.parametrize("minutes", [1, 30], ids=["asked a moment ago", "asked long ago"])
async def test_another_users_library_stops_the_daemon_before_a_write_and_a_person_lets_it_go_on(
    make_world, minutes
):
    world = make_world(images=12)
    world.start()
    await world.run(600)
    assert world.store.counts_by_status()["in_sync"] == 12
    await world.run(60 * minutes)
    before, writes = world.store.records(), world.wire.requests()["writes"]
    world.switch({"another_user": True})
    world.sql("UPDATE astrophotography_images SET title = title || ' II' WHERE id % 2 = 0")
    await world.run(300)
    told = condition(world, "Configured")
    assert (told.status, told.reason) == ("False", "Unconfirmed")
    assert "skymmich-reconciler confirm" in message(told)
    assert world.service.snapshot().level == "trouble"
    assert world.wire.requests()["writes"] == writes
    assert world.store.records() == before
    # As ``confirm`` does, beside the daemon.
    known = KnownImmich.of(world.store)
    stranger = "c4d5e6f7-1a2b-4c3d-9e8f-a0b1c2d3e4f5"
    KnownImmich(known.address, stranger, without_assets=True).keep(world.store)
    await world.run(300)
    assert condition(world, "Configured").status == "True"
    assert world.wire.requests()["writes"] == writes
    # And back: that is another one again, and what is in it as safe.
    world.switch({"another_user": False})
    world.sql("UPDATE astrophotography_images SET title = title || ' III' WHERE id % 2 = 1")
    await world.run(3600)
    assert world.wire.requests()["writes"] == writes
    world.service.enqueue(Request(full=True, by_person=False, trigger="audit"))
    await world.run(60)
    assert condition(world, "Configured").status == "False"
    assert world.wire.requests()["writes"] == writes
    await world.stop()
