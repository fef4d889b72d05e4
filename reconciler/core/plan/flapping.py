"""A value of ours that somebody else changes: put right a few times, with growing pauses, then left.

The other side may be a person who disagrees, another tool, or a second instance of this program: Immich does
not tell. Who only ever puts right writes for ever, and what each side rescues of the other grows.

============================ ==========================================================================
found                        then
============================ ==========================================================================
changed for the first time   it is put right at once
changed again                it is put right once a pause is over: an hour, six hours, a day
changed more often than that it is held: a conflict, until the catalogue or a person changes something
it stood for a week          all is forgotten
============================ ==========================================================================

The catalogue's other value, a person's decision and a forced pass begin anew.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.core.plan.merge import Merged
from reconciler.core.reasons import Reason, reason
from reconciler.core.records import Correction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.records import Field

PAUSES: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1))
"""Before the second time, the third, and each after that."""
QUIET: Final = timedelta(days=7)
_MOST: Final = 100
"""Corrections that are remembered of one asset: the newest."""

V = TypeVar("V")


def contest(
    plan: AssetPlan, field: Field, desired: str, merged: Merged[V], *, most: int, now: datetime | None
) -> tuple[AssetPlan, Merged[V], Reason | None]:
    """Let a field be that is put right too often, or too soon.

    Args:
        plan: so far.
        field: not the tags, see ``contest_tags``.
        desired: digest of what the catalogue wants.
        merged: as merged.
        most: times that it is put right.
        now: the time; ``None``: nothing is counted.
    """
    if now is None:
        return plan, merged, None
    if merged.case != "drift" or merged.action != "write":
        return _settled(plan, field, {desired}, now, agreed=merged.case == "in_sync"), merged, None
    plan, why = _weigh(_settled(plan, field, {desired}, now, agreed=False), field, desired, most, now)
    return plan, Merged("contested", "keep", merged.base) if why else merged, why


def contest_tags(
    plan: AssetPlan, drifted: Iterable[tuple[str, str]], *, most: int, now: datetime | None
) -> tuple[AssetPlan, frozenset[str], Reason | None]:
    """Let the tags be that are put back too often, or too soon: return them, and why.

    Args:
        plan: so far.
        drifted: tags of ours that were taken off → their digests.
        most: times that one is put back.
        now: the time; ``None``: nothing is counted.
    """
    if now is None:
        return plan, frozenset(), None
    taken_off = dict(drifted)
    known = {one.desired for one in plan.corrections if one.field == "tags"}
    plan = _settled(plan, "tags", known - set(taken_off.values()), now, agreed=True, others=True)
    left: set[str] = set()
    told: Reason | None = None
    for tag, digest in sorted(taken_off.items()):
        plan, why = _weigh(plan, "tags", digest, most, now)
        if why is not None:
            left.add(tag)
            told = why if told is None or why.code == "contested" else told
    return plan, frozenset(left), told


def decided(plan: AssetPlan, field: Field) -> AssetPlan:
    """Return the plan of a field that a person decided on: it is counted anew."""
    return replace(
        plan,
        corrections=tuple(one for one in plan.corrections if one.field != field),
        correcting=tuple(
            replace(one, count=1) if one.field == field else one for one in plan.correcting
        ),
    )  # fmt: skip


def counted(plan: AssetPlan, agreed: AssetPlan, changed: Iterable[Field]) -> tuple[Correction, ...]:
    """Return the corrections of an asset after a pass.

    Args:
        plan: as it stands at the end.
        agreed: as it stood at the beginning.
        changed: the fields that were written, and kept.
    """
    done = {(one.field, one.desired): one for one in agreed.correcting if one.field in set(changed)}
    kept = [one for one in plan.corrections if (one.field, one.desired) not in done]
    return tuple(sorted((*kept, *done.values()), key=lambda one: one.at)[-_MOST:])


def is_due(corrections: Iterable[Correction], now: datetime | None) -> bool:
    """Return whether a pause is over."""
    return now is not None and any(one.until is not None and one.until <= now for one in corrections)


def _settled(
    plan: AssetPlan, field: Field, values: set[str], now: datetime, *, agreed: bool, others: bool = False
) -> AssetPlan:
    """Forget what is outlived: of other values, of a week ago, and what was held where both sides agree."""
    if not plan.corrections:
        return plan
    found = []
    for one in plan.corrections:
        if one.field != field or (others and one.desired not in values):
            found.append(one)
        elif one.desired in values and not (agreed and (one.held or now - one.at > QUIET)):
            found.append(replace(one, until=None) if agreed else one)
    return replace(plan, corrections=tuple(found))


def _weigh(
    plan: AssetPlan, field: Field, desired: str, most: int, now: datetime
) -> tuple[AssetPlan, Reason | None]:
    """Return the plan with this correction, or with the reason why it is not made."""
    changed_at = plan.observed.updated_at
    known = next((one for one in plan.corrections if (one.field, one.desired) == (field, desired)), None)
    if known is not None and not known.held and changed_at - known.at > QUIET:
        known = None
    others = tuple(one for one in plan.corrections if (one.field, one.desired) != (field, desired))
    if known is None:
        return _correcting(plan, others, Correction(field, desired, 1, now)), None
    when = _minute(changed_at)
    if known.held or known.count >= most:
        held = replace(known, held=True, until=None)
        why = reason("contested", times=known.count, when=when)
        return replace(plan, corrections=(*others, held)), why
    until = known.at + PAUSES[min(known.count, len(PAUSES)) - 1]
    if known.at <= now < until:  # what is of the future was written by another clock
        waiting = replace(known, until=until)
        why = reason("correction_waits", times=known.count, when=when, until=_minute(until))
        return replace(plan, corrections=(*others, waiting)), why
    again = Correction(field, desired, known.count + 1, now)
    return _correcting(plan, (*others, known), again), None


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _correcting(plan: AssetPlan, known: tuple[Correction, ...], one: Correction) -> AssetPlan:
    return replace(plan, corrections=known, correcting=(*plan.correcting, one))
