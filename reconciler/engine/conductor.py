"""The conductor: brings every asset of a pass through its steps, in waves that overlap while Immich digests.

A turn is: look (one search: what has settled, what did a person touch), merge anew what moved under us, check
what has settled, and send as much as Immich can digest.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.engine.canary import CanaryError
from reconciler.engine.events import Event, Listener, Progress
from reconciler.engine.ordering import groups, order_removals
from reconciler.engine.pace import Pace, Timing
from reconciler.engine.rereading import Rereader
from reconciler.engine.sender import Sender
from reconciler.engine.settling import Settling
from reconciler.engine.watcher import Watcher
from reconciler.errors import (
    ImmichError,
    ImmichTemporaryError,
    ImmichUnreachableError,
    MaintenanceError,
    ReconcilerError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan import AssetPlan, Rules
    from reconciler.engine.canary import Canary
    from reconciler.engine.jobs import Job
    from reconciler.engine.ports import Clock, Store, Target

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
        self._active: dict[str, Job] = {job.plan.asset_id: job for job in ordered if job.state != "ready"}
        self._waiting = deque(job for job in ordered if job.state == "ready")
        self._pace = Pace(around.timing, around.clock.monotonic())
        paths = frozenset(tag for job in jobs for tag in job.plan.add_tags)
        self._sender = Sender(around.target, around.store, around.clock, around.run_id, paths)
        self._settling = Settling(
            around.store, around.clock, around.rules.server_version, around.rules.markers, around.timing
        )
        self._rereader = Rereader(around.target, around.clock, self._settling, self._pace, around.replan)
        self.error: ReconcilerError | None = None
        """What ended the writing early, if anything did."""

    async def run(self, since: datetime) -> None:
        """Bring all jobs to ``done``; after a stop, an error, or a stalled server some stay as they are.

        Args:
            since: the server's time from which on changes are not in the jobs' observations.
        """
        order_removals(self._jobs)
        watcher = Watcher(self._around.target, since, (job.observed.visibility for job in self._jobs))
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
                now = self._around.clock.monotonic()
                going = [job for job in self._active.values() if self._canary.lets_follow(job)]
                pause = self._pace.pause(going, self._undigested(), self._may_send(), now)
                await self._around.clock.sleep(pause)

    async def _turn(self, watcher: Watcher) -> None:
        before = self._undigested()
        rows = await watcher.look(
            job.moved_to for job in self._active.values() if job.state == "moved" and job.moved_to
        )
        await self._take_in(rows)
        self._pace.looked(self._undigested(), before)
        try:
            await self._work()
        finally:
            for job in [job for job in self._active.values() if job.state == "done"]:
                del self._active[job.plan.asset_id]

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

    async def _take_in(self, rows: dict[str, ObservedAsset]) -> None:
        """Use a look: writes that settled, and assets that a person touched since they were read."""
        now = self._around.clock.monotonic()
        for asset_id, job in self._active.items():
            row = rows.get(asset_id)
            if job.state == "sent" and row is not None and self._settling.moved(job, row, now):
                self._pace.progressed(now)
            elif job.state == "yielding":
                self._rereader.wait(job, row, now, self._around.timing.grace)
        self._settling.hold_back(self._active.values(), now)
        for asset_id, job in self._active.items():
            row = rows.get(asset_id)
            if job.state == "moved" and self._settling.seen_again(job, row, now) and row is not None:
                self._rereader.judge(job, row)
        ours = [(self._by_id[asset_id], row) for asset_id, row in rows.items() if asset_id in self._by_id]
        touched = [
            job for job, row in ours if job.state == "ready" and row.updated_at > job.observed.updated_at
        ]
        for job in touched:
            self._tell(job, "asset.touched")
        await _all(self._rereader.merge_anew(job) for job in touched)

    async def _work(self) -> None:
        """Check what is due and send what may go, at most as much as Immich can digest.

        Tags go at once. Before its fields are written an asset is read: that is the reading which verifies
        its tags, or one more. So the words that a write puts back are a moment old, not a pass.
        """
        now, undigested = self._around.clock.monotonic(), self._undigested()
        due: list[Job] = []
        going_on: list[Job] = []
        for job in self._active.values():
            if self._settling.must_read(job, now) and self._canary.lets_follow(job):
                (going_on if len(job.steps) > 1 else due).append(job)
            elif self._pace.overdue(job, undigested, now):
                due.append(job)
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
        """Choose what may be sent now; those that are further come first: few are half-way at any time."""
        if self._around.stop() or self.error is not None:
            return []
        chunk = [job for job in self._active.values() if job.state == "ready" and self._canary.lets(job)]
        del chunk[max(room, 0) :]
        while self._waiting and len(chunk) < room and self._canary.lets(self._waiting[0]):
            following = self._waiting.popleft()
            if following.state == "ready":
                self._active[following.plan.asset_id] = following
                chunk.append(following)
        return chunk

    async def _with_care(self, careful: deque[list[Job]]) -> None:
        while careful:
            group = careful.popleft()
            await _all(
                self._rereader.merge_anew(job) if job.state == "ready" else self._rereader.verify(job)
                for job in group
            )
            await self._send([job for job in group if job.step == "fields" and self._canary.lets(job)])

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
        if isinstance(error, ImmichUnreachableError | MaintenanceError) or self._pace.too_much_trouble():
            self.error = error

    def _tell(self, job: Job, name: str) -> None:
        details = {"title": job.plan.title}
        self._around.listen(
            Event(name, "info", self._around.run_id, job.plan.image_id, job.plan.asset_id, details)
        )

    def _report(self) -> None:
        waiting = sum(job.state in {"sent", "moved"} for job in self._active.values())
        done = len(self._jobs) - len(self._active) - len(self._waiting)
        self._around.listen(Progress("writing", done=done, total=len(self._jobs), waiting=waiting))


async def _all(things: Iterable[Awaitable[None]]) -> None:
    """Do all of these side by side to their end; then raise the first error, if there was one."""
    for outcome in await asyncio.gather(*things, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
