"""A day without waiting: the real service, store, catalogue and client, on a clock that tests move."""

from __future__ import annotations

import asyncio
import heapq
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from reconciler.config.sections import ScheduleSection
from reconciler.core.policy import Policy
from reconciler.daemon.triggers import Triggers
from reconciler.engine.planner.wishes import Wishes
from reconciler.errors import ConfigurationError
from reconciler.immich.target import Immich
from reconciler.service.api import Request
from reconciler.service.service import Service
from reconciler.simulator import initial_assets
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.server import control
from reconciler.simulator.server.app import Application
from reconciler.simulator.server.unkindness import Settings
from reconciler.skymmich.database import SqliteCatalogue
from state.lease import Lease
from state.store import StateStore
from tests.catalogues import FIRST_LINKED, keep_only
from tests.without_threads import WithoutThreads

KEY = "a-key-of-the-simulation"


class LoopWithoutThreads(WithoutThreads, asyncio.SelectorEventLoop):
    """The usual loop, without threads."""


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": LoopWithoutThreads}


class FakeClock:
    """Time that passes only in ``sleep`` and where a test says so."""

    def __init__(self):
        self.start = datetime(2026, 11, 22, 0, 0, 0, tzinfo=UTC)
        self.seconds = 0.0
        self.deeds = []

    def now(self):
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds

    async def sleep(self, seconds):
        self.pass_until(self.seconds + seconds)
        await asyncio.sleep(0)

    def at(self, seconds, deed, *arguments):
        """Let something happen then, also in the middle of a pass."""
        heapq.heappush(self.deeds, (seconds, len(self.deeds), deed, arguments))

    def pass_until(self, seconds):
        while self.deeds and self.deeds[0][0] <= seconds:
            when, _, deed, arguments = heapq.heappop(self.deeds)
            self.seconds = max(self.seconds, when)
            deed(*arguments)
        self.seconds = max(self.seconds, seconds)


class TimedImmich(Application):
    """The simulated Immich on the fake clock, as a transport of httpx's: no socket, no thread."""

    def __init__(self, clock, settings):
        self.clock = clock
        super().__init__(settings, KEY, lambda _: None)
        self.state.advance(self.now())
        self.attempts = 0
        """Requests that were sent, also those that found nobody."""
        self.broken = set()
        """Asset ids of which the server cannot speak: it answers 500."""
        self.asgi = httpx.ASGITransport(self)

    def now(self):
        return self.clock.start.timestamp() + self.clock.seconds - 97.0

    async def handle_async_request(self, request):
        self.attempts += 1
        if self.settings.down:
            raise httpx.ConnectError("nobody there", request=request)
        if any(asset_id in request.url.path for asset_id in self.broken):
            return httpx.Response(500, json={"message": "Internal server error"})
        return await self.asgi.handle_async_request(request)

    async def aclose(self):
        pass

    def person(self, asset_id, action, value=None):
        self.state.advance(self.now())
        control.person(self.state, {"asset_id": asset_id, "action": action, "value": value})

    def assets(self):
        self.state.advance(self.now())
        return control.assets(self.state, {})

    def requests(self):
        return self.state.book.requests_json()


class House:
    """An installation without a configuration."""

    def __init__(self, database, wire, clock, policy=None, permit=None):
        self.source, self.permit = SqliteCatalogue(database), permit
        self.wire, self.clock, self.policy = wire, clock, policy or Policy()
        self.made = None
        self.unknown = ""
        self.mode = "sync"

    @property
    def immich_url(self):
        return "http://immich.test"

    @property
    def circuit_open_since(self):
        return self.made.circuit.open_since if self.made else None

    def wishes(self, _):
        return Wishes(self.policy)

    async def target(self, _):
        if self.unknown:
            raise ConfigurationError(self.unknown)
        if self.made is None:
            self.made = Immich(
                "http://immich.test", KEY, clock=self.clock, random=Random(1), transport=self.wire,
                permit=self.permit,
            )  # fmt: skip
        return self.made

    async def aclose(self):
        self.source.close()
        if self.made is not None:
            await self.made.aclose()


class World:
    """A catalogue, an Immich, and a daemon whose schedule the test turns."""

    def __init__(self, folder, *, unkind, images, schedule):
        self.clock = FakeClock()
        self.catalogue = folder / "skymmich.db"
        build_sample(self.catalogue)
        keep_only(self.catalogue, FIRST_LINKED, images)
        self.wire = TimedImmich(self.clock, Settings(seed=7, unkind=frozenset(unkind)))
        photos = initial_assets.photos_of_catalogue(self.catalogue)
        initial_assets.fill(self.wire.state, photos, special=False)
        self.assets = {photo.asset_id for photo in photos}
        self.state = folder / "state.sqlite3"
        self.schedule = ScheduleSection(**schedule)
        self.events = []
        self.due = {}
        self.store = self.service = None

    def start(self, *, full=False):
        """Start the daemon, as its main does."""
        self.store = StateStore.open(self.state)
        self.house = House(self.catalogue, self.wire, self.clock, permit=self.store.require_right)
        self.service = Service(
            self.house, self.store, self.clock, random=Random(3), listen=self.events.append
        )
        lease = Lease(self.store, self.clock.now)
        self.triggers = Triggers(
            self.service, self.store, lease, self.clock, self.schedule, self.events.append
        )
        lease.acquire("daemon", self.triggers.lease_time())
        self.lease = lease
        self.store.mark_interrupted(alone=True)
        full = full or bool(self.store.counts_by_status().get("held"))
        self.service.enqueue(Request(full=full, by_person=False, trigger="start"))
        now = self.clock.seconds
        self.due = {
            "catalogue": now + self.schedule.catalogue_seconds,
            "immich": now + self.schedule.immich_seconds,
            "housekeeping": self._next_day(now, 3 * 3600 + 41 * 60),
            "audit": self._next_day(now, 4 * 3600 + 17 * 60),
        }

    @staticmethod
    def _next_day(now, moment):
        return now + (moment - now) % 86_400

    async def stop(self, *, cleanly=True):
        if cleanly:
            await self.service.stop(1.0)
            self.lease.release()
        await self.house.aclose()
        self.store.close()

    async def run(self, seconds):
        """Let so much time pass, with all that the schedule and people do in it."""
        every = {
            "catalogue": self.schedule.catalogue_seconds,
            "immich": self.schedule.immich_seconds,
            "housekeeping": 86_400.0,
            "audit": 86_400.0,
        }
        end = self.clock.seconds + seconds
        while True:
            work = self.service.next_due()
            when = min(*self.due.values(), *([] if work is None else [work]))
            if when > end:
                break
            self.clock.pass_until(max(self.clock.seconds, when))
            for name, interval in every.items():
                if self.due[name] <= self.clock.seconds:
                    # As the scheduler does: what was missed runs once.
                    while self.due[name] <= self.clock.seconds:
                        self.due[name] += interval
                    await getattr(self.triggers, name)()
            while await self.service.tick():
                pass
        self.clock.pass_until(max(self.clock.seconds, end))

    def switch(self, switches):
        """Set switches of the simulated Immich."""
        for name, value in switches.items():
            setattr(self.wire.settings, name, value)

    def sql(self, statement, *values):
        with closing(sqlite3.connect(self.catalogue, timeout=5)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def description(self, asset_id):
        return self.wire.assets()[asset_id]["description"]


@pytest.fixture
def make_world(tmp_path):
    def make(
        *,
        unkind=("settling", "lost_updates", "round_trip", "early_updated_at", "clock_skew"),
        images=30,
        **schedule,
    ):
        return World(tmp_path, unkind=unkind, images=images, schedule=schedule)

    return make


@pytest.fixture
def fake_clock():
    return FakeClock()
