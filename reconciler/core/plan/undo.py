"""Taking back what a run did to an asset: the journal's ``before``, where Immich still shows its ``after``.

======================================  ==============================================
Immich shows                            then
======================================  ==============================================
what the run left there (``after``)     ``before`` is written back
``before``                              nothing is to be done
anything else                           a person's newer words: they are named and left
======================================  ==============================================

Tags are looked at one by one: those the run added and that are still there go, those it took off come back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.desired.block import Markers, split
from reconciler.core.desired.coordinates import same_place
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.plan import AssetPlan
from reconciler.core.reasons import Reason, reason
from reconciler.core.text import normal, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reconciler.core.records import Field, JournalEntry

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a run did to one asset, as pairs of before and after; ``None``: it did not touch that."""

    asset_id: str
    image_id: int
    description: tuple[str, str] | None = None
    coordinates: tuple[Coordinates | None, Coordinates | None] | None = None
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    tags: frozenset[str] | None = None
    """All tags as the run left them; ``None``: it did not touch them."""

    def fields(self, markers: Markers) -> frozenset[Field]:
        """Return the fields that the run changed."""
        found: set[Field] = set()
        if self.description is not None:
            was, now = (split(text, markers) for text in self.description)
            found |= {"block"} if normal(was.block or "") != normal(now.block or "") else set()
            found |= {"prose"} if normal(was.prose) != normal(now.prose) else set()
        if self.coordinates is not None:
            found.add("coordinates")
        if self.added or self.removed:
            found.add("tags")
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Reversed:
    """How a run would be taken back on one asset as it is now."""

    plan: AssetPlan
    left: tuple[Reason, ...] = ()
    """Why something cannot be taken back, each with its field."""


def reversals(entries: Iterable[JournalEntry]) -> tuple[Reversal, ...]:
    """Sum up journal entries of one run, by asset, in order of image.

    Where a person wrote between two writes of the run, only the later one is taken back.
    """
    by_asset: dict[str, list[JournalEntry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.entry_id or 0):
        by_asset.setdefault(entry.asset_id, []).append(entry)
    found = [_sum_up(asset_id, listed) for asset_id, listed in by_asset.items()]
    return tuple(sorted(found, key=lambda one: (one.image_id, one.asset_id)))


def _sum_up(asset_id: str, entries: Sequence[JournalEntry]) -> Reversal:
    found = Reversal(asset_id, entries[-1].image_id)
    if texts := [(_text(e.before), _text(e.after)) for e in entries if e.field == "description"]:
        found = replace(found, description=_chain(texts, lambda one, other: normal(one) == normal(other)))
    if places := [(_pair(e.before), _pair(e.after)) for e in entries if e.field == "coordinates"]:
        found = replace(found, coordinates=_chain(places, same_place))
    for entry in entries:
        if entry.field == "tags":
            before, after = _tags(entry.before), _tags(entry.after)
            added = (found.added | (after - before)) - (before - after)
            removed = (found.removed | (before - after)) - (after - before)
            found = replace(found, added=added, removed=removed, tags=after)
    return found


def _chain(steps: Sequence[tuple[T, T]], same: Callable[[T, T], bool]) -> tuple[T, T]:
    """Join steps of which each begins where the former ended, or repeats it; from the last one backwards."""
    before, after = steps[-1]
    for older_before, older_after in reversed(steps[:-1]):
        if not (same(older_after, before) or same(older_before, before)):
            break
        before = older_before
    return before, after


def reverse(
    reversal: Reversal, seen: ObservedAsset, title: str, applied: Applied, markers: Markers, max_bytes: int
) -> Reversed:
    """Plan taking a run back on an asset as it is now; its tags have been read if the run touched them.

    The plan makes nothing ours: what is written back is whoever's it was, and ``plan.base`` gives up what the
    run had made ours.
    """
    left: list[Reason] = []
    plan = AssetPlan(reversal.image_id, seen.asset_id, title, seen, Desired())
    if reversal.description is not None:
        before, after = reversal.description
        if normal(seen.description) == normal(after) != normal(before):
            if size(before) > max_bytes:
                left.append(reason("former_too_long").of("description"))
            else:
                plan = replace(plan, description=before)
        elif normal(seen.description) != normal(before):
            left.append(reason("newer").of("description"))
    if reversal.coordinates is not None:
        was, now = reversal.coordinates
        if same_place(seen.coordinates, now) and not same_place(was, now):
            if was is None:
                left.append(reason("no_place_before").of("coordinates"))
            else:
                plan = replace(plan, coordinates=was)
        elif not same_place(seen.coordinates, was):
            left.append(reason("newer").of("coordinates"))
    tags = seen.known_tags if reversal.added or reversal.removed else frozenset()
    base = disowned(applied, reversal, seen, markers)
    return Reversed(
        replace(plan, add_tags=reversal.removed - tags, remove_tags=reversal.added & tags, base=base),
        tuple(left),
    )


def disowned(applied: Applied, reversal: Reversal, seen: ObservedAsset, markers: Markers) -> Applied:
    """Return what stays ours once a run is taken back: what it did not touch, or a person changed since."""
    touched = reversal.fields(markers)
    newer = reversal.description is not None and not any(
        normal(seen.description) == normal(text) for text in reversal.description
    )
    if newer:
        touched -= {"block", "prose"}
    return replace(
        applied,
        block=None if "block" in touched else applied.block,
        prose=None if "prose" in touched else applied.prose,
        coordinates=None if "coordinates" in touched else applied.coordinates,
        tags=applied.tags - reversal.added - reversal.removed,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _pair(value: object) -> Coordinates | None:
    if isinstance(value, list) and len(value) == 2:
        return Coordinates(float(value[0]), float(value[1]))
    return None


def _tags(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
