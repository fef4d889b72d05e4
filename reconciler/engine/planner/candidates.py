"""What is known to stand as it was left: a look goes on from there, and costs nothing for it.

An image stands where its record says, with what it wants, what decides and its asset all unchanged. The last
look at all images found most of them like that. Which ones may be otherwise by now is told by the catalogue
(the images that changed between two readings), by the store (the assets that were written to since), and by
Immich (those whose date moved). No others are looked at.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.asset_digests import AssetDigests
from reconciler.engine.album_watch import AlbumMemory
from reconciler.engine.catalogue_cache import Followed
from reconciler.engine.ownership import Memory as OwnershipMemory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.plan.plan import Rules
    from reconciler.core.ports import CatalogueSource
    from reconciler.core.stacks import Stacking
    from reconciler.core.store_port import Store


MOST: Final = 5_000
"""Assets that are looked at one by one; where more were written to, all images are gone through in slices."""


@dataclass(frozen=True, slots=True)
class Census:
    """What of all records decides about a pass."""

    token: object
    """Of the store: see ``Store.changes``."""
    linked: AbstractSet[str]
    """Assets that the last good pass found in the catalogue."""
    held: Mapping[str, str]
    """Those of them that the guard holds → the hash of the harm."""
    touched: frozenset[str] | None = None
    """Assets that were written to since the census before; ``None``: any may have been."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the last look at all images found."""

    rules: Rules
    digest: str
    reading: int
    """Which reading of the catalogue it was."""
    token: object
    """Of the store then."""
    doubtful: frozenset[int]
    open_images: frozenset[int]
    """Those that did not stand."""
    open_assets: frozenset[str]
    """Likewise of images that left the catalogue."""
    stacking: Stacking


@dataclass(slots=True)
class Memory:
    """What the cycles over one catalogue and one store know together."""

    standing: Standing | None = None
    census: Census | None = None
    touched: set[str] = field(default_factory=set)
    """Assets that were written to since ``standing``."""
    albums: AlbumMemory = field(default_factory=AlbumMemory)
    ownership: OwnershipMemory = field(default_factory=OwnershipMemory)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What may not stand any more."""

    images: frozenset[int]
    assets: frozenset[str]


async def take_census(memory: Memory, store: Store) -> Census:
    """Look at all records, or at those alone that were written to since."""
    before = memory.census
    token, touched = store.changes(before.token if before else None)
    if before is not None and touched is not None and len(touched) <= MOST:
        if not touched:
            return before
        found = await asyncio.to_thread(store.records_of, touched)
        linked = frozenset(asset_id for asset_id, record in found.items() if record.linked)
        held = {asset_id: harm for asset_id in linked if (harm := found[asset_id].held)}
        kept = before.held
        if held or any(asset_id in kept for asset_id in touched):
            kept = AssetDigests(pair for pair in kept.items() if pair[0] not in touched)
            kept.update(held)
        every = await asyncio.to_thread(lambda: (before.linked - touched) | linked)
        memory.touched |= touched
        memory.census = Census(token, every, kept, touched)
    else:
        every, marks = await asyncio.to_thread(store.linked_ids), await asyncio.to_thread(store.held_ids)
        memory.standing = None
        memory.census = Census(token, every, marks)
    return memory.census


def candidates(
    memory: Memory,
    rules: Rules,
    digest: str,
    catalogue: Catalogue,
    source: CatalogueSource,
    stacking: Stacking,
) -> Candidates | None:
    """Return which images may not stand any more; ``None``: any may, all are looked at."""
    known = memory.standing
    if known is None or (known.rules, known.digest) != (rules, digest) or not isinstance(source, Followed):
        return None
    if known.stacking != stacking:
        return None
    changed = source.changes(known.reading, catalogue.reading)
    if (
        len(memory.touched) > MOST
        or changed is None
        or (changed and catalogue.doubtful_ids() != known.doubtful)
    ):
        return None
    return Candidates(known.open_images | changed, known.open_assets | memory.touched)
