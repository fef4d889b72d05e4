"""The event loop's own tick: shows that it runs, and notices when time was not what it seemed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.ports import Clock

BEAT = 1.0
"""Seconds between ticks."""
_FRESH = 10.0
_ODD = 2.5
"""Seconds by which wall clock and monotonic clock may part from one tick to the next."""


class Pulse:
    """Ticks once a second.

    Args:
        clock: wall and monotonic time.
        startled: called when the wall clock jumped, or the process stood still (a machine that slept).
    """

    def __init__(self, clock: Clock, startled: Callable[[], None]) -> None:
        self._clock, self._startled = clock, startled
        self._wall, self._last = clock.now(), clock.monotonic()
        self.startles = 0

    @property
    def is_fresh(self) -> bool:
        """Whether the last tick is recent: only then is the watchdog told that all is well."""
        return self._clock.monotonic() - self._last < _FRESH

    async def beat(self) -> None:
        """Tick until cancelled."""
        while True:
            await self._clock.sleep(BEAT)
            self.tick()

    def tick(self) -> None:
        """Tick once."""
        wall, now = self._clock.now(), self._clock.monotonic()
        gone, shown = now - self._last, (wall - self._wall).total_seconds()
        self._wall, self._last = wall, now
        if abs(shown - gone) > _ODD or gone > _FRESH:
            self.startles += 1
            self._startled()
