"""Finding images of the catalogue quickly: by id, by asset, by target and by equipment.

Made once for each reading of the catalogue, in a thread: a hundred thousand images take a moment.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
        self._made: tuple[Catalogue, Lookup] | None = None
        self._making = asyncio.Lock()

    async def latest(self) -> Lookup:
        """Give the index; an empty one before the first reading."""
        async with self._making:
            catalogue = self._control.catalogue()
            if catalogue is None:
                return Lookup()
            if self._made is None or self._made[0] is not catalogue:
                self._made = catalogue, await asyncio.to_thread(_index, catalogue)
            return self._made[1]


def target_of(image: CatalogueImage) -> str:
    """Give the target's name as people know it; empty if there is none."""
    if image.target is None:
        return image.target_name or ""
    known = [image.target.messier or image.target.name, *image.target.common_names[:1]]
    return " · ".join(known)


def _index(catalogue: Catalogue) -> Lookup:
    linked = {image.asset_id: image for image in catalogue.images if image.asset_id is not None}
    return Lookup(
        by_id={image.image_id: image for image in catalogue.images},
        by_asset=linked,
        targets=_names([(asset, target_of(image)) for asset, image in linked.items()]),
        equipment=_names([(asset, one.name) for asset, image in linked.items() for one in image.equipment]),
        unlinked=sum(image.asset_id is None for image in catalogue.images),
        problems=tuple(f"{one.table} {one.row_id}: {one.reason}" for one in catalogue.problems),
    )


def _names(pairs: list[tuple[str, str]]) -> Names:
    assets: defaultdict[str, set[str]] = defaultdict(set)
    for asset, name in pairs:
        if name:
            assets[name.casefold()].add(asset)
    counts = Counter(name for _, name in pairs if name)
    return Names(dict(assets), tuple(name for name, _ in counts.most_common(MOST_NAMES)))
