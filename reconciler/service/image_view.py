"""One image from all sides, made of what was found of its assets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.engine.members import item_of, others
from reconciler.service.api import ImageView

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.engine.passes import Prepared
    from reconciler.service.environment import ServiceStore


def view_of(
    prepared: Prepared, image: CatalogueImage, asset_id: str, store: ServiceStore, now: datetime
) -> ImageView | None:
    """Return an image as its main asset, or another one, has it; ``None``: it does not stand for that."""
    image = prepared.catalogue.image(image.image_id) or image
    if asset_id:
        image = replace(image, asset_id=asset_id)
    item, record = item_of(prepared, image.asset_id), store.record(image.asset_id or "")
    if asset_id and item is None:
        return None
    plan, why = (item.plan, item.reasons) if item else (None, ())
    return ImageView(image, record, plan, why, others(prepared, image.asset_id, now))
