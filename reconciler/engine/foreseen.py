"""What a pass would write, in short: counts, a few images in full, and what it would leave, and why.

For a person who decides whether it is to be written: at the beginning, and before a template is saved.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from reconciler.core.plan.kinds import Kinds, kinds_of
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from reconciler.core.plan.guard import Verdict
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.reasons import Reason
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared

EXAMPLES: Final = 3
"""Images that are shown in full."""


@dataclass(frozen=True, slots=True)
class Left:
    """What is not written of some images, for one reason, with one of them as an example."""

    why: Reason
    count: int
    image_id: int
    title: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a pass would do, as far as it was looked at."""

    at: datetime
    images: int
    """Linked images."""
    looked: int
    """Of these, those that were compared: not all where there are very many."""
    changing: int
    """Of these, those that would be written, also what the guard asks about first."""
    held: int
    """Of these, those of which the guard asks about something."""
    kinds: Kinds
    examples: tuple[AssetPlan, ...]
    left: tuple[Left, ...]
    """Most images first."""
    verdict: Verdict

    @property
    def whole(self) -> bool:
        """Whether all images were compared."""
        return self.looked >= self.images

    def with_more(self, plans: Sequence[AssetPlan]) -> Foreseen:
        """Return it with some images more that would be written."""
        return replace(self, changing=self.changing + len(plans), kinds=self.kinds + kinds_of(plans))


def foresee(prepared: Prepared, now: datetime, written: Collection[Item] = ()) -> Foreseen:
    """Sum up what a prepared pass would do.

    Args:
        prepared: observed and planned.
        now: when that was.
        written: images that are written before; those of which the guard asks about something stay.
    """
    gone = [item.plan for item in written if item.plan is not None and item.withheld is None]
    found: dict[tuple[str, str], Left] = {}
    for item in prepared.items.telling():
        for why in dict.fromkeys(_left(item)):
            key = why.code, ",".join(why.fields)
            before = found.get(key)
            count = before.count + 1 if before else 1
            example = before or Left(why, 1, item.image_id, item.title)
            found[key] = Left(example.why, count, example.image_id, example.title)
    tally = prepared.items.tally
    return Foreseen(
        at=now,
        images=len(prepared.catalogue.linked()),
        looked=prepared.images,
        changing=tally.withheld + tally.changing - tally.in_part - len(gone),
        held=tally.withheld,
        kinds=kinds_of(_whole(prepared)) - kinds_of(gone),
        examples=tuple(_examples(prepared, {plan.image_id for plan in gone})),
        left=tuple(sorted(found.values(), key=lambda one: -one.count)),
        verdict=prepared.verdict,
    )


def _whole(prepared: Prepared) -> Iterator[AssetPlan]:
    """Give the plans of all that would be written, with what the guard holds back of them."""
    for item in prepared.items.telling():
        if (plan := item.withheld or item.plan) is not None and plan.changes:
            yield plan


def _examples(prepared: Prepared, gone: Collection[int]) -> list[AssetPlan]:
    """Return some that lose something, if any do; else some with the most kinds of writes."""
    held = (item.withheld for item in prepared.items.telling() if item.withheld is not None)
    found = list(islice(held, EXAMPLES))
    plans = [item.plan for item, _ in prepared.items.richest(EXAMPLES + len(gone)) if not item.withheld]
    return [*found, *(one for one in plans if one is not None and one.image_id not in gone)][:EXAMPLES]


def _left(item: Item) -> Iterator[Reason]:
    """Give why something of an image is not written."""
    plan = item.plan
    if item.withheld is not None:
        yield reason("guard")
    if plan is None:
        if item.status != "in_sync":
            yield from item.reasons
        return
    if plan.blocked:
        yield plan.blocked
    for decision in plan.decisions:
        if decision.action == "keep" and decision.reason is not None:
            yield decision.reason.of(decision.field)
