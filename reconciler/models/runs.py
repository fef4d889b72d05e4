"""Runs as JSON: one that is asked for or goes on, how it ended, and what became of each image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from reconciler.core.records import AssetStatus, RunOutcome
from reconciler.messages.reasons import joined_reasons
from reconciler.messages.runs import summary
from reconciler.messages.voice import remedy_of
from reconciler.models.base import Count, Counts, Model, Moment, Text
from reconciler.models.images import Change
from reconciler.models.plans import Guard
from reconciler.models.reasons import Reason, told
from reconciler.redaction import redact

if TYPE_CHECKING:
    from collections import Counter

    from reconciler.core.records import Run as CoreRun
    from reconciler.engine.events import Progress as CoreProgress
    from reconciler.engine.passes import Outcome as CoreOutcome
    from reconciler.engine.passes import Report as CoreReport
    from reconciler.messages.translation import Voice
    from reconciler.service.api import RunState as CoreRunState

MAX_OUTCOMES = 1000
"""Images that the API lists of one run; the counts beside them are of all."""


class Run(Model):
    """One run, as it is on record."""

    run_id: Text
    trigger: Text
    started_at: Moment
    finished_at: Moment | None
    seconds: float | None
    outcome: RunOutcome
    summary: Text
    reasons: list[Reason]
    """What the summary is made of."""
    counts: Counts

    @classmethod
    def of(cls, found: CoreRun) -> Self:
        """Return a run as JSON."""
        took = (found.finished_at - found.started_at).total_seconds() if found.finished_at else None
        return cls(
            run_id=found.run_id,
            trigger=found.trigger,
            started_at=found.started_at,
            finished_at=found.finished_at,
            seconds=took,
            outcome=found.outcome,
            summary=redact(summary(found.summary)),
            reasons=Reason.all(found.summary),
            counts=found.counts.to_json(),
        )


class Progress(Model):
    """How far a run is: ``done`` of ``total`` assets, of which ``waiting`` are still to settle."""

    phase: Literal["reading", "planning", "writing", "done"]
    done: Count
    total: Count
    waiting: Count

    @classmethod
    def of(cls, found: CoreProgress) -> Self:
        """Return a pass's progress as JSON."""
        return cls(phase=found.phase, done=found.done, total=found.total, waiting=found.waiting)


class Outcome(Model):
    """What became of one image."""

    image_id: int
    asset_id: Text
    title: Text
    status: AssetStatus
    reason: Text
    reasons: list[Reason]
    changed: list[Text]
    crossed: bool

    @classmethod
    def of(cls, found: CoreOutcome, voice: Voice = "daemon") -> Self:
        """Return an outcome as JSON, as a daemon or a command says it."""
        return cls(
            image_id=found.image_id,
            asset_id=found.asset_id,
            title=found.title,
            status=found.status,
            reason=told(found.reasons, voice),
            reasons=Reason.all(found.reasons),
            changed=list(found.changed),
            crossed=found.crossed,
        )


class Report(Model):
    """The end of a run."""

    run: Run
    outcome: Text
    summary: Text
    counts: Counts
    images: list[Outcome]
    guard: Guard
    stale: list[Text]
    error: Text
    remedy: Text

    @classmethod
    def of(cls, found: CoreReport, limit: int | None = MAX_OUTCOMES, *, voice: Voice = "daemon") -> Self:
        """Return a report as JSON, with at most so many images, as a daemon or a command says it."""
        return cls(
            run=Run.of(found.run),
            outcome=found.run.outcome,
            summary=redact(summary(found.run.summary)),
            counts=found.run.counts.to_json(),
            images=[Outcome.of(one, voice) for one in found.outcomes[:limit]],
            guard=Guard.of(found.verdict),
            stale=list(found.stale),
            error=redact(str(found.error)) if found.error else "",
            remedy=redact(remedy_of(found.error, voice)) if found.error else "",
        )


class RunState(Model):
    """A run that was asked for, from queue to report."""

    run_id: Text
    state: Literal["queued", "running", "done", "failed", "stopped"]
    url: Text
    trigger: Text = ""
    image_ids: list[int] | None = None
    full: bool = False
    force: bool = False
    progress: Progress | None = None
    report: Report | None = None
    error: Text = ""
    reasons: list[Reason] = Field(default_factory=list)
    """What the error is made of."""

    @classmethod
    def of(cls, found: CoreRunState) -> Self:
        """Return a requested run as JSON."""
        request = found.request
        return cls(
            run_id=found.run_id,
            state=found.state,
            url=run_url(found.run_id),
            trigger=request.trigger,
            image_ids=None if request.image_ids is None else sorted(request.image_ids),
            full=request.full,
            force=request.force,
            progress=None if found.progress is None else Progress.of(found.progress),
            report=None if found.report is None else Report.of(found.report),
            error=redact(joined_reasons(found.error, "daemon")),
            reasons=Reason.all(found.error),
        )


class Runs(Model):
    """Runs, the newest first; ``next`` is the query's ``before`` for those after them."""

    items: list[Run]
    next: Text | None


class RunView(Model):
    """One run and what it replaced."""

    run_id: Text
    run: Run | None
    state: RunState | None
    changes: list[Change]
    next: int | None


class Requests(Model):
    """How many requests went to Immich. A search is a POST, and a read."""

    total: Count
    writes: Count
    reads: Count

    @classmethod
    def of(cls, found: Counter[tuple[str, str, int]]) -> Self:
        """Return requests, counted by method, route and status, as JSON."""
        total = sum(found.values())
        writes = sum(
            count
            for (method, route, _), count in found.items()
            if method != "GET" and not route.startswith("/search")
        )
        return cls(total=total, writes=writes, reads=total - writes)


def run_url(run_id: str) -> str:
    """Return the address at which the API shows a run."""
    return f"/api/v1/runs/{run_id}"
