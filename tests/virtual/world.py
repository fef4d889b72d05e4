"""A catalogue, a simulated Immich without sockets, a store, people: all in virtual time."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import closing
from random import Random

import httpx

from reconciler.core.policy import GuardPolicy, Policy, Switches
from reconciler.core.writes.asset_write import AssetWrite
from reconciler.engine.events import Event
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.polling.timing import Timing
from reconciler.engine.reconcile import Reconciler
from reconciler.engine.undo import Undo
from reconciler.engine.undo_wish import UndoWish
from reconciler.immich.call import Patience
from reconciler.immich.target import Immich
from reconciler.simulator import initial_assets
from reconciler.simulator.server import control
from reconciler.simulator.server.app import Application
from reconciler.simulator.server.state import USER_ID
from reconciler.simulator.server.unkindness import Settings, parse_unkind, parse_version
from reconciler.skymmich.sources import open_catalogue
from tests.virtual.loop import VirtualClock, run

KEY = "k" * 43
NO_CANARY = Policy(guard=GuardPolicy(canary=0))
SPOILED = {0, 429, 503}
"""What the unkindnesses ``busy`` and ``dropped`` make of a request, at a rate of their own: it is sent again."""
ON_THE_WAY = (0.001, 0.004)
"""Seconds that a request takes to the server, and its answer back: a quiet machine of one's own network."""


class Line(httpx.AsyncBaseTransport):
    """Carries requests to the application, each way a moment long, and notes what passes."""

    def __init__(self, application, clock, seed):
        self._application, self._clock, self._random = application, clock, Random(seed)
        self.hung_up = False
        self.sent = []
        """Of each request: when it came to the server, method, path, body."""
        self.meanwhile = lambda *_: None
        """Called when a request comes to the server, and when its answer leaves."""

    async def handle_async_request(self, request):
        await asyncio.sleep(self._random.uniform(*ON_THE_WAY))
        path, body = request.url.raw_path.partition(b"?"), request.content
        method = request.method
        self.sent.append((self._clock.seconds, method, path[0].decode(), body))
        self.meanwhile("before", method, path[0].decode())
        scope = {
            "type": "http", "method": method, "raw_path": path[0], "query_string": path[2],
            "headers": [(name.lower(), value) for name, value in request.headers.raw], "client": ("here", 1),
        }  # fmt: skip
        answers = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            answers.append(message)

        await self._application(scope, receive, send)
        self.meanwhile("after", method, path[0].decode())
        await asyncio.sleep(self._random.uniform(*ON_THE_WAY))
        if not answers:
            raise httpx.ReadError("the line is dead")
        return httpx.Response(answers[0]["status"], headers=answers[0]["headers"], content=answers[1]["body"])


class World:
    """Everything that one user has. ``run`` does a pass, to its end or until it is killed."""

    def __init__(
        self, path, store, *, unkind="none", seed=1, ahead=0.0, timing=None, policy=NO_CANARY, **switches
    ):
        self.clock, self.path, self.store = VirtualClock(ahead), path, store
        version = parse_version(switches.pop("version", "2.7.5"))
        settings = Settings(unkind=parse_unkind(unkind), seed=seed, version=version, **switches)
        self.application = Application(settings, KEY, lambda _: None, clock=self.clock.world)
        self.state = self.application.state
        self.state.advance(self.application.now())
        initial_assets.fill(self.state, initial_assets.photos_of_catalogue(path))
        self.line = Line(self.application, self.clock, seed)
        self.timing, self.policy = timing or Timing(), policy
        self.events, self.requests, self.runs, self.seconds = [], Counter(), 0, 0.0
        self.failed = 0
        """Requests of the last pass that were spoiled on their way."""
        self.wrap = lambda target: target
        self.renderer = None
        """Of the template; without one, only the built-in template is rendered."""
        self.switches = Switches()
        self.zones = None
        """Tells which time it is where."""
        self.memory = None
        """Of what passes know together, as in a daemon; without one, each begins anew, as on a command line."""

    # -- the server -------------------------------------------------------------------------------------

    @property
    def settings(self):
        return self.state.settings

    def person(self, asset_id, action, value=None):
        """Let a person do something in Immich, now."""
        self.state.advance(self.application.now())
        control.person(self.state, {"asset_id": asset_id, "action": action, "value": value})

    def settle(self):
        """Let the server come to rest."""
        for _ in range(100_000):
            self.state.advance(self.application.now())
            if not self.state.queues.waiting:
                return
            self.clock.seconds += 0.05
        raise AssertionError("the server does not come to rest")

    def shown(self):
        """Give what Immich finally shows of every asset; its custom metadata is shown to nobody."""
        self.settle()
        assets = control.assets(self.state, {})
        return {key: {**asset, "metadata": None} for key, asset in assets.items()}

    def notes(self):
        """Give the custom metadata of every asset."""
        return {key: asset["metadata"] for key, asset in control.assets(self.state, {}).items()}

    @property
    def faults(self):
        return self.state.book.faults

    @property
    def writes(self):
        """Write requests of the last pass; what moves no asset, and what nobody is shown, is none."""
        reading = ("GET ", "POST /search", "PUT /tags", "PUT /assets/metadata")
        return sum(
            count
            for route, count in self.requests.items()
            if not route.startswith(reading[:2]) and route not in reading[2:]
        )

    # -- passes -----------------------------------------------------------------------------------------

    async def _cycle(self, act):
        patience = Patience(backoff=0.01, backoff_cap=0.05, retry_after_cap=1.0, probe_interval=1.0)
        async with Immich(
            "http://immich.test",
            KEY,
            patience=patience,
            clock=self.clock,
            random=Random(1),
            transport=self.line,
        ) as immich:
            began = self.clock.seconds
            cycle = Reconciler(
                open_catalogue(str(self.path)), self.wrap(immich), self.store, self.clock,
                timing=self.timing, renderer=self.renderer, listen=self.events.append, mode="sync",
                memory=self.memory,
            )  # fmt: skip
            try:
                return await act(cycle, immich)
            finally:
                self.seconds = self.clock.seconds - began
                self.requests, self.failed = Counter(), 0
                for (method, route, status), count in immich.requests.items():
                    self.requests[f"{method} {route}"] += count
                    self.failed += count if status in SPOILED else 0

    def run(self, *, stop=lambda: False, beside=None, within=None, **selection):
        """Do one pass.

        Args:
            stop: as of ``Reconciler.run``.
            beside: coroutine function of what happens at the same time, ended with the pass.
            within: seconds after which the pass is killed: then ``None``.
            selection: of the pass.
        """
        self.runs += 1
        run_id = f"run-{self.runs}"

        async def act(cycle, _):
            wishes = Wishes(self.policy, self.switches, self.zones)
            chosen = Selection(**selection)
            meanwhile = asyncio.ensure_future(beside()) if beside else None
            try:
                return await asyncio.wait_for(
                    cycle.run(chosen, wishes, run_id=run_id, trigger="cli", stop=stop), within
                )
            except TimeoutError:
                return None
            finally:
                if meanwhile is not None:
                    meanwhile.cancel()

        return run(self.clock, self._cycle(act))

    def undo(self, run_id, *, look=False):
        """Take a run back; with ``look`` only give what that would do."""
        self.runs += 1

        async def act(cycle, immich):
            undo = Undo(cycle, immich, self.store, self.clock, self.events.append, self.timing)
            prepared = await undo.prepare(
                self.store.journal_of(run_id, limit=1_000_000), Wishes(self.policy, self.switches, self.zones)
            )
            if look:
                return prepared
            return await undo.apply(prepared, run_id=f"run-{self.runs}", stop=lambda: False)

        return run(self.clock, self._cycle(act))

    def look(self, **selection):
        """Plan, and write nothing."""

        async def act(cycle, _):
            return await cycle.prepare(Selection(**selection), Wishes(self.policy, self.switches, self.zones))

        return run(self.clock, self._cycle(act))

    def look_back(self, **wish):
        """Plan an undo of what is wished (see ``UndoWish``), and write nothing."""

        async def act(cycle, immich):
            undo = Undo(cycle, immich, self.store, self.clock, self.events.append, self.timing)
            return await undo.prepare(UndoWish(**wish), Wishes(self.policy, self.switches, self.zones))

        return run(self.clock, self._cycle(act))

    def take_back(self, *, within=None, stop=lambda: False, **wish):
        """Undo what is wished (see ``UndoWish``), to its end or until it is killed: then ``None``."""
        self.runs += 1

        async def act(cycle, immich):
            undo = Undo(cycle, immich, self.store, self.clock, self.events.append, self.timing)

            async def both():
                prepared = await undo.prepare(
                    UndoWish(**wish), Wishes(self.policy, self.switches, self.zones)
                )
                return await undo.apply(prepared, run_id=f"run-{self.runs}", stop=stop)

            try:
                return await asyncio.wait_for(both(), within)
            except TimeoutError:
                return None

        return run(self.clock, self._cycle(act))

    @property
    def tags(self):
        """The paths of all tags that there are."""
        return {tag.value for tag in self.state.tags.own(USER_ID)}

    def sql(self, statement, *values):
        """Change the catalogue, as Skymmich would."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def images(self):
        """Give (image id, asset id) of the linked images."""
        return self.sql(
            "SELECT id, immich_id FROM astrophotography_images WHERE immich_id IS NOT NULL ORDER BY id"
        )

    def tags_of(self, image_id, tags):
        self.sql("UPDATE astrophotography_images SET tags = ? WHERE id = ?", json.dumps(tags), image_id)

    def statuses(self):
        return Counter(record.status for record in self.store.records().values())

    def told(self, name):
        """Give the events of a name, by asset."""
        return {
            event.asset_id: event for event in self.events if isinstance(event, Event) and event.name == name
        }


def forbid_two_at_once(patch):
    """Fail where an asset would be sent while it has a write that has not settled."""
    sent = AssetWrite.on_sent

    def checked(write, *args, **named):
        assert write.pending is None, "two unsettled writes"
        return sent(write, *args, **named)

    patch.setattr(AssetWrite, "on_sent", checked)
