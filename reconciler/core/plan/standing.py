"""What is known of a field from before: a value that did not stick, an undo, a person's decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.fields import BY_NAME
from reconciler.core.fingerprint import digest
from reconciler.core.plan.flapping import decided
from reconciler.core.text import normal

if TYPE_CHECKING:
    from reconciler.core.asset import ObservedAsset
    from reconciler.core.fields import Value
    from reconciler.core.plan.conflicts import Ruling
    from reconciler.core.plan.merge import Case
    from reconciler.core.plan.plan import AssetPlan, Rules
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, Field


def live_digest(which: Field, observed: ObservedAsset) -> str:
    """Hash what Immich shows of a field: a change of it is a reason to try an unsticking value again."""
    if which == "tags":
        return digest(observed.known_tags)
    if which == "albums":  # the asset shows nothing of them
        return ""
    if value := BY_NAME.get(which):
        return digest(value.to_json(value.of(observed)))
    return digest(normal(observed.description))


def unsticking_of(
    record: AssetRecord | None, which: Field, wanted: str, plan: AssetPlan, rules: Rules
) -> tuple[Case, Reason] | None:
    """Return case and reason if this very value did not stick, or was undone, and nothing changed since."""
    for entry in record.unsticking if record else ():
        if (entry.field, entry.desired) != (which, wanted) or entry.live != live_digest(which, plan.observed):
            continue
        if entry.undone:
            return "undone", entry.diagnosis
        if entry.server == rules.server_version:
            return "not_sticking", entry.diagnosis
    return None


def with_ruling(
    plan: AssetPlan, which: Field, ruling: Ruling[str] | Ruling[Value] | Ruling[tuple[str, ...]]
) -> AssetPlan:
    """Return the plan with what holds on of the person's decision of a field."""
    others = (one for one in plan.resolutions if one.field != which)
    if ruling.standing and ruling.merged.action == "write":
        plan = decided(plan, which)
    return replace(plan, resolutions=(*others, *ruling.standing))
