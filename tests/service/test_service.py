"""The service on its own: what it runs first, what it shows, and what it survives."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from reconciler.core.store_keys import CANARY
from reconciler.engine.events import Event
from reconciler.messages.headlines import sentence
from reconciler.messages.reasons import joined_reasons
from reconciler.messages.runs import summary
from reconciler.service.api import Request

pytestmark = pytest.mark.anyio

IMAGES = 6


def condition(world, kind):
    return next(c for c in world.service.snapshot().conditions if c.type == kind)


def one_image(world, number=0):
    rows = world.sql("SELECT id, immich_id FROM astrophotography_images ORDER BY id")
    return rows[number]


@pytest.fixture
async def world(make_world):
    """A daemon that has brought everything in sync."""
    world = make_world(images=IMAGES)
    world.start()
    await world.run(130)
    assert world.service.snapshot().level == "ok"
    yield world
    await world.stop()


async def test_a_change_in_the_catalogue_shows_in_immich_within_fifteen_seconds(world):
    image_id, asset_id = one_image(world)
    world.sql("UPDATE astrophotography_images SET description = 'News.' WHERE id = ?", image_id)
    await world.run(15)
    assert "News." in world.description(asset_id)
    assert world.service.snapshot().counts == {"in_sync": IMAGES}


async def test_the_catalogue_is_read_again_only_when_it_changed(world):
    source, reads = world.house.source, []
    world.service._runner.catalogue._source = type(
        "Counting",
        (),
        {
            "data_version": staticmethod(source.data_version),
            "read": staticmethod(lambda: reads.append(1) or source.read()),
        },
    )
    await world.run(600)
    assert not reads
    world.sql("UPDATE equipment SET name = name || '!' WHERE id = 1")
    await world.run(60)
    assert len(reads) == 1


async def test_a_persons_wish_interrupts_a_pass_of_the_background_which_then_goes_on(world):
    image_id, asset_id = one_image(world, IMAGES - 1)
    world.sql("UPDATE astrophotography_images SET description = 'A new text for ' || id")
    await world.triggers.catalogue()
    world.clock.pass_until(world.clock.seconds + 3)
    background = asyncio.ensure_future(world.service.tick())
    writes = world.wire.requests()["writes"]
    while world.wire.requests()["writes"] == writes:  # noqa: ASYNC110 - turns of the loop are the clock here
        await asyncio.sleep(0)
    run_id = world.service.request(Request(frozenset({image_id})))
    await background
    assert world.service.snapshot().last.outcome == "stopped"
    await world.service.tick()
    assert world.service.run_state(run_id).state == "done"
    assert f"A new text for {image_id}" in world.description(asset_id)
    await world.run(30)
    assert all("A new text" in world.description(asset) for asset in world.assets)
    assert world.service.snapshot().counts == {"in_sync": IMAGES}
    assert world.wire.state.book.faults_json()["overlaps"] == 0


async def test_a_paused_daemon_leaves_the_catalogue_alone_also_after_a_restart_and_still_obeys_people(world):
    image_id, asset_id = one_image(world)
    world.service.pause()
    world.sql("UPDATE astrophotography_images SET description = 'While paused.'")
    await world.stop()
    world.start()
    world.wire.state.book.reset()
    await world.run(600)
    assert world.wire.requests()["total"] == 0
    snapshot = world.service.snapshot()
    assert (snapshot.paused, snapshot.level) == (True, "attention")
    run_id = world.service.request(Request(frozenset({image_id})))
    await world.run(10)
    assert world.service.run_state(run_id).state == "done"
    assert "While paused." in world.description(asset_id)
    world.service.resume()
    await world.run(60)
    assert all("While paused." in world.description(asset) for asset in world.assets)


async def test_a_run_succeeds_though_the_library_needs_attention_and_each_is_said_in_its_place(world):
    image_id, asset_id = one_image(world)
    world.wire.person(asset_id, "set_description", "A person's own words")
    world.sql("UPDATE astrophotography_images SET description = 'News.' WHERE id = ?", image_id)
    run_id = world.service.request(Request(trigger="page"))
    await world.run(10)
    report = world.service.run_state(run_id).report
    assert report.run.outcome == "succeeded"
    assert summary(report.run.summary).startswith(f"Checked {IMAGES} images, ")
    snapshot = world.service.snapshot()
    assert (snapshot.headline.code, snapshot.level) == ("not_in_sync", "attention")
    assert snapshot.counts == {"in_sync": IMAGES - 1, "conflict": 1}


async def test_a_persons_look_that_finds_nothing_says_how_much_it_looked_at(world):
    run_id = world.service.request(Request(full=True, trigger="page"))
    await world.run(10)
    report = world.service.run_state(run_id).report
    assert summary(report.run.summary) == f"Checked {IMAGES} images, nothing to write"
    assert world.service.snapshot().level == "ok"


async def test_a_stop_while_immich_is_read_ends_the_run_at_once_and_writes_nothing(world):
    world.sql("UPDATE astrophotography_images SET description = 'A new text for ' || id")
    writes = world.wire.requests()["writes"]
    run_id = world.service.request(Request(full=True, trigger="page"))
    running = asyncio.ensure_future(world.service.tick())
    while not (current := world.service.snapshot().current) or current.progress is None:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert current.progress.phase == "reading"
    assert world.service.stop_run()
    assert world.service.snapshot().current.stopping
    await running
    state = world.service.run_state(run_id)
    assert (state.state, state.stopping) == ("stopped", False)
    assert joined_reasons(state.error, "daemon") == "Stopped while Immich was read; nothing was written."
    assert world.wire.requests()["writes"] == writes
    await world.run(70)
    assert world.service.snapshot().level == "ok"


async def test_a_missing_catalogue_is_trouble_with_a_remedy_and_mends_itself(world):
    away = world.catalogue.with_suffix(".away")
    world.catalogue.rename(away)
    await world.run(70)
    snapshot = world.service.snapshot()
    assert snapshot.level == "trouble"
    assert str(world.catalogue) in sentence(snapshot.headline)
    assert condition(world, "CatalogueReadable").status == "False"
    away.rename(world.catalogue)
    await world.run(70)
    assert world.service.snapshot().level == "ok"


async def test_an_unknown_address_is_a_condition_and_no_end(make_world):
    world = make_world(images=3)
    world.start()
    world.house.unknown = "Immich's address is not known."
    await world.run(130)
    assert condition(world, "Configured").status == "False"
    assert world.service.snapshot().level == "trouble"
    world.house.unknown = ""
    await world.run(130)
    assert world.service.snapshot().level == "ok"
    await world.stop()


async def test_a_key_that_is_refused_is_trouble_and_is_tried_again_each_minute(world):
    key, world.wire.api_key = world.wire.api_key, "another"
    await world.run(130)
    assert condition(world, "Permitted").reason == "KeyRefused"
    world.wire.api_key = key
    await world.run(70)
    assert world.service.snapshot().level == "ok"


async def test_a_permission_that_is_missing_costs_its_feature_and_asks_for_attention(world):
    scopes = world.wire.settings.scopes
    world.wire.settings.scopes = ("asset.read", "asset.update", "user.read", "asset.statistics")
    world.service.request(Request(full=True))
    await world.run(10)
    snapshot = world.service.snapshot()
    assert snapshot.level == "attention"
    assert "tags" in sentence(snapshot.headline)
    world.wire.settings.scopes = scopes
    await world.run(400)  # asked again after five minutes, for as long as something is missing
    assert world.service.snapshot().level == "ok"


async def test_switched_off_in_skymmich_nothing_is_asked_of_immich(world):
    settings = json.loads(world.sql("SELECT value FROM admin_settings WHERE key = 'immich'")[0][0])
    off = json.dumps(settings | {"metadataSyncEnabled": False})
    world.sql("UPDATE admin_settings SET value = ? WHERE key = 'immich'", off)
    await world.run(60)
    world.wire.state.book.reset()
    await world.run(600)
    assert world.wire.requests()["total"] == 0
    assert world.service.snapshot().level == "off"
    run_id = world.service.request(Request())
    await world.run(5)
    state = world.service.run_state(run_id)
    assert state.state == "failed"
    assert state.error[0].get("kind") == "GuardError"
    assert "switched off" in joined_reasons(state.error, "daemon")
    assert world.wire.requests()["writes"] == 0


async def test_switched_off_amid_a_pass_what_is_on_its_way_finishes_and_no_more_is_written(
    make_world,
):
    """As a click on Stop does; and the state shows it at once, before any look."""
    world = make_world()
    world.start()
    await world.run(60)
    CANARY.forget(world.store)  # so that a few images go first
    world.sql("UPDATE astrophotography_images SET description = 'A new text for ' || id")
    answer, sent, answered = world.wire.handle_async_request, asyncio.Event(), asyncio.Event()

    async def slowly(request):
        if request.method == "PUT":
            sent.set()
            await answered.wait()
        return await answer(request)

    world.wire.handle_async_request = slowly
    run_id = world.service.request(Request())
    running = asyncio.ensure_future(world.service.tick())
    await asyncio.wait_for(sent.wait(), 60)
    settings = json.loads(world.sql("SELECT value FROM admin_settings WHERE key = 'immich'")[0][0])
    off = json.dumps(settings | {"metadataSyncEnabled": False})
    world.sql("UPDATE admin_settings SET value = ? WHERE key = 'immich'", off)
    assert world.service.snapshot().switches.enabled
    assert not (await world.service.read_switches()).enabled
    assert not world.service.snapshot().switches.enabled
    assert condition(world, "SyncEnabled").reason == "SwitchedOff"
    answered.set()
    await running
    assert world.service.run_state(run_id).state == "stopped"
    written = sum("A new text" in world.description(asset) for asset in world.assets)
    assert 0 < written < len(world.assets)
    await world.run(120)
    assert sum("A new text" in world.description(asset) for asset in world.assets) == written
    on = json.dumps(settings | {"metadataSyncEnabled": True})
    world.sql("UPDATE admin_settings SET value = ? WHERE key = 'immich'", on)
    await world.run(60)
    assert all("A new text" in world.description(asset) for asset in world.assets)
    await world.stop()


async def test_paused_the_switches_are_read_again_when_asked_though_no_pass_runs(world):
    world.service.pause()
    settings = json.loads(world.sql("SELECT value FROM admin_settings WHERE key = 'immich'")[0][0])
    world.sql(
        "UPDATE admin_settings SET value = ? WHERE key = 'immich'", json.dumps(settings | {"syncTags": False})
    )
    assert not (await world.service.read_switches()).tags
    assert not world.service.snapshot().switches.tags
    world.catalogue.rename(world.catalogue.with_suffix(".away"))
    assert not (await world.service.read_switches()).tags


async def test_an_image_that_fails_is_tried_ever_less_often_and_at_once_when_it_changes(world):
    image_id, asset_id = one_image(world)
    world.wire.broken.add(asset_id)
    world.sql("UPDATE astrophotography_images SET description = 'Broken for now.' WHERE id = ?", image_id)
    await world.run(60)
    assert world.service.snapshot().counts == {"in_sync": IMAGES - 1, "failed": 1}
    attempts = []
    for _ in range(4):
        before = world.wire.attempts
        await world.run(1800)
        attempts.append(world.wire.attempts - before - 30 - 2 * 6)  # looks, and what moves no date
    assert attempts[0] >= attempts[-1]
    assert attempts[-1] <= 10  # one or two attempts of a few requests each
    world.wire.broken.clear()
    world.sql("UPDATE astrophotography_images SET title = 'Mended' WHERE id = ?", image_id)
    await world.run(20)
    assert world.service.snapshot().counts == {"in_sync": IMAGES}
    assert "Mended" in world.description(asset_id)


async def test_an_error_that_nobody_expected_costs_one_pass_and_is_counted(world):
    real = world.house.wishes

    def broken(_):
        raise ZeroDivisionError("nobody expected this")

    world.house.wishes = broken
    await world.run(65)
    assert world.service.passes["unexpected"] == 1
    assert world.service.snapshot().level == "trouble"
    assert [e for e in world.events if isinstance(e, Event) and e.name == "pass.broke"]
    world.house.wishes = real
    await world.run(65)
    assert world.service.snapshot().level == "ok"


async def test_what_the_guard_holds_is_shown_until_a_person_approves_just_that(make_world):
    world = make_world(images=20)
    world.start()
    await world.run(130)
    world.sql("UPDATE astrophotography_images SET tags = NULL, target_name = NULL, object_type = NULL")
    await world.run(60)
    snapshot = world.service.snapshot()
    assert snapshot.level == "attention"
    assert snapshot.verdict.tripped
    assert condition(world, "GuardClear").status == "False"
    # It stays so, without a request more than the poll's, and also after a restart.
    world.wire.state.book.reset()
    await world.run(600)
    assert world.wire.requests()["total"] == 10 + 2 * 2  # and twice for what moves no date
    await world.stop()
    world.start()
    await world.run(30)
    again = world.service.snapshot()
    assert again.verdict.hash == snapshot.verdict.hash
    world.service.request(Request(approved=again.verdict.hash))
    await world.run(60)
    assert world.service.snapshot().level == "ok"
    assert world.service.snapshot().verdict is None
    await world.stop()


async def test_a_look_that_failed_for_long_is_not_green_even_if_all_was_in_sync(world):
    real, world.house.wishes = world.house.wishes, lambda _: 1 / 0
    await world.run(20 * 60)
    world.house.wishes = real
    world.service.health.put("Working", "True", "x", "")
    assert condition(world, "Fresh").status == "False"
    assert world.service.snapshot().level == "unknown"


async def test_a_person_sees_an_image_from_all_sides_and_the_plan_without_a_write(world):
    image_id, asset_id = one_image(world)
    world.service.pause()
    world.sql("UPDATE astrophotography_images SET title = 'Renamed' WHERE id = ?", image_id)
    world.wire.state.book.reset()
    view = await world.service.view(image_id)
    assert view.image.title == "Renamed"
    assert view.record.asset_id == asset_id
    assert view.plan.changes
    prepared = await world.service.preview()
    assert [plan.image_id for plan in prepared.changes] == [image_id]
    assert await world.service.view(99_999) is None
    assert world.wire.requests()["writes"] == 0
    world.wire.settings.down = True
    (error,) = (await world.service.view(image_id)).error
    assert (error.get("kind"), error.get("again")) == ("ImmichUnreachableError", "by_itself")
    assert "Immich" in joined_reasons((error,), "daemon")
    world.wire.settings.down = False


async def test_a_look_by_a_person_does_not_swallow_a_change_that_the_watch_would_have_seen(world):
    image_id, asset_id = one_image(world)
    world.sql("UPDATE astrophotography_images SET title = 'Seen early' WHERE id = ?", image_id)
    await world.service.view(image_id)
    await world.run(15)
    assert "Seen early" in world.description(asset_id)


async def test_listeners_are_told_of_runs_and_states_and_a_slow_one_loses_the_oldest(world):
    image_id, _ = one_image(world)
    async with world.service.subscribe() as notices:
        world.sql("UPDATE astrophotography_images SET title = 'Told' WHERE id = ?", image_id)
        await world.run(20)
        names = [(await anext(notices)).name]
        while "state" not in names:
            names.append((await anext(notices)).name)
        assert {"progress", "run"} <= set(names)
        for _ in range(500):
            world.service._bus.tell("flood")
        world.service._bus.tell("last")
        received = [(await anext(notices)).name for _ in range(100)]
        assert received[-1] == "last"


async def test_a_run_that_is_asked_for_can_be_waited_for(world):
    run_id = world.service.request(Request(full=True))
    waiting = asyncio.ensure_future(world.service.wait(run_id, 30))
    await asyncio.sleep(0)
    assert not waiting.done()
    await world.run(5)
    assert (await waiting).state == "done"
    assert (await world.service.wait("unknown", 0.01)) is None


async def test_without_the_right_to_write_nothing_runs_and_it_goes_on_once_regained(world, make_lease):
    thief = make_lease(world)
    world.clock.pass_until(world.clock.seconds + 600)  # this process stood still: its right ran out
    thief.acquire("apply", world.triggers.lease_time())
    await world.triggers.renew()
    assert world.service.snapshot().level == "trouble"
    assert "'apply'" in sentence(world.service.snapshot().headline)
    world.wire.state.book.reset()
    await world.run(200)
    assert world.wire.requests()["total"] == 0
    thief.release()
    await world.triggers.renew()
    await world.run(70)
    assert world.service.snapshot().level == "ok"


async def test_a_renewal_under_way_does_not_give_back_the_right_that_is_being_taken_anew(world, monkeypatch):
    world.service.enqueue(Request())
    begun, may_renew, may_acquire = threading.Event(), threading.Event(), threading.Event()
    renew, acquire = world.lease.renew, world.lease.acquire

    def slow_renew():
        begun.set()
        may_renew.wait()
        renew()

    def slow_acquire(*arguments):
        may_acquire.wait()
        acquire(*arguments)

    monkeypatch.setattr(world.lease, "renew", slow_renew)
    monkeypatch.setattr(world.lease, "acquire", slow_acquire)
    first = asyncio.ensure_future(world.triggers.renew())
    await asyncio.to_thread(begun.wait)
    anew = asyncio.ensure_future(world.triggers.renew_anew())
    await asyncio.sleep(0)
    may_renew.set()
    await first
    assert world.service.next_due() is None, "the store is another one, and its lease is not ours yet"
    may_acquire.set()
    await anew
    assert world.service.next_due() is not None


@pytest.fixture
def make_lease():
    from state.lease import Lease

    return lambda world: Lease(world.store, world.clock.now)


async def test_another_installation_takes_over_between_two_passes(world, tmp_path):
    from dataclasses import replace

    old = world.house
    policy = replace(old.policy, tags=replace(old.policy.tags, root="Sky"))
    new = type(old)(world.catalogue, world.wire, world.clock, policy)
    world.service.exchange(new, fresh_for=195.0)
    await world.run(60)
    tags = world.wire.assets()[one_image(world)[1]]["tags"]
    # The guard holds what the change takes away; what it adds is there.
    assert any(tag.startswith("Sky/") for tag in tags)
    world.house = new
