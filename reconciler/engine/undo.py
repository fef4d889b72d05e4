"""Undo: takes a run back by the journal, through the same waves, looks and verification as any pass.

What was undone is not ours any more, and is remembered so that the next pass does not write the very same
again: until the catalogue's value changes, a person changes Immich's, or somebody forces it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.fingerprint import digest, place
from reconciler.core.plan.asset_plan import live_digest
from reconciler.core.plan.undo import Reversal, Reversed, reversals, reverse
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord, Run, RunCounts, Unsticking
from reconciler.core.writes.asset_write import AssetWrite
from reconciler.engine.canary import Canary
from reconciler.engine.executor import Executor, Surroundings
from reconciler.engine.item import Item
from reconciler.engine.job import Job
from reconciler.engine.observe import read_assets
from reconciler.engine.order import order
from reconciler.engine.outcomes import finished
from reconciler.engine.passes import Prepared, Selection
from reconciler.engine.planner.selection import merge
from reconciler.engine.polling.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.ports import Clock, Store, Target
    from reconciler.core.reasons import Reason
    from reconciler.core.records import JournalEntry
    from reconciler.engine.events import Listener
    from reconciler.engine.planner.planner import Wishes
    from reconciler.engine.reconcile import Reconciler
    from reconciler.errors import ReconcilerError

UNDONE: Final = reason("undone")
_MOST_TRIES: Final = 2


@dataclass(frozen=True, slots=True)
class Step:
    """One asset of an undo."""

    item: Item
    reversal: Reversal
    found: Reversed | None
    """``None``: not readable."""
    left: tuple[Reason, ...]
    """Why something cannot be taken back."""
    unread: bool = False
    """Whether its tags were not read, and are taken for what the run left; its text is to be written, and
    the reading before that tells them."""


@dataclass(frozen=True, slots=True)
class PreparedUndo:
    """An undo before anything is written."""

    prepared: Prepared
    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[AssetPlan, ...]:
        """The plans that would write something back."""
        return tuple(step.found.plan for step in self.steps if step.found and step.found.plan.changes)


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What became of an undo."""

    run: Run
    undone: tuple[str, ...]
    """Asset ids on which all that could be taken back was."""
    left: tuple[tuple[str, Reason], ...]
    """Asset id, and why something was not taken back."""
    error: ReconcilerError | None = None


class Undo:
    """Takes runs back. The caller holds the store's lease while it applies: there is one writer."""

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

    async def prepare(self, entries: Iterable[JournalEntry], wishes: Wishes) -> PreparedUndo:
        """Look at the assets of a run's journal entries, and plan taking them back. Writes nothing.

        Raises:
            CatalogueError, TemplateError, ImmichError, StateError: it could not be prepared.
        """
        wanted = {reversal.asset_id: reversal for reversal in reversals(entries)}
        image_ids = frozenset(reversal.image_id for reversal in wanted.values())
        # In bulk, a thousand a request: before its text is written back each asset is read anyway.
        selection = Selection(image_ids=image_ids, full=True, tags_later=True)
        prepared = await self._cycle.prepare(selection, wishes)
        items = {item.asset_id: item for item in prepared.items if item.asset_id in wanted}
        steps = {
            asset_id: self._step(item, wanted[asset_id], item.plan.observed, prepared)
            for asset_id, item in items.items()
            if item.plan is not None
        }
        to_be_read = [asset_id for asset_id in wanted if _is_to_be_read(steps.get(asset_id))]
        seen = (await read_assets(self._target, sorted(to_be_read), tags=True)).assets
        for asset_id in to_be_read:
            reversal = wanted[asset_id]
            title = prepared.records[asset_id].title if asset_id in prepared.records else asset_id
            item = items.get(asset_id) or Item(None, asset_id, reversal.image_id, title)
            steps[asset_id] = self._step(item, reversal, seen.get(asset_id), prepared)
        return PreparedUndo(prepared, tuple(steps[asset_id] for asset_id in wanted))

    def _step(self, item: Item, reversal: Reversal, seen: ObservedAsset | None, prepared: Prepared) -> Step:
        if seen is None:
            return Step(item, reversal, None, item.reasons or (reason("not_shown", asset=item.asset_id),))
        if item.plan and item.plan.blocked:
            return Step(item, reversal, None, (item.plan.blocked,))
        if item.adopted:
            return Step(item, reversal, None, (reason("unsettled"),))
        record = prepared.records.get(item.asset_id) or _new(item)
        unread = seen.tags is None
        known = replace(seen, tags=reversal.tags or frozenset()) if unread else seen
        found = _reverse(reversal, known, item, record, prepared)
        return Step(item, reversal, found, found.left, unread)

    async def apply(self, undo: PreparedUndo, *, run_id: str, stop: Callable[[], bool]) -> UndoReport:
        """Write back what was replaced, verify it, and remember that it was undone."""
        run = Run(run_id, "undo", self._clock.now())
        with self._cycle.runs.open(run) as opened:
            report = await self._carry_out(undo, run, stop)
            opened.ended = report.run
        return report

    async def _carry_out(self, undo: PreparedUndo, run: Run, stop: Callable[[], bool]) -> UndoReport:
        prepared, jobs, reversal_of = undo.prepared, [], {}
        for step in undo.steps:
            if step.found and step.found.plan.changes:
                record = prepared.records.get(step.item.asset_id) or _new(step.item)
                jobs.append(Job(step.item, AssetWrite.begin(_as_read(step, step.found.plan), record)))
                reversal_of[step.item.asset_id] = step.reversal
        # Given up before anything is sent: a kill in between must not leave a restored value as ours.
        self._store.save_records([replace(job.write.record.to_look_at(), status="pending") for job in jobs])

        def replan(job: Job, seen: ObservedAsset) -> AssetPlan:
            plan = _reverse(reversal_of[job.item.asset_id], seen, job.item, job.write.record, prepared).plan
            tried = job.write.sent_steps.count("fields") >= _MOST_TRIES
            return replace(plan, description=None, coordinates=None) if tried else plan

        around = Surroundings(
            self._target, self._store, self._clock, self._timing, prepared.rules, run.run_id, self._listen,
            replan, stop,
        )  # fmt: skip
        executor = Executor(around, order(jobs), Canary(jobs, 0))
        if jobs and prepared.observed_from is not None:
            await executor.run(prepared.observed_from, unlooked=True)
        return self._close(undo, run, jobs, executor.error, stopped=stop())

    def _close(
        self, undo: PreparedUndo, run: Run, jobs: list[Job], error: ReconcilerError | None, *, stopped: bool
    ) -> UndoReport:
        by_id = {job.item.asset_id: job for job in jobs}
        undone: list[str] = []
        left: list[tuple[str, Reason]] = []
        for step in undo.steps:
            asset_id, job = step.item.asset_id, by_id.get(step.item.asset_id)
            reasons = step.left
            if job is not None and step.found is not None:
                reasons = self._finish(step, job, undo.prepared)
            left += [(asset_id, one) for one in reasons]
            if job is not None and not set(reasons) - set(step.left):
                undone.append(asset_id)
        outcome: Literal["ok", "attention", "failed", "interrupted"] = "attention" if left else "ok"
        ended = replace(
            run,
            finished_at=self._clock.now(),
            outcome="interrupted" if stopped else "failed" if error else outcome,
            summary=_summary(len(undone), len(left)),
            counts=RunCounts(images=len(undo.steps), changed=len(undone)),
        )
        return UndoReport(ended, tuple(undone), tuple(left), error)

    def _finish(self, step: Step, job: Job, prepared: Prepared) -> tuple[Reason, ...]:
        """Record where an asset stands after its undo; give what is left of it."""
        if job.write.state != "done" or job.write.failed:
            self._store.save_records([replace(job.write.record.to_look_at(), status="pending")])
            return (*step.left, job.write.failed or reason("unfinished"))
        found = _reverse(step.reversal, job.write.observed, step.item, job.write.record, prepared)
        record = replace(job.write.record, applied=found.plan.base, resolutions=())
        # What was taken back must not be written once more for a decision that it came from.
        for decided in job.write.record.resolutions:
            self._store.drop_resolution(record.asset_id, decided)
        if step.item.image is not None and step.item.plan is not None:
            record = _remembered(step, job.write.observed, record, prepared, self._clock.now())
        self._store.save_records([record])
        kept_out = (reason("not_put_back"),) if found.plan.changes else ()
        return (*found.left, *kept_out)


def _remembered(
    step: Step, seen: ObservedAsset, record: AssetRecord, prepared: Prepared, now: datetime
) -> AssetRecord:
    """Return the record with a note of all that the next pass would write again at once."""
    item, rules = step.item, prepared.rules
    desired = item.plan.desired if item.plan else None
    assert desired is not None  # noqa: S101 - asked for by the caller
    plan = merge(item, desired, seen, replace(record, unsticking=()), rules, force=False)
    touched, notes = step.reversal.fields(rules.markers), []
    for decision in plan.decisions:
        if decision.field not in touched or decision.action not in {"write", "remove"}:
            continue
        wanted = [digest(decision.desired or "")]
        if decision.field == "coordinates":
            wanted = [digest(place(plan.coordinates))]
        elif decision.field == "tags":
            wanted = [digest(plan.add_tags)] if plan.add_tags else []
            wanted += [digest("-", tag) for tag in sorted(plan.remove_tags)]
        live = live_digest(decision.field, seen)
        notes += [
            Unsticking(decision.field, one, live, rules.server_version, UNDONE, undone=True) for one in wanted
        ]
    record = replace(record, unsticking=tuple(notes))
    after = merge(item, desired, seen, record, rules, force=False)
    known = replace(prepared, records={item.asset_id: record})
    return finished(replace(item, plan=after), None, known, now, None)


def _is_to_be_read(step: Step | None) -> bool:
    """Return whether an asset has to be read to be planned: its tags matter, and no reading is to come."""
    if step is None:
        return True
    if step.found is None or not step.unread or not step.found.plan.changes:
        return False
    return step.reversal.tags is None or not step.found.plan.writes_fields


def _as_read(step: Step, plan: AssetPlan) -> AssetPlan:
    """Return a plan to begin with: tags that were not read are as the run left them.

    Where the reading before the write shows others, somebody may be at work on it, and is waited for.
    """
    return replace(plan, observed=replace(plan.observed, tags=step.reversal.tags)) if step.unread else plan


def _reverse(
    reversal: Reversal, seen: ObservedAsset, item: Item, record: AssetRecord, prepared: Prepared
) -> Reversed:
    rules = prepared.rules
    limit = rules.policy.description.max_bytes
    return reverse(reversal, seen, item.title, record.applied, rules.markers, limit)


def _summary(undone: int, left: int) -> tuple[Reason, ...]:
    taken = reason("undo_images", count=undone)
    return (taken, reason("undo_left", count=left)) if left else (taken,)


def _new(item: Item) -> AssetRecord:
    return AssetRecord(item.asset_id, item.image_id, item.title)
