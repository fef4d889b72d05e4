"""A store that cannot be written: nothing goes to Immich, the condition says why, and it mends by itself."""

from __future__ import annotations

import pytest

from reconciler.daemon.store_watch import Keeper
from reconciler.errors import StateGoneError
from reconciler.messages.conditions import message

pytestmark = pytest.mark.anyio


def condition(world):
    return world.service.health.condition("StoreWritable")


def _full(world):
    """Let SQLite find the disk full."""
    world.store.database.pragma("PRAGMA max_page_count=1")


def _read_only(world):
    world.store.database.pragma("PRAGMA query_only=1")


def _mend(world):
    world.store.database.pragma("PRAGMA query_only=0", "PRAGMA max_page_count=1000000")


@pytest.mark.parametrize(
    ("spoil", "words", "remedy"),
    [
        (_full, "disk that holds the state store", "Free some space"),
        (_read_only, "cannot be", "user that runs"),
    ],
    ids=["full", "read-only"],
)
async def test_a_disk_that_is_full_or_read_only_costs_no_write_and_is_said(make_world, spoil, words, remedy):
    world = make_world(images=30, unkind=())
    world.start()
    await world.run(90)
    before = {asset_id: world.description(asset_id) for asset_id in world.assets}
    spoil(world)
    long = "A long night. " * 300  # more than the pages that are left
    world.sql("UPDATE astrophotography_images SET description = ? || id", long)
    world.wire.state.book.reset()
    await world.run(200)
    assert condition(world).status == "False"
    assert words in message(condition(world))
    assert remedy in message(condition(world))
    assert world.service.snapshot().level == "trouble"
    assert world.wire.requests()["writes"] == 0
    assert before == {asset_id: world.description(asset_id) for asset_id in world.assets}
    _mend(world)
    await world.run(400)
    assert condition(world).status == "True"
    assert all("A long night." in world.description(asset_id) for asset_id in world.assets)
    assert not [run for run in world.store.runs(100) if run.outcome == "running"]
    await world.stop()


async def test_between_two_passes_the_keeper_notices_within_a_tick_and_no_pass_begins(make_world):
    world = make_world(images=4, unkind=())
    world.start()
    await world.run(90)
    begun = []

    async def begin():
        begun.append(1)
        await world.triggers.renew_anew()

    keeper = Keeper(world.store, world.service, world.clock, begin, world.events.append)
    await keeper.tick()
    assert condition(world).status == "True"
    away = world.state.with_name("away")
    world.state.rename(away)
    await keeper.tick()
    assert (condition(world).status, condition(world).reason) == ("False", "StoreGone")
    assert world.service.next_due() is None
    world.sql("UPDATE astrophotography_images SET title = title || '.'")
    world.wire.state.book.reset()
    await world.run(300)
    assert world.wire.requests()["total"] == 0
    with pytest.raises(StateGoneError):
        world.service.pause()
    world.sql("UPDATE astrophotography_images SET title = rtrim(title, '.')")
    world.state.touch()
    for _ in range(2):
        await keeper.tick()
    assert begun == [1]
    assert condition(world).status == "True"
    await world.run(200)
    assert world.service.snapshot().level == "ok"
    assert world.store.counts_by_status() == {"in_sync": 4}
    assert world.lease.current().what == "daemon"
    names = [event.name for event in world.events if hasattr(event, "name")]
    assert (names.count("store.gone"), names.count("store.taken")) == (1, 1)
    await world.stop()


async def test_a_paused_daemon_stays_paused_in_a_store_made_anew(make_world):
    world = make_world(images=2, unkind=())
    world.start()
    await world.run(90)
    world.service.pause()
    keeper = Keeper(world.store, world.service, world.clock, world.triggers.renew_anew, world.events.append)
    world.state.unlink()
    await keeper.tick()
    world.state.touch()
    for _ in range(2):
        await keeper.tick()
    await world.stop()
    world.start()
    assert world.service.snapshot().paused
    await world.stop()


async def test_a_file_that_is_still_being_copied_is_not_taken_up(make_world):
    world = make_world(images=2, unkind=())
    world.start()
    await world.run(90)
    keeper = Keeper(world.store, world.service, world.clock, world.triggers.renew_anew, world.events.append)
    whole = world.state.read_bytes()
    world.state.unlink()
    await keeper.tick()
    for size in (4096, 8192, 16384):
        world.state.write_bytes(whole[:size])
        await keeper.tick()
        assert condition(world).reason == "StoreGone"
    world.state.unlink()
    world.state.touch()
    for _ in range(2):
        await keeper.tick()
    assert condition(world).status == "True"
    await world.stop()
