"""Verifying added tags for many assets at once: a search by tag lists a thousand assets that carry it.

Only where that costs fewer requests than reading each, and a listing only ever says yes: an asset that it
does not show, or shows with another date, is read by itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.engine.observe import PAGE, read_assets
from reconciler.engine.polling.poller import LISTED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.core.ports import Target
    from reconciler.core.writes.asset_write import AssetWrite
    from reconciler.engine.job import Job

_WORTH = 2
"""A search answers as slowly as some readings: so many fewer requests have to be in it."""
_GATHERED = 10
"""Times the requests of a check have to be waiting for it, while other writes are still under way."""
_AT_ONCE = 2


class TagCheck:
    """Which assets wait for a check of many, and the check.

    Args:
        target: Immich.
        jobs: all of the pass that may be checked so.
    """

    def __init__(self, target: Target, jobs: Sequence[Job]) -> None:
        self._target = target
        self._adding = frozenset(where for where in LISTED if self._is_worth_it(jobs, where))
        """The visibilities that are searched: each costs a request a tag, and few may be in the archive."""
        self._removing = sum(bool(job.write.removals) for job in jobs) > _GATHERED * _WORTH
        self._released: set[str] = set()

    def holds(self, write: AssetWrite) -> bool:
        """Return whether a settled write waits for a check of many, and so for no reading of its own."""
        return (
            (
                write.observed.visibility in self._adding
                if write.steps == ("add_tags",)
                else self._removing and write.steps == ("remove_tags",)
            )
            and write.state == "moved"
            and not (write.doubtful or write.crossed)
            and write.moved_to is not None
            and write.observed.visibility in LISTED
            and write.plan.asset_id not in self._released
        )

    def _is_worth_it(self, jobs: Iterable[Job], where: Visibility) -> bool:
        adding = [job.write.plan.add_tags for job in jobs if job.write.observed.visibility == where]
        return self._cost(adding) * _WORTH <= sum(map(bool, adding))

    def is_due(self, held: Collection[AssetWrite], *, alone: bool) -> bool:
        """Return whether to check now; ``alone``: nothing else is left to wait for."""
        adding = [write.pending.tags for write in held if write.pending and write.step == "add_tags"]
        return bool(held) and (alone or (bool(adding) and len(adding) >= _GATHERED * self._cost(adding)))

    async def check(self, held: Iterable[Job], tag_ids: Mapping[str, str]) -> dict[str, ObservedAsset]:
        """Return the assets whose tags are known for sure, as if read; the others are read later.

        Raises:
            ImmichError: Immich cannot be asked.
        """
        writes = [job.write for job in held]
        adding = [write for write in writes if write.step == "add_tags"]
        removing = [write.plan.asset_id for write in writes if write.step == "remove_tags"]
        sure: dict[str, ObservedAsset] = {}
        if self._cost(write.pending.tags for write in adding if write.pending) < len(adding):
            sure = await self._carried(adding, tag_ids)
        if removing:  # who has none left is listed, a thousand at a time
            sure.update((await read_assets(self._target, removing, tags=True)).assets)
        self._released |= {write.plan.asset_id for write in writes} - sure.keys()
        return sure

    async def _carried(
        self, writes: Sequence[AssetWrite], tag_ids: Mapping[str, str]
    ) -> dict[str, ObservedAsset]:
        """Return the assets that surely carry all tags they were given.

        Of a tag that has others below it a listing also shows who has one of those: they are left out.
        """
        wanted = {tag for write in writes if write.pending for tag in write.pending.tags}
        below = {tag: _children(tag, tag_ids) for tag in wanted}
        asked = sorted(wanted | {child for children in below.values() for child in children})
        where = [name for name in LISTED if any(write.observed.visibility == name for write in writes)]
        slots = asyncio.Semaphore(_AT_ONCE)
        found: dict[str, Mapping[str, datetime]] = {}

        async def ask(tag: str) -> None:
            async with slots:
                found[tag] = {}
                if tag in tag_ids:
                    found[tag] = await self._target.carrying(tag_ids[tag], visibilities=where)

        await asyncio.gather(*(ask(tag) for tag in asked))
        sure: dict[str, ObservedAsset] = {}
        for write in writes:
            asset_id, tags = write.plan.asset_id, write.pending.tags if write.pending else frozenset[str]()
            if write.moved_to is not None and all(
                found[tag].get(asset_id) == write.moved_to
                and not any(asset_id in found[child] for child in below[tag])
                for tag in tags
            ):
                known = write.observed.tags or frozenset()
                sure[asset_id] = replace(write.observed, updated_at=write.moved_to, tags=known | tags)
        return sure

    @staticmethod
    def _cost(sets: Iterable[frozenset[str]]) -> int:
        """Return the requests of a check, as far as our own assets tell, and for one visibility."""
        counts = Counter(tag for tags in sets for tag in tags)
        return sum(1 + (count - 1) // PAGE for count in counts.values())


def _children(tag: str, tag_ids: Mapping[str, str]) -> list[str]:
    """Return the tags right below; a listing of one also shows those who have one below that."""
    start = f"{tag}/"
    return [path for path in tag_ids if path.startswith(start) and "/" not in path[len(start) :]]
