"""The plan of an asset that a person took back: whatever it wants, nothing is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.desired.block import split
from reconciler.core.fields import VALUE_FIELDS
from reconciler.core.plan.plan import TagsDecision, TextDecision, ValueDecision
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.plan.plan import AssetPlan, Decision, Rules
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, TakenBack


def taken_back_on(at: datetime) -> Reason:
    """Return the reason of a value that was taken back: left alone until something about it changes."""
    return reason("taken_back", day=at.date().isoformat())


def why_left(taken: TakenBack) -> Reason:
    """Return why an asset is left alone as a whole."""
    if taken.whole:
        return reason("all_taken_back", day=taken.at.date().isoformat())
    return reason("undo_broken_off", day=taken.at.date().isoformat())


def left_taken_back(plan: AssetPlan, taken: TakenBack, rules: Rules) -> AssetPlan:
    """Return the plan with every field left as it is."""
    why, base, wanted, live = why_left(taken), plan.base, plan.desired, plan.observed
    parts = split(live.description, rules.markers, base.block)
    found: list[Decision] = []
    if rules.switches.description:
        blocks, texts = (
            (base.block, wanted.block, parts.block),
            (base.prose, wanted.prose, parts.prose or None),
        )
        found += [TextDecision("block", "undone", "keep", *blocks, reason=why)]
        found += [TextDecision("prose", "undone", "keep", *texts, reason=why)]
    for one in VALUE_FIELDS:
        if one.is_on(rules.switches):
            sides = one.of(base), one.of(wanted), one.of(live)
            found.append(ValueDecision(one.name, "undone", "keep", *sides, reason=why))
    if rules.switches.tags and live.tags is not None:
        tags = tuple(sorted(base.tags)), tuple(sorted(wanted.tags)), tuple(sorted(live.tags))
        found.append(TagsDecision("tags", "undone", "keep", *tags, reason=why))
    if rules.switches.albums and rules.albums is not None:
        names = wanted.albums | base.albums
        there = rules.albums.of(plan.asset_id, names, base.albums)
        albums = tuple(sorted(base.albums)), tuple(sorted(wanted.albums)), tuple(sorted(there))
        found.append(TagsDecision("albums", "undone", "keep", *albums, reason=why))
    return replace(plan, decisions=tuple(found), notes=())


def is_taken_back(record: AssetRecord) -> bool:
    """Return whether anything of an asset was taken back and is left alone."""
    return record.taken_back is not None or any(entry.undone for entry in record.unsticking)


def written_again(record: AssetRecord) -> AssetRecord:
    """Return the record as it is once what was taken back may be written again."""
    return replace(
        record.to_look_at(),
        taken_back=None,
        unsticking=tuple(entry for entry in record.unsticking if not entry.undone),
        status="new" if record.status == "undone" else record.status,
        reasons=() if record.status == "undone" else record.reasons,
    )
