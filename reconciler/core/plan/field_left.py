"""Fields that are left as they are: the key may not write them, or the catalogue cannot tell them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.plan.plan import TagsDecision
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from reconciler.core.plan.plan import AssetPlan, Decision, Rules


def allowed(plan: AssetPlan, planned: AssetPlan, feature: str, rules: Rules) -> AssetPlan:
    """Return what was planned, or, where the key does not allow it, why it is not written."""
    lacking = rules.missing.get(feature)
    if lacking is None:
        return planned
    why = reason("permission", lacking=lacking)
    decisions: tuple[Decision, ...] = tuple(
        replace(one, case="not_writable", action="keep", reason=why, takes_away=False)
        if one.action in {"write", "remove"}
        else one
        for one in planned.decisions
    )
    return replace(plan, decisions=decisions)


def leave_tags(plan: AssetPlan) -> AssetPlan:
    """Leave tags alone of which the catalogue cannot be read: they may well be what Immich has."""
    live = plan.observed.tags
    if live is None:  # not read: nothing can be said of them
        return plan
    sides = (tuple(sorted(plan.base.tags)), None, tuple(sorted(live)))
    decision = TagsDecision("tags", "not_writable", "keep", *sides, reason=reason("unreadable"))
    return replace(plan, decisions=(*plan.decisions, decision))
