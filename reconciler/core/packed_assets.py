"""Very many observed assets in little memory: each packed by itself, with the first ones as a pattern.

As objects a hundred thousand take some 150 MB, packed a fifth, and a sweep of the garbage collector does not
see them. In memory stays what they are found by, twenty bytes each; who makes them says where the packs are
kept. What is looked up becomes an ``ObservedAsset`` again.
"""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from reconciler.core.asset import Coordinates, ObservedAsset
from reconciler.core.asset_ids import AssetIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.core.pack import Shelf

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = 16
"""So many are the pattern for all others: with what is alike in all."""
_WINDOW: Final = 12
"""Binary logarithm of the bytes that are looked back to: a larger one costs more to set up than it saves."""
_MEMORY: Final = 4
_PATTERN: Final = 4_000
"""Bytes of them: as many as a window holds."""
_TOGETHER: Final = 64
"""Packs that are kept together."""


class _List(list[bytes]):
    """A shelf in memory."""


class CompactAssets(MutableMapping[str, ObservedAsset]):
    """Observed assets by id, in the order in which they came.

    Args:
        assets: to begin with.
        untagged: whether those of which no tags are known have none.
        shelf: makes an empty place for packs.
    """

    __slots__ = ("_ids", "_last", "_loose", "_new_shelf", "_newer", "_pattern", "_stored", "_untagged")

    def __init__(
        self,
        assets: Iterable[ObservedAsset] = (),
        *,
        untagged: bool = False,
        shelf: Callable[[], Shelf] = _List,
    ) -> None:
        self._untagged = frozenset[str]() if untagged else None
        self._ids = AssetIndex()
        self._stored, self._new_shelf = shelf(), shelf
        self._loose: list[bytes] = []
        """The last ones, in the order of their places: fewer than are kept together."""
        self._newer: dict[int, bytes] = {}
        """By place: those that were exchanged since."""
        self._last: tuple[int, list[bytes]] = (-1, [])
        self._pattern = b""
        for asset in assets:
            self[asset.asset_id] = asset

    def __getitem__(self, asset_id: str) -> ObservedAsset:
        return _unpack(asset_id, self._packed(self._place(asset_id)), self._pattern, self._untagged)

    def __setitem__(self, asset_id: str, asset: ObservedAsset) -> None:
        self._put(asset_id, _pack(asset, self._pattern))
        if not self._pattern and len(self._ids) == _FIRST:
            self._take_pattern(b"".join(map(_plain, self.values()))[-_PATTERN:])

    def _put(self, asset_id: str, packed: bytes) -> None:
        end = self._ids.places
        place = self._ids.add(asset_id)
        if place < end:
            self._newer[place] = packed
            return
        self._loose.append(packed)
        if len(self._loose) == _TOGETHER:
            self._stored.append(marshal.dumps(self._loose, 2))
            self._loose = []

    def _take_pattern(self, pattern: bytes) -> None:
        known = list(self.items())
        self.__init__(untagged=self._untagged is not None, shelf=self._new_shelf)  # type: ignore[misc]  # anew
        self._pattern = pattern
        for asset_id, asset in known:
            self._put(asset_id, _pack(asset, pattern))

    def take(self, asset_id: str, other: CompactAssets) -> None:
        """Take one over from another, packed as it is where that is possible."""
        if not self._pattern:
            self._take_pattern(other._pattern)
        if self._pattern == other._pattern:
            self._put(asset_id, other._packed(other._place(asset_id)))
            del other[asset_id]
        else:
            self[asset_id] = other.pop(asset_id)

    def __delitem__(self, asset_id: str) -> None:
        self._newer.pop(self._place(asset_id), None)
        self._ids.drop(asset_id)

    def __contains__(self, asset_id: object) -> bool:
        return asset_id in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def spread(self, most: int) -> list[str]:
        """Return some ids, spread over all."""
        return self._ids.spread(most)

    def stretches(self, size: int) -> Iterator[list[str]]:
        """Go through the ids, at most so many at a time, now and then none: none is waited for long."""
        return self._ids.stretches(size)

    def _place(self, asset_id: str) -> int:
        if (place := self._ids.place_of(asset_id)) is None:
            raise KeyError(asset_id)
        return place

    def _packed(self, place: int) -> bytes:
        if (newer := self._newer.get(place)) is not None:
            return newer
        number, within = divmod(place, _TOGETHER)
        if number == len(self._stored):
            return self._loose[within]
        if self._last[0] != number:
            self._last = (number, marshal.loads(self._stored[number]))  # noqa: S302 - packed above
        return self._last[1][within]


def _pack(asset: ObservedAsset, pattern: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -_WINDOW, _MEMORY, zdict=pattern)
    return packer.compress(_plain(asset)) + packer.flush()


def _plain(asset: ObservedAsset) -> bytes:
    place = asset.coordinates
    values = (
        asset.owner_id,
        (asset.updated_at - _EPOCH) // _MICROSECOND,
        asset.description,
        None if place is None else (place.latitude, place.longitude),
        None if asset.tags is None else tuple(sorted(asset.tags)),
        asset.visibility,
        asset.is_trashed,
        asset.width,
        asset.height,
        asset.filename,
        asset.library_id,
        None if asset.taken_at is None else asset.taken_at.isoformat(),
        asset.date_is_files,
    )
    return marshal.dumps(values, 2)  # 2: without references, so that equal values are equal bytes


def _unpack(asset_id: str, packed: bytes, pattern: bytes, untagged: frozenset[str] | None) -> ObservedAsset:
    unpacker = zlib.decompressobj(-_WINDOW, pattern)
    values = marshal.loads(unpacker.decompress(packed))  # noqa: S302 - packed above
    owner, moment, text, place, tags, visibility, trashed, width, height, name, library, taken, files = values
    return ObservedAsset(
        asset_id,
        owner,
        _EPOCH + moment * _MICROSECOND,
        text,
        None if place is None else Coordinates(*place),
        untagged if tags is None else frozenset(tags),
        visibility,
        trashed,
        width,
        height,
        name,
        library,
        None if taken is None else datetime.fromisoformat(taken),
        files,
    )
