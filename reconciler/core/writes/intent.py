"""The record of a write, made before it is sent: what the next pass needs to wait for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.fields import VALUE_FIELDS, with_values
from reconciler.core.records import PendingWrite

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.records import WriteStep


MOST_BY_HAND = 3600.0
"""Seconds for which a write is waited for whose asset a person moved to the archive or the trash, or back."""


def intent(
    plan: AssetPlan,
    step: WriteStep,
    removals: Sequence[str],
    *,
    seen: ObservedAsset,
    attempt: int,
    run_id: str,
    at: datetime,
) -> PendingWrite:
    """Make the record of one step of a plan; of the tags to take off it has the first.

    Args:
        plan: what is to be written.
        step: which part of it.
        removals: tags to take off, one a write.
        seen: the asset as it was read.
        attempt: how-many-th it is.
        run_id: of the pass.
        at: now.
    """
    fields = step == "fields"
    tags = frozenset(removals[:1]) if step == "remove_tags" else frozenset[str]()
    pending = PendingWrite(
        asset_id=plan.asset_id,
        image_id=plan.image_id,
        run_id=run_id,
        step=step,
        sent=False,
        before_updated_at=seen.updated_at,
        description=plan.description if fields else None,
        block=plan.block if fields else None,
        prose=plan.prose if fields else None,
        tags=plan.add_tags if step == "add_tags" else tags,
        attempt=attempt,
        intended_at=at,
        gives_back=plan.gives_back,
        beside=seen.tags,
        visibility=seen.visibility,
        is_trashed=seen.is_trashed,
    )
    return _with_fields(pending, plan) if fields else pending


def elsewhere(pending: PendingWrite, seen: ObservedAsset) -> bool:
    """Return whether a person moved the asset since: to the archive or the trash, or back.

    That shows in its date at once, whatever Immich still has in its queue.
    """
    was = (pending.visibility, pending.is_trashed)
    return pending.visibility is not None and was != (seen.visibility, seen.is_trashed)


def waited_anew(pending: PendingWrite, seen: ObservedAsset) -> PendingWrite:
    """Return the write, to be waited for from the date, and in the place, that the asset has now."""
    return replace(
        pending,
        before_updated_at=seen.updated_at,
        visibility=seen.visibility,
        is_trashed=seen.is_trashed,
        by_hand=pending.by_hand or elsewhere(pending, seen),
    )


def found_moved(pending: PendingWrite, seen: ObservedAsset, sent_for: float) -> bool:
    """Return whether an earlier run's write has settled, as far as the date tells that a pass finds.

    An earlier date, too: then the clock was set back meanwhile. Of an asset that a person moved since nothing
    may ever move the date again, so it is waited for an hour, and not for ever.
    """
    return seen.updated_at != pending.before_updated_at or (pending.by_hand and sent_for > MOST_BY_HAND)


def _with_fields(pending: PendingWrite, plan: AssetPlan) -> PendingWrite:
    values = {one.name: one.of(plan) for one in VALUE_FIELDS}
    return with_values(replace(pending, keeps_day=plan.keeps_day), values)
