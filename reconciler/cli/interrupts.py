"""SIGINT and SIGTERM: at once while nothing is at stake, with care while something is being written.

========================  ===================================================================
a signal comes            and
========================  ===================================================================
while reading or asking   ``Interrupted`` is raised: nothing was written; from ``Work.do``, not amid its tasks
while writing             ``requested`` turns true: calls in flight finish and are recorded
a second time             the process ends at once; what was sent is on record all the same
========================  ===================================================================
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from types import FrameType

T = TypeVar("T")
_STOPPING: Final = (
    b"\nStopping: calls in flight are finished and recorded. Once more ends at once, safely too.\n"
)


class Interrupted(KeyboardInterrupt):
    """A signal came while nothing was at stake; ``words`` tell a person how things are left."""

    def __init__(self, number: int, words: str = "Stopped. Nothing was written to Immich.") -> None:
        super().__init__(number)
        self.number = number
        self.words = words


class Stopping:
    """Listens to both signals for the length of ``listening``."""

    def __init__(self) -> None:
        self.received: int | None = None
        self._careful = False
        self._wrote = False
        self._cancel: Callable[[], object] | None = None

    @property
    def requested(self) -> bool:
        """Whether to send nothing more."""
        return self.received is not None

    @contextmanager
    def listening(self) -> Iterator[Stopping]:
        """Handle the signals within; the former handlers come back afterwards, if none came."""
        before: dict[signal.Signals, Any] = {
            number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield self
        finally:
            for number, handler in before.items():
                # After a signal only the last words are left to say: a further one must not spoil them.
                signal.signal(number, signal.SIG_IGN if self.requested else handler)

    @contextmanager
    def careful(self) -> Iterator[None]:
        """Finish what is in flight within."""
        self._careful = self._wrote = True
        try:
            yield
        finally:
            self._careful = False

    def run(self, runner: asyncio.Runner, work: Coroutine[object, object, T]) -> T:
        """Wait for something that a signal breaks off, by cancelling it.

        Raised there and then, it would strike whichever task is just at work, and leave the others.

        Raises:
            Interrupted: a signal came.
        """

        async def cancellable() -> T:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            assert task is not None  # noqa: S101 - this is one
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
            if self.received is not None:  # it came while the loop began
                work.close()
                raise asyncio.CancelledError
            try:
                return await work
            finally:
                self._cancel = _noted

        # Raised amid the loop's own work, it would leave the task to whatever runs there next.
        self._cancel = _noted
        try:
            done = runner.run(cancellable())
        except asyncio.CancelledError:
            if self.received is None:
                raise
        finally:
            self._cancel = None
        if self.received is not None:
            raise self._interrupted(self.received)
        return done

    def _interrupted(self, number: int) -> Interrupted:
        return Interrupted(number, *(["Stopped. What was sent is on record."] if self._wrote else []))

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.received is not None:
            os._exit(128 + number)
        self.received = number
        if self._cancel is not None:
            self._cancel()
            return
        if not self._careful:
            raise self._interrupted(number)
        # Not by way of sys.stderr, which may be in the midst of a line, and then refuses another.
        # Where nobody reads any more, nobody is told.
        with suppress(OSError):
            os.write(2, _STOPPING)


def _noted() -> None:
    """Do nothing: that a signal came is looked at where the loop begins, and after it has ended."""
