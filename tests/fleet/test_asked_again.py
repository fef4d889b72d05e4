"""What a person asked for is done once, or asked for again: visits within this process, on a real database."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from reconciler.cli.commands.installations import undo_wish
from reconciler.config import load
from reconciler.fleet import tasks, worker
from reconciler.fleet.ceiling import Ceiling
from reconciler.fleet.configured import Configured
from reconciler.fleet.standing import NotAtWorkError, PausedError, Standings
from reconciler.fleet.tasks import Task
from reconciler.fleet.visit import Outcome, Visits
from reconciler.immich.client import SystemClock
from reconciler.rendering.renderer import SafeRenderer
from state.postgres import installations
from state.postgres.opening import exists
from state.postgres.place import PostgresPlace
from state.postgres.places import Places
from tests.daemon.test_process import until

IMAGES = "astrophotography_images"


class Drive:
    """Visits of one worker after the other."""

    def __init__(self, fleet):
        self.fleet, self.told = fleet, []

    def __call__(self, *some, kind=Visits):
        async def visited():
            places = Places(PostgresPlace(self.fleet.address))
            with SafeRenderer() as renderer:
                configured, clock = Configured(load(self.fleet.config, self.fleet.environ())), SystemClock()
                standings = Standings(configured, clock, renderer, right=60, fresh_for=30)
                visits = kind(standings, Ceiling(places, 8), clock, told=self.tell)
                try:
                    return [await visits.visit(task.installation, task.request) for task in some]
                finally:
                    await standings.aclose()
                    places.close()

        return asyncio.run(visited())

    async def tell(self, name, _):
        self.told.append(name)
        return exists(PostgresPlace(self.fleet.address, name))


@pytest.fixture
def drive(fleet):
    fleet.add("one")
    return Drive(fleet)


def test_a_visit_whose_right_the_keeper_finds_lost_is_broken_off_and_tells_nothing(drive):
    class Losing(Visits):
        async def _work(self, standing, service):
            due = await super()._work(standing, service)
            standing.service = None
            return due

    assert drive(Task("look", "one"), kind=Losing) == [Outcome()]
    assert drive.told == []
    (outcome,) = drive(Task("look", "one"))
    assert (outcome.is_done, outcome.broken_off, drive.told) == (True, False, ["one"])


def test_a_visit_whose_right_the_pass_finds_lost_is_broken_off_too(drive, fleet, postgres):
    class Losing(Visits):
        """As if another process had taken the right before the first write."""

        async def _work(self, standing, service):
            with psycopg.connect(postgres.address("fleet"), autocommit=True) as connection:
                connection.execute("UPDATE skymmich_reconciler.lease SET holder = 'another'")
            return await super()._work(standing, service)

    assert drive(Task("sync", "one"), kind=Losing) == [Outcome()]
    assert drive.told == []
    assert fleet.writes() == 0


def test_a_visit_whose_installation_is_removed_amid_a_pass_finds_that_and_no_error(drive, fleet):
    class Removing(Visits):
        async def _work(self, standing, service):
            installations.remove(fleet.address, "one")
            return await super()._work(standing, service)

    with pytest.raises(NotAtWorkError, match="one was removed"):
        drive(Task("look", "one"), kind=Removing)
    assert fleet.writes() == 0


def test_what_immich_s_absence_kept_from_being_taken_back_is_asked_for_again(drive, fleet):
    drive(Task("sync", "one"))
    with fleet.store("one") as store:
        run = next(run for run in store.runs(9) if run.counts.wrote)
        wish, images = undo_wish(run.run_id, store)
    assert images == 4
    undo = Task("undo", "one", undo=wish.to_json())
    configured = fleet.folder / "installations" / "one.toml"
    text = configured.read_text()
    configured.write_text(text.replace(fleet.simulators["one"].url, "http://127.0.0.1:9"))
    (outcome,) = drive(undo)
    assert (outcome.is_done, outcome.broken_off) == (False, False)
    configured.write_text(text)
    assert [outcome.is_done for outcome in drive(undo)] == [True]
    with fleet.store("one") as store:
        assert store.counts_by_status() == {"undone": 4}
    # Once more there is nothing left of it: that is no reason to ask for ever.
    assert [outcome.is_done for outcome in drive(undo)] == [True]


def test_the_last_change_of_an_image_is_taken_back_once_however_often_it_is_carried_out(drive, fleet):
    simulator = fleet.simulators["one"]
    drive(Task("sync", "one"))
    first = simulator.assets()
    fleet.sql("one", f"UPDATE {IMAGES} SET description = 'Second words.'")
    drive(Task("sync", "one"))
    asset_id = next(asset_id for asset_id, one in simulator.assets().items() if one != first[asset_id])
    with fleet.store("one") as store:
        wish, images = undo_wish(str(store.record(asset_id).image_id), store)
    assert images == 1
    assert wish.run_id
    undo = Task("undo", "one", undo=wish.to_json())
    for _ in range(2):
        drive(undo)
        assert simulator.assets()[asset_id]["description"] == first[asset_id]["description"]
        assert simulator.assets()[asset_id]["tags"] == first[asset_id]["tags"]


def test_what_was_asked_for_before_a_pause_is_done_after_it(drive, fleet):
    fleet.call("installations", "pause", "one")
    with pytest.raises(PausedError):
        drive(Task("look", "one"))
    process = fleet.worker()
    assert tasks.put_by_person(fleet.address, Task("sync", "one"))
    left = 'reconciler_worker_visits_total{result="left",task="sync"}'
    until(lambda: left in fleet.health(process, "metrics")[1])
    assert 'installation="one"' not in fleet.health(process, "metrics")[1]  # no alert of what rests
    installations.pause(fleet.address, "one", None)

    def triggers():
        with fleet.store("one") as store:
            return [run.trigger for run in store.runs(9)]

    until(lambda: "api" in triggers())
    until(fleet.in_sync)


def test_a_wish_that_is_done_while_its_visit_goes_on_can_be_asked_for_again(fleet):
    fleet.add("long", images=30, drain=3.0)
    (image_id,) = fleet.sql("long", f"SELECT min(id) FROM {IMAGES}")[0]
    one = Task("sync", "long", images=(image_id,))
    process = fleet.worker()
    until(lambda: fleet.writes() > 4)
    assert tasks.put_by_person(fleet.address, one)
    assert not tasks.put_by_person(fleet.address, one)  # the same, twice
    until(lambda: "wish taken into a visit" in fleet.events(process), 20)
    until(lambda: tasks.put_by_person(fleet.address, one), 30)
    assert not fleet.in_sync()
    until(lambda: fleet.events(process).count("wish taken into a visit") == 2, 20)
    until(fleet.in_sync, 90)


def test_what_a_worker_was_asked_for_goes_back_when_it_is_ended_before_the_visit(drive, fleet):
    config = load(fleet.config, fleet.environ())
    put_back = []

    class Ended(worker._Worker):
        async def _attended(self, *_):
            await asyncio.sleep(60)

        async def _later(self, _, task, __):
            put_back.append(task)

    async def end():
        ended = Ended(config, Configured(config), 1)
        for kind in ("sync", "look"):
            visit = asyncio.create_task(ended._visit(None, Task(kind, "one")))
            await asyncio.sleep(0)
            visit.cancel()
            with pytest.raises(asyncio.CancelledError):
                await visit

    asyncio.run(end())
    assert put_back == [Task("sync", "one")]


def test_a_task_is_the_same_after_the_queue(fleet):
    for task in (
        Task("sync", "one", images=(3, 1)),
        Task("undo", "one", undo={"everything": True}),
        Task("look", "one"),
    ):
        assert Task.of(task.kind, task.arguments) == task
        assert None not in task.arguments.values()
    assert Task("sync", "one", images=(3, 1)).sameness == Task("sync", "one", images=(1, 3)).sameness
    assert (
        Task("undo", "one", undo={"run_id": "a"}).sameness
        != Task("undo", "one", undo={"run_id": "b"}).sameness
    )
