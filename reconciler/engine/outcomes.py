"""The end of a pass: each asset's record, its outcome, and how the whole ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord, Finding
from reconciler.engine.passes import Outcome
from reconciler.engine.planner.held import held_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.plan.guard import Verdict
    from reconciler.core.plan.plan import AssetPlan, Decision
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetStatus, Field
    from reconciler.engine.item import Item
    from reconciler.engine.job import Job
    from reconciler.engine.passes import Prepared
    from reconciler.errors import ReconcilerError

_FIELDS: Final = frozenset({"block", "prose", "coordinates"})
_TELLING: Final[Mapping[str, Finding]] = {case: case for case in get_args(Finding)}


@dataclass(slots=True)
class Ended:
    """What became of the images so far."""

    outcomes: list[Outcome] = field(default_factory=list)
    error: ReconcilerError | None = None
    """What ended the writing early, if anything did."""
    stalled: bool = False
    """Whether nothing settled for so long that what is not written is left to the next pass."""
    jobs: int = 0
    """Those with something to write, or to wait for."""
    found: Counter[tuple[Finding, Field]] = field(default_factory=Counter)
    """Fields found drifted, in conflict or not sticking."""
    shown: set[str] = field(default_factory=set)
    """Assets that were read."""
    archived: set[str] = field(default_factory=set)
    """Of these: those in the archive."""
    written: set[str] = field(default_factory=set)
    """Owners of assets of which fields were written and kept."""
    refused: set[str] = field(default_factory=set)
    """Owners of assets that could not be written."""

    def take(self, items: Iterable[Item], jobs: Mapping[str, Job], outcomes: Iterable[Outcome]) -> None:
        """Take up what became of some more."""
        for item, outcome in zip(items, outcomes, strict=True):
            self.outcomes.append(outcome)
            job = jobs.get(item.asset_id)
            # As a missing permission is told of the plan, only a write that was sent ends a job like that.
            refused = job is not None and job.write.status == "not_writable"
            if item.plan is None:
                continue
            if not _FIELDS.isdisjoint(outcome.changed):
                self.written.add(item.plan.observed.owner_id)
            if refused:
                self.refused.add(item.plan.observed.owner_id)
            seen = job.write.observed if job else item.plan.observed
            self.shown.add(item.asset_id)
            if seen.visibility == "archive":
                self.archived.add(item.asset_id)
            for one in item.plan.decisions:
                if (case := _TELLING.get(one.case)) is not None:
                    self.found[case, one.field] += 1


def finished(
    item: Item, job: Job | None, prepared: Prepared, now: datetime, error: ReconcilerError | None
) -> AssetRecord:
    """Return an asset's record at the end of a pass."""
    known = prepared.records.get(item.asset_id)
    record = job.write.record if job else known or AssetRecord(item.asset_id, item.image_id)
    record = replace(
        record,
        image_id=item.image_id,
        title=item.title,
        # A catalogue that lost too much is not believed: what it no longer links counts as linked still.
        linked=item.image is not None or (prepared.verdict.shrunk and record.linked),
        checked_at=now if item.plan or job else record.checked_at,
    )
    plan = job.write.plan if job else item.plan
    if plan is None:
        told = item.status in {"unknown_asset", "not_writable"}
        mark = item.fingerprint if told else "" if item.status == "failed" else record.fingerprint
        return replace(record, status=item.status, reason=item.reason, fingerprint=mark)
    seen = job.write.observed if job else plan.observed
    status, reason = _standing(item, job, plan, error)
    mark = item.fingerprint if status not in {"pending", "failed", "new"} else ""
    return replace(
        record,
        applied=record.applied if job else plan.base,
        status=status,
        reason=reason,
        fingerprint=held_mark(item.held, mark) if status == "held" else mark,
        seen_updated_at=seen.updated_at,
        width=seen.width or record.width,
        height=seen.height or record.height,
    )


def _standing(
    item: Item, job: Job | None, plan: AssetPlan, error: ReconcilerError | None
) -> tuple[AssetStatus, str]:
    """Say where an asset stands, worst first: unfinished, held, or as its fields' decisions are."""
    unfinished = (job is not None and job.write.state != "done") or (job is None and plan.changes)
    found: list[tuple[AssetStatus, str]] = []
    if job is not None and job.write.status is not None:
        found.append((job.write.status, job.write.failed))
    if job is not None and job.write.state in {"sent", "moved"}:
        found.append(("pending", "Immich has not digested the write yet; the next pass looks again"))
    if plan.blocked:
        found.append(("not_writable", plan.blocked))
    if unfinished:
        if error is not None:
            found.append(("failed", error.message))
        else:  # stopped, or made room for a person's wish: nothing went wrong
            found.append(("new", "the pass ended before it; the next one goes on"))
    if item.held:
        found.append(("held", "the guard holds back what this change would take away"))
    return found[0] if found else _decided(item, plan)


def _decided(item: Item, plan: AssetPlan) -> tuple[AssetStatus, str]:
    cases: tuple[Literal["not_sticking", "not_writable"], ...] = ("not_sticking", "not_writable")
    for case in cases:
        for decision in plan.decisions:
            if decision.case == case:
                return case, f"{decision.field}: {decision.reason}"
    if plan.conflicts:
        fields = " and ".join(decision.field for decision in plan.conflicts)
        return "conflict", f"{fields}: {plan.conflicts[0].reason}; Immich's value is kept"
    for decision in plan.decisions:
        if decision.case == "undone":
            return "undone", f"{decision.field}: {decision.reason}"
    if item.image is None:
        return "unlinked", "it left the catalogue"
    left = [f"{d.field}: changed in Immich, left to the person" for d in plan.decisions if _left(d)]
    return "in_sync", "; ".join(dict.fromkeys((*plan.notes, *left)))


def _left(decision: Decision) -> bool:
    """Return whether a person's change of what we wrote stands, as ``on_drift`` says."""
    return decision.case == "drift" and decision.action == "keep"


def outcome_of(item: Item, job: Job | None, record: AssetRecord) -> Outcome:
    """Return what became of one image."""
    changed = tuple(sorted(job.write.changed)) if job else ()
    crossed = bool(job and job.write.remark)
    return Outcome(item.image_id, item.asset_id, item.title, record.status, record.reason, changed, crossed)


def summarise(
    outcomes: Sequence[Outcome], verdict: Verdict, error: ReconcilerError | None, *, stood: int = 0
) -> tuple[Reason, ...]:
    """Return how a pass ended; ``stood`` images are fine besides."""
    counts = Counter[str](outcome.status for outcome in outcomes)
    if stood:
        counts["in_sync"] += stood
    found = [
        reason("run_images", count=len(outcomes) + stood),
        reason("run_changed", count=sum(1 for outcome in outcomes if outcome.changed)),
        *(reason("run_status", status=status, count=count) for status, count in counts.most_common()),
    ]
    if verdict.tripped:
        found.append(reason("run_guarded"))
    if error is not None:
        found.append(ended_early(error))
    return tuple(found)


def ended_early(error: ReconcilerError) -> Reason:
    """Return what ended a run before its end; what to do about it stands with the condition."""
    return reason("run_ended_early", kind=type(error).__name__, text=error.message)
