"""One ceiling of requests for each Immich server, whichever workers write to it.

A visit takes as many places as it has requests under way at most. A place is an advisory lock of a
connection: PostgreSQL gives it back when the worker dies.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reconciler.errors import ReconcilerError, StateError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from state.postgres.places import Places

_AGAIN: Final = 0.5
_PATIENCE: Final = 3.0
"""Seconds for which a place is waited for: whoever waits keeps other servers' installations waiting."""


class ServerBusyError(ReconcilerError):
    """As many requests are under way at a server as may be; its other installations are visited later."""


class Ceiling:
    """The places at all servers.

    Args:
        places: takes and gives back places by number; asked in a thread.
        requests: at each server, together.
    """

    def __init__(self, places: Places, requests: int) -> None:
        self._places, self._requests = places, requests

    @asynccontextmanager
    async def below(self, address: str, requests: int) -> AsyncIterator[None]:
        """Wait until so many more requests may be under way at a server, and keep their places within.

        Args:
            address: the server's; empty: it is not known yet, and nobody waits.
            requests: as many at most; never more than all there are.

        Raises:
            ServerBusyError: there are none for some seconds.
            StateError: the database cannot be asked.
        """
        if not address:
            yield
            return
        server, count = number_of(address), min(requests, self._requests)
        taken: list[int] = []
        for _ in range(round(_PATIENCE / _AGAIN)):
            if taken := await self._take(server, count):
                break
            await asyncio.sleep(_AGAIN)
        else:
            raise ServerBusyError(f"At {address} as many requests are under way as may be.")
        try:
            yield
        finally:
            # If the connection is gone, so are its locks.
            with suppress(StateError):
                await asyncio.to_thread(self._places.give_back, server, taken)

    async def _take(self, server: int, count: int) -> list[int]:
        """Take places; who is cancelled meanwhile gives them back once the thread has them."""
        taking = asyncio.ensure_future(asyncio.to_thread(self._places.take, server, count, self._requests))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(lambda _: self._give_back_late(server, taking))
            raise

    def _give_back_late(self, server: int, taking: asyncio.Future[list[int]]) -> None:
        if taking.cancelled() or taking.exception() is not None or not (taken := taking.result()):
            return

        def give_back() -> None:
            with suppress(StateError):
                self._places.give_back(server, taken)

        asyncio.get_running_loop().run_in_executor(None, give_back)


def number_of(address: str) -> int:
    """Return a number of 31 bits for a server's address: its host and port, whatever the path is."""
    parts = urlsplit(address)
    name = f"{(parts.hostname or '').lower()}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1
