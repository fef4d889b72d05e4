"""The images of a large catalogue, kept small: packed by the slice, and unpacked slice by slice.

A hundred thousand images as objects take several hundred megabytes, and every sweep of the garbage collector
over them holds the whole process. Packed they take a tenth, and are nothing to sweep. What is asked of all of
them at once (their ids, the assets they are linked to) is kept beside.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

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
from reconciler.core.pack import Packing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")

SLICE: Final = 64
"""Images that are packed together: the more, the smaller, and the slower to look one up."""

_PACKING: Final = Packing[CatalogueImage](
    (Acquisition, CatalogueImage, CatalogueObject, Equipment, FieldObject, PlateSolution, Site, Summary)
)
_unpack = _PACKING.unpack


class PackedImages(Images):
    """Images in order of their ids, each id once.

    Args:
        images: in that order; they are packed as they come.
    """

    __slots__ = ("_assets", "_ends", "_ids", "_last", "_linked", "_linked_ids", "_listed", "_made", "_slices")

    def __init__(self, images: Iterable[CatalogueImage] = ()) -> None:
        self._slices: list[bytes] = []
        self._made: dict[Any, dict[bytes, Any]] = {}
        self._ids = array("q")
        self._listed: list[str | None] = []
        several: list[CatalogueImage] = []
        lengths: list[int] = []
        for image in images:
            several.append(image)
            if len(several) == SLICE:
                lengths.append(self._add(several))
                several = []
        if several:
            lengths.append(self._add(several))
        self._close(lengths)

    def _add(self, several: Sequence[CatalogueImage], packed: bytes | None = None) -> int:
        self._slices.append(_PACKING.pack(several) if packed is None else packed)
        self._ids.extend(image.image_id for image in several)
        self._listed.extend(image.asset_id for image in several)
        return len(several)

    def _close(self, lengths: Iterable[int]) -> None:
        self._ends = list(accumulate(lengths))
        # A tuple of texts is none that the garbage collector goes through.
        self._assets = tuple(self._listed)
        self._listed = []
        self._linked = sum(asset is not None for asset in self._assets)
        self._linked_ids: frozenset[str] | None = None
        self._last: tuple[int, list[CatalogueImage]] = (-1, [])

    # A sequence

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[CatalogueImage]:
        for packed in self._slices:
            yield from _unpack(packed)

    @overload
    def __getitem__(self, place: int) -> CatalogueImage: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[CatalogueImage]: ...

    def __getitem__(self, place: int | slice) -> CatalogueImage | Sequence[CatalogueImage]:
        """Return one image, or some as a tuple."""
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self))))
        if place < 0:
            place += len(self)
        if not 0 <= place < len(self):
            raise IndexError(place)
        number = bisect_right(self._ends, place)
        known, several = self._last
        if known != number:
            several = _unpack(self._slices[number])
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
        return self._linked

    def linked_assets(self) -> frozenset[str]:
        """Return the assets that they are linked to: one set, whoever asks."""
        if self._linked_ids is None:
            self._linked_ids = frozenset(filter(None, self._assets))
        return self._linked_ids

    def find(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id."""
        place = bisect_left(self._ids, image_id)
        return self[place] if place < len(self) and self._ids[place] == image_id else None

    def slices(self) -> Iterator[Sequence[CatalogueImage]]:
        """Return them slice by slice."""
        return map(_unpack, self._slices)

    def each(self, make: Callable[[Sequence[CatalogueImage]], T]) -> Iterator[T]:
        """Yield what is made of each slice; made anew only of those that changed since that was asked for."""
        before, known = self._made.get(make, {}), dict[bytes, T]()
        for packed in self._slices:
            found = before.get(packed)
            known[packed] = found = make(_unpack(packed)) if found is None else found
            yield found
        self._made[make] = known

    def replaced(self, changed: Mapping[int, CatalogueImage | None]) -> PackedImages:
        """Return these images with some exchanged, added, or (where it is ``None``) left out."""
        if not changed:
            return self
        left = sorted(changed, reverse=True)
        found = PackedImages()
        found._made = self._made
        lengths: list[int] = []
        for number, packed in enumerate(self._slices):
            begin, end = self._begin(number), self._ends[number]
            is_last = number == len(self._slices) - 1
            mine = []
            while left and (is_last or left[-1] <= self._ids[end - 1]):
                mine.append(left.pop())
            if not mine:
                found._slices.append(packed)
                found._ids.extend(self._ids[begin:end])
                found._listed.extend(self._assets[begin:end])
                lengths.append(end - begin)
                continue
            images = {image.image_id: image for image in _unpack(packed)}
            for image_id in mine:
                if (image := changed[image_id]) is None:
                    images.pop(image_id, None)
                else:
                    images[image_id] = image
            several = [images[image_id] for image_id in sorted(images)]
            for start in range(0, len(several), 2 * SLICE):
                lengths.append(found._add(several[start : start + 2 * SLICE]))  # noqa: PERF401 - the same
        if left:  # there were none before
            return PackedImages(image for key in reversed(left) if (image := changed[key]) is not None)
        found._close(lengths)
        return found

    def _begin(self, number: int) -> int:
        return self._ends[number - 1] if number else 0
