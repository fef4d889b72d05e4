"""What of an image is left out, by whom, and the plan of it: observed and merged as ever, and never written.

Nothing is taken away by leaving out: what was written stays, and what is ours stays ours. So it is no loss,
and taking it in again goes on from what Immich shows then. An undo, which a person asks for, is no such plan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import WRITTEN_PARTS, WrittenPart
from reconciler.core.desired.leaving_out import reason_of
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.plan.plan import AssetPlan, Decision, Rules
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, Field, LeftOut

PART_OF: Final[Mapping[Field, WrittenPart]] = {
    "block": "description",
    "prose": "description",
    "coordinates": "coordinates",
    "taken_at": "dates",
    "tags": "tags",
    "albums": "albums",
}
"""A field of the plan → what is left out with it."""
_NONE: Final[frozenset[str]] = frozenset()


def marks_of(plan: AssetPlan, record: AssetRecord | None, rules: Rules) -> tuple[Reason, ...]:
    """Return why catalogue and configuration leave fields of an image out, each reason with its fields.

    Where it cannot be read whether a rule applies, what it left out before stays left out, as long as there
    is such a rule.
    """
    found = list(plan.desired.left_out)
    covered = {field for one in found for field in one.fields}
    known = {reason_of(rule) for rule in rules.policy.leave_out.rules}
    for one in record.marks if record and plan.desired.unsure else ():
        left = [field for field in one.fields if field not in covered]
        if left and one.code in plan.desired.unsure and one.of() in known:
            found.append(one.of(*left))
            covered.update(left)
    return tuple(found)


def why_left_out(marks: Iterable[Reason], switched: Iterable[LeftOut]) -> dict[WrittenPart, Reason]:
    """Return why fields are left out; what the catalogue says comes first, for no switch here ends that.

    Args:
        marks: of the catalogue and the configuration.
        switched: by a person, on the image itself.
    """
    found = {one.field: switched_by(one) for one in switched}
    for mark in marks:
        found |= {part: mark.of() for part in WRITTEN_PARTS if part in mark.fields}
    return found


def switched_by(one: LeftOut) -> Reason:
    """Return why a field is left out that a person switched."""
    return reason("left_out_switch", day=f"{one.at:%Y-%m-%d}", who=one.by)


def is_whole(why: Mapping[WrittenPart, Reason], rules: Rules) -> bool:
    """Return whether all that is kept in sync at all is left out."""
    managed = [part for part in WRITTEN_PARTS if getattr(rules.switches, part)]
    return bool(why) and all(part in why for part in managed)


def leave_out(plan: AssetPlan, why: Mapping[WrittenPart, Reason]) -> AssetPlan:
    """Return a plan without the writes of what is left out, and with its reasons."""
    if not why:
        return plan
    decisions: tuple[Decision, ...] = tuple(
        replace(one, case="left_out", action="keep", reason=why[part], takes_away=False)
        if (part := PART_OF[one.field]) in why
        else one
        for one in plan.decisions
    )
    left = replace(
        plan,
        decisions=decisions,
        correcting=tuple(one for one in plan.correcting if PART_OF[one.field] not in why),
    )
    if "description" in why:
        left = replace(left, description=None, block=None, prose=None)
    if "coordinates" in why:
        # A date that is only sent to keep the day goes with its place.
        taken_at = None if left.keeps_day else left.taken_at
        left = replace(left, coordinates=None, keeps_day=False, taken_at=taken_at)
    if "dates" in why and not left.keeps_day:
        left = replace(left, taken_at=None)
    if "tags" in why:
        left = replace(left, add_tags=_NONE, remove_tags=_NONE, renamed=())
    if "albums" in why:
        left = replace(left, add_albums=_NONE, remove_albums=_NONE)
    return left
