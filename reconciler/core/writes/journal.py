"""What the journal keeps of a write before it is sent: the values it replaces, and whose they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.desired.block import split
from reconciler.core.desired.solver_sentence import displaces
from reconciler.core.fields import VALUE_FIELDS
from reconciler.core.records import CARRIED, FormerValue, JournalEntry
from reconciler.core.text import normal

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.asset import Applied, ObservedAsset
    from reconciler.core.desired.block import Markers
    from reconciler.core.records import JournalField, PendingWrite


def entries_of(
    pending: PendingWrite,
    seen: ObservedAsset,
    owned: Applied,
    markers: Markers,
    at: datetime,
    *,
    carries: bool = False,
) -> list[JournalEntry]:
    """Return the journal's entries of a write.

    Args:
        pending: the write.
        seen: the asset as it was read before.
        owned: what was ours in it then.
        markers: the block's.
        at: now.
        carries: whether it carries over a person's words from a replaced asset.
    """
    found: list[JournalEntry] = []

    def add(which: JournalField, before: object, after: object, ours: list[str]) -> None:
        key = pending.run_id, pending.asset_id, pending.image_id
        found.append(JournalEntry(*key, which, before, after, at, ours=tuple(ours)))

    if pending.description is not None:
        add("description", seen.description, pending.description, _ours_in(seen.description, owned, markers))
    for one in VALUE_FIELDS:
        if (new := one.of(pending)) is not None:
            was = one.of(seen)
            ours = [one.name] if was is not None and one.same(was, one.of(owned)) else []
            add(one.name, one.to_json(was), one.to_json(new), list(ours))
    if pending.tags:
        live = seen.known_tags
        after = live | pending.tags if pending.step == "add_tags" else live - pending.tags
        add(
            "tags", sorted(live), sorted(after), [*sorted(owned.tags & live), *([CARRIED] if carries else [])]
        )
    return found


def _ours_in(text: str, owned: Applied, markers: Markers) -> list[str]:
    parts = split(text, markers, owned.block)
    found = []
    if owned.block is not None and parts.block is not None:
        found.append("block" if normal(parts.block) == normal(owned.block) else "edited")
    if owned.prose is not None and normal(parts.prose) == normal(owned.prose):
        found.append("prose")
    return found


def former_of(
    pending: PendingWrite,
    seen: ObservedAsset,
    owned: Applied,
    markers: Markers,
    at: datetime,
    *,
    prose: str | None = None,
) -> list[FormerValue]:
    """Return the values that a write replaces and that are not ours: what undoing everything gives back.

    Tags are left out: what is ours of them is taken off, and no other was ever touched.

    Args:
        pending: the write.
        seen: the asset as it was read before.
        owned: what was ours in it then.
        markers: the block's.
        at: now.
        prose: the catalogue's, which a person may have let join theirs: then both together are not ours.
    """
    found: list[FormerValue] = []
    parts = split(seen.description, markers, owned.block)
    if pending.block is not None and owned.block is None:
        found.append(FormerValue(pending.asset_id, "block", parts.block, at))
    if pending.prose is not None:
        is_ours = owned.prose is not None and (
            normal(parts.prose) == normal(owned.prose) or displaces(parts)  # no person's: see there
        )
        if not is_ours:
            found.append(FormerValue(pending.asset_id, "prose", parts.prose, at))
    elif pending.description is not None and prose:
        after = split(pending.description, markers, pending.block or owned.block)
        if normal(after.prose) == normal(parts.joined_by(prose).prose) != normal(parts.prose):
            found.append(FormerValue(pending.asset_id, "joined", [parts.prose, after.prose], at))
    for one in VALUE_FIELDS:
        was, ours = one.of(seen), one.of(owned)
        if one.of(pending) is not None and (ours is None or (was is not None and not one.same(was, ours))):
            found.append(FormerValue(pending.asset_id, one.name, one.to_json(was), at))
    return found
