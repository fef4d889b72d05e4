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
    assert sentence(world.service.snapshot().headline).startswith("Taken back: 6 images")
    (why,) = world.service.health.condition("InSync").details
    assert (why.code, why.get("count"), why.get("images")) == ("rest_left_alone", 6, 6)
    world.sql("UPDATE astrophotography_images SET title = title || ' anew', tags = '[\"New\"]'")
    await world.run(7200)
    assert shown(world) == world.before
    assert world.service.snapshot().level == "off"
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
    assert world.service.snapshot().level == "off"


async def test_a_look_counts_what_was_taken_back_apart(world):
    """Also a brief one, in which what stands is not looked at image by image."""
    one, changed, *_ = sorted(world.store.records())
    world.service.request(Request(undo=UndoWish(asset_id=one), trigger="undo"))
    await world.run(60)
    world.sql("UPDATE astrophotography_images SET title = 'Anew' WHERE immich_id = ?", changed)
    await world.run(120)
    run = world.store.runs(1)[0]
    assert run.trigger != "undo"
    assert run.counts.statuses == {"in_sync": 5, "undone": 1}
    assert world.store.counts_by_status() == {"in_sync": 5, "undone": 1}


async def test_that_it_works_is_said_from_the_moment_a_person_asks_to_the_end(world, monkeypatch):
    codes, progressed = [], world.service._runs.progressed

    def note(progress):
        progressed(progress)
        codes.append(world.service.snapshot().headline.code)

    monkeypatch.setattr(world.service._runs, "progressed", note)
    world.sql("UPDATE astrophotography_images SET title = title || ' anew', tags = '[\"New\"]'")
    world.service.request(Request(full=True, trigger="page"))
    assert world.service.snapshot().headline.code == "working"
    await world.run(20)
    first = codes.index("writing")
    assert set(codes[:first]) == {"working"}
    assert "not_in_sync" not in codes


async def test_begun_the_first_thing_an_open_page_hears_is_that_it_works(make_world):
    world = make_world(images=6, catalogue_seconds=30.0)
    world.start()
    world.house.mode = "ask"
    await world.run(60)
    said = []
    world.service._announcer.state = lambda snapshot: said.append(snapshot.headline.code)
    world.service.begin("page")
    assert said == ["working"]
    await world.stop()


async def test_what_waits_for_immich_is_told_until_it_is_done(world, monkeypatch):
    """Between text and tags an image is on its way, too."""
    told = []
    progressed = world.service._runs.progressed
    monkeypatch.setattr(
        world.service._runs, "progressed", lambda progress: (told.append(progress), progressed(progress))
    )
    world.sql("UPDATE astrophotography_images SET title = title || ' anew', tags = '[\"New\"]'")
    await world.run(120)
    writing = [one for one in told if one.phase == "writing"]
    begun = next(at for at, one in enumerate(writing) if one.waiting)
    assert len(writing) > begun + 2
    assert all(one.waiting or one.done for one in writing[begun:])
