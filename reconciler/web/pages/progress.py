"""How far the pass that runs is, and how long it may still take: measured from when it was first seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.service.api import RunState, Snapshot


@dataclass(frozen=True, slots=True)
class Showing:
    """What a page shows of the pass that runs."""

    run_id: str
    phase: str
    done: int = 0
    total: int = 0
    waiting: int = 0
    seconds_left: float | None = None
    """``None`` while nothing can be said."""
    queued: int = 0

    @property
    def known(self) -> bool:
        """Whether its length is known."""
        return self.phase == "writing" and self.total > 0


class Pace:
    """Watches how quickly passes go on."""

    def __init__(self) -> None:
        self._run = ""
        self._since: datetime | None = None
        self._from = 0

    def showing(self, snapshot: Snapshot, now: datetime) -> Showing | None:
        """Return what to show; ``None`` while nothing runs."""
        current = snapshot.current
        if current is None:
            return None
        progress = current.progress
        if progress is None:
            return Showing(current.run_id, "starting", queued=snapshot.queue_depth)
        return Showing(
            current.run_id,
            progress.phase,
            progress.done,
            progress.total,
            progress.waiting,
            self._left(current, now),
            snapshot.queue_depth,
        )

    def _left(self, current: RunState, now: datetime) -> float | None:
        progress = current.progress
        if progress is None or progress.phase != "writing":
            return None
        if self._run != current.run_id or self._since is None:
            self._run, self._since, self._from = current.run_id, now, progress.done
        passed, done = (now - self._since).total_seconds(), progress.done - self._from
        if passed < 2 or done < 1:
            return None
        return (progress.total - progress.done) * passed / done
