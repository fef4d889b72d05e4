"""The images of a pass: packed or not they are the same, and what they say together is known at any size."""

from __future__ import annotations

import gc
from dataclasses import replace

import pytest

from reconciler.core.plan.guard import Losses, withhold
from reconciler.core.plan.plan import AssetPlan
from reconciler.core.reasons import reason
from reconciler.core.records import PendingWrite
from reconciler.engine import items as module
from reconciler.engine.item import Item
from reconciler.engine.items import Items, NamedImage
from tests.core.conftest import MOMENT, Make

MAKE = Make()


def pair(number):
    """An image of a pass, of one of many kinds."""
    asset_id, kind = f"asset-{number:05}", number % 7
    image = MAKE.image(image_id=number, asset_id=asset_id, title=f"Image {number}") if kind != 6 else None
    item = Item(image, asset_id, number, f"Image {number}", fingerprint=f"mark-{number}")
    record = replace(MAKE.record(tags=["old"]), asset_id=asset_id, image_id=number, title=item.title)
    if kind == 0:
        return replace(item, status="conflict", reasons=(reason("conflict").of("prose"),)), replace(
            record, status="conflict"
        )
    if kind == 1:
        return replace(item, status="unknown_asset", reasons=(reason("not_shown", asset=asset_id),)), replace(
            record, seen_updated_at=MOMENT
        )
    desired = MAKE.desired(
        block=MAKE.block if kind not in {2, 3} else None, tags=["new" if kind != 3 else "old"]
    )
    plan = MAKE.plan(desired, MAKE.asset(tags=["old"]), record, asset_id=asset_id)
    if kind == 4:
        return replace(item, plan=withhold(plan), withheld=plan, held="harm"), record
    if kind == 5:
        adopted = PendingWrite(asset_id, number, "run", "fields", sent=True, before_updated_at=MOMENT)
        return replace(item, plan=plan, adopted=adopted), None
    return replace(item, plan=plan), record


@pytest.fixture
def tiny(monkeypatch):
    """Three images a pack, from the third on."""
    monkeypatch.setattr(module, "LOOSE", 2)
    monkeypatch.setattr(module, "PACK", 3)
    monkeypatch.setattr(module, "_PACES", 1)


PAIRS = [pair(number) for number in range(1, 41)]


def names(items):
    """Give items with no more of their images than what names them."""
    return [
        replace(item, image=item.image and NamedImage(item.image_id, item.asset_id, item.title))
        for item in items
    ]


def test_packed_or_not_they_are_the_same(tiny):
    items = Items.of(PAIRS)
    assert items.packed
    assert len(items) == len(PAIRS)
    assert names(items) == names(item for item, _ in PAIRS)
    assert [record for _, record in items.pairs()] == [record for _, record in PAIRS]
    assert [items[place].asset_id for place in (0, 7, -1, 39, 20)] == [
        PAIRS[place][0].asset_id for place in (0, 7, -1, 39, 20)
    ]
    assert names(items[3:9]) == names(item for item, _ in PAIRS[3:9])
    with pytest.raises(IndexError):
        items[40]


def test_slices_hold_all_of_them_once_and_in_order(tiny):
    slices = list(Items.of(PAIRS).slices(7))
    assert [len(several) for several in slices] == [7, 7, 7, 7, 7, 5]
    assert [item.asset_id for several in slices for item, _ in several] == [
        item.asset_id for item, _ in PAIRS
    ]


def test_what_they_say_together_is_what_each_says(tiny):
    held = frozenset({PAIRS[2][0].asset_id, PAIRS[3][0].asset_id})
    items, all_items = Items.of(PAIRS, held), [item for item, _ in PAIRS]
    tally, plans = items.tally, [item.plan for item in all_items if item.plan]
    assert tally.changing == sum(bool(plan.changes) for plan in plans)
    assert tally.jobs == sum(bool(item.plan and (item.plan.changes or item.adopted)) for item in all_items)
    assert tally.adopted == sum(item.adopted is not None for item in all_items)
    assert tally.images == sum(item.image is not None for item in all_items)
    assert tally.withheld == tally.in_part == sum(item.withheld is not None for item in all_items)
    assert tally.lost == [item.asset_id for item in all_items if item.status == "unknown_asset"]
    assert tally.reviewed == {PAIRS[2][0].asset_id}  # the other one is held still
    assert tally.losses == Losses.of(plans)
    assert tally.losses.harm
    assert items.open_images() == {item.image_id for item in all_items if item.image}
    assert items.orphans() == {item.asset_id for item in all_items if item.image is None}


def test_those_that_tell_something_are_found_without_the_others(tiny):
    items = Items.of(PAIRS)
    shown = [item.asset_id for item in items.telling()]
    assert shown == [item.asset_id for item, _ in PAIRS if module.is_telling(item)]
    assert 0 < len(shown) == items.tally.telling < len(PAIRS)


def test_some_with_the_most_kinds_of_writes_are_chosen_all_over_them(tiny):
    items = Items.of(PAIRS)
    chosen = [item for item, _ in items.richest(3)]
    assert all(item.plan.writes_fields and item.plan.add_tags and item.plan.remove_tags for item in chosen)
    places = [item.image_id for item in chosen]
    assert places == sorted(set(places))
    assert places[-1] - places[0] > len(PAIRS) // 3
    assert items.richest(0) == []


def test_of_very_many_few_plans_are_alive():
    gc.collect()
    before = sum(type(one) is AssetPlan for one in gc.get_objects())
    items = Items.of(pair(number) for number in range(1, 3_001))
    alive = sum(type(one) is AssetPlan for one in gc.get_objects()) - before
    assert items.tally.jobs > 1_500
    assert alive < 2 * module.PACK + module.PACK
