"""How far a pass is: a bar where somebody watches, plain lines now and then where nobody does."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from reconciler.messages.formats import lasting
from reconciler.messages.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.cli.output.screen import Screen
    from reconciler.engine.events import Progress as Step

_EVERY_S: Final = 5.0
_PHASES: Final = {"reading": "Reading", "planning": "Planning", "writing": "Writing", "done": "Done"}
_ENOUGH: Final = 2.0
"""Seconds of a phase before its pace tells anything."""


class Meter:
    """Takes the engine's progress and shows it on standard error.

    Args:
        screen: where to.
        every: seconds between plain lines.
        clock: monotonic seconds.
    """

    def __init__(
        self, screen: Screen, *, every: float = _EVERY_S, clock: Callable[[], float] = monotonic
    ) -> None:
        self._screen, self._every, self._clock = screen, every, clock
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._phase, self._told = "", 0.0
        self._began, self._first = 0.0, 0
        """When the phase began, and how many were done then."""

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Show it within."""
        self._phase, self._told = "", 0.0
        self._bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20),
            TextColumn("{task.fields[counts]}"), TimeElapsedColumn(),
            console=self._screen.err, transient=True, redirect_stdout=False,
        )  # fmt: skip
        self._task = self._bar.add_task("Opening", total=None, counts="")
        try:
            if self._screen.err.is_terminal:
                with self._bar:
                    yield
            else:
                yield
        finally:
            self._bar = None

    def __call__(self, step: Step) -> None:
        """Show a step; comes from the engine."""
        if self._bar is None:
            return
        began = self._phase != step.phase
        self._phase = step.phase
        # What is not counted yet has a bar that only says that something happens.
        total = step.total if step.done or step.phase == "writing" else None
        if began:
            self._began, self._first = self._clock(), step.done
            self._bar.reset(self._task, total=total, description=_PHASES[step.phase], counts="")
        self._bar.update(self._task, completed=step.done, total=total)
        counts = self._counts(step) if total else ""
        self._bar.update(self._task, counts=counts)
        if not self._screen.err.is_terminal:
            self._say(step, counts, began=began)

    def _say(self, step: Step, counts: str, *, began: bool) -> None:
        now = self._clock()
        if not began and now - self._told < self._every:
            return
        if counts:
            self._screen.say(f"{_PHASES[step.phase]}: {counts}")
        elif step.phase == "reading":
            self._screen.say("Reading the catalogue and what Immich shows")
        self._told = now

    def _counts(self, step: Step) -> str:
        settling = f", {step.waiting:,} settling" if step.waiting else ""
        off = f", {counted(step.removals, 'tag')} to take off" if step.removals else ""
        return f"{step.done:,} of {step.total:,}{settling}{off}{self._left(step)}"

    def _left(self, step: Step) -> str:
        """Say how long the rest takes at the pace of the phase so far.

        Writes settle in waves, all of them at the end: one that is on its way counts half.
        """
        took, half = self._clock() - self._began, step.waiting / 2
        if step.removals:  # one tag a write: the images come to their end together
            return ""
        if took < _ENOUGH or step.done <= self._first or step.done >= step.total:
            return ""
        return f", {lasting(took / (step.done - self._first + half) * (step.total - step.done - half))} left"
