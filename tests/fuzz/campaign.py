"""Passes of the real engine between a catalogue and a simulated Immich whose answers are spoiled on their way.

The oracle: nothing that a person entered is lost while the server still has it; whatever goes wrong is an
error of ours; everything ends in time. Memory is for whoever runs this: it is the process's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sqlite3
import traceback
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from random import Random

import httpx
from mutations import HEAVY, KINDS, LIE, Past, Recorded

from reconciler.core.policy import GuardPolicy, Policy, StackPolicy, Switches
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.polling.timing import Timing
from reconciler.engine.reconcile import Reconciler
from reconciler.errors import ReconcilerError
from reconciler.immich.call import Patience
from reconciler.immich.client import SystemClock
from reconciler.immich.target import Immich
from reconciler.simulator import initial_assets
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.server import control
from reconciler.simulator.server.app import Application
from reconciler.simulator.server.unkindness import Settings
from reconciler.skymmich.sources import open_catalogue
from state.store import StateStore
from tests.catalogues import FIRST_LINKED, keep_only

IMAGES = 12
KEY = "k" * 43
TIMING = Timing(recheck=0.01, look=0.01, grace=0.15, patience=1.0)
HASTY = Patience(
    read=0.2, bulk=0.2, total=2.0, attempts=2, backoff=0.001, backoff_cap=0.002, retry_after_cap=0.01,
    circuit_threshold=50, probe_interval=0.01,
)  # fmt: skip
LONGEST_LOOK, LONGEST_PASS = 10.0, 25.0
# The guard and the canary would only hide what gets past everything else.
POLICY = Policy(
    guard=GuardPolicy(canary=0, max_fraction=1.0, min_count=1000), stacks=StackPolicy(enabled=True)
)
ON = Switches(stacks=True)


class Body(httpx.AsyncByteStream):
    def __init__(self, parts):
        self.parts = parts

    async def __aiter__(self):
        async for part in self.parts():
            yield part


class Spoiling(httpx.AsyncBaseTransport):
    """Passes requests on to the simulator, and spoils some of the answers."""

    def __init__(self, application, chance, counts):
        self.inner = httpx.ASGITransport(application)
        self.chance, self.counts = chance, counts
        self.past, self.kinds, self.rate = Past(), (), 0.0

    async def handle_async_request(self, request):
        response = await self.inner.handle_async_request(request)
        body = await response.aread()
        answer = Recorded(request.method, request.url.path, response.status_code, body)
        spoilt = None
        if self.kinds and self.chance.random() < self.rate:
            kind = self.chance.choice(self.kinds)
            spoilt = {**KINDS, **LIE}[kind](self.chance, answer, self.past)
            if spoilt is not None:
                self.counts[kind] += 1
        self.past.note(answer)
        return self._passed_on(spoilt or answer, response.headers)

    @staticmethod
    def _passed_on(answer, headers):
        if answer.error is not None:
            raise answer.error("spoilt")

        async def whole():
            for start in range(0, len(answer.body), 65536):
                yield answer.body[start : start + 65536]

        named = {name: value for name, value in headers.items() if name != "content-length"}
        fields = [
            (name.encode(), value.encode("latin-1"))
            for name, value in {**named, **dict(answer.headers)}.items()
        ]
        return httpx.Response(answer.status, headers=fields, stream=Body(answer.stream or whole))


class Once:
    """A catalogue that is read once."""

    def __init__(self, source):
        self._source, self._read = source, None

    def read(self):
        self._read = self._read or self._source.read()
        return self._read


@dataclass
class Words:
    """What a person entered for one asset."""

    tokens: set = field(default_factory=set)
    tags: set = field(default_factory=set)
    pin: tuple | None = None


class Installation:
    """A catalogue, a server with a person's words on it, a store."""

    def __init__(self, folder, template, chance, counts):
        folder.mkdir()
        self.path = folder / "skymmich.sqlite3"
        shutil.copyfile(template, self.path)
        self.chance = chance
        self.application = Application(Settings(unkind=frozenset(), drain=5000.0), KEY, lambda _: None)
        self.state = self.application.state
        self.state.advance(self.application.now())
        initial_assets.fill(self.state, initial_assets.photos_of_catalogue(self.path))
        self.store = StateStore.open(folder / "state.sqlite3")
        self.transport = Spoiling(self.application, chance, counts)
        self.ids = sorted(self.state.assets)
        self.state.stacks.create(self.ids[:3])
        self.words = {asset_id: Words() for asset_id in self.ids}
        for number, asset_id in enumerate(self.ids):
            if number % 3 != 2:
                self.write(asset_id)
            if number % 2:
                self.pin(asset_id, number)
            if number % 4 != 3:
                self.tag(asset_id)

    def person(self, asset_id, action, value):
        control.person(self.state, {"asset_id": asset_id, "action": action, "value": value})

    def write(self, asset_id):
        token = f"«{self.chance.getrandbits(40):010x}»"
        self.words[asset_id].tokens.add(token)
        self.person(asset_id, "append_description", f"\nA person wrote {token} about this.")

    def tag(self, asset_id):
        tag = f"Person/{self.chance.getrandbits(20):05x}"
        self.words[asset_id].tags.add(tag)
        self.person(asset_id, "add_tag", tag)

    def pin(self, asset_id, number):
        self.words[asset_id].pin = (10.25 + number, 20.5 + number)
        self.person(asset_id, "set_coordinates", list(self.words[asset_id].pin))

    def change_catalogue(self):
        """Let some images' facts change, so that a pass has something to write."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            rows = connection.execute(
                "SELECT id FROM astrophotography_images WHERE immich_id IS NOT NULL ORDER BY id"
            ).fetchall()
            for (row,) in self.chance.sample(rows, 4):
                tags = json.dumps([f"t{self.chance.randint(0, 9)}" for _ in range(3)])
                connection.execute(
                    "UPDATE astrophotography_images SET title = ?, tags = ? WHERE id = ?",
                    (f"Title {self.chance.randint(0, 99)}", tags, row),
                )

    async def idle(self):
        for _ in range(2000):
            self.state.advance(self.application.now())
            if self.state.queues.waiting == 0:
                return
            await asyncio.sleep(0.002)
        raise AssertionError("the simulator did not come to rest")

    def lost(self):
        """List what a person entered and the server no longer has."""
        found = []
        for asset_id, shown in control.assets(self.state, {}).items():
            words = self.words[asset_id]
            missing = [token for token in words.tokens if token not in shown["description"]]
            missing += sorted(words.tags - set(shown["tags"]))
            if words.pin and (shown["latitude"], shown["longitude"]) != words.pin:
                missing.append(f"pin {words.pin}: {shown['latitude']}, {shown['longitude']}")
            found += [f"{asset_id}: {one}" for one in missing]
        return found

    def harm(self, prepared):
        """List what a plan would take from a person, or write to the wrong asset."""
        found = []
        everybodys = {token for words in self.words.values() for token in words.tokens}
        for item in prepared.items:
            plan, words = item.plan, self.words.get(item.asset_id)
            if plan is None or words is None:
                continue
            if plan.observed.asset_id != item.asset_id:
                found.append(f"{item.asset_id}: taken for {plan.observed.asset_id}")
            if plan.description is not None:
                found += [f"{item.asset_id}: {t}" for t in words.tokens if t not in plan.description]
                strange = everybodys - words.tokens
                found += [f"{item.asset_id}: strange {t}" for t in strange if t in plan.description]
            if plan.coordinates is not None and words.pin:
                found.append(f"{item.asset_id}: pin")
            found += [f"{item.asset_id}: tag {tag}" for tag in plan.remove_tags & words.tags]
        return found


@dataclass
class Tally:
    """What came out."""

    answers: Counter = field(default_factory=Counter)
    looks: int = 0
    passes: int = 0
    refused: int = 0
    left_alone: int = 0
    lost: int = 0
    violations: list = field(default_factory=list)

    def violation(self, kinds, what, details):
        self.violations.append({"kinds": list(kinds), "what": what, "details": str(details)[-1500:]})


class Campaign:
    """Looks, which only plan, and passes, which write: each under one kind of spoiling, or under all."""

    def __init__(self, folder, seed):
        self.folder, self.seed = folder, seed
        self.chance, self.tally = Random(seed), Tally()
        self.kinds = sorted(KINDS)
        self.light = [kind for kind in self.kinds if kind not in HEAVY]
        self._number = 0
        self._runs = 0
        self._queue = []
        self.template = folder / "template.sqlite3"
        build_sample(self.template)
        keep_only(self.template, FIRST_LINKED, IMAGES)

    def install(self):
        self._number += 1
        return Installation(self.folder / str(self._number), self.template, self.chance, self.tally.answers)

    def next_kinds(self):
        """Give each kind its turn, heavy ones less often, and now and then all light ones together."""
        if not self._queue:
            self._queue = [(kind,) for kind in self.light] * 3 + [(k,) for k in self.kinds if k in HEAVY]
            self._queue += [tuple(self.light)] * 10
            self.chance.shuffle(self._queue)
        return self._queue.pop()

    @contextlib.asynccontextmanager
    async def cycle(self, here, *, source=None):
        immich = Immich("http://immich.test", KEY, patience=HASTY, random=Random(1), transport=here.transport)
        async with immich:
            source = source or open_catalogue(str(here.path))
            yield Reconciler(source, immich, here.store, SystemClock(), timing=TIMING, mode="sync")

    async def looks(self, here, count):
        """Prepare passes, and write nothing: of all images, or one by one."""
        async with self.cycle(here, source=Once(open_catalogue(str(here.path)))) as cycle:
            here.transport.kinds = ()
            first = await cycle.prepare(Selection(full=True), Wishes(POLICY, ON))
            images = [item.image_id for item in first.items]
            for _ in range(count):
                kinds = self.next_kinds()
                heavy = bool(HEAVY & {*kinds})
                here.transport.kinds, here.transport.rate = kinds, 0.2 if heavy else 0.9
                await self._look(here, cycle, kinds, Selection(full=True))
                here.transport.rate = 1.0
                for image in self.chance.sample(images, 1 if heavy else 8):
                    await self._look(here, cycle, kinds, Selection(frozenset({image}), full=True))

    async def _look(self, here, cycle, kinds, selection):
        switches = Switches(tags=self.chance.random() < 0.7, stacks=True)
        self.tally.looks += 1
        prepared = await self._guarded(
            kinds, LONGEST_LOOK, cycle.prepare(selection, Wishes(POLICY, switches))
        )
        if prepared is None:
            return
        self.tally.left_alone += sum(1 for item in prepared.items if item.plan is None)
        if found := here.harm(prepared):
            self.tally.lost += len(found)
            self.tally.violation(kinds, "planned loss", found[:4])

    async def passes(self, here, count):
        """Do whole passes, each after changes in the catalogue and in Immich; give whether all went well."""
        for _ in range(count):
            kinds = self.next_kinds()
            here.transport.kinds = ()
            await here.idle()
            here.change_catalogue()
            edited = self.chance.choice(here.ids)
            self.chance.choice((here.write, here.tag))(edited)
            await here.idle()
            async with self.cycle(here) as cycle:
                here.transport.kinds, here.transport.rate = kinds, 0.05 if HEAVY & {*kinds} else 0.3
                self.tally.passes += 1
                self._runs += 1
                full = self.chance.random() < 0.5
                report = await self._guarded(
                    kinds,
                    LONGEST_PASS,
                    cycle.run(
                        Selection(full=full, by_person=full),
                        Wishes(POLICY, ON),
                        run_id=f"run-{self._runs}",
                        trigger="cli",
                    ),
                )
            if report is not None:
                self.tally.refused += report.error is not None
                self.tally.left_alone += sum(1 for one in report.outcomes if one.status == "failed")
            here.transport.kinds = ()
            await here.idle()
            if found := here.lost():
                self.tally.lost += len(found)
                self.tally.violation(kinds, "lost", found[:4])
                return False
        return True

    async def synced(self):
        """Give an installation after a good pass."""
        here = self.install()
        await here.idle()
        async with self.cycle(here) as cycle:
            await cycle.run(Selection(), Wishes(POLICY, ON), run_id="first", trigger="cli")
        await here.idle()
        if found := here.lost():
            raise AssertionError(f"the oracle is wrong: {found}")
        return here

    async def _guarded(self, kinds, limit, doing):
        """Await; an error of ours is a refusal, everything else a violation."""
        try:
            async with asyncio.timeout(limit):
                return await doing
        except ReconcilerError:
            self.tally.refused += 1
        except TimeoutError:
            self.tally.violation(kinds, "no end", f"not within {limit} s")
        except Exception:  # noqa: BLE001 - whatever comes is what is looked for
            self.tally.violation(kinds, "traceback", traceback.format_exc())
        return None
