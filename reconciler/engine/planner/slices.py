"""Goes through the images of a pass in slices, so that the event loop goes on between two.

Of each slice it is read what is remembered, computed what is wanted, and kept what may have to be worked on.
What is fine and stands where it was is counted, and let go of, where the pass is to be brief. What is kept of
very many is packed, see ``items``: memory is bounded by the slice.
"""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from reconciler.core.asset_ids import AssetIndex
from reconciler.core.catalogue import Images
from reconciler.core.records import FINE
from reconciler.engine.item import stands
from reconciler.engine.items import LOOSE, Items
from reconciler.engine.planner.selection import is_as_left

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.core.policy import Policy
    from reconciler.core.ports import Clock
    from reconciler.core.store_port import Store
    from reconciler.engine.item import Item
    from reconciler.engine.items import Pair
    from reconciler.engine.observe import Reading
    from reconciler.engine.planner.adoption import Adoption
    from reconciler.engine.planner.candidates import Candidates
    from reconciler.engine.planner.desired import DesiredStateComputer, DesiredStates
    from reconciler.engine.planner.selection import ImageSelector
    from reconciler.engine.record_cache import RecordCache

SLICE: Final = 128
"""Images whose records and wishes are in memory at once: packed, they are unpacked within some 10 ms."""
_KEPT: Final = -1
_AT_ONCE: Final = 0.01
"""Seconds of work between two turns of the event loop."""
_MOST_AT_ONCE: Final = 64
"""Images likewise, whatever the clock says."""
_FEW: Final = 64
"""Ids that are taken up without a look at the clock."""


class Slices:
    """One pass's way through its images.

    Args:
        selector: decides about each.
        records: what is remembered of them.
        computer: computes what they want.
        desires: takes it up, slice by slice.
        policy: of what they want.
        clock: time.
        catalogue: the images.
        held: the assets that the guard held before.
        adoption: takes up what Immich's records tell.
    """

    def __init__(  # noqa: PLR0913 - what a look needs, each by its name
        self,
        selector: ImageSelector,
        records: RecordCache,
        computer: DesiredStateComputer,
        desires: DesiredStates,
        policy: Policy,
        clock: Clock,
        *,
        catalogue: Catalogue,
        held: Collection[str],
        adoption: Adoption,
    ) -> None:
        self._adoption = adoption
        self._selector, self._records, self._catalogue = selector, records, catalogue
        self._computer, self._desires, self._policy = computer, desires, policy
        self._clock, self._brief = clock, selector.selection.brief
        self._since, self._done = clock.monotonic(), 0
        self._order, self._kept, self._every = array("q"), Items(), False
        """What was found, in order: the ``_key`` of an image to be planned, or ``_KEPT`` for one kept."""
        self._beside: list[tuple[int, str]] = []
        self.items = Items(held)
        """Once it was planned."""
        self.wanted = AssetIndex()
        """The assets that are to be read."""
        self._waiting: list[str] = []
        self.stood = 0
        """Images that are fine and stand, and are not in ``items``."""

    async def at_all(self, store: Store, linked: AbstractSet[str], moved: frozenset[str] | None) -> None:
        """Look at all images of the selection."""
        chosen = self._selector.selection.image_ids
        if chosen is not None:
            for several in _cut(self._all_of(chosen)):
                await self._look(several, moved)
        elif moved is None:  # whatever is known of them, all are to be read
            self._every = True
            for number, asset_id in enumerate(self._catalogue.linked_ids()):
                self.wanted.add(asset_id)
                if number % _FEW == 0:
                    await self._breathe()
        else:
            for several in _slices(self._catalogue):
                await self._look(several, moved)
        if chosen is None and self._selector.rules.policy.merge.orphans == "release":
            await self._orphans(await asyncio.to_thread(store.record_ids) - linked, moved)
        self._take_up_waiting()

    async def at_some(self, known: Candidates, linked: AbstractSet[str], moved: frozenset[str]) -> None:
        """Look at those alone that may not stand any more."""
        self._selector.usable = len(self._catalogue.images) > len(known.images)
        assets = known.assets | moved | self._selector.pending.keys()
        await self._records.fetch(assets)
        ids = {record.image_id for asset_id in assets if (record := self._records.get(asset_id)) is not None}
        for several in _cut(self._all_of(known.images | ids)):
            await self._look(several, moved)
        if self._selector.rules.policy.merge.orphans == "release":
            await self._orphans(assets - linked, moved)
        self._take_up_waiting()

    def _take_up_waiting(self) -> None:
        """Look after the writes that only wait for Immich as well, where something is looked at anyway."""
        if self.wanted:
            for asset_id in self._waiting:
                self.wanted.add(asset_id)
        else:
            self._selector.waiting.clear()

    async def plan(self, reading: Reading, told: Callable[[int, int], None]) -> None:
        """Plan those that were read; what is as it was left goes where the pass is brief.

        ``told`` is told with each slice how many were planned, of how many.
        """
        done, total = 0, len(self._order) + (len(self.wanted) if self._every else 0)
        if self._every:
            for images in _slices(self._catalogue):
                await self._records.fetch(image.asset_id for image in images if image.asset_id is not None)
                await self._plan(self._selector.items(images, None), reading)
                done += len(images)
                told(min(done, total), total)
        kept = self._kept.pairs()
        for start in range(0, len(self._order), SLICE):
            several = await self._taken_up(self._order[start : start + SLICE], kept)
            await self._plan(several, reading)
            done += len(several)
            told(min(done, total), total)
        self._kept = Items()

    async def _taken_up(self, order: Sequence[int], kept: Iterator[Pair]) -> list[Item]:
        """Return some of those that were found, with all of their images again."""
        images: dict[int, CatalogueImage | None] = {}
        for key in order:
            if key != _KEPT:
                images[key] = self._image(key)
                await self._breathe()
        wanted = [image for image in images.values() if image is not None]
        await self._records.fetch(image.asset_id for image in wanted if image.asset_id is not None)
        new = iter(self._selector.items(wanted, None))
        found = []
        for key in order:
            if key != _KEPT:
                found.append(next(new))
                continue
            item, record = next(kept)
            self._records.put(((item, record),))
            found.append(self._selector.waiting.get(item.asset_id, item))
        return found

    async def _plan(self, several: Sequence[Item], reading: Reading) -> None:
        await asyncio.sleep(0)
        wanted = self._selector.to_be_planned(several, reading)
        await asyncio.sleep(0)
        await self._computer.compute(wanted, self._policy, self._desires)
        for item in await self._adoption.consider(several, reading):
            planned, record = self._selector.plan(item, reading), self._records.get(item.asset_id)
            if self._brief and is_as_left(planned, record):
                self.stood += 1
                self._records.drop((item.asset_id,))
            else:
                self.items.add(planned, record)
            if item.asset_id in reading.assets:  # to pop it would unpack it
                del reading.assets[item.asset_id]
            await self._breathe()
        self._let_go()

    async def _look(self, several: Sequence[CatalogueImage], moved: frozenset[str] | None) -> None:
        assets = [image.asset_id for image in several if image.asset_id is not None]
        await self._records.fetch(assets)
        await self._computer.compute(
            self._selector.worth_comparing(several, moved), self._policy, self._desires
        )
        for image in several:
            for item in self._selector.items((image,), moved):
                self._keep(item)
            await self._breathe()
        self._let_go()

    async def _orphans(self, assets: Collection[str], moved: frozenset[str] | None) -> None:
        left = iter(sorted(assets))
        while several := list(islice(left, SLICE)):
            await self._records.fetch(several)
            found = self._selector.orphans(several, moved)
            self._records.drop(set(several) - {item.asset_id for item in found})
            for item in found:
                self._note(item)
            self._let_go()
            await self._breathe()

    def _keep(self, item: Item) -> None:
        if self._brief and item.status in FINE and stands(item, self._records.get(item.asset_id)):
            self.stood += 1
            self._records.drop((item.asset_id,))
        else:
            self._note(item)

    def _all_of(self, image_ids: Collection[int]) -> Iterator[CatalogueImage]:
        return (image for image_id in sorted(image_ids) for image in self._catalogue.all_of(image_id))

    def _key(self, item: Item) -> int:
        """Return what tells an image to be planned: its id, or a number of another member of its stack."""
        if not self._catalogue.is_beside(item.asset_id):
            return item.image_id
        self._beside.append((item.image_id, item.asset_id))
        return _KEPT - len(self._beside)

    def _image(self, key: int) -> CatalogueImage | None:
        if key > _KEPT:
            return self._catalogue.image(key)
        image_id, asset_id = self._beside[_KEPT - key - 1]
        image = self._catalogue.image(image_id)
        return None if image is None else replace(image, asset_id=asset_id)

    def _note(self, item: Item) -> None:
        if item.status == "new":
            self.wanted.add(item.asset_id)
        elif item.asset_id in self._selector.waiting:
            self._waiting.append(item.asset_id)
        if item.status == "new" and item.image is not None:
            self._order.append(self._key(item))
        else:
            self._order.append(_KEPT)
            self._kept.add(item, self._records.get(item.asset_id))

    def _let_go(self) -> None:
        """Forget what a slice wants; and what is remembered of it, where that is packed with the items."""
        self._desires.clear()
        if len(self._order) > LOOSE or self.items.packed:
            self._records.clear()

    async def _breathe(self) -> None:
        """Let the event loop go on, if it was held for long enough."""
        self._done += 1
        if self._done >= _MOST_AT_ONCE or self._clock.monotonic() - self._since > _AT_ONCE:
            await asyncio.sleep(0)
            self._since, self._done = self._clock.monotonic(), 0


def _slices(catalogue: Catalogue) -> Iterator[Sequence[CatalogueImage]]:
    images = catalogue.images
    if isinstance(images, Images):
        return images.slices()
    return _cut(images)


def _cut(images: Iterable[CatalogueImage]) -> Iterator[Sequence[CatalogueImage]]:
    left = iter(images)
    while several := list(islice(left, SLICE)):
        yield several
