"""Very many observed assets in little memory: each packed by itself, with the first ones as a pattern.

As objects a hundred thousand take some 150 MB, packed a fifth, and a sweep of the garbage collector does not
see them. What is looked up becomes an ``ObservedAsset`` again.
"""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterator, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from reconciler.core.asset import Coordinates, ObservedAsset

if TYPE_CHECKING:
    from collections.abc import Iterable

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = 16
"""So many are the pattern for all others: with what is alike in all."""
_WINDOW: Final = 12
"""Binary logarithm of the bytes that are looked back to: a larger one costs more to set up than it saves."""
_MEMORY: Final = 4
_PATTERN: Final = 4_000
"""Bytes of them: as many as a window holds."""


class CompactAssets(MutableMapping[str, ObservedAsset]):
    """Observed assets by id, in the order in which they came.

    Args:
        assets: to begin with.
        untagged: whether those of which no tags are known have none.
    """

    __slots__ = ("_packed", "_pattern", "_untagged")

    def __init__(self, assets: Iterable[ObservedAsset] = (), *, untagged: bool = False) -> None:
        self._untagged = frozenset[str]() if untagged else None
        self._packed: dict[str, bytes] = {}
        self._pattern = b""
        for asset in assets:
            self[asset.asset_id] = asset

    def __getitem__(self, asset_id: str) -> ObservedAsset:
        return _unpack(asset_id, self._packed[asset_id], self._pattern, self._untagged)

    def __setitem__(self, asset_id: str, asset: ObservedAsset) -> None:
        self._packed[asset_id] = _pack(asset, self._pattern)
        if not self._pattern and len(self._packed) == _FIRST:
            self._take_pattern(b"".join(map(_plain, self.values()))[-_PATTERN:])

    def _take_pattern(self, pattern: bytes) -> None:
        known = list(self.values())
        self._pattern = pattern
        self._packed.update((each.asset_id, _pack(each, pattern)) for each in known)

    def take(self, asset_id: str, other: CompactAssets) -> None:
        """Take one over from another, packed as it is where that is possible."""
        if not self._pattern:
            self._take_pattern(other._pattern)
        if self._pattern == other._pattern:
            self._packed[asset_id] = other._packed.pop(asset_id)
        else:
            self[asset_id] = other.pop(asset_id)

    def __delitem__(self, asset_id: str) -> None:
        del self._packed[asset_id]

    def __contains__(self, asset_id: object) -> bool:
        return asset_id in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


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
    owner, moment, text, place, tags, *rest, taken, of_file = values
    asset = ObservedAsset(
        asset_id,
        owner,
        _EPOCH + moment * _MICROSECOND,
        text,
        None if place is None else Coordinates(*place),
        untagged if tags is None else frozenset(tags),
        *rest,
    )
    if taken is None and not of_file:
        return asset
    return replace(asset, taken_at=taken and datetime.fromisoformat(taken), date_is_files=of_file)
