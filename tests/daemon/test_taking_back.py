"""Undo and redo in the running daemon: between its passes, gone on with after it ended, told in the headline."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.core.store_keys import UNDOING
from reconciler.engine.undo_wish import UndoWish, unfinished
from reconciler.errors import UndoError
from reconciler.messages.headlines import sentence
from reconciler.service.api import Request

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(make_world):
    world = make_world(images=6, unkind=("settling", "lost_updates"), catalogue_seconds=30)
    world.before = {key: (one["description"], one["tags"]) for key, one in world.wire.assets().items()}
    world.start()
    await world.run(90)
    yield world
    await world.stop()


def shown(world):
    return {key: (one["description"], one["tags"]) for key, one in world.wire.assets().items()}


async def test_everything_is_taken_back_stays_so_and_is_written_again_when_asked_for(world):
    written = shown(world)
    found = await world.service.undo_plan(UndoWish(everything=True))
    assert found.counts["images"] == 6
    assert shown(world) == written
    run_id = world.service.request(Request(undo=UndoWish(everything=True), trigger="undo"))
    await world.run(60)
    assert world.service.run_state(run_id).state == "done"
    assert shown(world) == world.before
    assert "6 images taken back" in sentence(world.service.snapshot().headline)
    world.sql("UPDATE astrophotography_images SET title = title || ' anew', tags = '[\"New\"]'")
    await world.run(7200)
    assert shown(world) == world.before
    assert world.service.snapshot().level == "ok"
    world.service.request(Request(again=True, trigger="redo"))
    await world.run(90)
    assert all("anew" in text for text, _ in shown(world).values())
    assert "undone" not in sentence(world.service.snapshot().headline)


async def test_an_undo_that_the_end_of_the_daemon_broke_off_is_gone_on_with_at_its_start(world):
    """Broken off in the midst of its writes: what is on record is all that the next start has."""
    sent = 0
    handle = world.wire.handle_async_request

    async def dies(request):
        nonlocal sent
        sent += request.method in {"PUT", "DELETE"}
        if sent > 4:
            raise asyncio.CancelledError
        return await handle(request)

    world.wire.handle_async_request = dies
    world.service.request(Request(undo=UndoWish(everything=True), trigger="undo"))
    with pytest.raises(asyncio.CancelledError):
        await world.run(30)
    world.wire.handle_async_request = handle
    await world.stop()
    assert shown(world) != world.before
    world.start()
    assert unfinished(world.store) == [UndoWish(everything=True)]
    await world.run(120)
    assert shown(world) == world.before
    assert UNDOING.read(world.store) is None


async def test_an_undo_that_cannot_be_is_refused_and_harms_no_condition(world):
    world.service.request(Request(undo=UndoWish(everything=True), trigger="undo"))
    await world.run(60)
    run_id = next(run.run_id for run in world.store.runs(5) if run.trigger == "undo")
    with pytest.raises(UndoError, match="took something back"):
        await world.service.undo_plan(UndoWish(run_id=run_id))
    asked = world.service.request(Request(undo=UndoWish(run_id=run_id), trigger="undo"))
    await world.run(60)
    assert world.service.run_state(asked).state == "failed"
    assert world.service.snapshot().level == "ok"
