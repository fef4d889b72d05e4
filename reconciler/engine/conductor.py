"""The conductor: brings every asset of a pass through its steps, in waves that overlap while Immich digests.

A turn is: look, if it is time to or something is to be sent (one search: what has settled, what did a person
touch), merge anew what moved under us, check what has settled, and send as much as Immich can digest.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING

from reconciler.engine.canary import CanaryError
from reconciler.engine.events import Event, Listener, Progress
from reconciler.engine.lookout import Lookout, Scene
from reconciler.engine.ordering import groups, order_removals
from reconciler.engine.pace import Pace, Timing
from reconciler.engine.rereading import Rereader
from reconciler.engine.sender import Sender
from reconciler.engine.settling import Settling
from reconciler.engine.verifying import at_work
from reconciler.engine.watcher import Watcher
from reconciler.errors import (
    ImmichError,
    ImmichTemporaryError,
    ImmichUnreachableError,
    MaintenanceError,
    ReconcilerError,
    UnfamiliarServerError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.core.plan import AssetPlan, Rules
    from reconciler.engine.canary import Canary
    from reconciler.engine.events import Level
    from reconciler.engine.jobs import Job
    from reconciler.engine.ports import Clock, Store, Target

_FRESH = 0.5
"""Seconds for which assets that were read wait for others of their group, before they are written to."""
_LANES = 2
"""Groups of assets that are read and written at a time, so that the line to Immich is never idle."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a conductor works with.

    ``replan`` merges an asset anew from a fresh reading. ``stop`` is asked before every send: once true
    nothing new is sent, and what is in flight is recorded.
    """

    target: Target
    store: Store
    clock: Clock
    timing: Timing
    rules: Rules
    run_id: str
    listen: Listener
    replan: Callable[[Job, ObservedAsset], AssetPlan]
    stop: Callable[[], bool]


class Conductor:
    """One pass's writing."""

    def __init__(self, around: Surroundings, jobs: Sequence[Job], canary: Canary) -> None:
        """Take the jobs, each asset once; the canary's go first, else in their order."""
        self._around, self._jobs, self._canary = around, jobs, canary
        self._by_id = {job.plan.asset_id: job for job in jobs}
        first = {job.plan.asset_id for job in canary.jobs}
        ordered = sorted(jobs, key=lambda job: (not job.adopted, job.plan.asset_id not in first))
        paths = frozenset(tag for job in jobs for tag in job.plan.add_tags)
        self._sender = Sender(around.target, around.store, around.clock, around.run_id, paths)
        self._settling = Settling(
            around.store, around.clock, around.rules.server_version, around.rules.markers, around.timing
        )
        self._lookout = Lookout(around.timing, self._settling.dates)
        self._pace = Pace(around.timing, around.clock.monotonic(), self._lookout)
        self._rereader = Rereader(around.target, around.clock, self._settling, self._pace, around.replan)
        for job in jobs:
            if job.state == "ready" and at_work(job):
                self._rereader.expect_edit(job)
        self._active = {job.plan.asset_id: job for job in ordered if job.state != "ready"}
        self._waiting = deque(job for job in ordered if job.state == "ready")
        self.error: ReconcilerError | None = None
        """What ended the writing early, if anything did."""

    async def run(self, since: datetime) -> None:
        """Bring all jobs to ``done``; after a stop, an error, or a stalled server some stay as they are.

        Args:
            since: by Immich's own dates: changes from then on are not in the jobs' observations.
        """
        order_removals(self._jobs)
        known = {asset_id: job.observed.updated_at for asset_id, job in self._by_id.items()}
        watcher = Watcher(self._around.target, self._around.clock, since, known)
        while not self._ended():
            try:
                await self._turn(watcher)
            except ImmichTemporaryError as error:
                self._trouble(error)
            except ImmichError as error:  # the key, or the server as a whole: nothing more can be done
                self.error = error
            finally:
                self._settling.flush()
            self._report()
            if not self._ended():
                has_room = self._pace.has_room_for(self._may_send(), self._undigested())
                await self._around.clock.sleep(0.0 if has_room else self._lookout.pause(self._scene()))

    async def _turn(self, watcher: Watcher) -> None:
        if self._must_look():
            before = self._undigested()
            asked = self._around.clock.monotonic()
            view = self._in_view()
            rows = await watcher.look(view)
            self._lookout.looked(view, self._around.clock.monotonic())
            await self._take_in(rows, asked)
            self._pace.looked(self._undigested(), before)
        else:
            self._settling.hold_back(self._active.values(), self._around.clock.monotonic())
        try:
            await self._work()
        finally:
            for asset_id, job in list(self._active.items()):
                if job.untold:
                    job.untold = False
                    self._tell(job, "asset.crossed", "warning", why=job.remark)
                if job.state == "done":
                    del self._active[asset_id]

    def _scene(self) -> Scene:
        under_way = {"sent", "moved", "yielding"}
        jobs = [
            job
            for job in self._active.values()
            if job.state in under_way and (job.state != "moved" or self._canary.lets_follow(job))
        ]
        now, recheck = self._around.clock.monotonic(), self._around.timing.recheck
        held_up = any(job.state == "moved" and now - job.moved_at > 2 * recheck for job in jobs)
        return Scene(now, jobs, hurried=held_up or self._may_send() > 0)

    def _must_look(self) -> bool:
        """Tell whether to look: it is time to, or tags are to be sent to assets last seen a while ago."""
        if self._lookout.is_due(scene := self._scene()):
            return True
        return any(
            job.step != "fields" and not self._lookout.is_fresh(job, scene.now) for job in self._next_up()
        )

    def _next_up(self) -> list[Job]:
        """Give the assets that may be sent in this turn: those that are further come first."""
        if self._around.stop() or self.error is not None:
            return []
        room = self._pace.room(self._undigested())
        ready = (job for job in self._active.values() if job.state == "ready")
        # As far as the first that has to wait for the canary: there may be a hundred thousand.
        following = takewhile(self._canary.lets, (job for job in self._waiting if self._is_waiting(job)))
        return list(islice(chain(filter(self._canary.lets, ready), following), room))

    def _is_waiting(self, job: Job) -> bool:
        return job.state == "ready" and job.plan.asset_id not in self._active

    def _in_view(self) -> dict[Visibility, list[datetime]]:
        """Give what a look has to show: the visibilities of what is under way or next, and since when."""
        view: dict[Visibility, list[datetime]] = {
            job.observed.visibility: [] for job in self._next_up() if job.step != "fields"
        }
        scene = self._scene()
        for job in scene.jobs:
            if self._lookout.is_read(job, scene):
                continue
            dates = view.setdefault(job.observed.visibility, [])
            if job.state == "moved" and job.moved_to is not None:
                dates.append(job.moved_to)
        return view

    def _ended(self) -> bool:
        if self._around.stop():
            return True
        now = self._around.clock.monotonic()
        self.error = self.error or self._canary.failed()
        unsettled = any(job.state in {"sent", "moved"} for job in self._active.values())
        if self.error is not None and not (isinstance(self.error, CanaryError) and unsettled):
            return True  # after a canary what was sent is still waited for; else the next pass does
        return self._pace.stalled(self._active.values(), now) or not (self._active or self._waiting)

    def _undigested(self) -> int:
        return sum(job.state in {"sent", "yielding"} for job in self._active.values())

    def _may_send(self) -> int:
        if self.error is not None:
            return 0
        ready = sum(job.state == "ready" and self._canary.lets(job) for job in self._active.values())
        return ready + (len(self._waiting) if self._waiting and self._canary.lets(self._waiting[0]) else 0)

    async def _take_in(self, rows: dict[str, ObservedAsset], asked: float) -> None:
        """Use a look: writes that settled, and assets that a person touched since they were read."""
        now = self._around.clock.monotonic()
        for asset_id, job in self._active.items():
            row = rows.get(asset_id)
            if job.state == "yielding":
                self._rereader.wait(job, row, now)
            elif row is not None and job.state == "moved":
                self._settling.moved_again(job, row, now)
            elif row is not None and job.state == "sent" and self._settling.moved(job, row, now):
                self._pace.moved(job, now)
        self._settling.hold_back(self._active.values(), now)
        for asset_id, job in self._active.items():
            row = rows.get(asset_id)
            if job.state == "moved" and self._settling.seen_again(job, row, asked) and row is not None:
                self._rereader.judge(job, row)
        touched = [self._by_id[asset_id] for asset_id in rows.keys() & self._by_id.keys()]
        touched = [job for job in touched if job.state == "ready" and _is_newer(rows[job.plan.asset_id], job)]
        for job in touched:
            self._tell(job, "asset.touched")
        await _all(self._rereader.merge_anew(job, rows[job.plan.asset_id]) for job in touched)
        self._active |= {job.plan.asset_id: job for job in touched if job.state == "yielding"}

    async def _work(self) -> None:
        """Check what is due and send what may go, at most as much as Immich can digest.

        Tags go at once. Before its fields are written an asset is read: that is the reading which verifies
        its tags, or one more. So the words that a write puts back are a moment old, not a pass.
        """
        scene, undigested = self._scene(), self._undigested()
        due: list[Job] = []
        going_on: list[Job] = []
        for job in scene.jobs:
            if self._lookout.must_read(job, scene):
                (going_on if job.state == "moved" and len(job.steps) > 1 else due).append(job)
        # Half of the room is for new ones: the last to begin has all its steps, and their waits, before it.
        room = self._pace.room(undigested)
        del going_on[room - min(self._may_send(), room // 2) :]
        due += going_on
        chunk = self._chunk(room - len(going_on))
        tagging = [job for job in chunk if job.step != "fields"]
        careful = deque(groups([*due, *(job for job in chunk if job.step == "fields")]))
        lanes = [self._with_care(careful) for _ in range(min(_LANES, len(careful)))]
        await _all([self._send(tagging), *lanes])

    def _chunk(self, room: int) -> list[Job]:
        """Take what may be sent now."""
        chunk = self._next_up()[: max(room, 0)]
        self._active |= {job.plan.asset_id: job for job in chunk}
        while self._waiting and not self._is_waiting(self._waiting[0]):
            self._waiting.popleft()
        return chunk

    async def _with_care(self, careful: deque[list[Job]]) -> None:
        """Read assets, group by group, and write to them what the readings say.

        Those that are slow to be read do not keep the others waiting until their readings are old.

        Raises:
            ImmichError: the first of all that were raised; the others were read and written to.
        """
        while careful:
            reading = {asyncio.ensure_future(self._read(job)): job for job in careful.popleft()}
            left, outcomes = set(reading), list[BaseException | None]()
            try:
                while left:
                    done, left = await asyncio.wait(left, timeout=_FRESH)
                    outcomes += [task.exception() for task in reading if task in done]
                    read = [job for task, job in reading.items() if task in done and not task.exception()]
                    fields = [job for job in read if job.step == "fields" and self._canary.lets(job)]
                    outcomes += await asyncio.gather(self._send(fields), return_exceptions=True)
            finally:
                for task in left:
                    task.cancel()
            _raise_first(outcomes)

    async def _read(self, job: Job) -> None:
        await (self._rereader.merge_anew(job) if job.state == "ready" else self._rereader.verify(job))

    async def _send(self, jobs: Sequence[Job]) -> None:
        jobs = [job for job in jobs if job.state == "ready"]
        if not jobs or self._around.stop() or self.error is not None:
            return
        self._settling.flush()
        await self._sender.send(jobs)

    def _trouble(self, error: ImmichTemporaryError) -> None:
        """Take a temporary error: a server that is down ends the pass, all else is tried in the next turn."""
        self._around.listen(
            Event("immich.trouble", "warning", self._around.run_id, details={"error": error.message})
        )
        hopeless = ImmichUnreachableError | MaintenanceError | UnfamiliarServerError
        if isinstance(error, hopeless) or self._pace.too_much_trouble():
            self.error = error

    def _tell(self, job: Job, name: str, level: Level = "info", **more: object) -> None:
        plan, details = job.plan, {"title": job.plan.title, **more}
        self._around.listen(Event(name, level, self._around.run_id, plan.image_id, plan.asset_id, details))

    def _report(self) -> None:
        waiting = sum(job.state in {"sent", "moved"} for job in self._active.values())
        done = len(self._jobs) - len(self._active) - len(self._waiting)
        self._around.listen(Progress("writing", done=done, total=len(self._jobs), waiting=waiting))


def _is_newer(row: ObservedAsset, job: Job) -> bool:
    return row.updated_at > job.observed.updated_at


async def _all(things: Iterable[Awaitable[None]]) -> None:
    """Do all of these side by side to their end; then raise the first error, if there was one."""
    _raise_first(await asyncio.gather(*things, return_exceptions=True))


def _raise_first(outcomes: Iterable[BaseException | None]) -> None:
    for outcome in outcomes:
        if outcome is not None:
            raise outcome
