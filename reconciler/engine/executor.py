"""Brings every asset of a pass through its steps, in waves that overlap while Immich digests.

A turn is: look, if it is time to or something is to be sent (one search: what has settled, what did a person
touch), merge anew what moved under us, check what has settled, and send as much as Immich can digest.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from reconciler.core.writes.sight import Terms
from reconciler.core.writes.verification import at_work
from reconciler.engine.canary import CanaryError
from reconciler.engine.events import Event, Listener, Progress
from reconciler.engine.order import groups, order_removals, share_removals
from reconciler.engine.own_tags import OwnTags
from reconciler.engine.polling.poller import Poller
from reconciler.engine.polling.schedule import PollSchedule, Situation
from reconciler.engine.polling.window import WriteWindow
from reconciler.engine.refresh import Refresher
from reconciler.engine.sender import Sender, ignore_intentions
from reconciler.engine.settlement import Settlement
from reconciler.engine.tagcheck import TagCheck
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
    from reconciler.core.plan.plan import AssetPlan, Rules
    from reconciler.core.ports import Clock, Target
    from reconciler.core.store_port import Store
    from reconciler.engine.canary import Canary
    from reconciler.engine.events import Level
    from reconciler.engine.job import Job
    from reconciler.engine.polling.timing import Timing

_LANES = 2
"""Assets that are read, and then written to at once, side by side: half of the line, for the tags have the
other, so that no write stands in line behind a reading."""
_INTENDED = 8
"""Assets whose writes are recorded in one commit before they are read: a commit waits for the disk."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an executor works with.

    ``replan`` merges an asset anew from a fresh reading. ``stop`` is asked before every send: once true
    nothing new is sent, and what is in flight is recorded. ``intended`` is told of each write within the
    commit that records its intention.
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
    intended: Callable[[Sequence[Job]], None] = ignore_intentions


class Executor:
    """One pass's writing."""

    def __init__(self, around: Surroundings, jobs: Sequence[Job], canary: Canary) -> None:
        """Take the jobs, each asset once; the canary's go first, else in their order."""
        self._around, self._jobs, self._canary = around, jobs, canary
        self._by_id = {job.asset_id: job for job in jobs}
        first = {job.asset_id for job in canary.jobs}
        ordered = sorted(jobs, key=lambda job: (not job.write.adopted, job.asset_id not in first))
        paths = frozenset(tag for job in jobs for tag in job.write.plan.add_tags)
        timing, rules = around.timing, around.rules
        as_sent = around.target.sent_description
        terms = Terms(rules.markers, rules.server_version, timing.recheck, timing.grace, as_sent)
        self._settling = Settlement(around.store, around.clock, terms)
        self.own_tags = OwnTags(around.target, around.store, paths)
        self._sender = Sender(
            around.target, around.store, self._settling, around.clock, around.run_id,
            tags=self.own_tags, intended=around.intended,
        )  # fmt: skip
        self._tags = TagCheck(around.target, [job for job in jobs if job.asset_id not in first])
        self._schedule = PollSchedule(timing, self._settling.dates)
        self._window = WriteWindow(timing, around.clock.monotonic())
        self._refresher = Refresher(
            around.target, around.clock, self._settling, self._window, self._schedule, around.replan
        )
        now = around.clock.monotonic()
        for job in jobs:
            if job.write.adopted and job.write.pending is not job.item.adopted:
                self._settling.waits_anew(job)
            if job.write.state == "ready" and (job.item.edited or at_work(job.write)):
                job.write = job.write.giving_way(now, timing.grace)
        self._active = {job.asset_id: job for job in ordered if job.write.state != "ready"}
        self._waiting = deque(job for job in ordered if job.write.state == "ready")
        self._unlooked = False
        self.error: ReconcilerError | None = None
        """What ended the writing early, if anything did."""
        self.stalled = False
        """Whether nothing settled for so long that the rest is left to the next pass."""

    async def run(self, since: datetime, *, unlooked: bool = False, poller: Poller | None = None) -> None:
        """Bring all jobs to ``done``; after a stop or an error some stay as they are.

        Args:
            since: by Immich's own dates: changes from then on are not in the jobs' observations.
            unlooked: whether the assets were read without a look, so that one goes before the first write: a
                reading that is older than what a look shows (a cache answered) is known by it.
            poller: of the slices before, which goes on where they ended.
        """
        self._unlooked = unlooked
        order_removals(self._jobs)
        known = {asset_id: job.write.observed.updated_at for asset_id, job in self._by_id.items()}
        poller = poller or Poller(self._around.target, self._around.clock, since, known)
        self._report()
        try:
            await self._turns(poller)
        finally:
            await self.own_tags.end()

    async def _turns(self, poller: Poller) -> None:
        while not self._ended():
            try:
                await self._turn(poller)
            except ImmichTemporaryError as error:
                self._trouble(error)
            except ImmichError as error:  # the key, or the server as a whole: nothing more can be done
                self.error = error
            finally:
                self._settling.flush()
            self._report()
            if not self._ended():
                has_room = self._window.has_room_for(self._may_send(), self._undigested())
                has_room = has_room and bool(self._next_up())
                pause = 0.0 if has_room else self._schedule.pause(self._situation())
                await self.own_tags.pause(self._around.clock, pause)

    async def _turn(self, poller: Poller) -> None:
        if self._must_look():
            before = self._undigested()
            asked = self._around.clock.monotonic()
            view = self._in_view()
            rows = await poller.look(view)
            rows = poller.claim(self._by_id.keys() - rows.keys()) | rows
            self._schedule.looked(view, self._around.clock.monotonic())
            self._unlooked = False
            await self._take_in(rows, asked)
            self._window.looked(self._undigested(), before)
        else:
            self._settling.hold_back(self._active.values(), self._around.clock.monotonic())
        try:
            await self._work()
        finally:
            for asset_id, job in list(self._active.items()):
                if job.write.remark != job.told:
                    job.told = job.write.remark
                    self._tell(job, "asset.crossed", "warning", why=job.write.remark)
                if job.write.state == "done":
                    del self._active[asset_id]

    def _situation(self) -> Situation:
        under_way = {"sent", "moved", "yielding"}
        writes = [
            job.write
            for job in self._active.values()
            if job.write.state in under_way
            and not self._tags.holds(job.write)
            and (job.write.state != "moved" or self._canary.lets_follow(job))
        ]
        now, recheck = self._around.clock.monotonic(), self._around.timing.recheck
        held_up = any(write.state == "moved" and now - write.moved_at > 2 * recheck for write in writes)
        hurried = held_up or bool(self._waiting) or bool(self._next_up())
        return Situation(now, writes, hurried=hurried)

    def _must_look(self) -> bool:
        """Return whether to look: it is time to, or tags are to be sent to assets last seen a while ago."""
        next_up = self._next_up()
        if self._schedule.is_due(situation := self._situation()) or (self._unlooked and next_up):
            return True
        return any(
            job.write.step != "fields" and not self._schedule.is_fresh(job.write, situation.now)
            for job in next_up
        )

    def _next_up(self) -> list[Job]:
        """Return the assets that may be sent in this turn: those that are further come first.

        Half of the room is for new ones: the last to begin has all its steps, and their waits, before it.
        """
        if self._around.stop() or self.error is not None:
            return []
        room = self._window.room(self._undigested())
        ready = self._worth_a_call(list(filter(self._is_ready, self._active.values())))
        # As far as the first that has to wait for the canary: there may be a hundred thousand.
        following = takewhile(self._canary.lets, (job for job in self._waiting if self._is_waiting(job)))
        new = list(islice(following, room))
        return (ready[: room - min(len(new), room // 2)] + new)[:room]

    def _is_ready(self, job: Job) -> bool:
        held = job.write.step != "fields" and self.own_tags.at_work
        return job.write.state == "ready" and not held and self._canary.lets(job)

    def _worth_a_call(self, ready: list[Job]) -> list[Job]:
        """Leave out those whose tag is taken off together with others', as long as those are on their way."""
        removing = [job for job in ready if job.write.step == "remove_tags"]
        if not removing:
            return ready
        wanted = Counter(tag for job in self._active.values() for tag in job.write.removals)
        wanted.update(tag for job in self._waiting for tag in job.write.removals)
        chosen = share_removals(removing, wanted, alone=not self._undigested())
        return [job for job in ready if job.write.step != "remove_tags"] + chosen

    def _is_waiting(self, job: Job) -> bool:
        return job.write.state == "ready" and job.asset_id not in self._active

    def _in_line(self) -> int:
        """Count the images that wait; one that a person touched is at work, and stands there still."""
        return sum(map(self._is_waiting, self._waiting))

    def _in_view(self) -> dict[Visibility, list[datetime]]:
        """Return what a look has to show: the visibilities of what is under way or next, and since when."""
        view: dict[Visibility, list[datetime]] = {
            job.write.observed.visibility: []
            for job in self._next_up()
            if job.write.step != "fields" or self._unlooked
        }
        situation = self._situation()
        for write in situation.writes:
            if self._schedule.is_read(write, situation):
                continue
            dates = view.setdefault(write.observed.visibility, [])
            if write.state == "moved" and write.moved_to is not None:
                dates.append(write.moved_to)
        return view

    def _ended(self) -> bool:
        if self._around.stop():
            return True
        now = self._around.clock.monotonic()
        self.error = self.error or self._canary.failed()
        writes = [job.write for job in self._active.values()]
        unsettled = any(write.under_way for write in writes)
        if self.error is not None and not (isinstance(self.error, CanaryError) and unsettled):
            return True  # after a canary what was sent is still waited for; else the next pass does
        if self._window.stalled(writes, now):
            self.stalled = True
            for job in self._active.values():
                job.write, _ = job.write.on_overdue(now)
            return True
        return not (self._active or self._waiting)

    def _undigested(self) -> int:
        return sum(
            job.write.state in {"sent", "yielding"} and not job.write.dying for job in self._active.values()
        )

    def _may_send(self) -> int:
        if self.error is not None:
            return 0
        ready = sum(map(self._is_ready, self._active.values()))
        return ready + (self._in_line() if self._waiting and self._canary.lets(self._waiting[0]) else 0)

    async def _take_in(self, rows: dict[str, ObservedAsset], asked: float) -> None:
        """Use a look: writes that settled, and assets that a person touched since they were read."""
        for asset_id, job in self._active.items():
            if job.write.state in {"sent", "yielding"}:
                self._refresher.look(job, rows.get(asset_id), asked)
        self._settling.hold_back(self._active.values(), self._around.clock.monotonic())
        for asset_id, job in self._active.items():
            if job.write.state == "moved":
                self._refresher.look(job, rows.get(asset_id), asked)
        self.own_tags.begin_early(self._canary.jobs, rows, self._settling.terms.markers)
        seen = [self._by_id[asset_id] for asset_id in rows.keys() & self._by_id.keys()]
        touched = [
            job
            for job in seen
            if job.write.state == "ready" and self._refresher.look(job, rows[job.asset_id], asked)
        ]
        for job in touched:
            self._tell(job, "asset.touched")
        await _all(self._refresher.read(job, rows[job.asset_id]) for job in touched)
        self._active |= {job.asset_id: job for job in touched if job.write.state == "yielding"}

    async def _work(self) -> None:
        """Check what is due and send what may go, at most as much as Immich can digest.

        Tags go at once. Before its fields are written an asset is read, and nobody waits in between: the
        words that a write puts back are one request old, not a pass.
        """
        situation = self._situation()
        due = {
            write.plan.asset_id for write in situation.writes if self._schedule.must_read(write, situation)
        }
        chunk = self._chunk()
        tagging = [job for job in chunk if job.write.step != "fields"]
        tagging = [] if self.own_tags.begin(tagging) else tagging
        careful = deque([job] for asset_id, job in self._active.items() if asset_id in due)
        careful += groups(job for job in chunk if job.write.step == "fields")
        lanes = [self._with_care(careful) for _ in range(min(_LANES, len(careful)))]
        await _all([self._send(tagging), *lanes, self._check_tags(situation)])

    def _chunk(self) -> list[Job]:
        """Take what may be sent now."""
        chunk = self._next_up()
        self._active |= {job.asset_id: job for job in chunk}
        while self._waiting and not self._is_waiting(self._waiting[0]):
            self._waiting.popleft()
        return chunk

    async def _with_care(self, careful: deque[list[Job]]) -> None:
        """Read assets, one after the other, and write to each at once what its reading says.

        Raises:
            ImmichError: the first of all that were raised; the others were read and written to.
        """
        outcomes = list[BaseException | None]()
        while careful and not self._around.stop():
            taken = [careful.popleft() for _ in range(min(_INTENDED, len(careful)))]
            every = [job for jobs in taken for job in jobs]
            ids = [job.asset_id for job in every]
            self._settling.flush_before(ids)
            self._sender.intend([job for job in every if job.write.step == "fields"])
            try:
                for jobs in taken:
                    readings = await asyncio.gather(*map(self._refresher.read, jobs), return_exceptions=True)
                    outcomes += readings
                    # Who was not read just now is not written to: what is known of it may be an old text.
                    read = [job for job, failed in zip(jobs, readings, strict=True) if failed is None]
                    fields = [job for job in read if job.write.step == "fields" and self._canary.lets(job)]
                    outcomes += await asyncio.gather(self._send(fields), return_exceptions=True)
            finally:
                self._sender.withdraw(every)
        _raise_first(outcomes)

    async def _check_tags(self, situation: Situation) -> None:
        """Verify the tags of many assets at once, when that is due."""
        held = [job for job in self._active.values() if self._tags.holds(job.write)]
        over = situation.now - self._around.timing.recheck
        settled = [job for job in held if job.write.moved_at <= over]
        alone = not situation.writes and not self._may_send() and len(settled) == len(held)
        if not self._tags.is_due([job.write for job in settled], alone=alone):
            return
        asked = self._around.clock.monotonic()
        found = await self._tags.check(settled, self.own_tags.ids)
        for job in settled:
            if job.asset_id in found and self._tags.holds(job.write):
                self._refresher.take(job, found[job.asset_id], asked)

    async def _send(self, jobs: Sequence[Job]) -> None:
        jobs = [job for job in jobs if job.write.state == "ready"]
        if not jobs or self._around.stop() or self.error is not None:
            return
        self._settling.flush_before(job.asset_id for job in jobs)
        await self._sender.send(jobs)

    def _trouble(self, error: ImmichTemporaryError) -> None:
        """Take a temporary error: a server that is down ends the pass, all else is tried in the next turn."""
        self._around.listen(
            Event("immich.trouble", "warning", self._around.run_id, details={"error": error.message})
        )
        hopeless = ImmichUnreachableError | MaintenanceError | UnfamiliarServerError
        if isinstance(error, hopeless) or self._window.too_much_trouble():
            self.error = error

    def _tell(self, job: Job, name: str, level: Level = "info", **more: object) -> None:
        plan = job.write.plan
        details = {"title": plan.title, **more}
        self._around.listen(Event(name, level, self._around.run_id, plan.image_id, plan.asset_id, details))

    def _report(self) -> None:
        waiting = len(self._active)  # also between two steps of its write
        done = len(self._jobs) - len(self._active) - self._in_line()
        off = sum(len(job.write.removals) for job in self._jobs if job.write.state != "done")
        self._around.listen(Progress("writing", done, len(self._jobs), waiting, off))


async def _all(things: Iterable[Awaitable[None]]) -> None:
    """Do all of these side by side to their end; then raise the first error, if there was one."""
    _raise_first(await asyncio.gather(*things, return_exceptions=True))


def _raise_first(outcomes: Iterable[BaseException | None]) -> None:
    for outcome in outcomes:
        if outcome is not None:
            raise outcome
