"""What was done, for people: runs, and the values they replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.cli.rendering import heading, show_difference, show_tags
from reconciler.core.asset import Coordinates
from reconciler.core.differences import differences, facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.cli.screen import Screen
    from reconciler.core.records import JournalEntry, Run

OUTCOME_STYLES: Final = {"ok": "green", "attention": "yellow", "failed": "red", "interrupted": "red"}


def moment(at: datetime | None) -> str:
    """Give a moment in local time, to the second."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at else "never"


def show_runs(screen: Screen, runs: Sequence[Run]) -> None:
    """List runs, a few words each."""
    for run in runs:
        screen.line(f"{run.run_id}  {moment(run.started_at)}  {run.trigger}, {run.outcome}", _style(run))
        if run.summary:
            screen.line(run.summary, "dim", indent=14)


def _style(run: Run) -> str:
    return OUTCOME_STYLES.get(run.outcome, "")


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
        screen.row(entry.field, f"{moment(entry.at)}, run {entry.run_id}", "dim")
        found = differences(_state(entry, entry.before), _state(entry, entry.after))
        if entry.field == "tags":
            show_tags(screen, found)
            continue
        for one in found:
            show_difference(screen, one)


def _state(entry: JournalEntry, value: object) -> dict[str, object]:
    """Give one side of an entry in the form that ``differences`` takes."""
    pair = value if isinstance(value, list) and entry.field == "coordinates" and len(value) == 2 else None
    tags = value if isinstance(value, list) and entry.field == "tags" else ()
    return facts(
        str(value or "") if entry.field == "description" else "",
        Coordinates(float(pair[0]), float(pair[1])) if pair else None,
        map(str, tags),
    )
