"""Finding images of the catalogue quickly: by id, by asset, by target and by equipment.

Made once for each reading of the catalogue; the names in a thread: a hundred thousand images take a moment.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.engine.control import Control

MOST_NAMES = 200
"""Names offered for a filter; any other can be typed."""


@dataclass(frozen=True, slots=True)
class Names:
    """The catalogue by its targets or its equipment."""

    assets: dict[str, set[str]] = field(default_factory=dict)
    """Name in lower case → asset ids."""
    common: tuple[str, ...] = ()
    """As written, the most used first."""

    def find(self, text: str) -> set[str]:
        """Give the assets with a name that contains a text, whatever its case."""
        wanted = text.strip().casefold()
        if wanted in self.assets:
            return self.assets[wanted]
        return set().union(*(assets for name, assets in self.assets.items() if wanted in name))


@dataclass(frozen=True, slots=True)
class Lookup:
    """One reading of the catalogue, indexed."""

    by_id: dict[int, CatalogueImage] = field(default_factory=dict)
    by_asset: dict[str, CatalogueImage] = field(default_factory=dict)
    targets: Names = field(default_factory=Names)
    equipment: Names = field(default_factory=Names)
    unlinked: int = 0
    problems: tuple[str, ...] = ()
    """What could not be read, for people."""


class Lookups:
    """Keeps the index of the latest reading."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._catalogue: Catalogue | None = None
        self._made = Lookup()
        self._hurry = asyncio.Event()
        self._names: asyncio.Task[tuple[Names, Names]] | None = None

    async def latest(self) -> Lookup:
        """Give the index; an empty one before the first reading.

        Its names may be those of the reading before: they take longest, and are only offered.
        """
        catalogue = self._control.catalogue()
        if catalogue is not None and catalogue is not self._catalogue:
            self._catalogue = catalogue
            self._made = _index(catalogue, self._made)
            self._hurry = asyncio.Event()
            self._names = asyncio.create_task(self._name(self._made, self._hurry))
        if self._names is not None and self._names.done():
            self._take(*self._names.result())
        return self._made

    async def named(self) -> Lookup:
        """Give the index with the names of the same reading: for whoever filters by them."""
        await self.latest()
        if self._names is not None:
            self._hurry.set()
            self._take(*await self._names)
        return self._made

    async def among(self, target: str = "", equipment: str = "") -> tuple[Lookup, set[str] | None]:
        """Give the index, and the assets whose target and equipment have these names; ``None``: all assets.

        A name may be a part of one, in any case; an empty one asks for nothing.
        """
        lookup = await (self.named() if target or equipment else self.latest())
        asked = ((lookup.targets, target), (lookup.equipment, equipment))
        found = [names.find(text) for names, text in asked if text]
        return lookup, set.intersection(*found) if found else None

    async def _name(self, lookup: Lookup, hurry: asyncio.Event) -> tuple[Names, Names]:
        # Not beside the page that is being made just now: the thread would slow it down.
        with suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), 1.0)
        return await asyncio.to_thread(_both_names, lookup)

    def _take(self, targets: Names, equipment: Names) -> None:
        self._names = None
        self._made = replace(self._made, targets=targets, equipment=equipment)


def target_of(image: CatalogueImage) -> str:
    """Give the target's name as people know it; empty if there is none."""
    if image.target is None:
        return image.target_name or ""
    known = [image.target.messier or image.target.name, *image.target.common_names[:1]]
    return " · ".join(known)


def _index(catalogue: Catalogue, before: Lookup) -> Lookup:
    return Lookup(
        by_id={image.image_id: image for image in catalogue.images},
        by_asset={image.asset_id: image for image in catalogue.images if image.asset_id is not None},
        targets=before.targets,
        equipment=before.equipment,
        unlinked=sum(image.asset_id is None for image in catalogue.images),
        problems=tuple(f"{one.place}: {one.reason}" for one in catalogue.problems),
    )


def _both_names(lookup: Lookup) -> tuple[Names, Names]:
    images = lookup.by_asset.items()
    return (
        _names((asset, target_of(image)) for asset, image in images),
        _names((asset, one.name) for asset, image in images for one in image.equipment),
    )


def _names(pairs: Iterable[tuple[str, str]]) -> Names:
    assets: defaultdict[str, set[str]] = defaultdict(set)
    for asset, name in pairs:
        if name:
            assets[name].add(asset)
    common = sorted(assets, key=lambda name: (-len(assets[name]), name))[:MOST_NAMES]
    folded: defaultdict[str, set[str]] = defaultdict(set)
    for name, found in assets.items():
        folded[name.casefold()] |= found
    return Names(dict(folded), tuple(common))
