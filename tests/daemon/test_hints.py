"""What moves no date in Immich is seen within minutes: deleted tags and deleted assets, for two requests."""

from __future__ import annotations

import pytest

from reconciler.core.reasons import reason

pytestmark = pytest.mark.anyio
KIND = ("settling",)


async def a_quiet_world(make_world, **more):
    world = make_world(**({"unkind": KIND, "images": 12} | more))
    world.start()
    await world.run(400)
    assert world.service.snapshot().level == "ok"
    world.wire.state.book.reset()
    return world


def carriers(world, tag):
    return {asset_id for asset_id, asset in world.wire.assets().items() if tag in asset["tags"]}


def a_shared_tag(world):
    """Give a tag of ours that some of the images carry, and not all."""
    owned = {tag for record in world.store.records().values() for tag in record.applied.tags}
    return max(
        (tag for tag in owned if 1 < len(carriers(world, tag)) < len(world.assets)),
        key=lambda tag: (len(carriers(world, tag)), tag),
    )


async def test_a_deleted_tag_is_given_back_within_minutes_and_only_its_images_are_read(make_world):
    world = await a_quiet_world(make_world)
    tag = a_shared_tag(world)
    had = carriers(world, tag)
    world.wire.person(min(had), "delete_tag", tag)
    assert carriers(world, tag) == set()
    await world.run(360)
    assert carriers(world, tag) == had
    assert world.service.snapshot().level == "ok"
    requests = world.wire.requests()
    assert requests["writes"] <= 2
    # Each is read when the hint names it, and once more when the tag has settled.
    assert requests["GET /assets/{id}"] <= 3 * len(had)
    world.wire.state.book.reset()
    await world.run(600)
    assert "GET /assets/{id}" not in world.wire.requests()
    await world.stop()


async def test_a_tag_that_came_back_with_another_id_is_looked_at_too(make_world):
    world = await a_quiet_world(make_world)
    tag = a_shared_tag(world)
    first, *others = sorted(carriers(world, tag))
    world.wire.person(first, "delete_tag", tag)
    # Its file still names the tag: the next edit of a person brings it back, on that one image.
    world.wire.person(first, "append_description", "\n\nA word.")
    await world.run(360)
    assert carriers(world, tag) == {first, *others}
    await world.stop()


async def test_an_asset_that_is_deleted_for_ever_is_told_within_minutes(make_world):
    world = await a_quiet_world(make_world)
    gone = min(world.assets)
    world.wire.person(gone, "delete")
    await world.run(360)
    snapshot = world.service.snapshot()
    assert (snapshot.level, snapshot.counts["unknown_asset"]) == ("attention", 1)
    assert world.store.record(gone).status == "unknown_asset"
    requests = world.wire.requests()
    # Six looks, twice two for hints, a listing of timeline and archive, and the asset itself.
    assert requests["total"] <= 6 + 4 + 2 + 1 + 1
    assert requests["writes"] == 0
    await world.stop()


async def test_an_asset_in_the_trash_is_told_with_the_next_look_and_explains_the_smaller_number(make_world):
    world = await a_quiet_world(make_world)
    trashed = min(world.assets)
    world.wire.person(trashed, "trash")
    await world.run(70)
    record = world.store.record(trashed)
    assert (record.status, record.reasons) == ("not_writable", (reason("trashed"),))
    await world.run(600)
    requests = world.wire.requests()
    assert requests["GET /assets/{id}"] == 1
    assert requests["POST /search/metadata"] == 11  # no listing
    world.wire.person(trashed, "trash", value=False)
    await world.run(70)
    assert world.service.snapshot().level == "ok"
    await world.stop()


async def test_a_hint_that_could_not_be_looked_at_is_not_forgotten(make_world):
    world = await a_quiet_world(make_world)
    tag = a_shared_tag(world)
    had = carriers(world, tag)
    world.wire.person(min(had), "delete_tag", tag)
    world.wire.settings.down = True
    await world.run(1200)
    await world.stop()
    world.wire.settings.down = False
    world.start()  # what was last seen outlives the process
    await world.run(420)
    assert carriers(world, tag) == had
    await world.stop()


async def test_a_key_that_may_not_ask_costs_the_hint_and_nothing_else(make_world):
    world = make_world(unkind=KIND, images=3)
    world.wire.settings.scopes = ("asset.read", "asset.update", "user.read", "tag.create", "tag.asset")
    world.start()
    await world.run(400)
    first, second, third = sorted(world.assets)
    world.wire.person(first, "delete")
    world.wire.person(second, "append_description", "\n\nA word.")
    await world.run(400)
    # As the others, until the audit.
    assert world.store.record(first).status == world.store.record(third).status == "not_writable"
    assert world.description(second).endswith("A word.")
    assert world.service.passes["failed"] == 0
    requests = world.wire.requests()
    assert "GET /tags" not in requests or requests["GET /tags"] < 5  # tags are not managed without the scope
    await world.stop()


async def test_hints_can_be_switched_off(make_world):
    world = await a_quiet_world(make_world, hints_seconds=0)
    await world.run(1200)
    assert set(world.wire.requests()) == {"POST /search/metadata", "total", "reads", "writes"}
    await world.stop()
