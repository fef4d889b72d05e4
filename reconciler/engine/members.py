"""An image of which several assets were looked at: which is which, and which a person decides about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.plan.conflicts import in_conflict, sides
from reconciler.engine.outcomes import finished

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.records import Field, Keep
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared


def item_of(prepared: Prepared, asset_id: str | None) -> Item | None:
    """Return what was found of an asset."""
    return next((one for one in prepared.items if one.asset_id == asset_id), None)


def others(prepared: Prepared, asset_id: str | None, now: datetime) -> tuple[Item, ...]:
    """Return the other assets of one image, each as it stands if nothing is written."""
    found = []
    for item in prepared.items:
        if item.asset_id != asset_id:
            record = finished(item, None, prepared, now, None)
            found.append(replace(item, status=record.status, reasons=record.reasons))
    return tuple(found)


def meant(items: Sequence[Item], keep: Keep | None, field: Field | None, shown: str = "") -> list[AssetPlan]:
    """Return the plans about which a person decides: of what they were shown, or of all in conflict.

    Args:
        items: all assets of one image, the main one first: that is meant where no other is.
        keep: the side that stays; ``None``: a decision is taken back.
        field: the field; ``None``: all.
        shown: names what they saw; ``""``: nothing is named.
    """
    plans = [item.plan for item in items if item.plan is not None]
    if shown:
        found = [plan for plan in plans if any(sides(one) == shown for one in plan.decisions)][:1]
    elif keep is None:
        found = [plan for plan in plans if plan.resolutions]
    else:
        found = [plan for plan in plans if any(field in {None, one.field} for one in in_conflict(plan, keep))]
    return found or plans[:1]
