"""Leaving an image out, or fields of it, and taking it in again: what a person switched, with who and when.

Nothing is taken away by it, and Immich is not asked for it: the next pass over the image goes by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.catalogue import WRITTEN_PARTS
from reconciler.core.records import AssetRecord, LeftOut

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from reconciler.core.catalogue import CatalogueImage, WrittenPart
    from reconciler.core.store_port import Store


def leave_out(
    store: Store, image: CatalogueImage, fields: Collection[WrittenPart], by: str, at: datetime
) -> tuple[WrittenPart, ...]:
    """Leave fields of an image out; gives those that were not yet.

    Args:
        store: the state store.
        image: linked to an asset.
        fields: parts of ``WRITTEN_PARTS``.
        by: over which face, or the user's name.
        at: the time.
    """
    asset_id = image.asset_id or ""
    with store.transaction():
        known = {one.field for one in store.left_out_of([asset_id]).get(asset_id, ())}
        new = tuple(field for field in WRITTEN_PARTS if field in fields and field not in known)
        if new and store.record(asset_id) is None:
            store.save_records([AssetRecord(asset_id, image.image_id, image.title)])
        if new:
            store.leave_out(asset_id, [LeftOut(field, at, by) for field in new])
    return new


def take_in(store: Store, image: CatalogueImage, fields: Collection[WrittenPart]) -> tuple[WrittenPart, ...]:
    """Take fields of an image in again; gives those that a person had left out."""
    asset_id = image.asset_id or ""
    with store.transaction():
        known = {one.field for one in store.left_out_of([asset_id]).get(asset_id, ())}
        again = tuple(field for field in WRITTEN_PARTS if field in fields and field in known)
        if again:
            store.take_in(asset_id, again)
    return again
