"""Signals of the daemon.

================ =====================================================================================
signal           does
================ =====================================================================================
SIGUSR1          reconcile everything now, hashes ignored
SIGHUP           read the configuration again
SIGTERM, SIGINT  stop cleanly; a second one of either is the kernel's, and ends the process at once
================ =====================================================================================
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_STOPS = (signal.SIGTERM, signal.SIGINT)


def ignore_early() -> None:
    """Let SIGUSR1 and SIGHUP not end a process that has no handlers yet."""
    for number in (signal.SIGUSR1, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


class Signals:
    """Handles signals in the running event loop.

    Args:
        force: called at SIGUSR1.
        reload: called at SIGHUP.
    """

    def __init__(self, force: Callable[[], None], reload: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self.received = ""
        """The name of the signal that stops the process."""
        self._loop.add_signal_handler(signal.SIGUSR1, force)
        self._loop.add_signal_handler(signal.SIGHUP, reload)
        for number in _STOPS:
            self._loop.add_signal_handler(number, self._stopped, number)

    async def stop(self) -> None:
        """Wait for the first SIGTERM or SIGINT."""
        await self._stop.wait()

    def close(self) -> None:
        """Ignore what may still come before the end, but for those that end it."""
        for number in (signal.SIGUSR1, signal.SIGHUP):
            self._loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)

    def _stopped(self, number: signal.Signals) -> None:
        self.received = number.name
        for each in _STOPS:
            # Not a handler of ours: it would wait for a loop that may be what hangs.
            self._loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self._stop.set()


def end_within(seconds: float, code: int) -> None:
    """See to it that the process is gone by then: a thread that hangs in a file system would keep it.

    By then everything is recorded that can be; the store knows what may have been sent.
    """
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()
