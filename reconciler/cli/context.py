"""What a command works with: the open parts, one event loop, and where it writes, the right to do so."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.app.wiring import workbench
from reconciler.cli.interrupts import Stopping
from reconciler.cli.output.progress import Meter
from reconciler.errors import LeaseHeldError, StateError
from state.lease import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from reconciler.app.wiring import Workbench
    from reconciler.cli.session import Session
    from reconciler.core.permission import Permission
    from reconciler.engine.polling.timing import Timing
    from reconciler.errors import ReconcilerError

RIGHT: Final = timedelta(minutes=2)
"""How long the right to write outlives a process that hangs."""
AGAIN: Final = 3.0
"""Seconds until a renewal that failed is tried again."""

T = TypeVar("T")


@dataclass(slots=True)
class Work:
    """An open workbench on a loop of its own."""

    session: Session
    bench: Workbench
    stopping: Stopping
    _runner: asyncio.Runner
    _meter: Meter
    lost: ReconcilerError | None = None
    """Set when another process took the right to write over."""

    @property
    def progress(self) -> Meter:
        """What takes the engine's progress."""
        return self._meter

    def do(self, work: Coroutine[object, object, T]) -> T:
        """Wait for something that does not write, showing progress; a signal breaks it off."""
        with self._meter.showing():
            return self.stopping.run(self._runner, work)

    def write(self, work: Callable[[Callable[[], bool]], Coroutine[object, object, T]]) -> T:
        """Wait for something that writes: it is handed a question whether to stop, and never broken off.

        Raises:
            LeaseHeldError: another process took the right to write over; nothing more was sent.
        """
        with self.stopping.careful(), self._meter.showing():
            done = self._runner.run(work(lambda: self.stopping.requested or self.lost is not None))
        if self.lost is not None:
            raise self.lost
        return done

    @property
    def daemon_writes(self) -> bool:
        """Whether a running daemon has the right to write."""
        holder = Lease(self.bench.store, self.bench.clock.now).current()
        if holder is None or holder.what != "daemon":
            return False
        return holder.expires_at > self.bench.clock.now() and not holder.process.is_gone()

    @property
    def permission(self) -> Permission:
        """What may be written now."""
        return self.bench.cycle.permission

    @contextmanager
    def right_to_write(self, what: str) -> Iterator[None]:
        """Hold the store's lease within, and keep it alive.

        Raises:
            LeaseHeldError: another process writes; says who.
        """
        store = self.bench.store
        lease = Lease(store, self.bench.clock.now)
        over = threading.Event()

        def renew() -> None:
            wait = RIGHT.total_seconds() / 4
            while not over.wait(wait):
                try:
                    lease.renew()
                except LeaseHeldError as error:
                    self.lost = error
                    return
                except StateError:
                    # The store was busy: no reason to stop while the right lasts, nor not to try again soon.
                    wait = AGAIN
                else:
                    wait = RIGHT.total_seconds() / 4

        with lease.held(what, RIGHT):
            store.mark_interrupted(alone=True)
            # A thread, for a person may take long to answer a question.
            keeper = threading.Thread(target=renew, name="lease", daemon=True)
            keeper.start()
            try:
                yield
            finally:
                over.set()
                keeper.join()


@contextmanager
def working(session: Session, *, timing: Timing | None = None) -> Iterator[Work]:
    """Open everything a pass needs, and close it afterwards; signals are listened to meanwhile."""
    stopping, meter = Stopping(), Meter(session.screen)
    with stopping.listening(), asyncio.Runner() as runner:
        bench = workbench(session.config, timing=timing, progress=meter)
        try:
            for warning in bench.store.warnings:
                session.screen.say(f"! {warning}", "yellow")
            yield Work(session, bench, stopping, runner, meter)
        finally:
            runner.run(bench.aclose())
