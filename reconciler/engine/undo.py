"""Undo: takes back a run, an asset's changes, or everything, as any pass writes: waves, looks, verification.

What is to be undone is noted in the store, and its assets are marked, before anything is sent: where it is
broken off, no pass writes to them, and the next undo of the same thing goes on where it stopped. What was
taken back is left alone afterwards. After an undo of everything that holds until a person has it written
again (``redo``); else until the catalogue's value changes, a person changes Immich's, or somebody forces it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.tags import tag_root
from reconciler.core.fields import VALUE_NAMES, with_values
from reconciler.core.plan.asset_plan import not_writable
from reconciler.core.plan.reversal import taken_off_last
from reconciler.core.reasons import reason
from reconciler.core.records import Run, TakenBack
from reconciler.core.writes.asset_write import AssetWrite
from reconciler.engine.album_writer import leave
from reconciler.engine.batches import SIZE, Breath, batches, beside, evenly
from reconciler.engine.canary import Canary
from reconciler.engine.carrying_over import took_back
from reconciler.engine.created_tags import Cleaned, delete_created
from reconciler.engine.events import of_the_whole
from reconciler.engine.executor import Executor, Surroundings
from reconciler.engine.job import Job
from reconciler.engine.order import order
from reconciler.engine.polling.poller import Poller
from reconciler.engine.polling.timing import Timing
from reconciler.engine.sender import ignore_intentions, sent_for
from reconciler.engine.undo_plan import UndoPlanner, reversed_now
from reconciler.engine.undo_record import left_alone, remembered
from reconciler.engine.undo_report import Ending
from reconciler.engine.undo_wish import ALL, begun, ended
from reconciler.engine.unrecorded_tags import left_empty
from reconciler.errors import ImmichError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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
    from reconciler.engine.undo_plan import PreparedUndo
    from reconciler.engine.undo_report import UndoReport
    from reconciler.engine.undo_steps import Step
    from reconciler.engine.undo_wish import UndoWish

_MOST_TRIES: Final = 2
_FINISHED_AT_ONCE: Final = 10
"""Assets whose end is recorded between two turns of the event loop: some milliseconds each."""
_UNFINISHED: Final = frozenset({"unfinished", "not_put_back"})
_WRITTEN: Final = 2_000
"""Assets that are written to before the next are looked at: a step takes some thirty kilobytes."""


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
        mark = TakenBack(run.started_at, whole=undo.wish.everything)
        # Marked before anything is sent: a kill in between must not have a pass write it again.
        await asyncio.to_thread(self._mark, undo, mark)
        ending = Ending(undo.steps.jobs)
        prepared = undo.prepared
        writer = self._cycle.album_writer(prepared, run.run_id)
        since = prepared.observed_from
        poller = None if since is None else Poller(self._target, self._clock, since)
        # All of about the same size: a tag is taken off many in one call.
        async for several in beside(undo.steps.slices(evenly(len(undo.steps), _WRITTEN))):
            steps = await asyncio.to_thread(self._with_marks, several, undo.wish)
            jobs = await self._jobs(steps)
            if ending.goes_on and not stop() and poller is not None:
                await self._write(steps, jobs, prepared, run.run_id, stop, poller, ending)
            if writer is None or ending.error is not None:
                leave(jobs)
            else:
                await writer.write(jobs, ignore_intentions, stop)
                prepared = replace(prepared, rules=replace(prepared.rules, albums=writer.albums))
            await self._finish_all(steps, jobs, prepared, ending)
        cleaned = Cleaned()
        if ending.error is None and not stop():
            cleaned = await self._clean_up(undo.wish, writer, ending, tag_root(prepared.rules.policy.tags))
        gone = len(writer.deleted) if writer is not None else 0
        return ending.closed(run, self._clock.now(), cleaned, stopped=stop(), albums=gone)

    async def _clean_up(
        self, wish: UndoWish, writer: AlbumWriter | None, ending: Ending, root: str
    ) -> Cleaned:
        """Delete what was made and that nothing needs any more; then the undo is over, if nothing is left."""
        cleaned = Cleaned()
        try:
            if wish.everything:
                cleaned = await delete_created(self._target, self._store)
                unrecorded = await left_empty(self._target, self._store, root)
                cleaned = replace(cleaned, unrecorded=unrecorded)
            if writer is not None:
                await writer.finish(everything=wish.everything)
        except ImmichError as error:
            ending.error = error
            return cleaned
        if not any(why.code in _UNFINISHED for _, why in ending.left):
            ended(self._store, wish)
        return cleaned

    async def _write(
        self,
        steps: Mapping[str, Step],
        jobs: list[Job],
        prepared: Prepared,
        run_id: str,
        stop: Callable[[], bool],
        poller: Poller,
        ending: Ending,
    ) -> None:
        """Write to some of the assets, and wait until that has settled."""

        def replan(job: Job, seen: ObservedAsset) -> AssetPlan:
            plan = reversed_now(steps[job.asset_id], seen, prepared).plan
            if blocked := not_writable(seen, prepared.rules):  # as one that was put in the trash meanwhile
                return plan.without_writes(blocked)
            return _without_tried(plan, job.write)

        sending = [job for job in jobs if job.write.state != "done"]
        if not sending or prepared.observed_from is None:
            return
        listen = of_the_whole(self._listen, ending.jobs, ending.all_jobs)
        around = Surroundings(
            self._target, self._store, self._clock, self._timing, prepared.rules, run_id, listen, replan,
            stop,
        )  # fmt: skip
        executor = Executor(around, order(sending), Canary(sending, 0))
        poller.expect({job.asset_id: job.write.observed.updated_at for job in sending}, frozenset())
        await executor.run(prepared.observed_from, unlooked=True, poller=poller)
        ending.jobs += len(sending)
        ending.error, ending.stalled = executor.error, executor.stalled
        poller.forget(steps)

    async def _jobs(self, steps: Mapping[str, Step]) -> list[Job]:
        breath, jobs = Breath(), list[Job]()
        for step in steps.values():
            if step.is_job:
                jobs.append(self._job(step))
                await breath.take()
        return jobs

    def _mark(self, undo: PreparedUndo, mark: TakenBack) -> None:
        """Mark the assets, some at a time; of everything also those in which nothing is ours."""
        for several in undo.steps.slices(SIZE):
            chosen = [step for step in several if step.is_job or undo.wish.everything]
            known = self._store.records_of([step.item.asset_id for step in chosen])
            records = [
                step.record if step.told else known.get(step.item.asset_id, step.record) for step in chosen
            ]
            self._store.save_records(_marked(record, mark) for record in records)
        if not undo.wish.everything:
            return
        for ids in batches(self._store.record_ids()):
            others = self._store.records_of(ids).values()
            left = [one for one in others if one.taken_back is None or not one.taken_back.whole]
            self._store.save_records(_marked(record, mark) for record in left)

    def _with_marks(self, several: Sequence[Step], wish: UndoWish) -> dict[str, Step]:
        """Return the steps of some assets, those that were marked with their records as they are since."""
        marked = [step.item.asset_id for step in several if step.is_job or wish.everything]
        known = self._store.records_of(marked)
        return {
            step.item.asset_id: replace(step, record=known.get(step.item.asset_id, step.record))
            for step in several
        }

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
        self, steps: Mapping[str, Step], jobs: list[Job], prepared: Prepared, ending: Ending
    ) -> None:
        """Record where each asset stands, and count whether it was written to, and what is left of it."""
        by_id = {job.asset_id: job for job in jobs}
        for several in batches(list(steps.values()), _FINISHED_AT_ONCE):
            with self._store.transaction():
                for step in several:
                    job = by_id.get(step.item.asset_id)
                    ending.count(step, job, self._finish(step, job, prepared))
                    took_back(self._store, [step.item.asset_id], step.run_id, self._clock.now())
            await asyncio.sleep(0)

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


def _marked(record: AssetRecord, mark: TakenBack) -> AssetRecord:
    # What was taken back with everything stays so when a part of it is taken back once more.
    is_whole = record.taken_back is not None and record.taken_back.whole
    return left_alone(record, record.taken_back if is_whole and record.taken_back else mark)
