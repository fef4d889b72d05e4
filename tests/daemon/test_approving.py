"""An approval that was left in the store: taken at the next look, for the very same harm, once."""

from __future__ import annotations

import pytest

from reconciler.engine.approvals import leave_approval, waiting_approval
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.reconcile import Reconciler
from reconciler.errors import GuardError
from reconciler.service.api import Request
from state.store import StateStore

pytestmark = pytest.mark.anyio

IMAGES = 12
HALF = "image_id % 2 = 0"
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
        world.sql(f"DELETE FROM image_equipment WHERE {HALF}")
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


async def _restored(world, kept):
    """Bring the catalogue's tags back, have them written, and take them away again: the very same harm."""
    for image_id, value in kept:
        world.sql("UPDATE astrophotography_images SET tags = ? WHERE id = ?", value, image_id)
    await world.run(190)
    assert held(world) == 0
    before = tags(world)
    world.sql(EMPTIED)
    await world.run(130)
    return before


@pytest.mark.parametrize("way", ["asked for", "left in the store"])
@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
async def test_an_approval_is_used_up_and_the_same_harm_after_a_restore_needs_another(
    make_world, way, restarted
):
    world = make_world(images=IMAGES, unkind=())
    world.start()
    await world.run(90)
    kept = world.sql("SELECT id, tags FROM astrophotography_images")
    world.sql(EMPTIED)
    await world.run(130)
    first = world.service.snapshot().verdict.hash

    async def approve(name):
        if way == "asked for":
            world.service.request(Request(approved=name))
        else:
            leave_approval(world.store, name)
        await world.run(130)

    await approve(first)
    assert held(world) == 0
    if restarted:
        await world.stop()
        world.start()
    before = await _restored(world, kept)
    assert held(world) >= 10
    if restarted:
        await world.stop()
        world.start()
        await world.run(70)
    await approve(first)
    assert held(world) >= 10
    assert tags(world) == before
    second = world.service.snapshot().verdict.hash
    assert second != first
    await approve(second)
    assert held(world) == 0
    assert all(tags(world)[asset_id] < before[asset_id] for asset_id in world.assets)
    await world.stop()


async def test_an_approval_lapses_when_the_harm_changes_also_if_it_comes_back_as_it_was(world):
    kept = world.sql(f"SELECT * FROM image_equipment WHERE {HALF}")
    assert kept
    before, harm = tags(world), world.service.snapshot().verdict.hash
    leave_approval(world.store, harm)
    world.sql(f"DELETE FROM image_equipment WHERE {HALF}")
    await world.run(70)
    for row in kept:
        world.sql(f"INSERT INTO image_equipment VALUES ({', '.join('?' * len(row))})", *row)
    await world.run(130)
    assert (tags(world), waiting_approval(world.store)) == (before, "")
    assert held(world) >= 10


async def test_an_approval_is_used_up_by_the_attempt_whether_or_not_immich_can_be_written(world):
    harm = world.service.snapshot().verdict.hash
    real = world.house.made.remove_tag

    async def fail(*_, **__):
        raise RuntimeError("odd")

    world.house.made.remove_tag = fail
    leave_approval(world.store, harm)
    await world.run(70)
    assert waiting_approval(world.store) == ""
    world.house.made.remove_tag = real
    await world.run(130)
    assert held(world) >= 10
    assert world.service.snapshot().verdict.hash != harm


async def test_two_passes_that_were_prepared_under_one_approval_do_not_both_use_it(world):
    harm = world.service.snapshot().verdict.hash
    cycle = Reconciler(world.house.source, world.house.made, world.store, world.clock, mode="sync")
    selection = Selection(approved=harm)
    prepared = [await cycle.prepare(selection, Wishes(world.house.policy)) for _ in range(2)]
    first = await cycle.apply(prepared[0], selection, run_id="first", trigger="cli")
    assert first.error is None
    with pytest.raises(GuardError, match="carried out already"):
        await cycle.apply(prepared[1], selection, run_id="second", trigger="cli")


async def test_what_is_used_up_is_in_the_commit_that_begins_the_run(world):
    """Killed at any moment: either the run is on record and the approval is gone, or neither."""
    harm = world.service.snapshot().verdict.hash
    leave_approval(world.store, harm)
    seen = []
    real = world.house.made.remove_tag

    async def noting(*arguments):
        with StateStore.open(world.state, read_only=True) as other:
            seen.append((waiting_approval(other), other.runs(1)[0].outcome))
        return await real(*arguments)

    world.house.made.remove_tag = noting
    await world.run(70)
    assert seen[0] == ("", "running")
