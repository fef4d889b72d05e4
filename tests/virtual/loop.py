"""An event loop in virtual time: nothing is waited for, the clock is set to when the next thing happens.

No socket, process or thread can take part, for nobody would wait for it: what is given to another thread is done
at once, and a loop in which nothing is left to happen is an error.
"""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta

from tests.without_threads import WithoutThreads

START = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


class VirtualClock:
    """Time as the loop has it; fulfils ``reconciler.core.ports.Clock``.

    Args:
        ahead: seconds by which the wall clock differs from the simulated world's.
    """

    most_turns = 2_000_000
    """Turns of a loop after which it is taken for one that never ends."""

    def __init__(self, ahead=0.0):
        self.seconds, self.ahead = 1000.0, ahead

    def world(self):
        """Give the simulated world's time, in seconds since 1970."""
        return START.timestamp() + self.seconds

    def now(self):
        return START + timedelta(seconds=self.seconds + self.ahead)

    def monotonic(self):
        return self.seconds

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


class _Selector(selectors.SelectSelector):
    """Finds at once what a real one would wait for: it sets the clock on."""

    def __init__(self, clock):
        super().__init__()
        self._clock, self._idle, self._turns = clock, 0, 0

    def select(self, timeout=None):
        found = super().select(0)
        if not found and timeout is None:
            raise RuntimeError("nothing is left to happen: the loop would wait for ever")
        if not found and timeout > 0:
            self._clock.seconds += timeout
            self._idle = 0
        self._idle, self._turns = self._idle + 1, self._turns + 1
        if self._turns == self._clock.most_turns:
            raise RuntimeError(f"it goes on and on: {self._turns} turns")
        if self._idle > 20_000:
            raise RuntimeError("it goes round and round, and no time passes")
        return found


class VirtualLoop(WithoutThreads, asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self, clock):
        super().__init__(_Selector(clock))
        self._virtual = clock
        self.set_task_factory(None)

    def time(self):
        return self._virtual.seconds


def run(clock, doing):
    """Await to its end, in virtual time."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        return runner.run(doing)
