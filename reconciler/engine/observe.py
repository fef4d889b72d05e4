"""Reading what Immich shows of many assets, in whichever way costs fewer requests."""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.core.asset import ObservedAsset, too_much_unknown
from reconciler.core.asset_ids import AssetIds, AssetIndex
from reconciler.core.packed_assets import CompactAssets
from reconciler.core.ports import untold
from reconciler.core.reasons import of_error
from reconciler.engine.watermark import BEGINNING
from reconciler.errors import (
    AssetIncompleteError,
    AssetUnknownError,
    ImmichAnswerError,
    ImmichRejectedError,
    ImmichTemporaryError,
    ImmichUnreachableError,
    MaintenanceError,
    StaleAnswerError,
    UnfamiliarServerError,
)
from reconciler.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, MutableMapping
    from datetime import datetime

    from reconciler.core.ports import Target
    from reconciler.core.reasons import Reason

FEW = 8
"""So few assets are read one by one without asking how large the library is."""
PAGE = 1000
_MICROSECOND = timedelta(microseconds=1)
_AT_ONCE = 100
"""Rows between two turns of the event loop."""
SAMPLE = 3
"""So many assets of a listing are read by themselves to see whether it is true."""


_EVERY = 25
"""Assets that are read one by one between two times that it is told how far it is."""


class Dates:
    """Dates in eight bytes each."""

    def __init__(self) -> None:
        self._counts = array("q")

    def append(self, date: datetime) -> None:
        """Add one."""
        self._counts.append((date - BEGINNING) // _MICROSECOND)

    def __iter__(self) -> Iterator[datetime]:
        return (BEGINNING + count * _MICROSECOND for count in self._counts)

    def __len__(self) -> int:
        return len(self._counts)


@dataclass(slots=True)
class Reading:
    """What was read. An id is in exactly one of the four."""

    assets: MutableMapping[str, ObservedAsset] = field(default_factory=dict)
    unknown: dict[str, Reason] = field(default_factory=dict)
    """Asset id → reason: Immich does not show it to this key."""
    unextracted: dict[str, Reason] = field(default_factory=dict)
    """Asset id → reason: Immich has not read the file yet."""
    failed: dict[str, Reason] = field(default_factory=dict)
    """Asset id → reason: not readable this time, or not to be understood."""
    edited: set[str] = field(default_factory=set)
    """Those of ``assets`` on which somebody is at work: they were read twice, and the readings differ."""
    dates: Dates = field(default_factory=Dates)
    """Of all rows that were shown, also of assets that nobody asked for."""
    shown: dict[str, datetime] = field(default_factory=dict)
    """Asset id → a date that Immich had shown of it before."""
    listed: CompactAssets = field(default_factory=CompactAssets)
    """Rows of a listing, of assets that are read by themselves all the same."""

    def shown_date(self, asset_id: str) -> datetime | None:
        """Return the date that Immich has last shown of an asset."""
        return self.listed[asset_id].updated_at if asset_id in self.listed else self.shown.get(asset_id)

    def __contains__(self, asset_id: str) -> bool:
        """Return whether something is known of an asset, if only that it cannot be read."""
        return any(asset_id in ids for ids in (self.assets, self.unknown, self.unextracted, self.failed))


async def read_assets(
    target: Target,
    ids: Collection[str],
    *,
    tags: bool,
    shown: Mapping[str, datetime] | None = None,
    told: Callable[[int, int], None] = untold,
) -> Reading:
    """Read these assets, with tags if they are managed.

    A listing shows a thousand assets a request but never tags; where they matter, those without any are
    listed. Everything that no listing tells is asked for by itself: a row that is missing means nothing.

    Args:
        target: Immich.
        ids: the assets.
        tags: whether they are managed.
        shown: dates that Immich has shown of assets just before; an answer that is older is not used.
        told: is told now and then how many were read, of how many; of a listing, rows of the whole library.

    Raises:
        ImmichAnswerError: so much is unknown that this is not the server we know.
        ImmichError: Immich cannot be asked.
    """
    reading = Reading(
        CompactAssets(untagged=tags, shelf=Spill) if len(ids) > PAGE else {}, shown=dict(shown or {})
    )
    if len(ids) > FEW:
        count = await target.asset_count()
        if _listing_is_cheaper(count, len(ids)):
            # What it has more than was counted came meanwhile.
            await _read_listing(
                target, ids, reading, lambda rows: told(rows, max(rows, count or 0)), tags=tags
            )
    missing = AssetIndex()
    for number, asset_id in enumerate(ids):
        if asset_id not in reading:
            missing.add(asset_id)
        await _breathe(number)
    before, left = len(ids) - len(missing), await asyncio.to_thread(AssetIds, missing)
    await _read_one_by_one(target, left, reading, lambda read: told(before + read, len(ids)))
    # What was read twice: by itself, and in the listing.
    for several in reading.listed.stretches(_AT_ONCE):
        for asset_id in several:
            if (seen := reading.assets.get(asset_id)) and replace(seen, tags=None) != reading.listed[
                asset_id
            ]:
                reading.edited.add(asset_id)
        await asyncio.sleep(0)
    return reading


async def _read_listing(
    target: Target, ids: Collection[str], reading: Reading, told: Callable[[int], None], *, tags: bool
) -> None:
    """Use a listing as far as it tells; in ``listed`` stay the rows of what is read by itself as well."""
    listing = await target.untagged(told) if tags else await target.listing(told)
    rows = listing.many
    if rows is None:
        rows = CompactAssets(shelf=Spill)
        for number, row in enumerate(listing):
            rows[row.asset_id] = row
            await _breathe(number)
    wanted = ids if isinstance(ids, AssetIndex) else await asyncio.to_thread(frozenset, ids)
    for several in rows.stretches(_AT_ONCE):
        for asset_id in several:
            reading.dates.append(rows[asset_id].updated_at)
            if asset_id not in wanted:
                del rows[asset_id]
        await asyncio.sleep(0)
    reading.listed = rows
    if tags and not await _are_untagged(target, rows.spread(SAMPLE), reading):
        return
    # One by one out of the one and into the other, by the ids that there are already: there may be very many.
    for number, asset_id in enumerate(ids):
        if asset_id not in rows or asset_id in reading:
            continue
        if isinstance(reading.assets, CompactAssets):
            reading.assets.take(asset_id, rows)
        else:
            row = rows.pop(asset_id)
            reading.assets[asset_id] = replace(row, tags=frozenset()) if tags else row
        await _breathe(number)


async def _breathe(number: int) -> None:
    """Let the event loop go on, now and then."""
    if number % _AT_ONCE == _AT_ONCE - 1:
        await asyncio.sleep(0)


def _listing_is_cheaper(count: int | None, wanted: int) -> bool:
    # Timeline and archive are listed apart; an unknown size is taken as large.
    requests = 2 + count // PAGE if count is not None else wanted // 2 + 4
    return requests < wanted


async def _are_untagged(target: Target, sample: list[str], reading: Reading) -> bool:
    """Return whether a listing of assets without tags can be believed: its rows do not show it.

    A few are read by themselves. Where one of them has tags (the answer is another search's, or a person was
    there just now), none is believed.
    """
    await _read_one_by_one(target, sample, reading)
    return not any(reading.assets[asset_id].tags for asset_id in sample if asset_id in reading.assets)


def check_age(seen: ObservedAsset, known: datetime | None) -> None:
    """See that an answer about an asset is not older than what was shown of it before.

    Raises:
        StaleAnswerError: it is; what a person has entered since is not in it.
    """
    if known is not None and seen.updated_at < known:
        raise StaleAnswerError(seen.asset_id, shown=seen.updated_at, known=known)


async def _read_one_by_one(
    target: Target, ids: Collection[str], reading: Reading, told: Callable[[int], None] = untold
) -> None:
    down: list[ImmichTemporaryError] = []
    incomplete: list[AssetIncompleteError] = []

    async def read(asset_id: str) -> None:
        if down:
            return
        try:
            seen = await target.asset(asset_id)
            check_age(seen, reading.shown_date(asset_id))
            reading.assets[asset_id] = seen
            reading.dates.append(seen.updated_at)
        except AssetUnknownError as error:
            reading.unknown[asset_id] = of_error(error, remedy=False)
        except (ImmichUnreachableError, MaintenanceError) as error:
            down.append(error)
        except AssetIncompleteError as error:
            if error.unextracted:
                reading.unextracted[asset_id] = of_error(error, remedy=False)
            else:
                reading.failed[asset_id] = of_error(error, remedy=False)
                incomplete.append(error)
        except (ImmichTemporaryError, ImmichRejectedError, ImmichAnswerError) as error:
            reading.failed[asset_id] = of_error(error, remedy=False)

    await _read_all(ids, read, told)
    if down:
        raise down[0]
    if incomplete and too_much_unknown(len(incomplete), len(ids)):
        first, fields = incomplete[0], {field for error in incomplete for field in error.fields}
        raise UnfamiliarServerError(
            fields, route=first.route, version=first.version, count=len(incomplete), of=len(ids)
        ) from first


async def _read_all(
    ids: Collection[str], read: Callable[[str], Awaitable[None]], told: Callable[[int], None]
) -> None:
    """Read them side by side, and tell now and then how many were."""
    queue, done = iter(ids), 0

    async def drain() -> None:
        nonlocal done
        for asset_id in queue:
            await read(asset_id)
            done += 1
            if done % _EVERY == 0:
                told(done)

    # As many readers as the target lets through at once would do; it has its own limit.
    await asyncio.gather(*(drain() for _ in range(min(8, len(ids)))))
