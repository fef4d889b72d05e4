"""What became of an undo, counted slice by slice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.reasons import reason
from reconciler.core.records import Run, RunCounts
from reconciler.engine.created_tags import Cleaned
from reconciler.engine.passes import Outcome, Report

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.reasons import Reason
    from reconciler.engine.job import Job
    from reconciler.engine.undo_plan import PreparedUndo
    from reconciler.engine.undo_steps import Step
    from reconciler.errors import ReconcilerError


_NAMED: Final = 5
"""Branches of tags that a run's summary names."""


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


@dataclass(slots=True)
class Ending:
    """What became of the assets so far."""

    all_jobs: int
    """Those of the whole undo with something to send, or to wait for."""
    jobs: int = 0
    """Of these: those that were carried out."""
    images: int = 0
    written: int = 0
    undone: list[str] = field(default_factory=list)
    left: list[tuple[str, Reason]] = field(default_factory=list)
    error: ReconcilerError | None = None
    """What ended it early."""
    stalled: bool = False
    """Whether nothing settled for so long that the rest is left."""
    _same: dict[Reason, Reason] = field(default_factory=dict)

    @property
    def goes_on(self) -> bool:
        """Whether more may be written."""
        return self.error is None and not self.stalled

    def count(self, step: Step, job: Job | None, left: tuple[Reason, ...]) -> None:
        """Count an asset of which all is recorded."""
        asset_id = step.item.asset_id
        self.images += 1
        self.written += job is not None
        if job is not None and not set(left) - set(step.left):
            self.undone.append(asset_id)
        # A hundred thousand are left for the same few reasons.
        self.left += [(asset_id, self._same.setdefault(why, why)) for why in left]

    def closed(
        self,
        run: Run,
        now: datetime,
        cleaned: Cleaned,
        *,
        stopped: bool,
        albums: int = 0,
    ) -> UndoReport:
        """Return the report of the undo, once all is done."""
        summary = [reason("undo_images", count=len(self.undone))]
        if cleaned.deleted:
            summary.append(reason("undo_tags", count=len(cleaned.deleted)))
        if cleaned.unrecorded:
            summary.append(_unrecorded(cleaned))
        if albums:
            summary.append(reason("undo_albums", count=albums))
        if self.left:
            summary.append(reason("undo_left", count=len(self.left)))
        closed = replace(
            run,
            finished_at=now,
            outcome="stopped" if stopped else "failed" if self.error else "succeeded",
            summary=tuple(summary),
            counts=RunCounts(
                images=self.images, changed=len(self.undone), failed=self.written - len(self.undone)
            ),
        )
        return UndoReport(closed, tuple(self.undone), tuple(self.left), self.error, cleaned)


def _unrecorded(cleaned: Cleaned) -> Reason:
    """Return in a run's summary what is left of tags that are not on record here, with the first branches."""
    counts = [count for _, why in cleaned.unrecorded if isinstance(count := why.get("count"), int)]
    named = [path for path, _ in cleaned.unrecorded[:_NAMED]]
    more = ("…",) if len(cleaned.unrecorded) > _NAMED else ()
    return reason("undo_unrecorded", count=sum(counts), tags=(*named, *more))


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
