"""Undo: takes back a run, an asset's changes, or everything, as any pass writes: waves, looks, verification.

What is to be undone is noted in the store, and its assets are marked, before anything is sent: where it is
broken off, no pass writes to them, and the next undo of the same thing goes on where it stopped. What was
taken back is left alone afterwards. After an undo of everything that holds until a person has it written
again (``redo``); else until the catalogue's value changes, a person changes Immich's, or somebody forces it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.asset_ids import AssetIds
from reconciler.core.fields import VALUE_NAMES, with_values
from reconciler.core.plan.asset_plan import not_writable
from reconciler.core.plan.reversal import taken_off_last
from reconciler.core.reasons import reason
from reconciler.core.records import Run, RunCounts, TakenBack
from reconciler.core.writes.asset_write import AssetWrite
from reconciler.engine.album_writer import leave
from reconciler.engine.batches import Breath, batches
from reconciler.engine.canary import Canary
from reconciler.engine.carrying_over import took_back
from reconciler.engine.created_tags import Cleaned, delete_created
from reconciler.engine.executor import Executor, Surroundings
from reconciler.engine.job import Job
from reconciler.engine.order import order
from reconciler.engine.passes import Outcome, Report
from reconciler.engine.polling.timing import Timing
from reconciler.engine.sender import ignore_intentions, sent_for
from reconciler.engine.undo_plan import PreparedUndo, Step, UndoPlanner, reversed_now
from reconciler.engine.undo_record import left_alone, remembered
from reconciler.engine.undo_wish import ALL, begun, ended
from reconciler.errors import ImmichError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.core.asset import Applied, ObservedAsset
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.ports import Clock, Target
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, JournalEntry
    from reconciler.core.store_port import Store
    from reconciler.engine.album_writer import AlbumWriter
    from reconciler.engine.events import Listener
    from reconciler.engine.passes import Prepared
    from reconciler.engine.planner.wishes import Wishes
    from reconciler.engine.reconcile import Reconciler
    from reconciler.engine.undo_wish import UndoWish
    from reconciler.errors import ReconcilerError

_MOST_TRIES: Final = 2
_FINISHED_AT_ONCE: Final = 10
"""Assets whose end is recorded between two turns of the event loop: some milliseconds each."""
_UNFINISHED: Final = frozenset({"unfinished", "not_put_back"})


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What became of an undo."""

    run: Run
    undone: tuple[str, ...]
    """Asset ids on which all that could be taken back was."""
    left: tuple[tuple[str, Reason], ...]
    """Asset id, and why something was not taken back."""
    error: ReconcilerError | None = None
    tags: Cleaned = Cleaned()  # noqa: RUF009 - a frozen value


class Undo:
    """Takes back. The caller holds the store's lease while it applies: there is one writer."""

    def __init__(
        self,
        cycle: Reconciler,
        target: Target,
        store: Store,
        clock: Clock,
        listen: Listener,
        timing: Timing | None = None,
    ) -> None:
        self._cycle, self._target, self._store, self._clock = cycle, target, store, clock
        self._listen, self._timing = listen, timing or Timing()
        self._planner = UndoPlanner(cycle, target, store)

    async def prepare(self, what: UndoWish | Iterable[JournalEntry], wishes: Wishes) -> PreparedUndo:
        """Look at the assets, and plan taking it back; writes nothing. See ``UndoPlanner``."""
        return await self._planner.prepare(what, wishes)

    async def apply(self, undo: PreparedUndo, *, run_id: str, stop: Callable[[], bool]) -> UndoReport:
        """Write back what was replaced, verify it, and remember that it was undone.

        Raises:
            ObservingError: nothing may be written; nothing was.
            AnotherInstanceError: another instance keeps this library; nothing was written.
        """
        self._cycle.permission.require_mode()
        if (another := undo.prepared.another) is not None:
            raise another.error()
        run = Run(run_id, "undo", self._clock.now())
        with self._cycle.runs.open(run, lambda: self._begin(undo)) as opened:
            report = await self._carry_out(undo, run, stop)
            opened.ended = report.run
        if report.error is None:
            # A store that is lost from here on must not learn from Immich that what was taken back is ours.
            await self._cycle.share(undo.prepared)
        return report

    def _begin(self, undo: PreparedUndo) -> None:
        if undo.prepared.taken is not None:
            self._cycle.ownership.begin(undo.prepared.taken)
        begun(self._store, undo.wish)

    async def _carry_out(self, undo: PreparedUndo, run: Run, stop: Callable[[], bool]) -> UndoReport:
        prepared, mark = undo.prepared, TakenBack(run.started_at, whole=undo.wish.everything)
        # Marked before anything is sent: a kill in between must not have a pass write it again.
        steps = await asyncio.to_thread(self._mark, undo, mark)
        jobs = await self._jobs(steps)

        def replan(job: Job, seen: ObservedAsset) -> AssetPlan:
            plan = reversed_now(steps[job.asset_id], seen, prepared).plan
            if blocked := not_writable(seen, prepared.rules):  # as one that was put in the trash meanwhile
                return plan.without_writes(blocked)
            return _without_tried(plan, job.write)

        around = Surroundings(
            self._target, self._store, self._clock, self._timing, prepared.rules, run.run_id, self._listen,
            replan, stop,
        )  # fmt: skip
        sending = [job for job in jobs if job.write.state != "done"]
        executor = Executor(around, order(sending), Canary(sending, 0))
        if sending and prepared.observed_from is not None:
            await executor.run(prepared.observed_from, unlooked=True)
        error, cleaned = executor.error, Cleaned()
        writer, prepared = await self._albums(jobs, prepared, run.run_id, stop, ended=error is not None)
        found = await self._finish_all(steps, jobs, prepared)
        for step in steps.values():
            took_back(self._store, [step.item.asset_id], step.run_id, self._clock.now())
        complete = error is None and not stop()
        if complete:
            try:
                if undo.wish.everything:
                    cleaned = await delete_created(self._target, self._store)
                if writer is not None:
                    await writer.finish(everything=undo.wish.everything)
            except ImmichError as trouble:
                error, complete = trouble, False
        if complete and not any(why.code in _UNFINISHED for _, _, left in found for why in left):
            ended(self._store, undo.wish)
        gone = len(writer.deleted) if writer is not None else 0
        return _closed(run, self._clock, found, error, cleaned, stopped=stop(), albums=gone)

    async def _jobs(self, steps: Mapping[str, Step]) -> list[Job]:
        breath, jobs = Breath(), list[Job]()
        for step in steps.values():
            if step.is_job:
                jobs.append(self._job(step))
                await breath.take()
        return jobs

    async def _albums(
        self, jobs: list[Job], prepared: Prepared, run_id: str, stop: Callable[[], bool], *, ended: bool
    ) -> tuple[AlbumWriter | None, Prepared]:
        """Take back what was done to albums; gives who did, and the undo with the albums as they are then."""
        writer = self._cycle.album_writer(prepared, run_id)
        if writer is None or ended:
            leave(jobs)
            return writer, prepared
        await writer.write(jobs, ignore_intentions, stop)
        return writer, replace(prepared, rules=replace(prepared.rules, albums=writer.albums))

    def _mark(self, undo: PreparedUndo, mark: TakenBack) -> dict[str, Step]:
        """Mark the assets, some at a time; of everything also those in which nothing is ours."""
        steps = {step.item.asset_id: step for step in undo.steps}
        if undo.wish.everything:
            ids = AssetIds([*self._store.record_ids(), *undo.told])
        else:
            ids = AssetIds(asset_id for asset_id, step in steps.items() if step.is_job)
        for several in batches(ids):
            known = self._store.records_of(several)
            marked: list[AssetRecord] = []
            for asset_id in several:
                step = steps.get(asset_id)
                record = known.get(asset_id)
                if step is not None and (record is None or asset_id in undo.told):
                    record = step.record
                if record is None:
                    continue
                # What was taken back with everything stays so when a part of it is taken back once more.
                is_whole = record.taken_back is not None and record.taken_back.whole
                new = left_alone(record, record.taken_back if is_whole and record.taken_back else mark)
                marked.append(new)
                if step is not None:
                    steps[asset_id] = replace(step, record=new)
            self._store.save_records(marked)
        return steps

    def _job(self, step: Step) -> Job:
        assert step.found is not None  # noqa: S101 - asked for by the caller
        plan = step.found.plan
        if step.item.adopted is not None:
            waited = sent_for(step.item.adopted, self._clock.now())
            now = self._clock.monotonic()
            return Job(step.item, AssetWrite.adopt(plan, step.record, step.item.adopted, now, waited))
        if step.unread:
            # Where the reading before the write shows others, somebody may be at work on it.
            plan = replace(plan, observed=replace(plan.observed, tags=step.reversal.tags))
        return Job(step.item, AssetWrite.begin(plan, step.record))

    async def _finish_all(
        self, steps: Mapping[str, Step], jobs: list[Job], prepared: Prepared
    ) -> list[tuple[Step, bool, tuple[Reason, ...]]]:
        """Record where each asset stands; give whether it was written to, and what is left of it."""
        by_id = {job.asset_id: job for job in jobs}
        found: list[tuple[Step, bool, tuple[Reason, ...]]] = []
        for several in batches(list(steps.values()), _FINISHED_AT_ONCE):
            with self._store.transaction():
                for step in several:
                    job = by_id.get(step.item.asset_id)
                    left = self._finish(step, job, prepared)
                    found.append((step, job is not None, left))
            await asyncio.sleep(0)
        return found

    def _finish(self, step: Step, job: Job | None, prepared: Prepared) -> tuple[Reason, ...]:
        """Record where an asset stands after its undo; give what is left of it."""
        if step.found is None:
            return step.left
        if job is not None and (job.write.state != "done" or job.write.failed):
            return (*step.left, job.write.failed or reason("unfinished"))
        record, seen = step.record, step.found.plan.observed
        if job is not None:
            record, seen = replace(job.write.record, taken_back=record.taken_back), job.write.observed
        found = reversed_now(step, seen, prepared)
        mark = record.taken_back
        touched = job is not None or found.plan.base != step.record.applied
        if not (touched or mark is not None):
            return found.left
        record = replace(record, applied=self._ours(step, found.plan.base))
        whole = mark is not None and mark.whole
        kept_out = (reason("not_put_back"),) if found.plan.changes else ()
        if touched or whole:
            # What was taken back must not be written once more for a decision that it came from.
            for decided in record.resolutions:
                self._store.drop_resolution(record.asset_id, decided)
            record = replace(record, resolutions=())
        now = self._clock.now()
        fields = step.reversal.fields(prepared.rules.markers)
        record = remembered(step.item, fields, seen, record, prepared, now)
        self._store.save_records([record])
        if step.reversal.former is not None and not found.left and not kept_out:
            self._store.forget_former([record.asset_id])
        return (*found.left, *kept_out)

    def _ours(self, step: Step, base: Applied) -> Applied:
        """Leave out the tags that were to be put back and that a person had put back before."""
        back = (step.reversal.removed & base.tags) - step.record.applied.tags
        if not back:
            return base
        others = taken_off_last(self._store.journal_of(asset_id=step.item.asset_id, limit=ALL))
        return replace(base, tags=base.tags - (back & others))


def _without_tried(plan: AssetPlan, write: AssetWrite) -> AssetPlan:
    """Leave out what was written often enough and did not stick, as in a folder that is read-only."""
    if write.times_sent("fields") >= _MOST_TRIES:
        plan = with_values(replace(plan, description=None), dict.fromkeys(VALUE_NAMES))
    if write.times_sent("add_tags") >= _MOST_TRIES:
        plan = replace(plan, add_tags=frozenset())
    tried = {tag for tag in plan.remove_tags if write.taken_off.count(tag) >= _MOST_TRIES}
    return replace(plan, remove_tags=plan.remove_tags - tried)


def report_of(undo: PreparedUndo, ended: UndoReport) -> Report:
    """Return the end of an undo as that of a pass: of each asset what was left, and why."""
    left: dict[str, list[Reason]] = {}
    for asset_id, why in ended.left:
        left.setdefault(asset_id, []).append(why)
    outcomes = tuple(
        Outcome(
            step.item.image_id, step.item.asset_id, step.item.title, "undone",
            tuple(left.get(step.item.asset_id, ())),
        )
        for step in undo.steps
        if step.is_job or step.item.asset_id in left
    )  # fmt: skip
    return Report(ended.run, outcomes, error=ended.error)


def _closed(
    run: Run,
    clock: Clock,
    found: list[tuple[Step, bool, tuple[Reason, ...]]],
    error: ReconcilerError | None,
    cleaned: Cleaned,
    *,
    stopped: bool,
    albums: int = 0,
) -> UndoReport:
    undone = tuple(
        step.item.asset_id for step, written, left in found if written and not set(left) - set(step.left)
    )
    written = sum(1 for _, written, _ in found if written)
    left = tuple((step.item.asset_id, why) for step, _, several in found for why in several)
    summary = [reason("undo_images", count=len(undone))]
    if cleaned.deleted:
        summary.append(reason("undo_tags", count=len(cleaned.deleted)))
    if albums:
        summary.append(reason("undo_albums", count=albums))
    if left:
        summary.append(reason("undo_left", count=len(left)))
    closed = replace(
        run,
        finished_at=clock.now(),
        outcome="stopped" if stopped else "failed" if error else "succeeded",
        summary=tuple(summary),
        counts=RunCounts(images=len(found), changed=len(undone), failed=written - len(undone)),
    )
    return UndoReport(closed, undone, left, error, cleaned)
