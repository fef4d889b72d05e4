"""The images of a pass, in order: a few as they are, many packed with what was remembered of them.

A plan takes some ten kilobytes, and a first pass over a hundred thousand images makes as many. What decides
about the pass as a whole (is there anything to do, what would be lost) is counted as they come, so that
nobody has to go through all of them for it; what is done with each is done slice by slice. Where there are
very many, most of the packs wait in a temporary file.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.by_place import ByPlace
from reconciler.core.catalogue import CatalogueImage, Summary
from reconciler.core.desired.desired import Desired
from reconciler.core.pack import Packing
from reconciler.core.plan.guard import Losses
from reconciler.core.plan.plan import AssetPlan, TagsDecision, TextDecision, ValueDecision
from reconciler.core.plan.renames import branches
from reconciler.core.reasons import Reason
from reconciler.core.records import AssetRecord, Correction, LeftOut, PendingWrite, Unsticking
from reconciler.engine.identity import is_there
from reconciler.engine.item import Item, is_catalogues, stands
from reconciler.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from reconciler.core.plan.renames import Branch

Pair = tuple[Item, AssetRecord | None]
"""An image of a pass, and what was remembered of it when it was looked at."""

PACK: Final = 32
"""Images that are packed together: it holds the event loop for some five milliseconds."""
LOOSE: Final = 1_000
"""So many stay as they are: packing costs a small catalogue nothing. Where there are more, all are packed."""
_PACES: Final = 16
"""Images that come while a pack is made: nobody waits for many packs at once."""


@dataclass(frozen=True, slots=True)
class NamedImage(CatalogueImage):
    """What is left of an image in a packed item: what names it."""


@dataclass(slots=True)
class Tally:
    """What all of them together say."""

    images: int = 0
    """Of the catalogue."""
    changing: int = 0
    """Plans that would write something."""
    moving: int = 0
    """Those that do not stand where their record says."""
    withheld: int = 0
    """Those of which the guard holds something back."""
    in_part: int = 0
    """Of these: those of which the rest would be written."""
    telling: int = 0
    """Those that would be written, or that a person may want to know of."""
    adopted: int = 0
    """Those of which an earlier run left a write to wait for."""
    jobs: int = 0
    """Those with something to write, or to wait for."""
    failed: bool = False
    """Whether any could not be read, or used."""
    met: str = ""
    """An asset that was known to be there and was read just now, if any was."""
    lost: list[str] = field(default_factory=list)
    """Assets that were there and that Immich does not show."""
    reviewed: set[str] = field(default_factory=set)
    """Of the assets that the guard held before: those that were looked at again."""
    planned_orphans: set[str] = field(default_factory=set)
    """Assets with a plan whose image left the catalogue."""
    losses: Losses = field(default_factory=Losses)
    renamed: Counter[Branch] = field(default_factory=Counter)
    """Tags that a renamed branch takes along, by branch."""

    def add(self, item: Item, record: AssetRecord | None, held: Collection[str]) -> None:
        """Count one more."""
        plan = item.plan
        self.images += item.image is not None
        self.moving += not stands(item, record)
        self.withheld += item.withheld is not None
        self.in_part += item.withheld is not None and plan is not None and plan.changes
        self.telling += is_telling(item)
        self.adopted += item.adopted is not None
        self.failed = self.failed or (item.status == "failed" and not is_catalogues(item.reasons))
        if item.asset_id in held and not item.held:
            self.reviewed.add(item.asset_id)
        if item.status == "unknown_asset" and is_there(record):
            self.lost.append(item.asset_id)
        if plan is not None:
            self.changing += plan.changes
            self.jobs += plan.changes or item.adopted is not None
            self.losses.add(plan)
            self.renamed.update(branches(plan.renames))
            if not self.met and is_there(record):
                self.met = item.asset_id
            if item.image is None:
                self.planned_orphans.add(item.asset_id)


class Items(ByPlace[Item]):
    """The images of a pass.

    Args:
        held: assets that the guard held before.
    """

    __slots__ = (
        "_busy",
        "_ends",
        "_image_ids",
        "_kinds",
        "_last",
        "_loose",
        "_orphans",
        "_packs",
        "held",
        "tally",
    )

    def __init__(self, held: Collection[str] = frozenset()) -> None:
        self._packs = Spill()
        self._ends = array("q")
        self._busy = bytearray()
        """Of each pack: whether anything in it is telling."""
        self._loose: list[Pair] = []
        self._last: tuple[int, list[Pair]] = (-1, [])
        self.held = held
        self._kinds = bytearray()
        """Of each: which kinds of writes it asks for, a bit each."""
        self._image_ids = array("q")
        self._orphans: list[str] = []
        self.tally = Tally()

    @classmethod
    def of(cls, pairs: Iterable[Pair], held: Collection[str] = frozenset()) -> Items:
        """Make them of these."""
        made = cls(held)
        for item, record in pairs:
            made.add(item, record)
        return made

    @property
    def packed(self) -> bool:
        """Whether there are so many that they are packed."""
        return len(self._packs) > 0

    def add(self, item: Item, record: AssetRecord | None) -> None:
        """Add one at the end."""
        self.tally.add(item, record, self.held)
        if item.image is not None:
            self._image_ids.append(item.image_id)
        else:
            self._orphans.append(item.asset_id)
        self._kinds.append(_kinds(item))
        self._loose.append((item, record))
        if (
            (self._packs or len(self._loose) > LOOSE)
            and len(self) % _PACES == 0
            and len(self._loose) >= 2 * PACK
        ):
            several = [(named(item), record) for item, record in self._loose[:PACK]]
            del self._loose[:PACK]
            self._packs.append(_PACKING.pack(several))
            self._ends.append(PACK * len(self._packs))
            self._busy.append(any(is_telling(item) for item, _ in several))

    def open_images(self) -> frozenset[int]:
        """Return the ids of those that are in the catalogue."""
        return frozenset(self._image_ids)

    def orphans(self) -> frozenset[str]:
        """Return the assets of the others."""
        return frozenset(self._orphans)

    def pairs(self) -> Iterator[Pair]:
        """Go through them, each with what was remembered of it."""
        for packed in self._packs:
            yield from _PACKING.unpack(packed)
        yield from self._loose

    def slices(self, most: int) -> Iterator[list[Pair]]:
        """Go through them some at a time."""
        several: list[Pair] = []
        for pair in self.pairs():
            several.append(pair)
            if len(several) == most:
                yield several
                several = []
        if several:
            yield several

    def telling(self) -> Iterator[Item]:
        """Go through those that would be written, or that a person may want to know of."""
        for number, packed in enumerate(self._packs):
            if self._busy[number]:
                yield from (item for item, _ in _PACKING.unpack(packed) if is_telling(item))
        yield from (item for item, _ in self._loose if is_telling(item))

    def richest(self, most: int) -> list[Pair]:
        """Return some of those that ask for the most kinds of writes, spread over all."""
        counts = [kinds.bit_count() for kinds in self._kinds]
        fullest = max(counts, default=0)
        places = [place for place, count in enumerate(counts) if count == fullest] if fullest else []
        stride = max(1, len(places) // most) if most else 1
        return [self._pair(place) for place in places[::stride][:most]]

    # A sequence

    def __len__(self) -> int:
        return (self._ends[-1] if self._ends else 0) + len(self._loose)

    def __iter__(self) -> Iterator[Item]:
        return (item for item, _ in self.pairs())

    def _at(self, place: int) -> Item:
        return self._pair(place)[0]

    def _pair(self, place: int) -> Pair:
        number = bisect_right(self._ends, place)
        if number == len(self._packs):
            return self._loose[place - PACK * number]
        if self._last[0] != number:
            self._last = (number, _PACKING.unpack(self._packs[number]))
        return self._last[1][place - PACK * number]


def looked_at_again(before: Items, now: Items) -> Items:
    """Return the second of two looks, with those edited on which somebody was at work between them.

    What an asset shows is another, and its date is the same: Immich has not digested it yet.
    """
    known = {item.asset_id: _sight(item.plan.observed) for item in before if item.plan is not None}
    edited = {item.asset_id for item in now if item.plan is not None and _is_edited(item.plan, known)}
    if not edited:
        return now
    pairs = (
        (replace(item, edited=True) if item.asset_id in edited else item, record)
        for item, record in now.pairs()
    )
    return Items.of(pairs, now.held)


def _is_edited(plan: AssetPlan, known: Mapping[str, tuple[datetime, int]]) -> bool:
    now = at, shown = _sight(plan.observed)
    was_at, was = known.get(plan.asset_id, now)
    return was_at == at and was != shown


def _sight(seen: ObservedAsset) -> tuple[datetime, int]:
    return seen.updated_at, hash((seen.description, seen.coordinates, seen.taken_at, seen.tags))


def named(item: Item) -> Item:
    """Return an item that is packed with no more of its image than its names."""
    if item.image is None:
        return item
    return replace(item, image=NamedImage(item.image_id, item.asset_id, item.title, summary=_NO_SUMMARY))


def _kinds(item: Item) -> int:
    plan = item.plan
    if plan is None or item.adopted:
        return 0
    return plan.writes_fields | bool(plan.add_tags) << 1 | bool(plan.remove_tags) << 2


def is_telling(item: Item) -> bool:
    """Return whether an image would be written, or a person may want to know of it."""
    if item.held or item.withheld is not None or item.status not in {"in_sync", "new"}:
        return True
    plan = item.plan
    return plan is not None and bool(plan.changes or plan.conflicts or plan.blocked)


_NO_SUMMARY: Final = Summary()
PACKED_KINDS: Final = (
    Applied, AssetPlan, AssetRecord, Coordinates, Correction, Desired, Item, LeftOut, NamedImage,
    ObservedAsset, PendingWrite, ValueDecision, Reason, Summary, TagsDecision, TextDecision, Unsticking,
)  # fmt: skip
"""What is within an item and its record."""
_PACKING: Final = Packing[Pair](PACKED_KINDS)
