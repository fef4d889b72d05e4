"""The images of a large catalogue, kept small: packed by the slice, and unpacked slice by slice.

A hundred thousand images as objects take several hundred megabytes, and every sweep of the garbage collector
over them holds the whole process. Packed they take a tenth, are nothing to sweep, and need not be in memory:
who makes the catalogue says where the slices are kept. What is asked of all images at once (their ids, the
assets they are linked to) stays beside, in some fifty bytes an image.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.by_place import ByPlace
from reconciler.core.catalogue import (
    Acquisition,
    CatalogueImage,
    CatalogueObject,
    Equipment,
    FieldObject,
    Images,
    PlateSolution,
    Site,
    Summary,
)
from reconciler.core.linked_assets import LinkedAssets
from reconciler.core.pack import Packing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.core.asset_ids import AssetIds
    from reconciler.core.pack import Shelf

SLICE: Final = 64
"""Images that are packed together: the more, the smaller, and the slower to look one up."""
_WASTE: Final = 2
"""So many times the slices that there are may be on a shelf; beyond that those in use move to a new one."""
_SPARE: Final = 64

_PACKING: Final = Packing[CatalogueImage](
    (Acquisition, CatalogueImage, CatalogueObject, Equipment, FieldObject, PlateSolution, Site, Summary)
)
_unpack = _PACKING.unpack


class _List(list[bytes]):
    """A shelf in memory."""


class PackedImages(ByPlace[CatalogueImage], Images):
    """Images in order of their ids, each id once.

    Args:
        images: in that order; they are packed as they come.
        shelf: makes an empty place for packed slices; images that are made of these use it, too.
    """

    __slots__ = ("_assets", "_ends", "_ids", "_last", "_made", "_slices", "_stored", "new_shelf")

    def __init__(self, images: Iterable[CatalogueImage] = (), shelf: Callable[[], Shelf] = _List) -> None:
        self.new_shelf = shelf
        self._begin_with(shelf(), {})
        several: list[CatalogueImage] = []
        for image in images:
            several.append(image)
            if len(several) == SLICE:
                self._add(several)
                several = []
        if several:
            self._add(several)

    def _begin_with(self, stored: Shelf, made: dict[Any, _Made]) -> None:
        self._stored, self._made = stored, made
        self._slices = array("q")
        """Where on the shelf each slice is."""
        self._ends = array("q")
        """Of each slice: how many images there are up to its end."""
        self._ids = array("q")
        self._assets = LinkedAssets()
        self._last: tuple[int, list[CatalogueImage]] = (-1, [])

    def _add(self, several: Sequence[CatalogueImage]) -> None:
        self._slices.append(len(self._stored))
        self._stored.append(_PACKING.pack(several))
        self._ids.extend(image.image_id for image in several)
        self._assets.extend(image.asset_id for image in several)
        self._ends.append(len(self._ids))

    # A sequence

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[CatalogueImage]:
        for several in self.slices():
            yield from several

    def _at(self, place: int) -> CatalogueImage:
        number = bisect_right(self._ends, place)
        known, several = self._last
        if known != number:
            several = self._slice(number)
            self._last = (number, several)
        return several[place - self._begin(number)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            mine == theirs for mine, theirs in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]  # as of any container

    def __repr__(self) -> str:
        return f"PackedImages({len(self)} images)"

    # What is asked of all

    def ids(self) -> Sequence[int]:
        """Return the images' ids."""
        return self._ids

    def asset_ids(self) -> Sequence[str | None]:
        """Return the assets that they are linked to, in the same order."""
        return self._assets

    @property
    def linked_count(self) -> int:
        """How many are linked."""
        return self._assets.count_linked

    def linked_assets(self) -> AssetIds:
        """Return the assets that they are linked to: one set, whoever asks."""
        return self._assets.ids()

    def id_of(self, asset_id: str) -> int | None:
        """Return the id of the image that is linked to an asset: of several, the last one."""
        place = self._assets.place_of(asset_id)
        return None if place is None else self._ids[place]

    def places_in(self, ids: AssetIds) -> array[int]:
        """Return for each image where its asset stands in a set; −1: it is not there."""
        return self._assets.places_in(ids)

    def find(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id."""
        place = bisect_left(self._ids, image_id)
        return self[place] if place < len(self) and self._ids[place] == image_id else None

    def slices(self) -> Iterator[Sequence[CatalogueImage]]:
        """Return them slice by slice."""
        return map(self._slice, range(len(self._slices)))

    def each(self, make: Callable[[Sequence[CatalogueImage]], bytes]) -> Iterator[bytes]:
        """Yield what is made of each slice; made anew only of those that changed since that was asked for."""
        before = self._made.get(make)
        if before is None or len(before.places) > _WASTE * len(self._slices) + _SPARE:
            made = _Made(self.new_shelf())
        else:
            made = before
        for place in self._slices:
            at = made.places.get(place)
            if at is not None:
                yield made.stored[at]
                continue
            old = before.places.get(place) if before else None
            found = (
                make(_unpack(self._stored[place])) if before is None or old is None else before.stored[old]
            )
            made.places[place] = len(made.stored)
            made.stored.append(found)
            yield found
        self._made[make] = made

    def replaced(self, changed: Mapping[int, CatalogueImage | None]) -> PackedImages:
        """Return these images with some exchanged, added, or (where it is ``None``) left out."""
        if not changed:
            return self
        if not self._ids:
            return PackedImages(
                (image for key in sorted(changed) if (image := changed[key]) is not None), self.new_shelf
            )
        left = sorted(changed, reverse=True)
        found = PackedImages((), self.new_shelf)
        anew = len(self._stored) > _WASTE * len(self._slices) + _SPARE
        found._begin_with(self.new_shelf() if anew else self._stored, {} if anew else self._made)
        for number in range(len(self._slices)):
            begin, end = self._begin(number), self._ends[number]
            is_last = number == len(self._slices) - 1
            mine = []
            while left and (is_last or left[-1] <= self._ids[end - 1]):
                mine.append(left.pop())
            if not mine:
                found._take(self, number, begin, end)
                continue
            images = {image.image_id: image for image in self._slice(number)}
            for image_id in mine:
                if (image := changed[image_id]) is None:
                    images.pop(image_id, None)
                else:
                    images[image_id] = image
            several = [images[image_id] for image_id in sorted(images)]
            for start in range(0, len(several), 2 * SLICE):
                found._add(several[start : start + 2 * SLICE])
        found._assets.share(self._assets)
        return found

    def _take(self, other: PackedImages, number: int, begin: int, end: int) -> None:
        """Take over a slice as it is."""
        place = other._slices[number]
        if self._stored is not other._stored:
            self._stored.append(other._stored[place])
            place = len(self._stored) - 1
        self._slices.append(place)
        self._ids.extend(other._ids[begin:end])
        self._assets.take(other._assets, begin, end)
        self._ends.append(len(self._ids))

    def _slice(self, number: int) -> list[CatalogueImage]:
        return _unpack(self._stored[self._slices[number]])

    def _begin(self, number: int) -> int:
        return self._ends[number - 1] if number else 0


class _Made:
    """What was made of slices, by where these are on their shelf."""

    __slots__ = ("places", "stored")

    def __init__(self, stored: Shelf) -> None:
        self.stored = stored
        self.places: dict[int, int] = {}
