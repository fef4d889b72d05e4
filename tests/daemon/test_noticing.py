"""What a person is told through days of a daemon's life: the real service, store and catalogue, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest
from pydantic import SecretStr

from reconciler.app import noticing
from reconciler.app.noticing import TICK, Noticing
from reconciler.config import load
from reconciler.notices.sender import Delivery
from reconciler.service.api import Request

pytestmark = pytest.mark.anyio
ADDRESS = "json://somebody:PLANTEDpassword0123@host/PLANTEDtoken0123"
HOUR = 3600


class Phone:
    """Takes messages, or does not."""

    def __init__(self):
        self.got, self.tries, self.errors = [], 0, ("",)

    async def __call__(self, addresses, _, body):
        self.tries += 1
        errors = self.errors * (1 if len(self.errors) > 1 else len(addresses))
        if not all(errors):
            self.got.append(body)
        return tuple(Delivery(number, "json", error) for number, error in enumerate(errors, 1))


class Told:
    """A world with somebody who is told."""

    def __init__(self, world, phone, **section):
        self.world, self.phone, self.section = world, phone, section
        self.noticing, self.anew = None, True

    def start(self):
        self.world.start()
        environ = {f"RECONCILER_NOTICES__{name.upper()}": value for name, value in self.section.items()}
        self.noticing = Noticing(
            self.world.service,
            self.world.store,
            self.world.clock,
            zone=UTC,
            section=load(None, {"RECONCILER_NOTICES__URLS": ADDRESS, "HOME": "/nowhere"} | environ).notices,
            listen=self.world.events.append,
            send_by=self.phone,
            anew=self.anew,
        )

    async def restart(self, *, cleanly=True):
        await self.world.stop(cleanly=cleanly)
        if not cleanly:
            self.world.clock.pass_until(self.world.clock.seconds + 120)  # its right to write ends
        self.start()

    async def live(self, seconds):
        """Let time pass; give the messages that came."""
        before = len(self.phone.got)
        end = self.world.clock.seconds + seconds
        while self.world.clock.seconds < end:
            await self.world.run(min(TICK, end - self.world.clock.seconds))
            await self.noticing.look()
        return self.phone.got[before:]

    async def conflict(self, number):
        """Let somebody write into an asset the words that contradict the catalogue's, and the catalogue move."""
        rows = self.world.sql("SELECT id, immich_id FROM astrophotography_images ORDER BY id")
        image_id, asset_id = rows[number]
        self.world.wire.person(asset_id, "set_description", f"A person's own words {number}")
        self.world.sql(
            "UPDATE astrophotography_images SET description = ? WHERE id = ?",
            f"Other words {number}",
            image_id,
        )
        return asset_id


@pytest.fixture
async def told(make_world):
    """A daemon whose first sync is done and told, at one in the morning."""
    told = Told(make_world(images=6, catalogue_seconds=30.0), Phone())
    told.start()
    (first,) = await told.live(HOUR)
    assert first.startswith("The first sync is done.")
    yield told
    await told.world.stop()


def condition(told):
    return told.world.service.health.condition("NoticesSent")


async def test_the_first_sync_is_told_once_and_a_quiet_night_is_quiet(told):
    await told.restart()
    assert await told.live(7 * HOUR) == []


async def test_who_adds_notices_to_a_library_in_sync_is_not_told_of_its_first_sync(make_world):
    world = make_world(images=6, catalogue_seconds=30.0)
    world.start()
    await world.run(HOUR)
    await world.stop()
    told = Told(world, Phone())
    told.start()
    assert await told.live(HOUR) == []
    await world.stop()


async def test_conflicts_are_told_once_in_one_message_also_over_restarts_of_any_kind(told):
    for number in range(3):
        await told.conflict(number)
    (one,) = await told.live(HOUR)
    assert one.startswith("3 images: in conflict (“")
    await told.restart()
    assert await told.live(HOUR) == []
    await told.restart(cleanly=False)
    assert await told.live(HOUR) == []
    await told.conflict(3)
    (other,) = await told.live(HOUR)
    assert other.startswith("1 image: in conflict (“")


async def test_an_hours_outage_is_told_and_a_short_one_is_not(told):
    told.world.switch({"down": True})
    assert await told.live(50 * 60) == []
    told.world.switch({"down": False})
    assert await told.live(30 * 60) == []
    told.world.switch({"down": True})
    (one,) = await told.live(3 * HOUR)
    assert one.startswith("Immich has not answered since 2026-11-22 02:")
    told.world.switch({"down": False})
    assert await told.live(HOUR) == []


async def test_an_outage_is_told_once_over_a_restart_and_counted_from_its_begin(told):
    told.world.switch({"down": True})
    assert await told.live(50 * 60) == []
    await told.restart()
    await told.noticing.look()  # before any pass has ended, nothing is known: neither that it is up
    (one,) = await told.live(15 * 60)
    assert one.startswith("Immich has not answered since 2026-11-22 01:")
    await told.restart()
    await told.noticing.look()
    assert await told.live(3 * HOUR) == []


async def test_a_catalogue_that_is_gone_is_told_after_ten_minutes_with_its_remedy(told):
    away = told.world.catalogue.with_suffix(".away")
    told.world.catalogue.rename(away)
    assert await told.live(8 * 60) == []
    (one,) = await told.live(HOUR)
    assert one.startswith("Skymmich's catalogue cannot be read. ")
    away.rename(told.world.catalogue)
    assert await told.live(HOUR) == []


async def test_what_the_guard_holds_is_told_once(make_world):
    told = Told(make_world(images=30, catalogue_seconds=30.0), Phone())
    told.start()
    await told.live(HOUR)
    told.world.sql("DELETE FROM astrophotography_images WHERE id % 2")
    (one,) = await told.live(HOUR)
    assert one.startswith("The guard holds something back: ")
    await told.restart()
    assert await told.live(HOUR) == []
    await told.world.stop()


async def test_quiet_hours_hold_what_comes_and_then_it_is_told(make_world):
    told = Told(make_world(images=6, catalogue_seconds=30.0), Phone(), quiet_hours="00:30-07:00")
    told.start()
    await told.live(HOUR)
    await told.conflict(0)
    assert await told.live(2 * HOUR) == []
    await told.restart()
    told.world.switch({"down": True})
    assert await told.live(2 * HOUR) == []
    told.world.switch({"down": False})
    assert await told.live(7 * HOUR - told.world.clock.seconds - 1) == []
    (one,) = await told.live(HOUR)
    assert "it answers again" in one
    assert "1 image: in conflict" in one
    await told.world.stop()


async def test_what_is_not_wanted_is_not_told(make_world):
    told = Told(make_world(images=6, catalogue_seconds=30.0), Phone(), events="guard")
    told.start()
    await told.live(HOUR)
    await told.conflict(0)
    assert await told.live(HOUR) == []
    await told.world.stop()


async def test_a_message_leads_to_the_page(make_world):
    told = Told(make_world(images=6, catalogue_seconds=30.0), Phone(), page_url="https://page.example/")
    told.start()
    (one,) = await told.live(HOUR)
    assert one.endswith("\nhttps://page.example/")
    await told.world.stop()


async def test_what_fails_is_logged_once_is_a_condition_and_is_tried_again_until_it_goes(told):
    told.phone.errors = ("Forbidden, error=403",)
    await told.conflict(0)
    assert await told.live(2 * HOUR) == []
    assert 3 <= told.phone.tries - 1 <= 6
    logged = [one for one in told.world.events if getattr(one, "name", "") == "notice.failed"]
    assert [one.level for one in logged].count("warning") == 1
    assert (condition(told).status, condition(told).reason) == ("False", "NotSent")
    assert "Forbidden" in str(condition(told).details)
    assert told.world.service.snapshot().headline.code == "not_in_sync"
    await told.restart()
    told.phone.errors = ("",)
    (one,) = await told.live(5 * 60)  # whoever restarts it has mended something
    assert one.startswith("1 image: in conflict")
    assert condition(told).status == "True"


async def test_where_processes_take_turns_what_failed_waits_as_long_whoever_is_there(told):
    told.anew = False
    told.phone.errors = ("Forbidden",)
    await told.conflict(0)
    assert await told.live(2 * HOUR) == []
    before = told.phone.tries
    for _ in range(4):
        await told.restart()
        await told.live(2 * TICK)
    assert told.phone.tries - before <= 1
    told.phone.errors = ("",)
    assert len(await told.live(6 * HOUR)) == 1


async def test_with_other_addresses_what_failed_is_tried_at_once(told):
    told.phone.errors = ("Forbidden",)
    await told.conflict(0)
    assert await told.live(2 * HOUR) == []
    told.phone.errors = ("",)
    told.noticing.take(load(None, {"RECONCILER_NOTICES__URLS": "json://other/x", "HOME": "/nowhere"}).notices)
    assert len(await told.live(2 * TICK)) == 1


async def test_one_address_of_two_is_enough_and_the_other_is_shown(told):
    told.phone.errors = ("", "Forbidden")
    await told.conflict(0)
    assert len(await told.live(HOUR)) == 1
    assert condition(told).details[0].code == "notices_partly"
    assert await told.live(2 * HOUR) == []


async def test_who_is_killed_while_a_message_goes_tells_nothing_twice(told):
    going = asyncio.Event()

    async def hangs(*_):
        told.phone.got.append("a part of it")
        going.set()
        await asyncio.Event().wait()

    await told.conflict(0)
    await told.world.run(120)
    await told.noticing.look()
    told.noticing._send = hangs
    await told.world.run(120)
    task = asyncio.create_task(told.noticing.look())
    await going.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await told.restart(cleanly=False)
    assert await told.live(2 * HOUR) == []


async def test_a_store_that_is_gone_is_told_all_the_same(told):
    away = told.world.state.with_suffix(".away")
    told.world.state.rename(away)
    told.world.service.enqueue(Request(full=True, by_person=False))
    (one,) = await told.live(HOUR)
    assert "The state store cannot be written" in one
    assert await told.live(HOUR) == []
    away.rename(told.world.state)


async def test_without_addresses_nothing_is_looked_at_and_a_reload_begins_and_ends_it(told, monkeypatch):
    with_addresses, asked = told.noticing._section, []
    without = with_addresses.model_copy(update={"urls": None})
    told.noticing.take(without)
    assert condition(told) is None
    looks = noticing.matters
    monkeypatch.setattr(noticing, "matters", lambda *given: asked.append(1) or looks(*given))
    await told.conflict(0)
    assert await told.live(HOUR) == []
    assert asked == []
    assert await told.noticing.test() == ()
    told.noticing.take(with_addresses)
    assert len(await told.live(HOUR)) == 1
    assert asked


async def test_a_test_goes_at_once_also_in_quiet_hours(make_world):
    told = Told(make_world(images=6, catalogue_seconds=30.0), Phone(), quiet_hours="00:00-23:59")
    told.start()
    (one,) = await told.noticing.test()
    assert told.phone.got == ["Notices from skymmich-reconciler arrive here."]
    assert one.error == ""
    await told.world.stop()


async def test_idle_looks_ask_the_store_for_nothing(told, monkeypatch):
    await told.conflict(0)
    await told.live(HOUR)
    asked = []
    for name in ("search", "record", "put", "get", "runs"):
        original = getattr(type(told.world.store), name)
        monkeypatch.setattr(
            told.world.store, name, lambda *given, _name=name, _original=original, **more: asked.append(_name)
            or _original(told.world.store, *given, **more)
        )  # fmt: skip
    for _ in range(100):
        told.world.clock.pass_until(told.world.clock.seconds + TICK)
        await told.noticing.look()
    assert asked == []


async def test_no_secret_of_an_address_is_in_store_or_events(told):
    told.phone.errors = ("Forbidden",)
    await told.conflict(0)
    await told.live(HOUR)
    assert "PLANTED" not in repr(told.world.events)
    for file in told.world.state.parent.glob("state.sqlite3*"):
        assert b"PLANTED" not in file.read_bytes()
    assert "PLANTED" not in repr(told.noticing._section)
    assert isinstance(told.noticing._section.urls, SecretStr)
    assert noticing.TICK == TICK
