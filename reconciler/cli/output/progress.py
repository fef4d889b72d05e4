"""How far a pass is: a bar where somebody watches, plain lines now and then where nobody does."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.cli.output.screen import Screen
    from reconciler.engine.events import Progress as Step

_EVERY_S: Final = 5.0
_PHASES: Final = {"reading": "Reading", "planning": "Planning", "writing": "Writing", "done": "Done"}


class Meter:
    """Takes the engine's progress and shows it on standard error.

    Args:
        screen: where to.
        every: seconds between plain lines.
    """

    def __init__(self, screen: Screen, *, every: float = _EVERY_S) -> None:
        self._screen, self._every = screen, every
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._phase, self._told = "", 0.0

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show it within."""
        self._phase, self._told = "", 0.0
        if not self._screen.err.is_terminal:
            yield
            return
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30),
            TextColumn("{task.fields[counts]}"), TimeElapsedColumn(),
            console=self._screen.err, transient=True, redirect_stdout=False,
        )  # fmt: skip
        try:
            with self._bar:
                self._task = self._bar.add_task("Opening", total=None, counts="")
                yield
        finally:
            self._bar = None

    def __call__(self, step: Step) -> None:
        """Show a step; comes from the engine."""
        settling = f", {step.waiting} settling" if step.waiting else ""
        counts = f"{step.done}/{step.total}{settling}" if step.phase == "writing" else ""
        if self._bar is not None:
            total = step.total if step.phase == "writing" else None
            self._bar.update(
                self._task, description=_PHASES[step.phase], completed=step.done, total=total, counts=counts
            )
            return
        now = monotonic()
        if self._phase == step.phase and now - self._told < self._every:
            return
        if step.phase == "writing" and (step.total or self._phase != step.phase):
            self._screen.say(f"Writing: {counts}")
        elif step.phase == "reading":
            self._screen.say("Reading the catalogue and what Immich shows")
        self._phase, self._told = step.phase, now
