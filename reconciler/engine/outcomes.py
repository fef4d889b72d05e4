"""The end of a pass: each asset's record, its outcome, and how the whole ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, get_args

from reconciler.core.fields import VALUE_NAMES
from reconciler.core.plan.flapping import counted
from reconciler.core.plan.renames import branches
from reconciler.core.plan.tag_losses import owned_kinds
from reconciler.core.reasons import of_error, reason
from reconciler.core.records import AssetRecord, Finding
from reconciler.engine.item import is_catalogues
from reconciler.engine.passes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.plan.guard import Verdict
    from reconciler.core.plan.plan import AssetPlan, Decision
    from reconciler.core.plan.renames import Branch
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetStatus, Field
    from reconciler.engine.item import Item
    from reconciler.engine.job import Job
    from reconciler.engine.losses import LossCount
    from reconciler.engine.passes import Prepared
    from reconciler.errors import ReconcilerError

_FIELDS: Final = frozenset({"block", "prose", *VALUE_NAMES})
_TELLING: Final[Mapping[str, Finding]] = {case: case for case in get_args(Finding)}


@dataclass(slots=True)
class Ended:
    """What became of the images so far."""

    losses: LossCount
    """Counts what is taken away."""
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
    tags: dict[str, str] = field(default_factory=dict)
    """The tags of the library that the writing met or made: full path to id."""
    failed: int = 0
    """Images of which something could not be read or written, or was not kept."""
    renamed: Counter[Branch] = field(default_factory=Counter)
    """Tags that a renamed branch took along, by branch."""
    albums_made: int = 0
    albums_deleted: int = 0
    deleted: int = 0
    """Tags that a rename left behind, and that are deleted."""

    @property
    def unreached(self) -> int:
        """Count the images that the pass did not come to before it was stopped."""
        return sum(outcome.status == "new" for outcome in self.outcomes)

    def take(self, items: Iterable[Item], jobs: Mapping[str, Job], outcomes: Iterable[Outcome]) -> None:
        """Take up what became of some more."""
        for item, outcome in zip(items, outcomes, strict=True):
            self.outcomes.append(outcome)
            job = jobs.get(item.asset_id)
            self.failed += _failed(item, job)
            # As a missing permission is told of the plan, only a write that was sent ends a job like that.
            refused = job is not None and job.write.status == "not_writable"
            if item.plan is None:
                continue
            if job is not None:
                ours = job.write.record.applied.tags
                done = [pair for pair in item.plan.renames if pair[0] not in ours and pair[1] in ours]
                self.renamed.update(branches(done))
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


def _failed(item: Item, job: Job | None) -> bool:
    """Return whether this pass failed at an image: what Immich did not keep before is no news."""
    if job is None:
        return item.plan is None and item.status == "failed" and not is_catalogues(item.reasons)
    before = {one.field for one in item.plan.decisions if one.case == "not_sticking"} if item.plan else set()
    lost = any(one.case == "not_sticking" and one.field not in before for one in job.write.plan.decisions)
    return lost or (job.write.failed is not None and job.write.status != "new")


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
        told = item.status in {"unknown_asset", "not_writable"} or is_catalogues(item.reasons)
        if told or item.status == "failed":
            record = replace(record, fingerprint=item.fingerprint if told else "", held="")
        return replace(record, status=item.status, reasons=item.reasons)
    seen = job.write.observed if job else plan.observed
    status, reasons = _standing(item, job, plan, error)
    settled = status not in {"pending", "failed", "new"} or is_catalogues(reasons)
    mark = item.fingerprint if settled else ""
    applied = record.applied if job else plan.base
    return replace(
        record,
        applied=applied,
        superseded=plan.superseded & applied.tags,
        kinds=owned_kinds(record.kinds, plan.desired.kinds, applied.tags),
        marks=plan.marks,
        corrections=counted(plan, item.plan or plan, job.write.changed if job else ()),
        status=status,
        reasons=reasons,
        fingerprint=mark,
        held=item.held if status == "held" else "",
        seen_updated_at=seen.updated_at,
        width=seen.width or record.width,
        height=seen.height or record.height,
    )


def _standing(
    item: Item, job: Job | None, plan: AssetPlan, error: ReconcilerError | None
) -> tuple[AssetStatus, tuple[Reason, ...]]:
    """Say where an asset stands, worst first: unfinished, held, or as its fields' decisions are."""
    unfinished = (job is not None and job.write.state != "done") or (job is None and plan.changes)
    found: list[tuple[AssetStatus, Reason]] = []
    if job is not None and job.write.status is not None and job.write.failed is not None:
        found.append((job.write.status, job.write.failed))
    if job is not None and job.write.state in {"sent", "moved"}:
        found.append(("pending", reason("digesting")))
    if plan.blocked:
        found.append(("not_writable", plan.blocked))
    if unfinished:
        if error is not None:
            found.append(("failed", of_error(error, remedy=False)))
        else:  # stopped, or made room for a person's wish: nothing went wrong
            found.append(("new", reason("not_reached")))
    if item.held:
        found.append(("held", reason("guard")))
    return (found[0][0], (found[0][1],)) if found else _decided(item, plan)


def _decided(item: Item, plan: AssetPlan) -> tuple[AssetStatus, tuple[Reason, ...]]:
    if lost := _why(one for one in plan.decisions if one.case == "not_sticking"):
        return "not_sticking", lost
    if left := _why(one for one in plan.decisions if one.case == "not_writable"):
        return "failed" if is_catalogues(left) else "not_writable", left
    if plan.conflicts:
        return "conflict", (*_why(plan.conflicts), reason("immich_stays"))
    if undone := _why(one for one in plan.decisions if one.case == "undone"):
        return "undone", undone
    if item.image is None:
        return "unlinked", (reason("left_catalogue"),)
    return _fine(plan)


def _fine(plan: AssetPlan) -> tuple[AssetStatus, tuple[Reason, ...]]:
    """Say where an asset stands of which nothing is wrong: left out, in whole or in part, or in sync."""
    if out := [one for one in plan.decisions if one.case == "left_out"]:
        whole = len(out) == len(plan.decisions) and len({one.reason for one in out}) == 1
        return "left_out", tuple(one.of() for one in _why(out)) if whole else _why(out)
    fields = tuple(one.field for one in plan.decisions if _left(one))
    return "in_sync", (*plan.notes, *((reason("left_to_person").of(*fields),) if fields else ()))


def _why(decisions: Iterable[Decision]) -> tuple[Reason, ...]:
    """Return the reasons of these decisions, each once, with all the fields that have it."""
    fields: dict[Reason, list[str]] = {}
    for one in decisions:
        if one.reason is not None:
            fields.setdefault(one.reason, []).append(one.field)
    return tuple(why.of(*names) for why, names in fields.items())


def _left(decision: Decision) -> bool:
    """Return whether a person's change of what we wrote stands, as ``on_drift`` says."""
    return decision.case == "drift" and decision.action == "keep"


def outcome_of(item: Item, job: Job | None, record: AssetRecord) -> Outcome:
    """Return what became of one image."""
    changed = tuple(sorted(job.write.changed)) if job else ()
    crossed = bool(job and job.write.remark)
    return Outcome(item.image_id, item.asset_id, item.title, record.status, record.reasons, changed, crossed)


def summarise(
    outcomes: Sequence[Outcome],
    verdict: Verdict,
    error: ReconcilerError | None,
    *,
    stood: int = 0,
    failed: int = 0,
    stopped_at: tuple[int, int] | None = None,
    renames: Iterable[Reason] = (),
) -> tuple[Reason, ...]:
    """Return what a pass looked at and wrote. How the library stands then is not the pass's to say.

    Args:
        outcomes: of the images that were looked at.
        verdict: the guard's.
        error: what ended it early, if anything did.
        stood: images that are fine besides.
        failed: images that it could not write, of those.
        stopped_at: how many of how many images with changes it came to, if it was stopped.
        renames: what was renamed, and deleted for it.
    """
    found = [reason("run_images", count=len(outcomes) + stood)]
    changed = sum(1 for outcome in outcomes if outcome.changed)
    if changed:
        found.append(reason("run_changed", count=changed))
    if failed:
        found.append(reason("run_failed", count=failed))
    if stopped_at is not None:
        done, total = stopped_at
        found.append(reason("run_stopped_at", done=done, total=total))
        if waiting := sum(outcome.status == "pending" for outcome in outcomes):
            found.append(reason("run_waiting", count=waiting))
    elif not (changed or failed or error or verdict.tripped):
        found.append(reason("run_nothing"))
    found += renames
    if verdict.tripped:
        found.append(reason("run_guarded"))
    if error is not None:
        found.append(ended_early(error))
    return tuple(found)


def told_renames(renamed: Mapping[Branch, int], deleted: int = 0) -> list[Reason]:
    """Return what is told of renamed branches, a reason each, and of the tags that were deleted for it."""
    found = [
        reason("run_renamed", before=shown_branch(one.before), after=shown_branch(one.after), count=count)
        for one, count in sorted(renamed.items())
    ]
    return [*found, reason("run_tags_deleted", count=deleted)] if deleted else found


def told_albums(made: int, deleted: int) -> list[Reason]:
    """Return what is told of albums that were made, and of those that were deleted."""
    found = [reason("run_albums_made", count=made)] if made else []
    return [*found, reason("run_albums_deleted", count=deleted)] if deleted else found


def shown_branch(path: str) -> str:
    """Return a branch as people read it: ``Astro/…``; the top of the tree is ``…`` alone."""
    return f"{path}/…" if path else "…"


def ended_early(error: ReconcilerError) -> Reason:
    """Return what ended a run before its end; what to do about it stands with the condition."""
    return reason("run_ended_early", kind=type(error).__name__, text=error.message)
