"""Taking a person's decision of a conflict, and letting go of what a change outlived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.records import AssetRecord
from reconciler.core.resolution import choices, decide, sides
from reconciler.errors import DecisionError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.description import Markers
    from reconciler.core.plan import AssetPlan, Decision
    from reconciler.core.records import Field
    from reconciler.core.resolution import Keep
    from reconciler.engine.ports import Store


def open_conflicts(plan: AssetPlan) -> tuple[Decision, ...]:
    """Give the fields of which a person may decide, those decided already included."""
    return tuple(decision for decision in plan.decisions if choices(decision))


def take_decision(
    store: Store,
    plan: AssetPlan,
    keep: Keep | None,
    *,
    markers: Markers,
    at: datetime,
    field: Field | None = None,
    shown: str = "",
) -> tuple[Field, ...]:
    """Keep what a person decided; the next pass over the image carries it out.

    Args:
        store: the state store.
        plan: of the image, from a fresh reading.
        keep: the side that stays; ``None`` takes a decision back, so that it is a conflict again.
        markers: the block's.
        at: the time.
        field: the field; ``None``: all that are in conflict, or, to take back, all that were decided.
        shown: what the person saw of it (see ``core.resolution.sides``); ``""``: this very plan.

    Returns:
        the fields that were decided.

    Raises:
        DecisionError: there is nothing to decide, or not in this way. Nothing was changed.
    """
    found = _chosen(plan, keep, field, shown)
    record = store.record(plan.asset_id)
    with store.transaction():
        if record is None:
            store.save_records([AssetRecord(plan.asset_id, plan.image_id, plan.title)])
        for one in found:
            if keep is not None:
                store.save_resolution(plan.asset_id, decide(plan, one, keep, markers, at))
            for known in record.resolutions if record and keep is None else ():
                if known.field == one.field:
                    store.drop_resolution(plan.asset_id, known)
    return tuple(one.field for one in found)


def _chosen(plan: AssetPlan, keep: Keep | None, field: Field | None, shown: str) -> list[Decision]:
    """Give the fields that are meant, all of which can be decided so."""
    found = [one for one in plan.decisions if field in {None, one.field} and choices(one)]
    if field is None:
        found = [one for one in found if (one.case == "resolved") == (keep is None)]
    where = f"“{plan.title}” (image {plan.image_id})"
    if not found:
        what = f"its {field}" if field else "it"
        raise DecisionError(
            f"{where}: there is no conflict about {what} to decide; nothing was changed.",
            remedy=f"See how it stands: skymmich-reconciler explain {plan.image_id}",
        )
    if shown and shown != sides(found[0]):
        raise DecisionError(
            f"{where}: it changed since it was shown, so the decision was not taken; nothing was changed.",
            remedy="Look at both sides again, then decide.",
        )
    for one in found:
        if keep is not None and keep not in choices(one):
            raise DecisionError(
                f"{where}: an image has one place, so both can not be kept; nothing was changed.",
                remedy="Decide on immich or skymmich for the coordinates.",
            )
    return found


def keep_decisions(store: Store, record: AssetRecord | None, plan: AssetPlan) -> None:
    """Let go of decisions that a pass found outlived, and note those that it found carried out."""
    known = record.resolutions if record else ()
    for one in known:
        if one not in plan.resolutions and store.drop_resolution(plan.asset_id, one):
            for other in plan.resolutions:
                if other.field == one.field:
                    store.save_resolution(plan.asset_id, other)
