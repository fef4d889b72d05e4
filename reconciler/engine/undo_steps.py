"""The steps of an undo, an asset each: a few as they are, many packed.

A step takes some thirty kilobytes: what an asset shows, what was written to it, and what it would have
instead. What is told of an undo as a whole is counted as they come.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from reconciler.core.by_place import ByPlace
from reconciler.core.pack import Packing
from reconciler.core.plan.reversal import Former, Reversal, TextStep, ValueStep
from reconciler.core.plan.undo import Reversed, TextReturn
from reconciler.engine.items import PACKED_KINDS, named
from reconciler.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord
    from reconciler.engine.item import Item

LOOSE: Final = 400
"""So many stay as they are."""
_PACK: Final = 8
"""Steps that are packed together: it holds the event loop for some milliseconds."""


@dataclass(frozen=True, slots=True)
class Step:
    """One asset of an undo."""

    item: Item
    reversal: Reversal
    found: Reversed | None
    """``None``: not readable, or not writable."""
    left: tuple[Reason, ...]
    """Why something cannot be taken back."""
    record: AssetRecord
    run_id: str = ""
    """Of the run that is taken back, where it is one."""
    unread: bool = False
    """Whether its tags were not read, and are taken for what was left there; its text is to be written, and
    the reading before that tells them."""
    told: bool = False
    """Whether Immich's records, and not the store, tell what is ours."""

    @property
    def is_job(self) -> bool:
        """Whether something is to be sent, or waited for."""
        return self.found is not None and (self.found.plan.changes or self.item.adopted is not None)

    @property
    def change(self) -> AssetPlan | None:
        """What would be written back, if anything is."""
        return self.found.plan if self.found is not None and self.found.plan.changes else None


class Steps(ByPlace[Step]):
    """Steps in order, with what all of them together say."""

    __slots__ = ("_loose", "_packs", "counts", "jobs", "left", "texts")

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self._packs, self._loose = Spill(), list[Step]()
        self.counts = Counter[str]()
        """Images that would be written to, descriptions, places, dates, tags on and off, albums."""
        self.texts = Counter[TextReturn]()
        """Of the descriptions: how many become what."""
        self.jobs = 0
        """Those with something to send, or to wait for."""
        self.left = 0
        """What cannot be taken back, counted."""
        for step in steps:
            self.add(step)

    def add(self, step: Step) -> None:
        """Add one at the end."""
        self._count(step)
        self._loose.append(step)
        if (self._packs or len(self._loose) > LOOSE) and len(self._loose) >= 2 * _PACK:
            several = [_small(one) for one in self._loose[:_PACK]]
            del self._loose[:_PACK]
            self._packs.append(_PACKING.pack(several))

    def _count(self, step: Step) -> None:
        self.jobs += step.is_job
        self.left += len(step.left)
        if (plan := step.change) is None:
            return
        self.counts.update(
            images=1,
            descriptions=plan.description is not None,
            places=plan.coordinates is not None,
            dates=plan.taken_at is not None,
            tags_off=len(plan.remove_tags),
            albums=plan.changes_albums,
            tags_back=len(plan.add_tags),
        )
        if plan.description is not None and step.found is not None:
            self.texts[step.found.text] += 1

    @property
    def is_large(self) -> bool:
        """Whether there are so many that they are packed."""
        return len(self._packs) > 0

    def slices(self, most: int) -> Iterator[list[Step]]:
        """Go through them some at a time."""
        steps = iter(self)
        while several := list(islice(steps, most)):
            yield several

    def __len__(self) -> int:
        return _PACK * len(self._packs) + len(self._loose)

    def __iter__(self) -> Iterator[Step]:
        for packed in self._packs:
            yield from _PACKING.unpack(packed)
        yield from self._loose

    def _at(self, place: int) -> Step:
        number, within = divmod(place, _PACK)
        if number < len(self._packs):
            return _PACKING.unpack(self._packs[number])[within]
        return self._loose[place - _PACK * len(self._packs)]


def _small(step: Step) -> Step:
    return Step(
        named(step.item),
        step.reversal,
        step.found,
        step.left,
        step.record,
        step.run_id,
        step.unread,
        step.told,
    )


_PACKING: Final = Packing[Step](
    (*PACKED_KINDS, Former, Reversal, Reversed, Step, TextReturn, TextStep, ValueStep)
)
