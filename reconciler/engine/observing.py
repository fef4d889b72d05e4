"""Reading what Immich shows of many assets, in whichever way costs fewer requests."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.errors import (
    AssetUnknownError,
    ImmichRejectedError,
    ImmichTemporaryError,
    ImmichUnreachableError,
    MaintenanceError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.engine.ports import Target

FEW = 8
"""So few assets are read one by one without asking how large the library is."""
PAGE = 1000


@dataclass(slots=True)
class Reading:
    """What was read. An id is in exactly one of the three."""

    assets: dict[str, ObservedAsset] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    """Asset id → reason: Immich does not show it to this key."""
    failed: dict[str, str] = field(default_factory=dict)
    """Asset id → reason: not readable this time."""
    dates: list[datetime] = field(default_factory=list)
    """Of all rows that were shown, also of assets that nobody asked for."""


async def read_assets(target: Target, ids: Collection[str], *, tags: bool) -> Reading:
    """Read these assets, with tags if they are managed.

    A listing shows a thousand assets a request but never tags; where they matter, those without any are
    listed. Everything that no listing tells is asked for by itself: a row that is missing means nothing.
    """
    reading = Reading()
    left = set(ids)
    if len(left) > FEW and await _listing_is_cheaper(target, len(left)):
        for seen in await target.untagged() if tags else await target.listing():
            reading.dates.append(seen.updated_at)
            if seen.asset_id in left:
                reading.assets[seen.asset_id] = seen
        left -= reading.assets.keys()
    await _read_one_by_one(target, sorted(left), reading)
    return reading


async def _listing_is_cheaper(target: Target, wanted: int) -> bool:
    count = await target.asset_count()
    # Timeline and archive are listed apart; an unknown size is taken as large.
    requests = 2 + count // PAGE if count is not None else wanted // 2 + 4
    return requests < wanted


async def _read_one_by_one(target: Target, ids: Collection[str], reading: Reading) -> None:
    down: list[ImmichTemporaryError] = []

    async def read(asset_id: str) -> None:
        if down:
            return
        try:
            reading.assets[asset_id] = seen = await target.asset(asset_id)
            reading.dates.append(seen.updated_at)
        except AssetUnknownError as error:
            reading.unknown[asset_id] = error.message
        except (ImmichUnreachableError, MaintenanceError) as error:
            down.append(error)
        except (ImmichTemporaryError, ImmichRejectedError) as error:
            reading.failed[asset_id] = error.message

    queue = deque(ids)
    # As many readers as the target lets through at once would do; it has its own limit.
    await asyncio.gather(*(_drain(queue, read) for _ in range(min(8, len(queue)))))
    if down:
        raise down[0]


async def _drain(queue: deque[str], read: Callable[[str], Awaitable[None]]) -> None:
    while queue:
        await read(queue.popleft())
