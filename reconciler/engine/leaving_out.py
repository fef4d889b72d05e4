"""Leaving an image out, or fields of it, and taking it in again: what a person switched, with who and when.

It holds for all assets of the image, where these are in a stack. Nothing is taken away by it, and Immich is
not asked for it: the next pass over the image goes by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.catalogue import WRITTEN_PARTS
from reconciler.core.records import AssetRecord, LeftOut
from reconciler.engine.stack_watch import all_of, main_image

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
    with store.transaction():
        new = _main(store, image, fields, out=False)
        main = main_image(store, image)
        if new and store.record(main.asset_id or "") is None:
            store.save_records([AssetRecord(main.asset_id or "", image.image_id, image.title)])
        for asset_id in _assets(store, image) if new else ():
            store.leave_out(asset_id, [LeftOut(field, at, by) for field in new])
    return new


def take_in(store: Store, image: CatalogueImage, fields: Collection[WrittenPart]) -> tuple[WrittenPart, ...]:
    """Take fields of an image in again; gives those that a person had left out."""
    with store.transaction():
        again = _main(store, image, fields, out=True)
        for asset_id in _assets(store, image) if again else ():
            store.take_in(asset_id, again)
    return again


def _main(
    store: Store, image: CatalogueImage, fields: Collection[WrittenPart], *, out: bool
) -> tuple[WrittenPart, ...]:
    """Return those of the fields that are left out of an image, or those that are not."""
    asset_id = main_image(store, image).asset_id or ""
    known = {one.field for one in store.left_out_of([asset_id]).get(asset_id, ())}
    return tuple(field for field in WRITTEN_PARTS if field in fields and (field in known) is out)


def _assets(store: Store, image: CatalogueImage) -> list[str]:
    """Return all assets of an image: its linked one, and those of its stack for which it stands."""
    found = {image.asset_id, *(one.asset_id for one in all_of(store, image))}
    return sorted(filter(None, found))
