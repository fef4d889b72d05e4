"""Days of the daemon on a clock of its own: what it costs, and that it ends right whatever happened meanwhile.

Real are the service, the triggers, the engine, the client of Immich, the store and the catalogue's file; the
simulated Immich answers in the same process, and time passes only where something waits.
"""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest

from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.reconcile import Reconciler
from reconciler.service.api import Request

pytestmark = pytest.mark.anyio

HOUR = 3600


IDLE = {"POST /search/metadata": 60, "GET /tags": 12, "GET /assets/statistics": 12}
"""An hour without anybody: a look a minute, and every five minutes two requests for what moves no date."""
IDLE |= {"total": 84, "reads": 84, "writes": 0}


async def test_an_idle_hour_costs_one_request_a_minute_two_more_every_five_and_no_write(make_world):
    world = make_world()
    world.start()
    await world.run(300)
    assert world.service.snapshot().level == "ok"
    world.wire.state.book.reset()
    await world.run(HOUR)
    assert world.wire.requests() == IDLE
    await world.stop()


async def test_an_archived_asset_costs_a_second_request_a_minute_and_is_watched_too(make_world):
    world = make_world()
    asset_id = min(world.assets)
    world.wire.person(asset_id, "archive")
    world.start()
    await world.run(300)
    world.wire.state.book.reset()
    await world.run(600)
    assert world.wire.requests()["total"] == 20 + 2 * 2  # and twice for what moves no date
    before = world.description(asset_id)
    world.wire.person(asset_id, "set_description", "only this")
    await world.run(90)
    assert world.description(asset_id).startswith("only this")
    assert len(world.description(asset_id)) > len("only this")
    assert before != world.description(asset_id)
    await world.stop()


async def test_a_server_that_is_down_gets_one_request_a_minute_and_everything_is_caught_up_after(make_world):
    world = make_world()
    world.start()
    await world.run(300)
    world.wire.settings.down = True
    await world.run(10 * 60)  # until the circuit is open
    before = world.wire.attempts
    await world.run(HOUR)
    assert 59 <= world.wire.attempts - before <= 60
    snapshot = world.service.snapshot()
    assert snapshot.level == "trouble"
    assert snapshot.circuit_open_since is not None
    world.sql("UPDATE astrophotography_images SET description = 'written during the outage ' || id")
    await world.run(120)
    world.wire.settings.down = False
    await world.run(180)
    assert world.service.snapshot().level == "ok"
    assert all("written during the outage" in world.description(asset_id) for asset_id in world.assets)
    await world.stop()


class People:
    """What people do in a day, drawn by chance: in Skymmich and in Immich."""

    def __init__(self, world, seed):
        self.world, self.random = world, Random(seed)
        self.images = dict(world.sql("SELECT id, immich_id FROM astrophotography_images"))
        self.vandals = sorted(self.images.values())[:3]
        self.words, self.tags = {}, {}
        """Asset id → what a person wrote there."""
        self.edits = self.approved = 0

    def edit_catalogue(self):
        """Change something in Skymmich; several of these leave its ``updatedAt`` alone."""
        image_id, number = self.random.choice(sorted(self.images)), self.edits
        self.edits += 1
        edits = [
            ("UPDATE astrophotography_images SET title = ? WHERE id = ?", f"Title {number}", image_id),
            ("UPDATE astrophotography_images SET description = ? WHERE id = ?", f"Text {number}.", image_id),
            (
                "UPDATE astrophotography_images SET latitude = ?, longitude = ? WHERE id = ?",
                round(self.random.uniform(30, 60), 5),
                round(self.random.uniform(5, 30), 5),
                image_id,
            ),
            (
                "UPDATE astrophotography_images SET tags = ? WHERE id = ?",
                json.dumps([f"t{number}"]),
                image_id,
            ),
            (
                "INSERT INTO image_acquisition (image_id, filter_name, frame_count, exposure_time, created_at) VALUES (?, ?, ?, ?, 0)",
                image_id,
                "Ha",
                number + 1,
                300.0,
            ),
            (
                "DELETE FROM image_acquisition WHERE id = (SELECT max(id) FROM image_acquisition WHERE image_id = ?)",
                image_id,
            ),
            (
                "UPDATE equipment SET name = ? WHERE id = (SELECT min(equipment_id) FROM image_equipment WHERE image_id = ?)",
                f"Gear {number}",
                image_id,
            ),
            (
                "INSERT INTO image_equipment (image_id, equipment_id, created_at) SELECT ?, max(id), 0 FROM equipment",
                image_id,
            ),
            (
                "DELETE FROM image_equipment WHERE id = (SELECT max(id) FROM image_equipment WHERE image_id = ?)",
                image_id,
            ),
        ]
        statement, *values = self.random.choice(edits)
        self.world.sql(statement, *values)

    def edit_immich(self):
        """Write something in Immich, as a person would: beside what is there."""
        asset_id, number = self.random.choice(sorted(self.images.values())), self.edits
        self.edits += 1
        if asset_id not in self.vandals and self.random.random() < 0.5:
            self.words.setdefault(asset_id, []).append(f"Eve saw it, night {number}.")
            self.world.wire.person(asset_id, "append_description", f"\n\nEve saw it, night {number}.")
        else:
            self.tags.setdefault(asset_id, []).append(f"Eve/{number}")
            self.world.wire.person(asset_id, "add_tag", f"Eve/{number}")

    def approve(self):
        """Approve what the guard holds, as a person does who looks at the page now and then."""
        verdict = self.world.service.snapshot().verdict
        if verdict is not None and verdict.tripped:
            self.approved += 1
            self.world.service.request(Request(approved=verdict.hash))

    def vandalise(self):
        """Empty a description in Immich; where nobody wrote, so that no word may be missed at the end."""
        self.world.wire.person(self.random.choice(self.vandals), "set_description", "")


@pytest.mark.slow
async def test_after_a_day_of_edits_outages_and_restarts_every_image_is_in_sync_and_no_word_is_lost(
    make_world,
):
    # The catalogue is looked at less often than by default, which saves this test 13,000 looks at a file.
    world = make_world(images=12, catalogue_seconds=20)
    clock, people = world.clock, People(world, seed=24)
    for _ in range(240):
        clock.at(people.random.uniform(0.5 * HOUR, 23.5 * HOUR), people.edit_catalogue)
    for _ in range(80):
        clock.at(people.random.uniform(0.5 * HOUR, 23.5 * HOUR), people.edit_immich)
    for _ in range(10):
        clock.at(people.random.uniform(0.5 * HOUR, 23.5 * HOUR), people.vandalise)
    for hour in range(1, 25):
        clock.at(hour * HOUR - 300, people.approve)
    for hour, minutes, switch in ((5, 12, "down"), (11, 4, "down"), (14, 8, "maintenance"), (17, 45, "down")):
        clock.at(hour * HOUR, world.switch, {switch: True})
        clock.at(hour * HOUR + minutes * 60, world.switch, {switch: False})
    world.start()
    await world.run(8 * HOUR)
    await world.stop()
    clock.pass_until(clock.seconds + 600)  # ten minutes without a daemon
    world.start()
    await world.run(5 * HOUR)
    await _killed_while_it_writes(world, people)
    world.start(full=True)
    await world.run(7 * HOUR)
    await world.stop()
    world.start()
    await world.run(24.2 * HOUR - clock.seconds)

    snapshot = world.service.snapshot()
    assert set(snapshot.counts) <= {"in_sync", "conflict"}
    assert world.wire.state.book.faults_json()["overlaps"] == 0
    in_conflict = {
        record.asset_id for record in world.store.records().values() if record.status == "conflict"
    }
    assert in_conflict <= people.words.keys()
    shown = world.wire.assets()
    for asset_id, words in people.words.items():
        assert all(word in shown[asset_id]["description"] for word in words)
    for asset_id, tags in people.tags.items():
        assert set(tags) <= set(shown[asset_id]["tags"])
    # An independent look at everything agrees.
    target = await world.house.target(None)
    cycle = Reconciler(world.house.source, target, world.store, clock, mode="sync")
    prepared = await cycle.prepare(Selection(full=True), Wishes(world.house.policy))
    assert prepared.changes == ()
    assert not prepared.unsettled
    # A night without anybody costs what the schedule says, also after such a day.
    world.wire.state.book.reset()
    await world.run(HOUR)
    assert world.wire.requests() == IDLE
    await world.stop()


async def _killed_while_it_writes(world, people):
    """End the daemon as SIGKILL does: in the middle of a call, with nothing recorded after it."""
    world.sql("UPDATE astrophotography_images SET title = 'Before the kill ' || id")
    await world.triggers.catalogue()
    world.clock.pass_until(world.clock.seconds + 4)
    writes = world.wire.requests()["writes"]
    ticking = asyncio.ensure_future(world.service.tick())
    while world.wire.requests()["writes"] == writes:
        assert not ticking.done()
        await asyncio.sleep(0)
    ticking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ticking
    assert world.store.pending()
    await world.stop(cleanly=False)
    world.clock.pass_until(world.clock.seconds + 120)
