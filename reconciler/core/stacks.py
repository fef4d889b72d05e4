"""Stacks of Immich: for which other assets, or in whose place, what is written to a linked asset holds.

A stack is several assets that Immich shows as one, by its primary asset. With ``all`` an image stands for its
linked asset and for every other member of that asset's stack; with ``cover`` for the stack's primary asset in
place of the linked one. Each of these assets is merged, recorded and taken back by itself, as any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import CatalogueImage, Images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.core.policy import StackWrite


@dataclass(frozen=True, slots=True)
class SeenStack:
    """A stack as Immich lists it."""

    primary: str
    """The asset by which it is shown; not among ``assets`` while it is in the trash."""
    assets: tuple[str, ...]
    """Its members that are not in the trash; in the archive they may be."""


@dataclass(frozen=True, slots=True)
class Stacking:
    """Which assets stand beside, or in place of, those that the catalogue links."""

    beside: Mapping[str, str] = field(default_factory=dict)
    """Asset → the linked one beside which it stands."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """Asset → the linked one in whose place it stands."""
    known: bool = True
    """Whether Immich told of the stacks; else this is what it told last, and nothing is written by it."""

    @property
    def unknown(self) -> AbstractSet[str]:
        """The assets of which it is not known whether they still stand so."""
        return frozenset() if self.known else self.assets

    @property
    def assets(self) -> frozenset[str]:
        """All assets that stand so."""
        return frozenset(self.beside) | self.instead.keys()

    def linked_of(self, asset_id: str) -> str:
        """Return the linked asset for which an asset stands: itself, where it stands for no other."""
        return self.beside.get(asset_id) or self.instead.get(asset_id, asset_id)

    def joined(self, other: Stacking) -> Stacking:
        """Return what stands so by either; where they differ, by the other."""
        theirs = other.assets
        beside, instead = (
            {asset: linked for asset, linked in mine.items() if asset not in theirs}
            for mine in (self.beside, self.instead)
        )
        return Stacking({**beside, **other.beside}, {**instead, **other.instead})


NO_STACKS: Final = Stacking()


def stacking(
    stacks: Iterable[SeenStack], image_id_of: Callable[[str], int | None], write: StackWrite
) -> Stacking:
    """Return what stacks mean for a catalogue.

    An asset that an image links stays that image's. Of several images with an asset in one stack, the others
    stand beside the primary one, or else beside that of the first image; in the primary one's place is that
    of the first image.

    Args:
        stacks: of Immich.
        image_id_of: gives the image that is linked to an asset; ``None``: none is.
        write: to all of a stack, or to its cover alone.
    """
    beside: dict[str, str] = {}
    instead: dict[str, str] = {}
    for stack in stacks:
        linked = [(image_id, asset) for asset in stack.assets if (image_id := image_id_of(asset)) is not None]
        if not linked or len(linked) == len(stack.assets):
            continue
        assets = {asset for _, asset in linked}
        first = stack.primary if stack.primary in assets else min(linked)[1]
        if write == "all":
            beside.update((asset, first) for asset in sorted(stack.assets) if asset not in assets)
        elif stack.primary in stack.assets and stack.primary not in assets:
            instead[stack.primary] = first
    return Stacking(beside, instead)


def still(before: Stacking, image_id_of: Callable[[str], int | None]) -> Stacking:
    """Return what was known last, where Immich does not tell now: as far as the catalogue has it still."""

    def standing(assets: Mapping[str, str]) -> dict[str, str]:
        return {
            asset: linked
            for asset, linked in assets.items()
            if image_id_of(linked) is not None and image_id_of(asset) is None
        }

    return Stacking(standing(before.beside), standing(before.instead), known=False)


class StackedImages(Images):
    """Images with what stands beside, or in place of, their linked assets.

    Each member is an image like the linked one, but for its asset.

    Args:
        images: as the catalogue has them.
        stacking: never empty.
    """

    def __init__(self, images: Images, stacking: Stacking) -> None:
        self._images, self.stacking = images, stacking
        self._beside: dict[str, list[str]] = {}
        self._instead = {linked: asset for asset, linked in stacking.instead.items()}
        for asset, linked in stacking.beside.items():
            self._beside.setdefault(linked, []).append(asset)

    def copies(self, image: CatalogueImage) -> tuple[CatalogueImage, ...]:
        """Return an image once for each asset that it stands for, the main one first."""
        asset_id = image.asset_id
        if asset_id is None:
            return (image,)
        cover = self._instead.get(asset_id)
        main = image if cover is None else replace(image, asset_id=cover)
        return (main, *(replace(image, asset_id=one) for one in self._beside.get(asset_id, ())))

    def ids(self) -> Sequence[int]:
        """Return the images' ids, once for each asset."""
        return [image_id for image_id, _ in self._pairs()]

    def asset_ids(self) -> Sequence[str | None]:
        """Return the assets that they stand for, in the same order."""
        return [asset for _, asset in self._pairs()]

    def _pairs(self) -> Iterator[tuple[int, str | None]]:
        for image_id, asset_id in zip(self._images.ids(), self._images.asset_ids(), strict=True):
            yield image_id, asset_id if asset_id is None else self._instead.get(asset_id, asset_id)
            for one in self._beside.get(asset_id or "", ()):
                yield image_id, one

    def linked_assets(self) -> AbstractSet[str]:
        """Return the assets that they stand for."""
        return self._linked

    @cached_property
    def _linked(self) -> AbstractSet[str]:
        return (self._images.linked_assets() - self._instead.keys()) | self.stacking.assets

    def id_of(self, asset_id: str) -> int | None:
        """Return the id of the image that stands for an asset."""
        if asset_id in self._instead:
            return None
        return self._images.id_of(self.stacking.linked_of(asset_id))

    @property
    def linked_count(self) -> int:
        """How many assets they stand for."""
        return self._images.linked_count + sum(map(len, self._beside.values()))

    def find(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id, with its main asset."""
        found = self._images.find(image_id)
        return None if found is None else self.copies(found)[0]

    def all_of(self, image_id: int) -> tuple[CatalogueImage, ...]:
        """Return the image with an id, once for each asset that it stands for, the main one first."""
        found = self._images.find(image_id)
        return () if found is None else self.copies(found)

    def as_linked(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id as the catalogue links it."""
        return self._images.find(image_id)

    def is_beside(self, asset_id: str) -> bool:
        """Return whether an asset stands beside the main one of its image."""
        return asset_id in self.stacking.beside

    def replaced(self, changed: Mapping[int, CatalogueImage | None]) -> StackedImages:
        """Return these images with some exchanged, added, or left out."""
        return StackedImages(self._images.replaced(changed), self.stacking)

    def slices(self) -> Iterator[Sequence[CatalogueImage]]:
        """Return them slice by slice."""
        for several in self._images.slices():
            yield [copy for image in several for copy in self.copies(image)]

    def __len__(self) -> int:
        return len(self._images) + sum(map(len, self._beside.values()))

    def __iter__(self) -> Iterator[CatalogueImage]:
        for several in self.slices():
            yield from several

    def __getitem__(self, place):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204 - as of the tuple of them
        """Return one image, or some: for the few who ask; to go through them all is to iterate."""
        return tuple(self)[place]
