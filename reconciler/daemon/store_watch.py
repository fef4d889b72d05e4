"""Keeps an eye on the store's file: gone, nothing is written any more; there again, it is taken up.

The store itself refuses to commit into a file that is not at its path; this notices while nothing is
committed, says so, and finds what was put in its place.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reconciler.engine.events import Event
from reconciler.errors import StateError, StateGoneError
from reconciler.messages.voice import told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.core.ports import Clock
    from reconciler.engine.events import Listener
    from reconciler.service.service import Service
    from state.store import StateStore

TICK: Final = 2.0
"""Seconds between looks at the file."""


class Keeper:
    """Looks at the file every few seconds.

    Args:
        store: open for writing.
        service: is suspended, and goes on.
        clock: time.
        begin: takes the right to write, and notes that a daemon runs; in a store that was taken up.
        listen: takes events for the log.
    """

    def __init__(
        self,
        store: StateStore,
        service: Service,
        clock: Clock,
        begin: Callable[[], Awaitable[None]],
        listen: Listener,
    ) -> None:
        self._store, self._service, self._clock = store, service, clock
        self._begin, self._listen = begin, listen
        self._told = ""
        """What was last said of a store that is gone; empty: it is there."""
        self._seen: tuple[int, ...] | None = None

    async def keep(self) -> None:
        """Look until cancelled."""
        while True:
            await self._clock.sleep(TICK)
            await self.tick()

    async def tick(self) -> None:
        """Look once."""
        try:
            self._store.require()
        except StateGoneError as error:
            self._lose(error)
            if not self._is_settled():
                self._tell(error)
                return
        if self._told:
            await self._take_up()

    def _lose(self, error: StateGoneError) -> None:
        if not self._told:
            self._listen(Event("store.gone", "error", details={"error": told(error, "daemon")}))
            self._tell(error)

    def _tell(self, error: StateError) -> None:
        if error.message != self._told:
            self._told = error.message
            self._service.suspend(error)

    def _is_settled(self) -> bool:
        """Return whether there is a file that nobody is copying there any more, as far as it shows."""
        if self._store.file is None:
            return True
        try:
            found = self._store.file.stat()
        except OSError:
            self._seen = None
            return False
        before = self._seen
        self._seen = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        return before == self._seen

    async def _take_up(self) -> None:
        try:
            if not self._store.is_there:
                await asyncio.to_thread(self._store.reopen, self._clock.now())
            await self._begin()
            self._service.take_up()
        except StateError as error:
            self._tell(error)
            return
        self._told, self._seen = "", None
        self._listen(Event("store.taken", "warning", details={"path": self._store.place}))
