"""What was done, for people: runs, and the values they replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.cli.output.tables import heading, show_difference, show_tags
from reconciler.core.fields import VALUE_FIELDS
from reconciler.core.plan.diff import differences, facts
from reconciler.messages.runs import summary
from reconciler.messages.translation import say
from reconciler.messages.vocabulary import MISSING, OUTCOMES, TRIGGERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.cli.output.screen import Screen
    from reconciler.core.records import AssetRecord, JournalEntry, Run

OUTCOME_STYLES: Final = {"succeeded": "green", "failed": "red", "stopped": "yellow"}


def moment(at: datetime | None) -> str:
    """Return a moment in local time with its zone, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %Z}" if at else "never"


def show_runs(screen: Screen, runs: Sequence[Run]) -> None:
    """List runs, a few words each."""
    for run in runs:
        why = say(TRIGGERS[run.trigger]) if run.trigger in TRIGGERS else run.trigger
        outcome = say(OUTCOMES[run.outcome])
        screen.line(f"{run.run_id}  {moment(run.started_at)}  {why}: {outcome}", _style(run))
        if run.summary:
            screen.line(summary(run.summary), "dim", indent=14)


def _style(run: Run) -> str:
    return OUTCOME_STYLES.get(run.outcome, "")


def show_crossed(screen: Screen, records: Sequence[AssetRecord]) -> None:
    """List images of which an edit may be missing, and say how a person finds out."""
    missing = say(MISSING)
    screen.line(f"{missing[0].upper()}{missing[1:]}:", "yellow")
    for one in records:
        if one.crossing:
            when = f"saved in Immich while it was written, {moment(one.crossing.at)}"
            text = f"{one.title} — {when}, run {one.crossing.run_id}"
            screen.row(f"{one.image_id:>5}", text, "yellow", indent=0, width=7)
    screen.line("Only who saved them can tell whether what they entered is there. Look, then say so:", "dim")
    screen.line("skymmich-reconciler explain IMAGE, then skymmich-reconciler seen IMAGE", "dim")


def show_entries(screen: Screen, entries: Sequence[JournalEntry], titles: Mapping[str, str]) -> None:
    """Show what was replaced, before and after, by image and moment.

    Args:
        screen: where to.
        entries: in the order to show.
        titles: asset id → title; one that is missing is named by its id.
    """
    above = ""
    for entry in entries:
        if entry.asset_id != above:
            screen.line()
            screen.line(heading(titles.get(entry.asset_id, entry.asset_id), entry.image_id))
            above = entry.asset_id
        screen.row(
            "date" if entry.field == "taken_at" else entry.field,
            f"{moment(entry.at)}, run {entry.run_id}",
            "dim",
        )
        if entry.field in {"favorite", "memberships"}:
            screen.row("", _beside(entry), indent=2)
            continue
        found = differences(_state(entry, entry.before), _state(entry, entry.after))
        if entry.field in {"tags", "albums"}:
            show_tags(screen, found)
            continue
        for one in found:
            show_difference(screen, one)


def _beside(entry: JournalEntry) -> str:
    """Return what was done beside the fields: a favourite, or the album that it was put in."""
    if entry.field == "favorite":
        return "yes" if entry.after else "no"
    return str(entry.after[1]) if isinstance(entry.after, list) and len(entry.after) == 2 else ""


def _state(entry: JournalEntry, value: object) -> dict[str, object]:
    """Return one side of an entry in the form that ``differences`` takes."""
    tags = value if isinstance(value, list) and entry.field in {"tags", "albums"} else ()
    return facts(
        str(value or "") if entry.field == "description" else "",
        {one.name: one.read(value) for one in VALUE_FIELDS if one.name == entry.field},
        map(str, tags),
    )
