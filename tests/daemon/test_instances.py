"""Two daemons on one library: the second says which it met and since when, and goes on once that one is gone."""

from __future__ import annotations

import pytest

from reconciler.core.store_keys import OWNER
from reconciler.engine.ownership import leave_wishes
from reconciler.messages import headlines
from reconciler.service.api import Request
from state.process import host
from tests.daemon.conftest import World

pytestmark = pytest.mark.anyio

HOUR = 3600
BULK = "PUT /assets/metadata"


def another(first, folder):
    """Give a second daemon: its own store in another place, the same catalogue, Immich and time."""
    folder.mkdir()
    second = World(folder, unkind=(), images=1, schedule={"catalogue_seconds": 30.0})
    second.clock, second.wire, second.catalogue = first.clock, first.wire, first.catalogue
    second.assets = first.assets
    return second


async def keeping(make_world):
    """Give a daemon that keeps a library."""
    first = make_world(images=5)
    first.start()
    await first.run(300)
    return first


def asking(first, folder):
    """Start a second daemon that nobody has begun."""
    second = another(first, folder)
    second.start()
    second.house.mode = "ask"
    return second


async def both(make_world, tmp_path):
    """Give a daemon that keeps a library, and a second one that has met it there."""
    first = await keeping(make_world)
    second = another(first, tmp_path / "second")
    second.start()
    await second.run(60)
    return first, second


async def test_a_sign_of_life_is_two_requests_every_six_hours(make_world):
    world = make_world(images=5, catalogue_seconds=600.0, immich_seconds=600.0)
    world.start()
    await world.run(300)
    world.wire.state.book.reset()
    await world.run(25 * HOUR)
    asked = world.wire.requests()
    assert asked[BULK] == asked["GET /assets/{id}/metadata"] == 4
    await world.stop()


async def test_the_second_stands_back_and_says_which_and_since_when(make_world, tmp_path):
    first = await keeping(make_world)
    name = OWNER.read(first.store)["instance"]
    second = another(first, tmp_path / "second")
    second.start()
    first.wire.state.book.reset()
    await second.run(HOUR)
    asked = first.wire.requests()
    assert asked["writes"] == 0
    assert asked["GET /assets/{id}/metadata"] <= 125  # two a minute
    assert asked["total"] <= 200
    snapshot = second.service.snapshot()
    assert snapshot.level == "trouble"
    said = headlines.sentence(snapshot.headline)
    assert (
        f"Another instance of this program ({name} on {host()}) has kept this library since 2026-11-22 00:00 UTC"
        in said
    )
    assert second.store.records() == {}
    leave_wishes(second.store, ["take_over"])
    await second.run(120)
    assert second.service.snapshot().level == "ok"
    assert len(second.store.records()) == 5
    first.sql("UPDATE astrophotography_images SET description = 'Changed ' || id")
    first.wire.state.book.reset()
    await first.run(300)
    assert first.service.snapshot().level == "trouble"
    assert first.wire.requests()["writes"] == 0
    await second.run(300)
    assert all("Changed" in first.description(asset_id) for asset_id in first.assets)
    await first.stop()
    await second.stop()


async def test_a_new_installation_that_stands_back_shows_no_counts_of_what_it_would_write(
    make_world, tmp_path
):
    first = make_world(images=5)
    second = asking(first, tmp_path / "second")
    await second.run(5)
    assert second.service.snapshot().foreseen.changing == 5  # as nobody else keeps it yet
    first.start()
    await first.run(300)
    second.service.request(Request(full=True, by_person=True))
    await second.run(5)
    snapshot = second.service.snapshot()
    assert snapshot.foreseen is None
    assert "Another instance of this program" in headlines.sentence(snapshot.headline)
    await first.stop()
    await second.stop()


async def test_who_took_over_reads_all_records_once(make_world, tmp_path):
    first, second = await both(make_world, tmp_path)
    await second.service.take_over()
    await second.run(150)
    assert second.service.snapshot().level == "ok"
    first.wire.state.book.reset()
    passes = len(second.store.runs(100))
    await second.run(HOUR)
    assert len(second.store.runs(100)) == passes
    assert first.wire.requests()["total"] <= 140


async def test_who_wrote_once_more_within_a_minute_of_a_take_over_says_so_and_rests(make_world, tmp_path):
    first, second = await both(make_world, tmp_path)
    first.sql("UPDATE astrophotography_images SET description = 'Before ' || id WHERE id = 1")
    await first.run(15)
    assert any("Before" in first.description(asset_id) for asset_id in first.assets)
    await second.service.take_over()
    await second.run(5)
    assert second.service.snapshot().level == "ok"
    first.sql("UPDATE astrophotography_images SET description = 'After ' || id WHERE id = 1")
    await first.run(180)
    assert first.service.snapshot().level == "trouble"
    name = OWNER.read(second.store)["instance"]
    assert f"Another instance of this program ({name} on {host()})" in headlines.sentence(
        first.service.snapshot().headline
    )


async def test_it_goes_on_by_itself_once_the_other_one_is_silent(make_world, tmp_path):
    first = await keeping(make_world)
    await first.stop()
    second = another(first, tmp_path / "second")
    second.start()
    await second.run(HOUR)
    assert second.service.snapshot().level == "trouble"
    await second.run(13 * HOUR)
    assert second.service.snapshot().level == "ok"
    assert len(second.store.records()) == 5
    await second.stop()


async def test_a_store_that_is_replaced_while_the_daemon_runs_is_caught_up(make_world):
    world = make_world(images=5)
    world.start()
    await world.run(300)
    before = {key: one.applied for key, one in world.store.records().items()}
    world.store.file.unlink()
    world.store.file.touch()
    world.store.reopen()
    world.lease.acquire("daemon", world.triggers.lease_time())
    world.service.take_up()
    await world.run(300)
    assert {key: one.applied for key, one in world.store.records().items()} == before
    assert world.service.snapshot().level == "ok"
    await world.stop()


async def test_one_that_waits_to_be_begun_stands_back_until_a_person_takes_over(make_world, tmp_path):
    first = await keeping(make_world)
    second = asking(first, tmp_path / "second")
    await second.run(60)
    assert second.service.snapshot().stands_back
    # A person looks all the same: it still stands back, and nothing is said to be written.
    second.service.request(Request(trigger="page"))
    await second.run(15)
    told = second.service.snapshot()
    assert told.stands_back
    assert told.foreseen is None
    first.wire.state.book.reset()
    await second.service.take_over()
    await second.run(15)
    told = second.service.snapshot()
    assert (told.stands_back, told.permission.standing) == (False, "asking")
    assert first.wire.requests()["writes"] == 0, "the other one goes on until it is begun here"
    second.service.begin("page")
    await second.run(150)
    assert len(second.store.records()) == 5
    first.sql("UPDATE astrophotography_images SET description = 'Changed ' || id")
    await first.run(150)
    assert first.service.snapshot().stands_back
    await first.stop()
    await second.stop()


async def test_a_look_of_a_person_is_enough_to_know_of_the_other_one(make_world, tmp_path):
    first = await keeping(make_world)
    second = asking(first, tmp_path / "second")
    second.service.pause()
    second.service.request(Request(trigger="page"))
    await second.run(15)
    assert second.service.snapshot().stands_back
    await first.stop()
    await second.stop()


async def test_where_nobody_has_begun_it_is_seen_within_minutes_that_the_other_one_is_silent(
    make_world, tmp_path
):
    first = await keeping(make_world)
    await first.stop()
    second = asking(first, tmp_path / "second")
    await second.run(12.9 * HOUR)
    second.service.request(Request(trigger="page"))
    await second.run(15)
    assert second.service.snapshot().stands_back
    await second.run(600)
    told = second.service.snapshot()
    assert (told.stands_back, told.headline.code) == (False, "asks")
    await second.stop()
