"""Taking a person's decision of a conflict, and letting go of what a change outlived."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.plan.conflicts import CONFLICTS, choices, decide, joined, sides
from reconciler.core.records import AssetRecord
from reconciler.core.text import size
from reconciler.errors import DecisionError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.plan.plan import AssetPlan, Decision, Rules
    from reconciler.core.records import Field, Keep
    from reconciler.core.store_port import Store


def decidable(plan: AssetPlan) -> list[Decision]:
    """Return the fields of which a person may decide, those decided already included."""
    return [decision for decision in plan.decisions if choices(decision)]


def take_decision(
    store: Store,
    plan: AssetPlan,
    keep: Keep | None,
    *,
    rules: Rules,
    at: datetime,
    field: Field | None = None,
    shown: str = "",
) -> tuple[Field, ...]:
    """Keep what a person decided; the next pass over the image carries it out.

    Args:
        store: the state store.
        plan: of the image, from a fresh reading.
        keep: the side that stays; ``None`` takes decisions back, so that they are conflicts again.
        rules: those that the plan was made by.
        at: the time.
        field: the field; ``None``: all that are in conflict, or, to take back, all that were decided.
        shown: what the person saw of it (see ``core.plan.conflicts.sides``); ``""``: this very plan.

    Returns:
        the fields that were decided.

    Raises:
        DecisionError: there is nothing to decide, or not in this way. Nothing was changed.
    """
    if keep is None:
        return _take_back(store, plan, field)
    found = _chosen(plan, keep, field, shown)
    _require_room(plan, found, keep, rules)
    tags = keep == "skymmich"  # theirs are put back by being counted anew
    again = {
        one.field for one in found if one.case in {"not_sticking", "undone"} or (one.field == "tags" and tags)
    }
    with store.transaction():
        record = store.record(plan.asset_id)
        if record is not None and record.taken_back is not None:
            raise _taken_back(plan)
        if record is None:
            store.save_records([AssetRecord(plan.asset_id, plan.image_id, plan.title)])
        elif again:  # what Immich did not keep is forgotten, so it is written once more
            left = tuple(entry for entry in record.unsticking if entry.field not in again)
            counted = tuple(entry for entry in record.corrections if entry.field not in again)
            store.save_records([replace(record.to_look_at(), unsticking=left, corrections=counted)])
        for one in found:
            if one.field == "tags" and tags:
                for known in record.resolutions if record else ():
                    if known.field == "tags":
                        store.drop_resolution(plan.asset_id, known)
            else:
                store.save_resolution(plan.asset_id, decide(plan, one, keep, rules.markers, at))
    return tuple(one.field for one in found)


def _take_back(store: Store, plan: AssetPlan, field: Field | None) -> tuple[Field, ...]:
    record = store.record(plan.asset_id)
    known = [one for one in record.resolutions if field in {None, one.field}] if record else []
    if not known:
        raise _nothing_to_decide(plan, field)
    with store.transaction():
        for one in known:
            store.drop_resolution(plan.asset_id, one)
    return tuple(one.field for one in known)


def _chosen(plan: AssetPlan, keep: Keep, field: Field | None, shown: str) -> list[Decision]:
    """Return the fields that are meant, all of which can be decided so."""
    found = decidable(plan)
    if field is None:
        found = [
            one for one in found if one.case in CONFLICTS and (one.field != "tags" or keep in choices(one))
        ]
    else:
        found = [one for one in found if one.field == field]
    if not found:
        raise _nothing_to_decide(plan, field)
    if shown and shown != sides(found[0]):
        raise DecisionError(
            f"{_named(plan)}: it changed since it was shown, so nothing was decided or changed.",
            remedy="Look at both sides again, then decide.",
        )
    for one in found:
        if keep not in choices(one):
            possible = " or ".join(choices(one))
            raise DecisionError(
                f"{_named(plan)}: its {_called(one.field)} cannot be decided so; nothing was changed.",
                remedy=f"Of its {_called(one.field)}, {possible} can be kept.",
            )
    return found


def _require_room(plan: AssetPlan, found: list[Decision], keep: Keep, rules: Rules) -> None:
    """Refuse to join texts that Immich could not keep together."""
    limit = rules.policy.description.max_bytes
    for one in found:
        if keep == "both" and one.field == "prose" and size(joined(plan, one, rules.markers)) > limit:
            raise DecisionError(
                f"{_named(plan)}: both texts together are over {limit} bytes, which Immich may corrupt; "
                "nothing was changed.",
                remedy="Keep one of them, or shorten one.",
            )


def _nothing_to_decide(plan: AssetPlan, field: Field | None) -> DecisionError:
    what = f"its {_called(field)}" if field else "it"
    return DecisionError(
        f"{_named(plan)}: there is no conflict about {what} to decide; nothing was changed.",
        remedy=f"See how it stands: skymmich-reconciler explain {plan.image_id}",
    )


def _taken_back(plan: AssetPlan) -> DecisionError:
    """Refuse to decide one field of an image of which a person took everything back: it would all come."""
    return DecisionError(
        f"{_named(plan)}: it was taken back as a whole, and is left alone; nothing was decided or changed.",
        remedy=f"Write it again first: skymmich-reconciler redo {plan.image_id}",
    )


def _named(plan: AssetPlan) -> str:
    return f"“{plan.title}” (image {plan.image_id})"


def keep_decisions(store: Store, record: AssetRecord | None, plan: AssetPlan) -> None:
    """Let go of decisions that a pass found outlived, and note those that it found carried out."""
    known = record.resolutions if record else ()
    for one in known:
        if one not in plan.resolutions and store.drop_resolution(plan.asset_id, one):
            for other in plan.resolutions:
                if other.field == one.field:
                    store.save_resolution(plan.asset_id, other)


def _called(field: Field) -> str:
    """Return what people call a field."""
    return {"coordinates": "place", "taken_at": "date"}.get(field, field)
