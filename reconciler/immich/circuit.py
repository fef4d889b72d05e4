"""When to leave a server alone: the circuit breaker and the server's own ``Retry-After``.

A server that is down costs one request a minute, not one per image. Pure bookkeeping over an injected clock;
it sends nothing itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import ImmichTemporaryError, ImmichUnreachableError, MaintenanceError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.ports import Clock


class Circuit:
    """Opens after so many calls in a row that failed in spite of retries; then probes go through one by one.

    Calls are counted, not attempts: else a proxy that restarts within a second, met by a few calls at a time,
    would stop everything for a minute.

    Args:
        clock: wall and monotonic time.
        threshold: failed calls in a row that open it.
        probe_interval: seconds between probes while open.
    """

    def __init__(self, clock: Clock, *, threshold: int = 5, probe_interval: float = 60.0) -> None:
        self._clock = clock
        self._threshold = threshold
        self._probe_interval = probe_interval
        self._failures = 0
        self._failing_since: datetime | None = None
        self._cause: ImmichTemporaryError | None = None
        self._next_probe: float | None = None
        self._probing = False
        self._resume_at = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once."""
        return self._next_probe is not None

    @property
    def open_since(self) -> datetime | None:
        """When the failures began that opened it; ``None`` while closed."""
        return self._failing_since if self.is_open else None

    @property
    def cause(self) -> str:
        """The last failure in a row, for people; empty when the last answer was good."""
        return self._cause.message if self._cause else ""

    def pause(self) -> float:
        """Seconds that the server asked everybody to wait from now."""
        return max(0.0, self._resume_at - self._clock.monotonic())

    def hold(self, seconds: float) -> None:
        """Let every call wait: the server named a ``Retry-After``."""
        self._resume_at = max(self._resume_at, self._clock.monotonic() + seconds)

    def admit(self) -> None:
        """Let a call through, or fail at once.

        Raises:
            ImmichUnreachableError: open, and no probe is due.
            MaintenanceError: likewise, and maintenance was the reason.
        """
        if self._next_probe is None:
            return
        if self._probing or self._clock.monotonic() < self._next_probe:
            raise self._refusal()
        self._probing = True

    def release(self) -> None:
        """Forget a probe that was given up before it had an outcome."""
        self._probing = False

    def succeeded(self) -> None:
        """Close: the server answered."""
        self._failures = 0
        self._failing_since = self._cause = self._next_probe = None
        self._probing = False

    def failed(self, cause: ImmichTemporaryError) -> None:
        """Count a failed call; maintenance opens at once, for every route is gone then."""
        self._failures += 1
        self._failing_since = self._failing_since or self._clock.now()
        self._cause = cause
        self._probing = False
        if self._failures >= self._threshold or isinstance(cause, MaintenanceError):
            self._next_probe = self._clock.monotonic() + self._probe_interval

    def _refusal(self) -> ImmichTemporaryError:
        since = f"{self._failing_since:%Y-%m-%d %H:%M:%S} UTC" if self._failing_since else "a while"
        wait = max(0.0, (self._next_probe or 0.0) - self._clock.monotonic())
        message = f"Immich has not been usable since {since}: {self.cause}"
        kind = MaintenanceError if isinstance(self._cause, MaintenanceError) else ImmichUnreachableError
        return kind(message, retry_after=wait, remedy="Nothing is lost.", again="by_itself")
