"""Patience with whoever guesses the token: a wrong guess waits for its answer, a right one never does.

Who knows the token is not kept out by another one behind the same address who does not. What makes guessing
hopeless is the token's length; this only makes it slow, and keeps what it costs here small.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Slowdown:
    """Lets each further wrong guess from an address wait longer: 0.5 s after the third, up to 8 s.

    Args:
        clock: seconds that never run backwards.
        sleep: waits.
    """

    free = 3
    first, longest = 0.5, 8.0
    remembered = 1024
    forgotten_after = 900.0
    most_waiting = 32
    """Wrong guesses that wait at a time; more are answered at once, so that they take up no connection."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._waiting = 0

    async def wrong(self, peer: str) -> float:
        """Note a wrong guess, let it wait, and return the seconds; 0: it was among the first few."""
        place = _place(peer)
        count, last = self._wrong.pop(place, (0, 0.0))
        now = self._clock()
        count = 1 if now - last > self.forgotten_after else count + 1
        self._wrong[place] = (count, now)
        while len(self._wrong) > self.remembered:
            self._wrong.popitem(last=False)
        if count <= self.free:
            return 0.0
        # No power of two of a count that somebody else drives up: it would overflow.
        wait = min(self.longest, self.first * 2.0 ** min(count - self.free - 1, 16))
        if self._waiting < self.most_waiting:
            self._waiting += 1
            try:
                await self._sleep(wait)
            finally:
                self._waiting -= 1
        return wait

    def right(self, peer: str) -> None:
        """Forget an address's wrong guesses."""
        self._wrong.pop(_place(peer), None)


def _place(peer: str) -> str:
    """Return what is counted together: an address, and of IPv6 the network, for a host has all of it."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if address.version == 4:
        return peer
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
