"""The assets that images are linked to, image by image, in sixteen bytes each; and which image has which."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from reconciler.core.asset_ids import NO_KEY, WIDTH, AssetIds, id_of, key_of
from reconciler.core.by_place import ByPlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class LinkedAssets(ByPlace[str | None]):
    """An asset id or ``None`` for each image, in the images' order."""

    __slots__ = ("_ids", "_keys", "_odd", "_order", "count_linked")

    def __init__(self) -> None:
        self._keys = bytearray()
        self._odd: dict[int, str] = {}
        """By place: ids that are no UUIDs."""
        self.count_linked = 0
        self._ids: AssetIds | None = None
        self._order: array[int] | None = None
        """Places in the order of ``ids``."""

    def extend(self, assets: Iterable[str | None]) -> None:
        """Add some at the end."""
        self._ids = self._order = None
        for asset_id in assets:
            key = NO_KEY if asset_id is None else key_of(asset_id)
            if asset_id is not None:
                self.count_linked += 1
                if key is NO_KEY:
                    self._odd[len(self)] = asset_id
            self._keys += key

    def take(self, other: LinkedAssets, begin: int, end: int) -> None:
        """Add some of another at the end."""
        self._ids = self._order = None
        keys = other._keys[WIDTH * begin : WIDTH * end]
        if other._odd or NO_KEY in keys:
            self.extend(other[place] for place in range(begin, end))
            return
        self._keys += keys
        self.count_linked += end - begin

    def share(self, other: LinkedAssets) -> None:
        """Take over what was computed of another, where both are the same."""
        if self._keys == other._keys and self._odd == other._odd:
            self._ids, self._order = other._ids, other._order

    def __len__(self) -> int:
        return len(self._keys) // WIDTH

    def __iter__(self) -> Iterator[str | None]:
        return map(self._at, range(len(self)))

    def _at(self, place: int) -> str | None:
        key = bytes(self._keys[WIDTH * place : WIDTH * (place + 1)])
        return self._odd.get(place) if key == NO_KEY else id_of(key)

    def ids(self) -> AssetIds:
        """Return them as a set: the same one, whoever asks."""
        if self._ids is None:
            self._ids = AssetIds.of_keys(self._keys, self._odd.values())
        return self._ids

    def place_of(self, asset_id: str) -> int | None:
        """Return the place of an asset: of several, the last one; ``None``: it is not here."""
        number = self.ids().place_of(asset_id)
        return None if number is None else self.order()[number]

    def order(self) -> array[int]:
        """Return the places of the assets in ``ids``, in its order."""
        if self._order is None:
            ids = self.ids()
            order = array("I", bytes(4 * len(ids)))
            for place, number in enumerate(self.places_in(ids)):
                if number >= 0:
                    order[number] = place
            self._order = order
        return self._order

    def places_in(self, ids: AssetIds) -> array[int]:
        """Return for each image where its asset stands in a set; −1: it is not there."""
        if self._order is not None and ids == self.ids():
            found = array("i", [-1]) * len(self)
            for number, place in enumerate(self._order):
                found[place] = number
            return found
        return ids.places_of_keys(self._keys, self._odd)
