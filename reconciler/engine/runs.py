"""Every run ends: the one place where runs are begun and closed, by passes and by undo alike.

A run that is left by an error, a cancellation or an exit is closed as what it is. Where the store itself can
not take that, the closing is owed, and made good as soon as the store works again in this process; after the
end of the process, the next start finds the run and marks it stopped.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from reconciler.core.reasons import reason
from reconciler.engine.outcomes import ended_early
from reconciler.errors import LeaseHeldError, ReconcilerError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.core.ports import Clock
    from reconciler.core.records import Run
    from reconciler.core.store_port import Store

_MOST_OWED = 100


class OpenRun:
    """A run that goes on."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.ended: Run | None = None
        """Set by whoever knows how it ended; else the way in which it is left tells."""


class Runs:
    """Begins and closes runs in one store.

    Args:
        store: open for writing.
        clock: time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._owed: dict[str, Run] = {}

    @contextmanager
    def open(self, run: Run, begin: Callable[[], None] | None = None) -> Iterator[OpenRun]:
        """Record a run as running within, and its end however it is left.

        Args:
            run: as it begins.
            begin: what is recorded in the same commit; an error in it keeps the run from beginning.

        Raises:
            StateError: its beginning or its end could not be recorded; the end is owed.
        """
        self.settle()
        opened = OpenRun(run)
        try:
            with self._store.transaction():
                self._store.start_run(run)
                if begin is not None:
                    begin()
            yield opened
        except BaseException as error:
            self._owed[run.run_id] = self._broken(opened, error)
            self.settle()
            raise
        self._owed[run.run_id] = opened.ended or self._broken(opened, None)
        if (failure := self.settle()) is not None:
            raise failure

    def settle(self) -> StateError | None:
        """Close the runs whose end the store could not take; gives the error if it still cannot."""
        for run_id, run in list(self._owed.items()):
            try:
                self._store.finish_run(run)
            except StateError as error:
                for oldest in list(self._owed)[:-_MOST_OWED]:
                    del self._owed[oldest]
                return error
            del self._owed[run_id]
        return None

    def _broken(self, opened: OpenRun, error: BaseException | None) -> Run:
        if isinstance(error, ReconcilerError):
            summary = ended_early(error)
        elif isinstance(error, Exception):
            summary = reason("run_broke", kind=type(error).__name__)
        else:
            summary = reason("run_stopped")
        outcome: Literal["failed", "stopped"]
        broken = isinstance(error, Exception) and not isinstance(error, LeaseHeldError)
        outcome = "failed" if broken else "stopped"
        return replace(opened.run, finished_at=self._clock.now(), outcome=outcome, summary=(summary,))
