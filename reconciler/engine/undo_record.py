"""What the store remembers of an asset that was taken back, so that no pass writes the very same again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.fields import BY_NAME
from reconciler.core.fingerprint import digest
from reconciler.core.plan.standing import live_digest
from reconciler.core.plan.taken_back import taken_back_on, why_left
from reconciler.core.records import Unsticking
from reconciler.engine.outcomes import finished
from reconciler.engine.planner.selection import merge

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.records import AssetRecord, AssetStatus, Field, TakenBack
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared

_STAYS: Final[frozenset[AssetStatus]] = frozenset({"unknown_asset", "not_writable", "unlinked"})
"""Where an image stands for a reason that an undo does not change."""


def left_alone(record: AssetRecord, mark: TakenBack) -> AssetRecord:
    """Return the record of an asset that passes leave alone from now on."""
    marked = replace(record.to_look_at(), taken_back=mark)
    if record.status in _STAYS:
        return marked
    return replace(marked, status="undone", reasons=(why_left(mark),))


def remembered(
    item: Item,
    touched: Collection[Field],
    seen: ObservedAsset,
    record: AssetRecord,
    prepared: Prepared,
    now: datetime,
) -> AssetRecord:
    """Return the record of an asset on which the undo has ended.

    Where not everything was undone, its mark goes, and all that the next pass would write again at once is
    noted instead.
    """
    mark = record.taken_back
    if mark is None or not mark.whole:
        record = replace(record, taken_back=None)
    if item.image is None or item.plan is None:
        return replace(record, status="unlinked") if not record.linked else record
    desired, rules = item.plan.desired, prepared.rules
    if record.taken_back is None:
        notes = [one for one in record.unsticking if one.field not in touched]
        # Also of what is left out: taken in again, it is still what a person took back.
        taken_in = replace(record, unsticking=(), left_out=(), marks=())
        plan = merge(item, replace(desired, left_out=()), seen, taken_in, rules, force=False)
        for decision in plan.decisions:
            if decision.field not in touched or decision.action not in {"write", "remove"}:
                continue
            if value := BY_NAME.get(decision.field):
                wanted = [digest(value.to_json(value.of(plan)))]
            elif decision.field == "albums":
                wanted = [digest(plan.add_albums)] if plan.add_albums else []
                wanted += [digest("-", name) for name in sorted(plan.remove_albums)]
            elif decision.field == "tags":
                wanted = [digest(plan.add_tags)] if plan.add_tags else []
                wanted += [digest("-", tag) for tag in sorted(plan.remove_tags)]
            else:
                wanted = [digest(decision.desired or "")]
            live, why = live_digest(decision.field, seen), taken_back_on(now)
            notes += [
                Unsticking(decision.field, one, live, rules.server_version, why, undone=True, at=now)
                for one in wanted
            ]
        record = replace(record, unsticking=tuple(notes))
    after = merge(item, desired, seen, record, rules, force=False)
    known = replace(prepared, records={item.asset_id: record})
    return finished(replace(item, plan=after, adopted=None), None, known, now, None)
