"""The first hour: a daemon reads, plans and shows, and writes nothing before a person has begun it."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from reconciler.core.permission import Permission
from reconciler.core.policy import DescriptionPolicy, Policy
from reconciler.core.store_keys import BEGUN
from reconciler.engine.foreseen import foresee
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.undo_wish import UndoWish
from reconciler.errors import NotBegunError, ObservingError
from reconciler.messages.headlines import sentence
from reconciler.service.api import Request

pytestmark = pytest.mark.anyio
HOUR = 3600.0


@pytest.fixture
def started(make_world):
    """Give what starts a daemon on some images, in a mode."""

    def start(mode, images=30):
        world = make_world(images=images, catalogue_seconds=30.0)  # a day of its own 5 s takes a while
        world.start()
        world.house.mode = mode
        return world

    return start


def _again(world, mode):
    world.start()
    world.house.mode = mode


def _writes(world):
    return world.wire.requests()["writes"]


async def _begun_with_five(started):
    """Give a world in which five images were begun with, and written."""
    world = started("ask")
    await world.run(60)
    world.service.begin("page", first=5)
    await world.run(60)
    return world


def _standing(world):
    return world.service.snapshot().permission.standing


@pytest.mark.parametrize("images", [5, 55])
async def test_the_first_start_writes_nothing_unasked_and_tells_what_it_would(started, images):
    world = started("ask", images)
    await world.run(26 * HOUR)  # with an audit
    assert _writes(world) == 0
    told = world.service.snapshot()
    assert (told.headline.code, told.headline.level) == ("asks", "attention")
    assert told.foreseen.images == images
    assert told.foreseen.changing > images / 2
    assert len(told.foreseen.examples) == 3
    assert world.store.records() == {}
    await world.stop()


async def test_while_it_waits_a_library_is_not_read_again_and_again(started):
    world = started("ask")
    await world.run(60)
    world.wire.state.book.reset()
    await world.run(2 * HOUR)
    assert world.wire.requests()["total"] == 0
    world.sql("UPDATE astrophotography_images SET title = 'Another title'")
    await world.run(2 * 60)
    assert world.service.snapshot().foreseen.examples[0].title == "Another title"
    assert _writes(world) == 0
    await world.stop()


async def test_once_some_are_written_nothing_says_that_none_are(started):
    world = await _begun_with_five(started)
    told = world.service.snapshot()
    assert told.headline.code == "trying"
    assert sentence(told.headline).startswith(
        "Waits for you: begun with 5 images; nothing else is written before you go on"
    )
    assert told.foreseen.changing < 30  # looked at again since
    await world.stop()


@pytest.mark.parametrize("paused", [True, False])
async def test_right_after_some_are_written_it_is_told_what_is_left_and_not_what_was_before(started, paused):
    world = started("ask")
    await world.run(60)
    if paused:
        world.service.pause()
    before = world.service.snapshot().foreseen
    run_id = world.service.begin("page", first=5)
    await world.run(15)  # long before the next look by itself
    run = world.service.run_state(run_id).report.run
    told = world.service.snapshot().foreseen
    assert run.outcome == "succeeded"
    assert told.changing == before.changing - 5
    assert sum(told.kinds.values()) < sum(before.kinds.values())
    written = {record.image_id for record in world.store.records().values()}
    assert len(written) == 5
    assert len(told.examples) == 3
    assert not written & {plan.image_id for plan in told.examples}
    assert (told.at < run.finished_at) == paused
    await world.stop()


async def test_of_what_was_begun_with_only_what_was_written_is_counted_as_written(started, monkeypatch):
    world = started("ask")
    await world.run(60)
    world.service.pause()
    before = world.service.snapshot().foreseen
    some, ask = sorted(world.wire.assets())[::2], world.wire.handle_async_request

    async def some_cannot_be_written(request):
        if request.method == "PUT" and any(one in request.url.path for one in some):
            return httpx.Response(500, json={"message": "Internal server error"})
        return await ask(request)

    monkeypatch.setattr(world.wire, "handle_async_request", some_cannot_be_written)
    world.service.begin("page", first=5)
    await world.run(60)
    done = [record for record in world.store.records().values() if record.status == "in_sync"]
    assert 0 < len(done) < 5
    assert not world.service.busy
    told = world.service.snapshot().foreseen
    assert told.changing == before.changing - len(done)
    assert told.kinds["description", "added"] == before.kinds["description", "added"] - len(done)
    await world.stop()


async def test_after_an_image_begun_with_is_written_or_taken_back_it_looks_at_once(started):
    world = await _begun_with_five(started)
    image_id, *_ = (record.image_id for record in world.store.records().values())
    world.sql("UPDATE astrophotography_images SET title = 'Another title'")
    for wish in (
        Request(frozenset({image_id}), trigger="page"),
        Request(undo=UndoWish(everything=True), trigger="undo"),
    ):
        run_id = world.service.request(wish)
        await world.run(15)
        run = world.service.run_state(run_id).report.run
        assert run.counts.changed
        assert world.service.snapshot().foreseen.at >= run.finished_at
    await world.stop()


async def test_a_look_that_failed_is_made_again_soon_and_the_trouble_goes(started):
    world = started("ask")
    await world.run(60)
    world.wire.settings.down = True
    world.service.enqueue(Request(full=True, trigger="page"))
    await world.run(60)
    assert world.service.snapshot().level == "trouble"
    world.wire.settings.down = False
    await world.run(10 * 60)
    assert world.service.snapshot().headline.code == "asks"
    assert _writes(world) == 0
    await world.stop()


@pytest.mark.parametrize(
    ("wish", "refused"),
    [
        (Request(), True),
        (Request(full=True, trigger="signal"), True),
        (Request(frozenset({1}), trigger="skymmich"), True),
        (Request(frozenset({1}), force=True), True),
        (Request(again=True, trigger="redo"), True),
        (Request(full=True, by_person=False, trigger="audit"), False),
        (Request(frozenset({1}), by_person=False, trigger="retry"), False),
    ],
)
@pytest.mark.parametrize(("mode", "error"), [("ask", NotBegunError), ("observe", ObservingError)])
async def test_whoever_asks_meets_it(started, wish, refused, mode, error):
    world = started(mode)
    await world.run(1)
    run_id = world.service.request(wish)
    await world.run(1)
    state = world.service.run_state(run_id)
    if refused:
        assert state.state == "failed"
        assert error().message in str(state.error)
    assert _writes(world) == 0
    await world.stop()


async def test_once_begun_it_writes_all_and_what_comes_later_also_after_a_restart(started):
    world = started("ask")
    await world.run(60)
    run_id = world.service.begin("page")
    await world.run(60)
    assert world.service.run_state(run_id).report.run.outcome == "succeeded"
    assert _standing(world) == "begun"
    begun = BEGUN.read(world.store)
    assert (begun["by"], begun["first"]) == ("page", None)
    await world.stop()
    _again(world, "ask")
    writes = _writes(world)
    world.sql("UPDATE astrophotography_images SET title = 'Written by itself' WHERE id = 1")
    await world.run(5 * 60)
    assert _writes(world) > writes
    assert world.service.snapshot().permission.begun.by == "page"
    await world.stop()


async def test_a_restart_before_the_beginning_waits_on(started):
    world = started("ask")
    await world.run(60)
    await world.stop()
    _again(world, "ask")
    await world.run(HOUR)
    assert _writes(world) == 0
    assert _standing(world) == "asking"
    await world.stop()


async def test_begun_with_five_only_these_are_written_until_a_person_goes_on(started):
    world = started("ask")
    await world.run(60)
    world.service.begin("page", first=5)
    await world.run(5 * 60)
    first = world.service.snapshot().permission.begun.first
    assert len(first) == 5
    assert {record.image_id for record in world.store.records().values()} == first
    assert _standing(world) == "trying"
    writes = _writes(world)
    world.sql("UPDATE astrophotography_images SET title = 'Another title'")
    await world.stop()
    _again(world, "ask")
    await world.run(HOUR)
    assert _writes(world) == writes, "it waits, also after a restart"
    world.service.request(Request(first, trigger="page"))
    await world.run(60)
    assert _writes(world) > writes, "the five may be written"
    world.service.begin("page")
    await world.run(5 * 60)
    assert _standing(world) == "begun"
    assert len(world.store.records()) == 30
    await world.stop()


async def test_one_that_is_told_to_sync_writes_at_once_and_never_asks_later(started):
    world = started("sync")
    await world.run(60)
    assert _writes(world) > 0
    assert BEGUN.read(world.store)["by"] == "configuration"
    await world.stop()
    _again(world, "ask")
    await world.run(60)
    assert _standing(world) == "begun"
    await world.stop()


async def test_a_store_of_an_older_version_that_was_written_with_has_begun(started):
    world = started("sync")
    await world.run(60)
    BEGUN.forget(world.store)  # the older version knew no such key
    await world.stop()
    _again(world, "ask")
    writes = _writes(world)
    world.sql("UPDATE astrophotography_images SET title = 'After the upgrade' WHERE id = 1")
    await world.run(5 * 60)
    assert _writes(world) > writes
    assert BEGUN.read(world.store)["by"] == "upgrade"
    await world.stop()


async def test_an_older_version_that_only_planned_has_not_begun(started):
    world = started("ask")
    await world.run(60)
    assert BEGUN.read(world.store) is None
    assert Permission.of(world.store, "ask").standing == "asking"
    await world.stop()


async def test_one_that_only_observes_never_writes_not_even_what_was_begun(started):
    world = started("sync")
    await world.run(60)
    await world.stop()
    _again(world, "observe")
    writes = _writes(world)
    world.sql("UPDATE astrophotography_images SET title = 'Never written'")
    await world.run(26 * HOUR)
    told = world.service.snapshot()
    assert _writes(world) == writes
    assert (told.headline.code, told.headline.level, told.headline.changing) == ("observes", "off", 30)
    with pytest.raises(ObservingError):
        world.service.begin("page")
    await world.stop()


async def test_with_the_master_switch_off_it_is_still_shown_what_would_be_written(started):
    world = started("ask")
    world.sql(
        "UPDATE admin_settings SET value = json_set(value, '$.metadataSyncEnabled', json('false')) WHERE key = 'immich'"
    )
    await world.run(60)
    told = world.service.snapshot()
    assert told.switches.enabled is False
    assert told.foreseen.changing > 0
    assert _writes(world) == 0
    await world.stop()


async def test_what_the_guard_asks_about_is_counted_and_shown_before_parts_are_saved(started):
    world = started("sync")
    await world.run(60)
    policy = replace(Policy(), description=DescriptionPolicy(enabled_parts=frozenset({"title"})))
    prepared = await world.service.preview(Wishes(policy))
    told = foresee(prepared, world.clock.now())
    assert told.verdict.tripped
    assert told.changing == told.kinds["description", "changed"] == 30
    assert told.held > 20
    assert all(len(plan.description) < len(plan.observed.description) for plan in told.examples)
    await world.stop()


async def test_one_that_takes_too_long_is_asked_about_by_a_sample_of_the_library(started):
    world = started("sync")
    await world.run(60)
    some = frozenset(image.image_id for image in world.service.catalogue().linked()[:7])
    told = foresee(await world.service.preview(image_ids=some), world.clock.now())
    assert (told.looked, told.images, told.whole) == (7, 30, False)
    await world.stop()
