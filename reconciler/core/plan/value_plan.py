"""Planning a field that is one value: merged, ruled, held, and written with the asset's other fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from reconciler.core.fields import with_values
from reconciler.core.fingerprint import digest
from reconciler.core.plan.conflicts import rule
from reconciler.core.plan.flapping import contest
from reconciler.core.plan.merge import WHY, Merged, merge_value
from reconciler.core.plan.plan import ValueDecision
from reconciler.core.plan.standing import unsticking_of, with_ruling
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.fields import Value, ValueField
    from reconciler.core.plan.plan import AssetPlan, Rules
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord


def plan_value(
    field: ValueField, plan: AssetPlan, record: AssetRecord | None, rules: Rules, now: datetime | None
) -> AssetPlan:
    """Merge one value of an asset; see ``asset_plan.plan_asset`` for the arguments."""
    base, wanted, live = field.of(plan.base), field.of(plan.desired), field.of(plan.observed)
    if wanted is not None and live is None and field.must_be_known:
        return leave_value(field, plan, field.must_be_known)
    if wanted is not None and not (live is not None and field.same(base, live)):
        wanted = cast("Value", field.settled(wanted, plan.observed, plan.desired))
    # What is nobody's word stands against nothing: it is replaced as if there were none.
    nobodys = field.nobodys(plan.observed, plan.desired) if base is None else None
    if wanted is None or live is None or field.same(live, wanted):
        nobodys = None
    merged: Merged[Value] = merge_value(
        base, wanted, None if nobodys else live,
        equal=field.same, on_conflict=rules.policy.merge.on_conflict,
        on_drift=field.on_drift(rules.policy.merge),
    )  # fmt: skip
    mark = digest(field.to_json(wanted))
    plan, merged, contested = contest(
        plan, field.name, mark, merged, most=rules.policy.guard.corrections, now=now
    )
    ruling = rule(field.name, merged, wanted, live, plan.resolutions)
    plan, merged = with_ruling(plan, field.name, ruling), ruling.merged
    why, notes = ruling.reason or contested or nobodys or WHY.get(merged.case), plan.notes
    if nobodys:
        merged = replace(merged, case="update" if merged.case == "fill" else merged.case)
    if merged.action == "remove":
        merged = replace(merged, action="keep", takes_away=False)
        why = field.cannot_clear
        notes = (*notes, why)
    # A turned sign is Immich's own doing, though it looks like a person's place: no conflict, then.
    if (merged.action == "write" or merged.case in {"conflict", "both_changed"}) and (
        held := unsticking_of(record, field.name, mark, plan, rules)
    ):
        merged, why = Merged(held[0], "keep", merged.base), held[1]
    elif merged.action == "write" and wanted is not None and (doubt := field.doubt(wanted)):
        notes = (*notes, doubt)
    decision = ValueDecision(
        field.name, merged.case, merged.action, base, wanted, live, reason=why, takes_away=merged.takes_away
    )
    plan = replace(
        plan,
        decisions=(*plan.decisions, decision),
        base=with_values(plan.base, {field.name: merged.base}),
        notes=notes,
    )
    return with_values(plan, {field.name: wanted if merged.action == "write" else None})


def leave_value(field: ValueField, plan: AssetPlan, why: Reason | None = None) -> AssetPlan:
    """Leave a value alone of which one side is not known: the catalogue's by default."""
    wanted = field.of(plan.desired) if why else None
    sides = (field.of(plan.base), wanted, field.of(plan.observed))
    why = why or reason("unreadable")
    decision = ValueDecision(field.name, "not_writable", "keep", *sides, reason=why)
    return replace(plan, decisions=(*plan.decisions, decision))
