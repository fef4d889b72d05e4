"""A person's decision of a conflict: which side stays, for just the two values it was made between.

======== ==============================================================================================
keep     then
======== ==============================================================================================
immich   nothing is written, and it is no conflict any more
skymmich the catalogue's value is written, once
both     a text: the person's words stay where they are and the catalogue's join them, once
======== ==============================================================================================

A decision is kept as the digests of both sides, so it holds for as long as neither changes: then the conflict
comes back and a person is asked anew. It is a level, not an event: a pass that is killed before it carried
the decision out finds it again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from reconciler.core.desired.block import split
from reconciler.core.desired.solver_sentence import split_without_sentence
from reconciler.core.fields import Value, plain
from reconciler.core.fingerprint import digest
from reconciler.core.plan.merge import Merged
from reconciler.core.reasons import Reason, reason
from reconciler.core.records import Resolution
from reconciler.core.text import normal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.core.desired.block import Markers
    from reconciler.core.plan.plan import AssetPlan, Decision
    from reconciler.core.records import Field, Keep


CONFLICTS: Final = frozenset({"conflict", "both_changed", "contested"})
_TEXTS: Final = frozenset({"prose", "block"})

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Ruling(Generic[V]):
    """One field's merge after a person's decision."""

    merged: Merged[V]
    standing: tuple[Resolution, ...] = ()
    """The decision as it holds from here on; empty: there is none, or it was outlived."""
    joins: bool = False
    """Whether both texts are to stand in Immich."""
    reason: Reason | None = None


def _disputed(found: Merged[V] | Decision) -> bool:
    """Return whether a person's value stands against the catalogue's: in conflict, or left to the person."""
    return found.case in CONFLICTS or (found.case == "drift" and found.action == "keep")


def side(value: object) -> str:
    """Return the digest of one side of a field; texts are compared in normal form."""
    if isinstance(value, tuple):
        return digest(list(value))
    if isinstance(value, Value):
        return digest(plain(value))
    return digest(normal(value) if isinstance(value, str) else None)


def sides(decision: Decision) -> str:
    """Name what a person is shown of a conflict: their decision is for just that."""
    return digest(decision.field, side(decision.desired), side(decision.live))


def in_conflict(plan: AssetPlan, keep: Keep) -> list[Decision]:
    """Return the fields of an image that are in conflict and can be decided so."""
    return [one for one in plan.decisions if one.case in CONFLICTS and keep in choices(one)]


def all_sides(plans: Iterable[AssetPlan]) -> str:
    """Name what a person is shown of many images at once: all that can be decided of them."""
    shown = [
        [plan.asset_id, *(sides(one) for one in plan.decisions if choices(one))]
        for plan in sorted(plans, key=lambda plan: plan.asset_id)
    ]
    return digest(shown)


def rule(
    field: Field, merged: Merged[V], desired: V | None, live: V | None, known: Iterable[Resolution]
) -> Ruling[V]:
    """Let a person's decision speak where there is one for just these two values."""
    entry = next((one for one in known if one.field == field), None)
    if entry is None or not _disputed(merged) or entry.desired != side(desired):
        return Ruling(merged)
    if entry.result and side(live) == entry.result:
        entry = replace(entry, keep="immich", live=entry.result, result="")
    if side(live) != entry.live:
        return Ruling(merged)
    day = f"{entry.at:%Y-%m-%d}"
    if entry.keep == "immich":
        settled: Merged[V] = Merged("resolved", "nothing", merged.base)
        return Ruling(settled, (entry,), reason=reason("decided_immich", day=day))
    # The person has seen what goes: it is no loss that the guard would have to ask about once more.
    write = replace(merged, action="write", takes_away=False)
    if entry.keep == "both":
        return Ruling(write, (entry,), joins=True, reason=reason("decided_both", day=day))
    return Ruling(write, (entry,), reason=reason("decided_skymmich", day=day))


def choices(decision: Decision) -> tuple[Keep, ...]:
    """Return what a person may decide of a field; empty when both sides agree, or Immich cannot be told."""
    if decision.case in {"not_sticking", "undone"}:
        return ("skymmich",)  # write it once more, this field only
    if decision.field == "albums":
        return ("immich",) if decision.case in {"conflict", "resolved"} else ()
    if decision.field == "tags" and decision.case in {"contested", "resolved"}:
        return ("immich", "skymmich")
    undecided = _disputed(decision) and decision.action == "keep"
    if decision.field == "tags" or not (undecided or decision.case == "resolved"):
        return ()
    stays: tuple[Keep, ...] = () if decision.case == "drift" else ("immich",)  # a drift that is left stays so
    return (*stays, "skymmich", "both") if decision.field in _TEXTS else (*stays, "skymmich")


def decide(plan: AssetPlan, decision: Decision, keep: Keep, markers: Markers, at: datetime) -> Resolution:
    """Make the decision of a field of a plan; ``keep`` is one of its ``choices``."""
    result = ""
    if keep == "both" and decision.field == "prose":
        result = side(joined(plan, decision, markers))
    return Resolution(decision.field, keep, side(decision.desired), side(decision.live), at, result)


def joined(plan: AssetPlan, decision: Decision, markers: Markers) -> str:
    """Return the prose that ``both`` makes of a person's words and the catalogue's."""
    parts = split_without_sentence(split(plan.observed.description, markers, plan.base.block))
    text = parts.joined_by(str(decision.desired)).text
    return split(text, markers, plan.base.block).prose
