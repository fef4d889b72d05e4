"""What the service says: to its listeners, as updates, and to the log."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from reconciler.engine.events import Event, Level, Listener, Progress

if TYPE_CHECKING:
    from reconciler.errors import ReconcilerError
    from reconciler.service.api import RunState, Snapshot
    from reconciler.service.event_bus import EventBus
    from reconciler.service.queue import Work
    from reconciler.service.run_registry import RunRegistry


class Announcer:
    """Tells what happens.

    Args:
        bus: for those who listen.
        runs: knows which one runs.
        listen: takes the engine's events; for the log.
    """

    def __init__(self, bus: EventBus, runs: RunRegistry, listen: Listener) -> None:
        self._bus, self._runs, self._listen = bus, runs, listen

    def heard(self, event: Event | Progress) -> None:
        """Pass on what a pass says of itself."""
        if isinstance(event, Progress):
            self._runs.progressed(event)
            # A look that reads nothing, as of every minute, is nothing to draw anew.
            told = event.phase == "writing" or (event.phase != "done" and event.done > 0)
            if told and self._runs.current is not None:
                self._bus.tell("progress", run=self._runs.current.run_id, **asdict(event))
        self._listen(event)

    def run(self, run: RunState) -> None:
        """Tell how a run ended."""
        summary = run.report.run.summary if run.report else ()
        more = {"trigger": run.request.trigger, "error": run.error, "summary": summary}
        self._bus.tell("run", run=run.run_id, state=run.state, **more)

    def state(self, now: Snapshot) -> None:
        """Tell how things stand."""
        self._bus.tell("state", level=now.level, paused=now.paused, crossed=asdict(now.crossed))

    def failed(self, work: Work, error: ReconcilerError, *, news: bool) -> None:
        """Log that a pass failed; ``news``: as the one before did not."""
        details = {"error": error.message, "remedy": error.remedy, "trigger": work.request.trigger}
        if error.again is not None:
            details["again"] = error.again
        # Every minute the same would bury what else the log says.
        level: Level = "warning" if news or work.request.by_person else "debug"
        self._listen(Event("pass.failed", level, work.run_id, details=details))

    def broke(self, work: Work, error: Exception) -> None:
        """Log that a pass ended with an error that nobody expected."""
        details = {"exc_info": error, "trigger": work.request.trigger}
        self._listen(Event("pass.broke", "error", work.run_id, details=details))
