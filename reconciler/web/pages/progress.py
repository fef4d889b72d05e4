"""How far the run is that goes on, and how long it may still take, measured since a phase was first seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.messages.blocked import BLOCKED
from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.engine.events import Progress
    from reconciler.service.api import RunState, Snapshot

PHASES: Final[Mapping[str, Message]] = {
    "starting": Message("Starting"),
    "reading": Message("Reading Immich"),
    "planning": Message("Planning"),
    "writing": Message("Writing"),
    "verifying": Message("Verifying"),
    "done": Message("Finishing"),
}
_ENOUGH: Final = 2.0
"""Seconds of a phase before its pace tells anything."""


@dataclass(frozen=True, slots=True)
class Showing:
    """What a page shows of the run that goes on."""

    run_id: str
    phase: str
    done: int = 0
    total: int = 0
    waiting: int = 0
    removals: int = 0
    """Tags still to be taken off."""
    seconds_left: float | None = None
    """``None`` while nothing can be said."""
    queued: int = 0
    stopping: str = ""
    """Why it cannot be stopped once more; empty: it was not asked to stop."""

    @property
    def known(self) -> bool:
        """Whether its length is known."""
        return self.total > 0 and (self.phase in {"writing", "verifying"} or self.done > 0)

    @property
    def label(self) -> str:
        """Return the phase in words."""
        return say(PHASES[self.phase])


class Pace:
    """Watches how quickly runs go on."""

    def __init__(self) -> None:
        self._seen = ("", "")
        self._since: datetime | None = None
        self._from = 0
        self._to_take_off = 0

    def showing(self, snapshot: Snapshot, now: datetime) -> Showing | None:
        """Return what to show; ``None`` while nothing runs."""
        current = snapshot.current
        if current is None:
            return None
        stopping = say(BLOCKED["stopping"]) if current.stopping else ""
        progress = current.progress
        if progress is None:
            return Showing(current.run_id, "starting", queued=snapshot.queue_depth, stopping=stopping)
        return Showing(
            current.run_id,
            _phase(progress),
            progress.done,
            progress.total,
            progress.waiting,
            progress.removals,
            self._left(current, progress, now),
            snapshot.queue_depth,
            stopping,
        )

    def _left(self, current: RunState, progress: Progress, now: datetime) -> float | None:
        """Say how long the rest takes at the pace of the phase so far.

        Writes settle in waves, all of them at the end: one that is on its way counts half. Where tags are
        taken off, one a write, these are what takes the time.
        """
        done = progress.done + progress.waiting / 2
        if self._seen != (current.run_id, progress.phase) or self._since is None:
            self._seen, self._since, self._from = (current.run_id, progress.phase), now, progress.done
            self._to_take_off = progress.removals
        passed, new = (now - self._since).total_seconds(), done - self._from
        if progress.removals:
            taken = self._to_take_off - progress.removals
            return None if passed < _ENOUGH or taken <= 0 else progress.removals * passed / taken
        if passed < _ENOUGH or progress.done <= self._from or progress.done >= progress.total:
            return None
        return (progress.total - done) * passed / new


def _phase(progress: Progress) -> str:
    """Return the phase as a person sees it: once all is sent, writing is verifying."""
    sent = progress.waiting and not progress.removals and progress.done + progress.waiting >= progress.total
    return "verifying" if progress.phase == "writing" and sent else progress.phase
