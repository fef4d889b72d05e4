"""The day on which Immich shows an image, which a place that is written may move.

Immich keeps the moment and shows it in the time of the place: 22:30 of a file without a zone is 07:30 of the
next day once the place is in Japan. That is told before it happens, or the date is sent with the place, so
that the same local time is shown: the same day, another moment.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timezone
from typing import TYPE_CHECKING

from reconciler.core.desired.dates import sendable
from reconciler.core.fields import TAKEN_AT
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from reconciler.core.plan.plan import AssetPlan, Rules


def with_day(plan: AssetPlan, rules: Rules) -> AssetPlan:
    """Return the plan of an asset with what its place does to the day: kept, or told."""
    place, taken = plan.coordinates, plan.observed.taken_at
    if place is None or taken is None or rules.zones is None or not (rules.tells_day or keeps_day(rules)):
        return plan
    if plan.taken_at is not None:  # it is written with the place, in the place's own time
        return plan
    offset = rules.zones.offset(place, taken)
    if offset is None:
        return plan
    moved = taken.astimezone(timezone(offset))
    if moved.date() == taken.date():
        return plan
    days = {"before": taken.date().isoformat(), "after": moved.date().isoformat()}
    if not keeps_day(rules) or _is_settled(plan, rules):
        return replace(plan, notes=(*plan.notes, reason("place_moves_day", **days).of("coordinates")))
    local = taken.replace(tzinfo=None)
    there = rules.zones.offset(place, local)
    kept = sendable(local.replace(tzinfo=timezone(there if there is not None else offset)))
    note = reason("place_keeps_day", day=days["before"]).of("coordinates")
    return replace(plan, taken_at=kept, keeps_day=True, notes=(*plan.notes, note))


def keeps_day(rules: Rules) -> bool:
    """Return whether the day is to stay."""
    return rules.policy.coordinates.keep_day


def _is_settled(plan: AssetPlan, rules: Rules) -> bool:
    """Return whether the date is ours, or what the catalogue wants: then its moment stays."""
    if plan.base.taken_at is not None:
        return True
    wanted = plan.desired.taken_at if rules.switches.dates and not plan.desired.is_of_night else None
    return wanted is not None and TAKEN_AT.same(wanted, plan.observed.taken_at)
