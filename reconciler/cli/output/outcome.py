"""The end of a pass for people: what was done, what needs a look, and where to look next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.cli.output.tables import Standing, show_standings, show_verdict
from reconciler.engine.item import is_catalogues
from reconciler.messages.nouns import counted
from reconciler.messages.reasons import sentence
from reconciler.messages.runs import standings, summary
from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.output.screen import Screen
    from reconciler.engine.passes import Outcome, Report
    from reconciler.models.runs import Requests

_NOT_REACHED: Final = Message(
    "{count} image was not reached: run apply again.", "{count} images were not reached: run apply again."
)
_FEW: Final = 10
"""Of so many images it is told which are left out, and why."""
_UNFINISHED = {"failed", "pending", "held"}


def show_report(screen: Screen, report: Report, requests: Requests) -> None:
    """Show what became of a pass."""
    screen.line()
    if report.verdict.tripped:
        show_verdict(screen, report.verdict)
        screen.line()
    # What was skipped was said with the plan; what was not come to needs no look, but another apply.
    listed = [
        one
        for one in report.attention
        if one.status != "new" and all(why.code != "stale_plan" for why in one.reasons)
    ]
    show_outcomes(screen, listed)
    if len(report.outcomes) <= _FEW:  # of more, the counts below tell
        show_standings(screen, _standings([one for one in report.outcomes if one.status == "left_out"]))
    if crossed := [one for one in report.outcomes if one.crossed]:
        named = ", ".join(f"{one.title} ({one.image_id})" for one in crossed)
        screen.line(f"An edit may be missing, somebody saved it while it was written: {named}", "yellow")
        screen.line("When you have looked: skymmich-reconciler seen IMAGE", "dim")
    if left := sum(outcome.status == "new" for outcome in report.attention):
        screen.line(say(_NOT_REACHED, count=left), "yellow")
    took = (report.run.finished_at - report.run.started_at).total_seconds() if report.run.finished_at else 0.0
    screen.line(
        f"Run {report.run.run_id}, {took:.0f} s, {counted(requests.total, 'request')} to Immich "
        f"({requests.writes} of them writes).",
        "dim",
    )
    went_well = report.run.outcome == "succeeded" and not report.run.counts.failed
    screen.line(f"{summary(report.run.summary)}.", "bold green" if went_well else "bold")
    if report.run.counts.statuses:
        screen.line(f"{standings(report.run.counts)}.", "yellow" if report.attention else "")
    if report.run.counts.changed:
        screen.line(f"What was replaced: skymmich-reconciler history --run {report.run.run_id}", "dim")
    if listed:
        screen.line(f"Why: skymmich-reconciler explain {listed[0].image_id}", "dim")


def show_outcomes(screen: Screen, outcomes: Sequence[Outcome]) -> None:
    """List what a person should look at, with the reason."""
    if not outcomes:
        return
    screen.line("Needs a look:", "yellow")
    show_standings(screen, _standings(outcomes))
    screen.line()


def _standings(outcomes: Sequence[Outcome]) -> list[Standing]:
    return [
        Standing(one.image_id, one.title, one.status, sentence(one.reasons, "command")) for one in outcomes
    ]


def exit_code(report: Report) -> int:
    """Return 0 where all that could be written was, 1 where something is left to do or held back."""
    unfinished = any(one.status in _UNFINISHED and not is_catalogues(one.reasons) for one in report.outcomes)
    return 1 if report.error or report.stale or report.verdict.tripped or unfinished else 0
