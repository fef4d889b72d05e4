"""The conductor: brings every asset of a pass through its steps, in waves that overlap while Immich digests.

A turn is: look (one search: what has settled, what did a person touch), read again what moved under us, send
as much as Immich can digest, and check what has settled.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.batch import remove_rounds
from reconciler.engine.events import Event, Listener, Progress
from reconciler.engine.pace import Pace, Timing
from reconciler.engine.sender import Sender
from reconciler.engine.settling import Settling
from reconciler.engine.watcher import Watcher
from reconciler.errors import AssetUnknownError, ImmichTemporaryError, ImmichUnreachableError, ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan import AssetPlan, Rules
    from reconciler.engine.canary import Canary
    from reconciler.engine.jobs import Job
    from reconciler.engine.ports import Clock, Store, Target


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
        self._sender = Sender(around.target, around.store, around.clock, around.run_id)
        self._settling = Settling(
            around.store,
            around.clock,
            around.rules.server_version,
            around.rules.markers,
            around.timing.recheck,
        )
        self._paths = sorted({tag for job in jobs for tag in (*job.plan.add_tags, *job.plan.remove_tags)})
        self.error: ReconcilerError | None = None
        """What ended the writing early, if anything did."""

    async def run(self, since: datetime) -> None:
        """Bring all jobs to ``done``; after a stop, an error, or a stalled server some stay as they are.

        Args:
            since: the server's time from which on changes are not in the jobs' observations.
        """
        _order_removals(self._jobs)
        watcher = Watcher(self._around.target, since, (job.observed.visibility for job in self._jobs))
        while not self._ended():
            try:
                await self._turn(watcher)
            except ImmichTemporaryError as error:
                self._trouble(error)
            self._report()
            if not self._ended():
                now = self._around.clock.monotonic()
                ready = self._may_send()
                pause = self._pace.pause(self._active.values(), self._undigested(), ready, now)
                await self._around.clock.sleep(pause)

    async def _turn(self, watcher: Watcher) -> None:
        before = self._undigested()
        rows = await watcher.look(
            job.observed.updated_at for job in self._active.values() if job.state == "moved"
        )
        await self._take_in(rows)
        self._pace.looked(self._undigested(), before)
        outcomes = await asyncio.gather(self._send(), self._check(), return_exceptions=True)
        for job in [job for job in self._active.values() if job.state == "done"]:
            del self._active[job.plan.asset_id]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _ended(self) -> bool:
        if self._around.stop():
            return True
        now = self._around.clock.monotonic()
        self.error = self.error or self._sender.refused or self._canary.failed()
        unsettled = any(job.state in {"sent", "moved"} for job in self._active.values())
        if self.error is not None:
            # What was sent is still waited for; if the server is gone, the next pass does.
            return isinstance(self.error, ImmichTemporaryError) or not unsettled
        return self._pace.stalled(self._active.values(), now) or not (self._active or self._waiting)

    def _undigested(self) -> int:
        return sum(job.state == "sent" for job in self._active.values())

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
            elif job.state == "moved" and self._settling.seen_again(job, row, now):
                self._go_on(job)
        ours = [(self._by_id[asset_id], row) for asset_id, row in rows.items() if asset_id in self._by_id]
        touched = [
            job for job, row in ours if job.state == "ready" and row.updated_at > job.observed.updated_at
        ]
        await asyncio.gather(*(self._read_again(job) for job in touched))

    async def _read_again(self, job: Job) -> None:
        """Merge anew an asset that moved before it was written: a person's newest words are in it."""
        self._tell(job, "asset.touched")
        seen = await self._asset(job)
        if seen is not None:
            job.take(self._around.replan(job, seen))

    async def _asset(self, job: Job) -> ObservedAsset | None:
        """Read one asset; an asset that is gone ends its job."""
        job.asked_at = self._around.clock.monotonic()
        try:
            return await self._around.target.asset(job.plan.asset_id)
        except AssetUnknownError as error:
            job.state, job.status, job.failed = "done", "unknown_asset", error.message
            self._settling.forget(job)
            return None

    def _go_on(self, job: Job) -> None:
        """After a step: the next one if all stuck, else, or at the end, a new plan from what is there now."""
        if job.retry or not job.steps:
            job.take(self._around.replan(job, job.observed))

    async def _send(self) -> None:
        if self._around.stop() or self.error is not None:
            return
        room = self._pace.room(self._undigested())
        # Those that are further come first: few assets are half-way at any time.
        chunk = [job for job in self._active.values() if job.state == "ready" and self._canary.lets(job)][
            :room
        ]
        while self._waiting and len(chunk) < room and self._canary.lets(self._waiting[0]):
            following = self._waiting.popleft()
            if following.state == "ready":
                self._active[following.plan.asset_id] = following
                chunk.append(following)
        if not chunk:
            return
        await self._sender.send(chunk, self._paths)
        if (trouble := self._sender.take_trouble()) is not None:
            raise trouble

    async def _check(self) -> None:
        """Read those assets whose state no listing tells: tags, and assets that listings do not show."""
        now = self._around.clock.monotonic()
        due = [
            job
            for job in self._active.values()
            if self._settling.must_read(job, now) or self._pace.overdue(job, now)
        ]
        for outcome in await asyncio.gather(*(self._check_one(job) for job in due), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _check_one(self, job: Job) -> None:
        seen = await self._asset(job)
        if seen is None:
            return
        now = self._around.clock.monotonic()
        if job.state == "sent":
            if self._settling.moved(job, seen, now):
                self._pace.progressed(now)
                return
            if not self._settling.never_arrived(job, seen):
                return
        else:
            self._pace.progressed(now)
            self._settling.judge(job, seen)
        self._go_on(job)

    def _trouble(self, error: ImmichTemporaryError) -> None:
        """Take a temporary error: a server that is down ends the pass, all else is tried in the next turn."""
        self._around.listen(
            Event("immich.trouble", "warning", self._around.run_id, details={"error": error.message})
        )
        if isinstance(error, ImmichUnreachableError) or self._pace.too_much_trouble():
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


def _order_removals(jobs: Sequence[Job]) -> None:
    """Give each job the order in which its tags go, so that calls are shared."""
    rounds = remove_rounds([(job.plan.asset_id, frozenset(job.removals)) for job in jobs if job.removals])
    order: dict[str, list[str]] = {}
    for batches in rounds:
        for batch in batches:
            for asset_id in batch.asset_ids:
                order.setdefault(asset_id, []).extend(batch.tags)
    for job in jobs:
        job.removals = order.get(job.plan.asset_id, job.removals)
