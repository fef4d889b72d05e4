"""Finding images of the catalogue quickly: by id, by asset, by target and by equipment.

Made once for each reading of the catalogue; the names in a thread: a hundred thousand images take a moment.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.catalogue import CatalogueImage
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
        """Return the assets with a name that contains a text, whatever its case."""
        wanted = text.strip().casefold()
        if wanted in self.assets:
            return self.assets[wanted]
        return set().union(*(assets for name, assets in self.assets.items() if wanted in name))


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
        problems=tuple(f"{one.place}: {one.reason}" for one in catalogue.problems),
    )


def _both_names(catalogue: Catalogue) -> tuple[Names, Names]:
    targets, equipment = list[tuple[str, str]](), list[tuple[str, str]]()
    for image in catalogue.linked():
        asset = image.asset_id or ""
        targets.append((asset, target_of(image)))
        equipment += [(asset, one.name) for one in image.equipment]
    return _names(targets), _names(equipment)


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
