"""The runs that were asked for since the start: where each stands, and waiting for one to end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from reconciler.service.api import RunState

if TYPE_CHECKING:
    from reconciler.core.reasons import Reason
    from reconciler.engine.events import Progress
    from reconciler.engine.passes import Report
    from reconciler.service.api import Request

_KEPT = 30
"""Ended runs that are remembered; older ones are in the state store. Each has an outcome for every image."""

Ended = Literal["done", "failed", "stopped"]


class RunRegistry:
    """Keeps the states of runs by their id."""

    def __init__(self) -> None:
        self._states: dict[str, RunState] = {}
        self._waiting: dict[str, asyncio.Event] = {}
        self.current: RunState | None = None
        """The one that runs."""

    def get(self, run_id: str) -> RunState | None:
        """Return one; ``None`` if it is not known, or long ended."""
        return self._states.get(run_id)

    @property
    def wished_for(self) -> tuple[RunState, ...]:
        """The runs that persons asked for, and not for their end, and that have not ended."""
        return tuple(
            one
            for one in self._states.values()
            if one.state in {"queued", "running"} and one.request.by_person and not one.stopping
        )

    def queued(self, run_id: str, request: Request) -> None:
        """Note a run that waits; again when more was folded into it."""
        self._states[run_id] = RunState(run_id, request, "queued")

    def started(self, run_id: str, request: Request) -> RunState:
        """Note that a run begins."""
        self.current = self._states[run_id] = RunState(run_id, request, "running")
        return self.current

    def progressed(self, progress: Progress) -> None:
        """Note how far the current run is."""
        if self.current is not None:
            self.current = replace(self.current, progress=progress)
            self._states[self.current.run_id] = self.current

    def stopping(self) -> None:
        """Note that the current run was asked to end."""
        if self.current is not None:
            self.current = replace(self.current, stopping=True)
            self._states[self.current.run_id] = self.current

    def ended(
        self, state: Ended, *, report: Report | None = None, error: tuple[Reason, ...] = ()
    ) -> RunState | None:
        """Note the end of the current run."""
        current = self.current
        if current is None:
            return None
        ended = replace(current, state=state, report=report, error=error, stopping=False)
        self.current = None
        # Put last, so that the oldest to end is the first to be forgotten.
        self._states.pop(current.run_id, None)
        self._states[current.run_id] = ended
        over = [known for known, run in self._states.items() if run.state in {"done", "failed", "stopped"}]
        for old in over[:-_KEPT]:
            del self._states[old]
        if (event := self._waiting.pop(current.run_id, None)) is not None:
            event.set()
        return ended

    def forget(self, run_id: str) -> None:
        """Forget a run that had nothing to tell: looks of every minute would push the others out."""
        self._states.pop(run_id, None)

    async def wait(self, run_id: str, patience: float) -> RunState | None:
        """Wait for a run to end, at most so many seconds; gives its state then."""
        known = self._states.get(run_id)
        if known is not None and known.state in {"queued", "running"}:
            event = self._waiting.setdefault(run_id, asyncio.Event())
            try:
                async with asyncio.timeout(patience):
                    await event.wait()
            except TimeoutError:
                pass
        return self._states.get(run_id)
