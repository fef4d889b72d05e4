"""How far a run is, on the page, and how long it may still take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.core.records import JournalEntry
from reconciler.engine.events import Progress
from reconciler.service.api import Headline, Request, RunState, Snapshot
from reconciler.web.pages.progress import Pace
from reconciler.web.short_messages import tag_changes

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
IDLE = Snapshot(Headline("writing", "unknown"), started_at=NOW, checked_at=NOW, attempted_at=NOW)


def shown(pace, seconds, *progress):
    state = RunState("run1", Request(), "running", progress=Progress("writing", *progress))
    return pace.showing(replace(IDLE, current=state), NOW + timedelta(seconds=seconds))


def test_an_undo_tells_by_its_tags_how_long_it_takes_and_is_not_said_to_verify():
    pace = Pace()
    first = shown(pace, 0, 0, 36, 36, 400)
    assert (first.phase, first.removals, first.seconds_left) == ("writing", 400, None)
    later = shown(pace, 20, 2, 36, 30, 300)
    assert (later.removals, later.seconds_left) == (300, 60.0)
    assert shown(pace, 80, 2, 36, 34).phase == "verifying"


def entry(before, after, field="tags"):
    return JournalEntry("run1", "a", 1, field, before, after, NOW)


def test_tags_that_a_run_took_off_one_by_one_are_one_list():
    entries = [entry(["B"], []), entry(["A", "B"], ["B"]), entry(["C"], ["C", "D"])]
    assert tag_changes(entries) == (["D"], ["A", "B"])
    assert tag_changes([entry(["A"], []), entry([], ["A"])]) == ([], [])
