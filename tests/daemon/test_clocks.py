"""Whose clock: people's edits are found by Immich's own dates, whatever a proxy's clock or ours says."""

from __future__ import annotations

from datetime import timedelta

import pytest

pytestmark = pytest.mark.anyio

KIND = ("settling", "round_trip")


@pytest.mark.parametrize("ahead", [90.0, -90.0, 86_400.0 * 365, -86_400.0 * 365])
async def test_an_edit_is_seen_by_the_next_look_whatever_a_proxys_clock_says(make_world, ahead):
    world = make_world(unkind=(*KIND, "proxy_clock"), images=6)
    world.wire.settings.proxy_ahead = ahead
    world.start()
    await world.run(400)
    assert world.service.snapshot().level == "ok"
    for asset_id in sorted(world.assets):
        before = world.description(asset_id)
        world.wire.person(asset_id, "set_description", "only this")
        await world.run(125)
        assert world.description(asset_id).startswith("only this")
        assert len(world.description(asset_id)) > len("only this"), before
    await world.run(400)
    world.wire.state.book.reset()
    await world.run(3600)
    requests = world.wire.requests()
    # Twelve looks are for what moves no date, too: two requests each.
    assert (requests["POST /search/metadata"], requests["total"], requests["writes"]) == (60, 60 + 24, 0)
    await world.stop()


@pytest.mark.parametrize("skewed", [0.0, 3600.0, -3600.0], ids=["level", "ahead", "behind"])
async def test_a_date_from_the_future_hides_no_edit(make_world, skewed):
    """An asset was touched while Immich's clock was years ahead; then its clock was put right, or nearly."""
    world = make_world(unkind=KIND, images=4)
    world.wire.settings.clock_ahead = 97.0 + skewed
    world.start()
    await world.run(200)
    odd, other, *_ = sorted(world.assets)
    _touch(world, odd, ahead=timedelta(days=7000))
    await world.run(130)
    world.wire.person(other, "set_description", "only this")
    await world.run(130)
    assert len(world.description(other)) > len("only this")
    world.wire.state.book.reset()
    await world.run(600)
    # The odd row is shown each time, and read once; two looks are for what moves no date, too.
    assert world.wire.requests()["total"] == 10 + 2 * 2
    await world.stop()


async def test_edits_are_seen_after_immichs_clock_was_set_back(make_world):
    world = make_world(unkind=KIND, images=4)
    world.start()
    await world.run(200)
    first, second, *_ = sorted(world.assets)
    world.wire.person(first, "append_description", "\n\nMore.")
    await world.run(20)
    world.wire.settings.clock_ahead -= 3000.0
    await world.run(20)
    world.wire.person(second, "set_description", "only this")
    await world.run(130)
    assert len(world.description(second)) > len("only this")
    await world.stop()


async def test_many_rows_of_one_moment_are_shown_again_until_they_rest_and_none_is_read_twice(make_world):
    world = make_world(unkind=KIND, images=12)
    world.start()
    await world.run(200)
    for asset_id in world.assets:
        world.wire.person(asset_id, "append_description", "\n\nMore.")
    await world.run(70)
    reads = world.wire.requests().get("GET /assets/{id}", 0)
    await world.run(120)
    shown = []
    real = world.house.made.changed_since

    async def noted(since, **more):
        rows = await real(since, **more)
        shown.append(len(rows))
        return rows

    world.house.made.changed_since = noted
    await world.run(120)
    assert world.wire.requests().get("GET /assets/{id}", 0) == reads
    assert shown
    assert max(shown) < 3
    await world.stop()


async def test_an_asset_that_can_not_be_read_is_not_read_by_every_look(make_world):
    """Its row stays the newest: it comes with each look, and is tried again when its time has come."""
    world = make_world(unkind=KIND, images=3)
    world.start()
    await world.run(200)
    asset_id = min(world.assets)
    world.wire.person(asset_id, "append_description", "\n\nMore.")
    world.wire.broken.add(asset_id)
    await world.run(60)
    before = world.wire.attempts
    await world.run(7200)
    others = 120 + 2 * 24  # looks, and those for what moves no date
    assert world.wire.attempts - before - others < 60
    world.wire.broken.clear()
    await world.run(4600)
    assert world.service.snapshot().level == "ok"
    await world.stop()


async def test_a_skew_is_told_once_and_so_is_its_end(make_world):
    world = make_world(unkind=(*KIND, "proxy_clock"), images=3)
    world.wire.settings.proxy_ahead = 697.0
    world.start()
    await world.run(600)
    world.wire.settings.proxy_ahead = 97.0
    await world.run(600)
    told = [event for event in world.events if getattr(event, "name", "") == "clock.skew"]
    assert [event.level for event in told] == ["warning", "info"]
    assert told[0].details["header_ahead"] == pytest.approx(600, abs=3)
    await world.stop()


def _touch(world, asset_id, *, ahead):
    """Give an asset a date as Immich's clock stamped it while it was so far ahead."""
    state = world.wire.state
    asset = state.assets[asset_id]
    del state.assets[asset_id]
    asset.updated += int(ahead.total_seconds() * 1000)
    asset.row = None  # as it was shown before
    state.add(asset)
