"""The end of a pass for people: what was done, what needs a look, and where to look next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.cli.rendering import Standing, show_standings, show_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.screen import Screen
    from reconciler.engine.passes import Outcome, Report

_UNFINISHED = {"failed", "pending", "held"}


def show_report(screen: Screen, report: Report, requests: Mapping[str, int]) -> None:
    """Show what became of a pass."""
    screen.line()
    if report.verdict.tripped:
        show_verdict(screen, report.verdict)
        screen.line()
    show_outcomes(screen, report.attention)
    for title in report.stale:
        screen.line(f"! “{title}” changed since the plan was made; it was not written", "yellow")
    took = (report.run.finished_at - report.run.started_at).total_seconds() if report.run.finished_at else 0.0
    screen.line(
        f"Run {report.run.run_id}, {took:.0f} s, {requests['total']} requests to Immich "
        f"({requests['writes']} of them writes).",
        "dim",
    )
    screen.line(f"{report.run.summary}.", "bold green" if report.run.outcome == "ok" else "bold")
    if report.run.counts.get("changed"):
        screen.line(f"What was replaced: skymmich-reconciler history --run {report.run.run_id}", "dim")
    if report.attention:
        screen.line(f"Why: skymmich-reconciler explain {report.attention[0].image_id}", "dim")


def show_outcomes(screen: Screen, outcomes: Sequence[Outcome]) -> None:
    """List what a person should look at, with the reason."""
    if not outcomes:
        return
    screen.line("Needs a look:", "yellow")
    show_standings(screen, [Standing(one.image_id, one.title, one.status, one.reason) for one in outcomes])
    screen.line()


def exit_code(report: Report) -> int:
    """Give 0 where all that could be written was, 1 where something is left to do or held back."""
    unfinished = any(outcome.status in _UNFINISHED for outcome in report.outcomes)
    return 1 if report.error or report.stale or report.verdict.tripped or unfinished else 0
