"""Many assets, a batch at a time: what is looked up or recorded in one go holds nobody up for long."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

SIZE: Final = 200
"""Assets that are looked up, or recorded, in one go."""
T = TypeVar("T")
_AT_ONCE: Final = 8
"""Assets that are worked on between two turns of the event loop: some milliseconds."""


class Breath:
    """Lets the event loop go on during long work."""

    def __init__(self) -> None:
        self._taken = 0

    async def take(self) -> None:
        """Take note of one more asset, and let the event loop go on where it is time for that."""
        self._taken += 1
        if self._taken % _AT_ONCE == 0:
            await asyncio.sleep(0)


def evenly(many: int, most: int) -> int:
    """Return how many to take at once, at most so many, for all batches to be of about the same size."""
    return math.ceil(many / math.ceil(many / most)) if many else most


async def beside(several: Iterator[T]) -> AsyncIterator[T]:
    """Go through what takes a while to come, such as what has to be unpacked, beside the event loop."""
    while (one := await asyncio.to_thread(next, several, None)) is not None:
        yield one


def batches(several: Sequence[T], size: int = SIZE) -> Iterator[Sequence[T]]:
    """Yield them ``size`` at a time, in order."""
    for start in range(0, len(several), size):
        yield several[start : start + size]
