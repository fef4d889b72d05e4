"""Finding images of the catalogue quickly: by id, by asset, by target and by equipment.

Made once for each reading of the catalogue that somebody asks about; the names in a thread, and after the
first time only of the slices that changed: a hundred thousand images take a moment.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.catalogue import Catalogue, Images
from reconciler.core.packed_catalogue import PackedImages
from reconciler.messages.reasons import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.service.api import Control

    Places = tuple[int, Sequence[int]]
    """Where a slice of the images begins, and which of it are meant, counted from there."""
    _Written = tuple[int, Mapping[str, Sequence[int]], Mapping[str, Sequence[int]]]

MOST_NAMES = 200
"""Names offered for a filter; any other can be typed."""


@dataclass(frozen=True, slots=True)
class Names:
    """The catalogue by its targets or its equipment."""

    assets: Mapping[str, Sequence[Places]] = field(default_factory=dict)
    """Name in lower case → where its images are."""
    common: tuple[str, ...] = ()
    """As written, the most used first."""
    ids: Sequence[str | None] = ()
    """The asset of each image, in order."""

    def find(self, text: str) -> set[str]:
        """Return the assets with a name that contains a text, whatever its case."""
        wanted = text.strip().casefold()
        names = [wanted] if wanted in self.assets else [name for name in self.assets if wanted in name]
        found = (
            self.ids[begin + place]
            for name in names
            for begin, places in self.assets[name]
            for place in places
        )
        return {asset_id for asset_id in found if asset_id is not None}


@dataclass(frozen=True, slots=True)
class Lookup:
    """One reading of the catalogue, indexed."""

    catalogue: Catalogue = field(default_factory=lambda: Catalogue(()))
    assets: Mapping[str, int] = field(default_factory=dict)
    """Asset id → the image's id."""
    targets: Names = field(default_factory=Names)
    equipment: Names = field(default_factory=Names)
    problems: tuple[str, ...] = ()
    """What could not be read, for people."""

    @property
    def unlinked(self) -> int:
        """How many images are linked to no asset."""
        return len(self.catalogue.images) - len(self.assets)

    def image(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id."""
        return self.catalogue.image(image_id)

    def image_of(self, asset_id: str) -> CatalogueImage | None:
        """Return the image that is linked to an asset."""
        image_id = self.assets.get(asset_id)
        return None if image_id is None else self.catalogue.image(image_id)


@dataclass(frozen=True, slots=True, eq=False)
class _Naming:
    """The names of one reading, on their way."""

    task: asyncio.Task[tuple[Names, Names]]
    hurry: asyncio.Event


class Lookups:
    """Keeps the index of the latest reading."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._catalogue: Catalogue | None = None
        self._made = Lookup()
        self._naming: _Naming | None = None

    async def latest(self) -> Lookup:
        """Return the index; an empty one before the first reading.

        Its names may be those of the reading before: they take longest, and are only offered.
        """
        catalogue = self._control.catalogue()
        if catalogue is not None and catalogue is not self._catalogue:
            self._catalogue = catalogue
            self._made = _index(catalogue, self._made)
            hurry = asyncio.Event()
            self._naming = _Naming(asyncio.create_task(_name(catalogue, hurry)), hurry)
        if self._naming is not None and self._naming.task.done():
            self._take(self._naming)
        return self._made

    async def named(self) -> Lookup:
        """Return the index with the names of the same reading: for whoever filters by them."""
        await self.latest()
        while (naming := self._naming) is not None:
            naming.hurry.set()
            # Others wait for it, too: who stops waiting does not stop it.
            await asyncio.shield(naming.task)
            # A newer reading may have come meanwhile: its names are another task's.
            self._take(naming)
        return self._made

    async def among(self, target: str = "", equipment: str = "") -> tuple[Lookup, set[str] | None]:
        """Return the index, and the assets whose target and equipment have these names; ``None``: all assets.

        A name may be a part of one, in any case; an empty one asks for nothing.
        """
        lookup = await (self.named() if target or equipment else self.latest())
        asked = ((lookup.targets, target), (lookup.equipment, equipment))
        found = [names.find(text) for names, text in asked if text]
        return lookup, set.intersection(*found) if found else None

    def _take(self, naming: _Naming) -> None:
        if naming is not self._naming:
            return
        self._naming = None
        targets, equipment = naming.task.result()
        self._made = replace(self._made, targets=targets, equipment=equipment)


async def _name(catalogue: Catalogue, hurry: asyncio.Event) -> tuple[Names, Names]:
    # Not beside the page that is being made just now: the thread would slow it down.
    with suppress(TimeoutError):
        await asyncio.wait_for(hurry.wait(), 1.0)
    return await asyncio.to_thread(_both_names, catalogue)


def target_of(image: CatalogueImage) -> str:
    """Return the target's name as people know it; empty if there is none."""
    if image.target is None:
        return image.target_name or ""
    known = [image.target.messier or image.target.name, *image.target.common_names[:1]]
    return " · ".join(known)


def _index(catalogue: Catalogue, before: Lookup) -> Lookup:
    return Lookup(
        catalogue=catalogue,
        assets=catalogue.image_ids(),
        targets=before.targets,
        equipment=before.equipment,
        problems=tuple(f"{one.place}: {words(one.reason)}" for one in catalogue.problems),
    )


def _both_names(catalogue: Catalogue) -> tuple[Names, Names]:
    images = catalogue.images
    slices: Iterable[_Written] = (
        images.each(_written) if isinstance(images, PackedImages) else (_written(images),)
    )
    ids = images.asset_ids() if isinstance(images, Images) else [image.asset_id for image in images]
    targets, equipment = defaultdict[str, "list[Places]"](list), defaultdict[str, "list[Places]"](list)
    begin = 0
    for count, *both in slices:
        for names, of in zip((targets, equipment), both, strict=True):
            for name, places in of.items():
                names[name].append((begin, places))
        begin += count
    return _names(targets, ids), _names(equipment, ids)


def _written(images: Sequence[CatalogueImage]) -> _Written:
    """Return how many images these are, and which linked ones have which target and equipment."""
    targets, equipment = defaultdict[str, list[int]](list), defaultdict[str, list[int]](list)
    for place, image in enumerate(images):
        if image.asset_id is None:
            continue
        targets[target_of(image)].append(place)
        for name in {one.name for one in image.equipment}:
            equipment[name].append(place)
    targets.pop("", None)
    equipment.pop("", None)
    return len(images), _kept(targets), _kept(equipment)


def _kept(names: Mapping[str, list[int]]) -> dict[str, Sequence[int]]:
    # A slice of a large catalogue has few images: a byte each is enough.
    return {name: bytes(places) if places[-1] < 256 else array("L", places) for name, places in names.items()}


def _names(places: Mapping[str, list[Places]], ids: Sequence[str | None]) -> Names:
    counts = {name: sum(len(some) for _, some in found) for name, found in places.items()}
    common = sorted(counts, key=lambda name: (-counts[name], name))[:MOST_NAMES]
    folded: defaultdict[str, list[Places]] = defaultdict(list)
    for name, found in places.items():
        folded[name.casefold()] += found
    return Names(dict(folded), tuple(common), ids)
