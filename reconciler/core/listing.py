"""What a search in Immich shows: assets that are known in every field, and what is left of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.asset import IncompleteAsset, ObservedAsset
    from reconciler.core.packed_assets import CompactAssets


@dataclass(frozen=True, slots=True)
class Listing:
    """The assets of a search. What it does not list, or lists incompletely, it says nothing about."""

    assets: tuple[ObservedAsset, ...] = ()
    incomplete: tuple[IncompleteAsset, ...] = ()
    """With an id, also those that were not asked for; each has to be asked for by itself."""
    many: CompactAssets | None = None
    """In place of ``assets``, where there are very many."""

    def __iter__(self) -> Iterator[ObservedAsset]:
        """Go through those that are known."""
        return iter(self.assets if self.many is None else self.many.values())

    def __len__(self) -> int:
        """Count those that are known."""
        return len(self.assets if self.many is None else self.many)
