"""What is to be taken back of one asset: a run's journal entries summed up, or all that is ours.

How it is taken back on the asset as it is now stands in ``undo``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.core.desired.block import Markers, split, strip_blocks
from reconciler.core.fields import BY_NAME, VALUE_FIELDS, VALUE_NAMES, Value, ValueName, values_of
from reconciler.core.reasons import Reason, reason
from reconciler.core.records import CARRIED
from reconciler.core.text import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.core.asset import Applied
    from reconciler.core.records import AssetRecord, Field, FormerValue, JournalEntry

T = TypeVar("T")

_BESIDE: Final[Mapping[str, Reason]] = {
    "favorite": reason("favorite_stays"),
    "memberships": reason("album_stays"),
}
"""What an undo names and leaves."""


@dataclass(frozen=True, slots=True)
class TextStep:
    """One write of a description."""

    before: str
    after: str
    ours: frozenset[str] = frozenset()
    """What of ``before`` was ours: see ``JournalEntry.ours``."""


@dataclass(frozen=True, slots=True)
class Former:
    """What an asset had before this program wrote to it, as far as that is known."""

    block: str | None = None
    prose: str | None = None
    """``None``: not known."""
    joined: tuple[str, str] | None = None
    """A person's prose, and that with ours below it, where they decided for both."""
    values: Mapping[ValueName, Value | None] = field(default_factory=dict)
    """Those that are known, if only to be none."""


@dataclass(frozen=True, slots=True)
class ValueStep:
    """What was done to a field that is one value."""

    was: Value | None
    now: Value | None
    was_ours: bool = False


@dataclass(frozen=True, slots=True)
class Reversal:
    """What was done to one asset, as pairs of before and after; ``None``: that was not touched."""

    asset_id: str
    image_id: int
    texts: tuple[TextStep, ...] = ()
    """The description's writes, the oldest first."""
    values: Mapping[ValueName, ValueStep] = field(default_factory=dict)
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    were_ours: frozenset[str] = frozenset()
    """Of ``removed``: those that this program had given before."""
    put_in: frozenset[str] = frozenset()
    """Names of albums into which it was put."""
    taken_out: frozenset[str] = frozenset()
    tags: frozenset[str] | None = None
    """All tags as they were left; ``None``: not known, or they were not touched."""
    carried: frozenset[str] = frozenset()
    """Of ``added``: a person's, carried over from a replaced asset. Taken back all the same."""
    beside: tuple[Reason, ...] = ()
    """What was done beside the fields, and is not taken back."""
    former: Former | None = None
    """Set where all that is ours is taken back, whatever wrote it; what is ours says the asset's record."""

    def fields(self, markers: Markers) -> frozenset[Field]:
        """Return the fields that were changed."""
        if self.former is not None:
            return frozenset({"block", "prose", "tags", "albums", *VALUE_NAMES})
        found: set[Field] = set()
        for step in self.texts:
            was, now = (split(text, markers) for text in (step.before, step.after))
            found |= {"block"} if normal(was.block or "") != normal(now.block or "") else set()
            found |= {"prose"} if normal(was.prose) != normal(now.prose) else set()
        found |= self.values.keys()
        if self.added or self.removed:
            found.add("tags")
        if self.put_in or self.taken_out:
            found.add("albums")
        return frozenset(found)


def reversals(entries: Iterable[JournalEntry]) -> tuple[Reversal, ...]:
    """Sum up journal entries, of one run or of all since a moment, by asset, in order of image.

    Where a person wrote between two writes, only the later one is taken back, but for the block: that is
    ours, whoever wrote around it.
    """
    by_asset: dict[str, list[JournalEntry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.entry_id or 0):
        by_asset.setdefault(entry.asset_id, []).append(entry)
    found = [_sum_up(asset_id, listed) for asset_id, listed in by_asset.items()]
    return tuple(sorted(found, key=lambda one: (one.image_id, one.asset_id)))


def everything(record: AssetRecord, former: Iterable[FormerValue], markers: Markers) -> Reversal:
    """Return what takes back all that is ours in an asset.

    Args:
        record: of the asset; says what is ours.
        former: what was there before, as it was kept.
        markers: the block's, for what an older version kept as a whole text.
    """
    known = Former()
    for one in sorted(former, key=lambda one: one.field != "description"):
        if one.field == "description":  # of an older version: it may have been read with a block of ours
            known = replace(known, prose=strip_blocks(_text(one.value), markers))
        elif one.field == "block":
            known = replace(known, block=one.value if isinstance(one.value, str) else None)
        elif one.field == "prose":
            known = replace(known, prose=_text(one.value))
        elif one.field == "joined" and isinstance(one.value, list):
            known = replace(known, joined=(_text(one.value[0]), _text(one.value[1])))
        elif value := BY_NAME.get(one.field):
            known = replace(known, values={**known.values, value.name: value.read(one.value)})
    applied = record.applied
    return Reversal(
        record.asset_id, record.image_id, values=known_steps(known, applied), added=applied.tags,
        put_in=applied.albums, former=known,
    )  # fmt: skip


def known_steps(former: Former, applied: Applied) -> dict[ValueName, ValueStep]:
    """Return what takes back the values that are ours."""
    return {
        one.name: ValueStep(former.values.get(one.name), ours)
        for one in VALUE_FIELDS
        if (ours := one.of(applied)) is not None
    }


def _sum_up(asset_id: str, entries: Sequence[JournalEntry]) -> Reversal:
    found = Reversal(asset_id, entries[-1].image_id)
    texts = tuple(
        TextStep(_text(entry.before), _text(entry.after), frozenset(entry.ours))
        for entry in entries
        if entry.field == "description"
    )
    if texts:
        found = replace(found, texts=texts)
    steps: dict[ValueName, ValueStep] = {}
    for value in VALUE_FIELDS:
        written = [entry for entry in entries if entry.field == value.name]
        if written:
            pairs = [(value.read(entry.before), value.read(entry.after)) for entry in written]
            first = chained_from(pairs, value.same)
            steps[value.name] = ValueStep(pairs[first][0], pairs[-1][1], value.name in written[first].ours)
    found = replace(found, values=steps)
    for entry in entries:
        if entry.field == "tags":
            before, after = _tags(entry.before), _tags(entry.after)
            came, went = after - before, before - after
            if CARRIED in entry.ours:
                found = replace(found, carried=found.carried | came)
            found = replace(
                found,
                added=(found.added | (came - found.removed)) - went,
                removed=(found.removed | (went - found.added)) - came,
                were_ours=found.were_ours | (went & frozenset(entry.ours)),
                tags=after,
            )
        elif (why := _BESIDE.get(entry.field)) is not None and why not in found.beside:
            found = replace(found, beside=(*found.beside, why))
        elif entry.field == "albums":
            before, after = _tags(entry.before), _tags(entry.after)
            came, went = after - before, before - after
            found = replace(
                found,
                put_in=(found.put_in | (came - found.taken_out)) - went,
                taken_out=(found.taken_out | (went - found.put_in)) - came,
            )
    return found


def taken_off_last(entries: Iterable[JournalEntry]) -> frozenset[str]:
    """Return the tags of an asset that this program took off when it last touched them.

    Where one of these is there, somebody else put it on.
    """
    found: frozenset[str] = frozenset()
    for entry in sorted(entries, key=lambda entry: entry.entry_id or 0):
        if entry.field == "tags":
            before, after = _tags(entry.before), _tags(entry.after)
            found = (found | (before - after)) - (after - before)
    return found


def chained_from(steps: Sequence[tuple[T, T]], same: Callable[[T, T], bool]) -> int:
    """Return the first of the steps that lead to the last: each begins where the former ended, or repeats it.

    What a person changed in between breaks the chain.
    """
    first = len(steps) - 1
    before = steps[first][0]
    while first:
        older_before, older_after = steps[first - 1]
        if not (same(older_after, before) or same(older_before, before)):
            break
        first, before = first - 1, older_before
    return first


def same_text(one: str, other: str) -> bool:
    """Return whether two texts are the same to Immich."""
    return normal(one) == normal(other)


def owns_anything(applied: Applied) -> bool:
    """Return whether anything is ours."""
    return bool(applied.block or applied.prose or applied.tags or applied.albums or any(values_of(applied)))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _tags(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list) else frozenset()
