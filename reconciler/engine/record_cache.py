"""The managed assets as a pass sees them: read when they are asked for, kept while it works on them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.core.plan.taken_back import written_again
from reconciler.core.records import AssetRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.store_port import Store
    from reconciler.engine.item import Item


class RecordCache(Mapping[str, AssetRecord]):
    """Records by asset id. What was fetched stays as it was then, until it is dropped.

    Args:
        store: where they are.
        again: show them as if what was taken back were to be written again.
    """

    def __init__(self, store: Store, *, again: bool = False) -> None:
        self._store, self._again = store, again
        self._read: dict[str, AssetRecord | None] = {}

    def __getitem__(self, asset_id: str) -> AssetRecord:
        if asset_id not in self._read:
            self._read[asset_id] = self._seen(self._store.record(asset_id))
        if (found := self._read[asset_id]) is None:
            raise KeyError(asset_id)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._store.record_ids())

    def __len__(self) -> int:
        return len(self._store.record_ids())

    async def fetch(self, asset_ids: Iterable[str]) -> None:
        """Read these, beside the event loop."""
        missing = [asset_id for asset_id in asset_ids if asset_id not in self._read]
        if missing:
            found = await asyncio.to_thread(self._store.records_of, missing)
            self._read.update((asset_id, self._seen(found.get(asset_id))) for asset_id in missing)

    def _seen(self, record: AssetRecord | None) -> AssetRecord | None:
        return written_again(record) if record is not None and self._again else record

    def put(self, known: Iterable[tuple[Item, AssetRecord | None]]) -> None:
        """Take up again what was fetched of these, as it was then."""
        self._read.update((item.asset_id, record) for item, record in known)

    def clear(self) -> None:
        """Let go of all."""
        self._read.clear()

    def drop(self, asset_ids: Iterable[str]) -> None:
        """Let go of these."""
        for asset_id in asset_ids:
            self._read.pop(asset_id, None)
