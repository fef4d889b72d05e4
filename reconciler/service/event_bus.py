"""Telling whoever listens: bounded, and never waiting for a slow listener."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from reconciler.service.api import Update

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MOST = 100
"""Updates kept for a slow listener; then the oldest go."""


class EventBus:
    """Hands every update to every listener."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()

    def tell(self, name: str, **data: object) -> None:
        """Tell something; ``data`` is JSON-able."""
        for listener in self._listeners:
            listener.put(Update(name, data))

    def close(self) -> None:
        """End all listening: the daemon stops."""
        for listener in self._listeners:
            listener.end()

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[AsyncIterator[Update]]:
        """Listen until the context is left."""
        listener = _Listener()
        self._listeners.add(listener)
        try:
            yield listener.updates()
        finally:
            self._listeners.discard(listener)


class _Listener:
    def __init__(self) -> None:
        self._waiting: deque[Update] = deque(maxlen=_MOST)
        self._some = asyncio.Event()
        self._ended = False

    def put(self, update: Update) -> None:
        self._waiting.append(update)
        self._some.set()

    def end(self) -> None:
        self._ended = True
        self._some.set()

    async def updates(self) -> AsyncIterator[Update]:
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            if self._ended:
                return
            self._some.clear()
            await self._some.wait()
