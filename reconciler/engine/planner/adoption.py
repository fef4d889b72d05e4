"""Taking up what Immich's records tell of assets that this store does not know, or knows of old.

Slice by slice, before an asset is planned: the record that the store should have takes the place of the one
it has, in the pass's memory. It is stored with the end of the pass over that asset, as any other.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.block import split
from reconciler.core.desired.desired import Desired
from reconciler.core.ownership import adopt, bears_traces, could_be_ours, offered_tags, recognise_block
from reconciler.core.records import AssetRecord
from reconciler.engine.standpoint import Taken
from reconciler.errors import TemplateError, UnusableImageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.desired.block import Markers
    from reconciler.core.ownership import OwnershipRecord
    from reconciler.engine.item import Item
    from reconciler.engine.observe import Reading
    from reconciler.engine.ownership import Ownership
    from reconciler.engine.planner.selection import ImageSelector
    from reconciler.engine.record_cache import RecordCache
    from reconciler.engine.standpoint import Another, Standpoint

_SAMPLE: Final = 2
"""Assets without traces whose records a new store reads to see whether there are any."""


class Adoption:
    """One pass's taking up.

    Args:
        ownership: asks Immich.
        standpoint: of the store, at the beginning of the pass.
        selector: knows the rules and what images want.
        records: what is remembered of assets, which it amends.
        unshared: assets of which the store knows better, whatever their records tell.
        older: whether this is the first pass of an older copy of the store: its writes that are on their way
            have long arrived. Any other store's are its own, and are waited for.
    """

    def __init__(
        self,
        ownership: Ownership,
        standpoint: Standpoint,
        selector: ImageSelector,
        records: RecordCache,
        unshared: frozenset[str],
        *,
        older: bool,
    ) -> None:
        self._ownership, self._selector, self._records = ownership, selector, records
        self._unshared, self._older = unshared, older
        self.taken = Taken(standpoint)
        self._all = standpoint.mode == "all" and standpoint.another is None
        self._met: dict[str, Another | None] = {}
        self._asked = 0

    @classmethod
    async def begin(
        cls,
        ownership: Ownership,
        standpoint: Standpoint,
        selector: ImageSelector,
        records: RecordCache,
    ) -> Adoption:
        """Begin that of a pass, or go on with one that an earlier pass began."""
        unshared = frozenset[str]()
        going_on = ownership.goes_on
        if standpoint.mode == "all":
            unshared = await asyncio.to_thread(ownership.begun)
        older = standpoint.floor is not None and not going_on
        return cls(ownership, standpoint, selector, records, unshared, older=older)

    async def consider(self, several: Sequence[Item], reading: Reading) -> Sequence[Item]:
        """Take up what is known of some that were read and are about to be planned; gives them."""
        point = self.taken.standpoint
        if self.taken.another is not None:
            return several
        new = [item for item in several if item.status == "new"]
        self.taken.missed += sum(item.asset_id in reading.failed for item in new)
        new = [item for item in new if item.asset_id in reading.assets]
        found = await self._found(new, reading) if point.notes else {}
        outlived = set[str]()
        for item in new:
            known = found.get(item.asset_id)
            if known is not None and await self._is_anothers(known):
                return several
            if self._take(item, known, reading) and item.adopted is not None and self._older:
                outlived.add(item.asset_id)
        self.taken.outlived += sorted(outlived)
        return [replace(one, adopted=None) if one.asset_id in outlived else one for one in several]

    async def _found(self, new: Sequence[Item], reading: Reading) -> dict[str, OwnershipRecord]:
        wanted = [item.asset_id for item in new if self._all or self._is_worth_asking(item, reading)]
        found, odd = await self._ownership.read(wanted)
        self.taken.odd += odd
        if found and self.taken.standpoint.mode == "traces" and not self._all:
            # There are records: then any of them may have one.
            self._all = True
            asked = set(wanted)
            more, odd = await self._ownership.read(one.asset_id for one in new if one.asset_id not in asked)
            self.taken.odd += odd
            found |= more
        return found

    def _is_worth_asking(self, item: Item, reading: Reading) -> bool:
        if self._records.get(item.asset_id) is not None:
            return False
        seen, markers = reading.assets[item.asset_id], self._selector.rules.markers
        if bears_traces(seen, markers):
            return True
        if self.taken.standpoint.mode == "traces" and self._asked < _SAMPLE and could_be_ours(seen):
            self._asked += 1
            return True
        return False

    async def _is_anothers(self, known: OwnershipRecord) -> bool:
        """Return whether another instance that lives wrote a record: then nothing is taken up."""
        former, instance = self.taken.standpoint.former, known.owner.instance
        if "take_over" in self.taken.standpoint.wishes or (former and former.instance == instance):
            return False
        if instance not in self._met:
            self._met[instance] = await self._ownership.meets(known)
        self.taken.met = self._met[instance]
        return self.taken.met is not None

    def _take(self, item: Item, known: OwnershipRecord | None, reading: Reading) -> bool:
        """Take up what is known of an asset; tells whether a record was."""
        record, seen = self._records.get(item.asset_id), reading.assets[item.asset_id]
        wanted = self._wanted(item)
        if wanted is None:
            return False
        bare = record or AssetRecord(item.asset_id, item.image_id, item.title)
        markers = self._selector.rules.markers
        if known is not None:
            if record is not None and (
                item.asset_id in self._unshared or not _is_newer(known, self.taken.standpoint)
            ):
                return False
            amended = adopt(known, bare, seen, wanted, markers)
            self.taken.adopted += 1
            self.taken.tags += len(amended.applied.tags)
            self._records.put(((item, amended),))
            return True
        if record is None or "offered" in self.taken.standpoint.wishes:
            self._recognise(item, bare, reading, wanted)
        return False

    def _recognise(self, item: Item, record: AssetRecord, reading: Reading, wanted: Desired) -> None:
        """Know our block by its markers where no record tells, and our tags where a person says so."""
        point, seen = self.taken.standpoint, reading.assets[item.asset_id]
        amended, rules = record, self._selector.rules
        unrecorded = not self._all and record.applied.block is None
        unrecorded = unrecorded and (point.mode == "traces" or "offered" in point.wishes)
        if unrecorded and (block := recognise_block(seen, wanted, rules.markers)) is not None:
            amended = replace(amended, applied=replace(amended.applied, block=block))
            self.taken.recognised += 1
        elif unrecorded and (block := split(seen.description, rules.markers).block) is not None:
            self.taken.offered_blocks += 1
            if "offered" in point.wishes:
                amended = replace(amended, applied=replace(amended.applied, block=block))
        tags = offered_tags(seen, wanted, rules.policy.tags.root) - record.applied.tags
        if tags:
            self.taken.offered += len(tags)
            if "offered" in point.wishes:
                amended = replace(amended, applied=replace(amended.applied, tags=record.applied.tags | tags))
        if amended is not record:
            self._records.put(((item, amended.to_look_at()),))

    def _wanted(self, item: Item) -> Desired | None:
        try:
            return self._selector.wanted(item)
        except (TemplateError, UnusableImageError):
            return None


async def told_besides(
    ownership: Ownership,
    point: Standpoint,
    records: Mapping[str, AssetRecord],
    seen: Mapping[str, ObservedAsset],
    markers: Markers,
) -> dict[str, AssetRecord]:
    """Return the records of assets that no image links, as Immich tells them where the store is older.

    Args:
        ownership: asks Immich.
        point: where the store stands.
        records: what the store has of them.
        seen: they themselves, as far as they could be read.
        markers: the block's.
    """
    if point.mode != "all" or point.another is not None:
        return {}
    newer = await asyncio.to_thread(ownership.begun)
    found, _ = await ownership.read(one for one in records if one in seen and one not in newer)
    return {
        asset_id: adopt(known, records[asset_id], seen[asset_id], Desired(), markers)
        for asset_id, known in found.items()
        if _is_newer(known, point)
    }


def _is_newer(known: OwnershipRecord, point: Standpoint) -> bool:
    """Return whether a record tells what the store does not know: what it wrote itself is no news."""
    if known.owner.instance == point.owner.instance and not point.is_older_copy_than(known.owner):
        return False
    return known.is_newer_than(point.owner, point.floor or 0)
