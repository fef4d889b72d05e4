"""A whole installation for each test: a catalogue file, a simulated Immich over HTTP, a store, and passes."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import sqlite3
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import replace
from random import Random

import httpx
import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.desired.coordinates import same_place
from reconciler.core.policy import GuardPolicy, Policy, Switches
from reconciler.engine.events import Event
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.polling.timing import Timing
from reconciler.engine.reconcile import Reconciler
from reconciler.immich.call import Patience
from reconciler.immich.client import SystemClock
from reconciler.immich.target import Immich
from reconciler.messages.reasons import sentence
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve
from reconciler.skymmich.sources import open_catalogue
from state.store import StateStore
from tests.catalogues import FIRST_LINKED, keep_only

KIND = Timing(recheck=0.02, look=0.03, grace=0.4, patience=8.0)
"""For a server that settles whole; its writes take some 80 ms."""
BUSY = Timing(recheck=0.02, look=0.05, grace=2.4, patience=20.0)
"""For a server that has a second's work before it."""
UNKIND = Timing(recheck=0.45, look=0.1, grace=1.2, patience=20.0)
"""Its dates show up to 0.4 s before the values."""
HASTY = Patience(backoff=0.01, backoff_cap=0.05, retry_after_cap=0.02, read=5.0, probe_interval=0.2)
NO_CANARY = Policy(guard=GuardPolicy(canary=0))


class Installation:
    """Everything that one user has. Each pass has connections of its own, as each process would."""

    def __init__(self, sim, path, folder, timing, empty_store):
        self.sim, self.path, self.timing = sim, path, timing
        self.store_path = folder / "state.sqlite3"
        shutil.copyfile(empty_store, self.store_path)
        self.store = StateStore.open(self.store_path)
        self.policy, self.switches = Policy(), Switches()
        self.patience, self.api_key = HASTY, sim.api_key
        self.events = []
        self.requests = Counter()
        self.wrap = lambda target: target
        self.renderer = None
        """Of a user's template; without one, only the built-in template is rendered."""
        self.transport = None
        """Between the engine and the server, where a test puts something there."""
        self._numbers = itertools.count(1)

    async def _with_cycle(self, act):
        immich = Immich(
            self.sim.url,
            self.api_key,
            patience=self.patience,
            random=Random(1),
            # certificates take longer than a pass
            transport=self.transport or httpx.AsyncHTTPTransport(verify=False),
        )
        async with immich:
            target = self.wrap(immich)
            cycle = Reconciler(
                open_catalogue(str(self.path)),
                target,
                self.store,
                SystemClock(),
                timing=self.timing,
                renderer=self.renderer,
                listen=self.events.append,
                words=sentence,
                mode="sync",
            )
            try:
                return await act(cycle)
            finally:
                self.requests = Counter()
                for (method, route, _), count in immich.requests.items():
                    self.requests[f"{method} {route}"] += count

    @property
    def wishes(self):
        return Wishes(self.policy, self.switches)

    async def prepare(self, **selection):
        return await self._with_cycle(lambda cycle: cycle.prepare(Selection(**selection), self.wishes))

    async def run(self, *, stop=lambda: False, **selection):
        """Do one pass."""
        run_id = f"run-{next(self._numbers)}"
        return await self._with_cycle(
            lambda cycle: cycle.run(
                Selection(**selection), self.wishes, run_id=run_id, trigger="cli", stop=stop
            )
        )

    def sql(self, statement, *values):
        """Change the catalogue, as Skymmich would."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def images(self):
        """Give (image id, asset id) of the linked images."""
        return self.sql(
            "SELECT id, immich_id FROM astrophotography_images WHERE immich_id IS NOT NULL ORDER BY id"
        )

    def asset(self, number=0):
        """Give the id of the n-th linked image's asset."""
        return self.images()[number][1]

    def shown(self, asset_id):
        """Give what Immich finally shows of an asset."""
        self.sim.wait_until_idle()
        return self.sim.assets()[asset_id]

    def statuses(self):
        return {asset_id: record.status for asset_id, record in self.store.records().items()}

    @property
    def writes(self):
        """Write requests of the last pass; what moves no asset, and what nobody is shown, is none."""
        return sum(
            count
            for route, count in self.requests.items()
            if not route.startswith("GET")
            and route not in {"POST /search/metadata", "PUT /tags", "PUT /assets/metadata"}
        )

    def names(self):
        """Give the names of the events so far."""
        return Counter(event.name for event in self.events if isinstance(event, Event))

    async def assert_true(self, *, allowed=frozenset()):
        """Check against Immich itself: what is called in sync is there, and what is not has a reason."""
        self.sim.wait_until_idle()
        faults = self.sim.faults()
        assert faults["overlaps"] == 0, faults["examples"]
        assert faults["lost"] == 0, faults["examples"]
        shown, records = self.sim.assets(), self.store.records()
        prepared = await self.prepare(full=True)
        assert not self.store.pending()
        for item in prepared.items:
            record = records[item.asset_id]
            if record.status != "in_sync":
                assert record.status in allowed, (item.title, record.status, record.reasons)
                assert record.reasons
                continue
            assert not item.plan.changes, (item.title, item.plan.decisions)
            self._assert_shows(shown[item.asset_id], item.plan.desired, record)
        assert len(records) >= len(prepared.items)

    @staticmethod
    def _assert_shows(asset, desired, record):
        if record.applied.block is not None:
            assert desired.block in asset["description"]
        if desired.prose is not None and record.applied.prose is not None:
            assert desired.prose in asset["description"]
        if desired.coordinates is not None:
            place = Coordinates(asset["latitude"], asset["longitude"])
            assert same_place(place, desired.coordinates)
        assert desired.tags <= set(asset["tags"])
        assert record.applied.tags <= set(asset["tags"])

    def tags_of(self, image_id, tags):
        self.sql("UPDATE astrophotography_images SET tags = ? WHERE id = ?", json.dumps(tags), image_id)


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """Give the sample catalogue with so many copies of its pictures, each made once."""
    folder, made = tmp_path_factory.mktemp("samples"), {}

    def sample(copies=1):
        if copies not in made:
            made[copies] = folder / f"sample-{copies}.sqlite3"
            build_sample(made[copies], copies=copies)
        return made[copies]

    return sample


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """Give a new store, to be copied: making one takes a while."""
    path = tmp_path_factory.mktemp("stores") / "empty.sqlite3"
    StateStore.open(path).close()
    return path


@pytest.fixture
def install(tmp_path, samples, empty_store):
    """Make an installation of the first ``count`` linked images of the sample, or of a given catalogue."""
    with ExitStack() as stack:

        def make(*, count=None, copies=1, catalogue=None, unkind="none", timing=None, folder="", **switches):
            place = tmp_path / folder
            place.mkdir(exist_ok=True)
            path = place / "skymmich.sqlite3"
            shutil.copyfile(catalogue or samples(copies), path)
            if count is not None:
                keep_only(path, FIRST_LINKED, count)
            switches = {"drain": 400.0, **switches}
            sim = stack.enter_context(serve(catalogue=path, unkind=unkind, **switches))
            kind = BUSY if switches["drain"] < 100 else KIND
            timing = timing or (UNKIND if unkind == "all" or "early" in unkind else kind)
            made = Installation(sim, path, place, timing, empty_store)
            stack.callback(made.store.close)
            return made

        yield make


@pytest.fixture
def policy():
    """Make a policy: merge settings by name; ``canary`` and others of the guard too."""

    def make(**chosen):
        base = Policy()
        guard = {name: chosen.pop(name) for name in ("canary", "max_fraction", "min_count") if name in chosen}
        return replace(base, guard=replace(base.guard, **guard), merge=replace(base.merge, **chosen))

    return make


@pytest.fixture
def until():
    """Wait for a condition, at most so many seconds."""

    async def wait(condition, seconds=30.0):
        for _ in range(int(seconds / 0.005)):
            if condition():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("the condition did not come true")

    return wait
