"""The steps of an undo: packed or not they are the same, and what is counted as they come is right."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.plan import AssetPlan
from reconciler.core.plan.reversal import Former, Reversal, TextStep, ValueStep
from reconciler.core.plan.undo import Reversed, TextReturn
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord
from reconciler.engine.item import Item
from reconciler.engine.undo_steps import LOOSE, Step, Steps

T0 = datetime(2026, 3, 1, 20, tzinfo=UTC)

TEXTS = (TextReturn("removed"), TextReturn("former"), TextReturn("stays", "removed"))


def step(number):
    asset_id, title = f"asset-{number}", f"Image {number}"
    place = Coordinates(20.0, 30.0)
    observed = ObservedAsset(
        asset_id, "me", T0, description="Mine", coordinates=place, tags=frozenset({"a", "b"})
    )
    plan = AssetPlan(
        number, asset_id, title, observed, Desired(), base=Applied("block"), gives_back=True,
        description="" if number % 2 else None, remove_tags=frozenset({"a"}),
    )  # fmt: skip
    reversal = Reversal(
        asset_id, number, (TextStep("", "block"),), {"coordinates": ValueStep(None, place)},
        added=frozenset({"a"}), former=Former(prose="", values={"coordinates": None}),
    )  # fmt: skip
    left = (reason("no_place_before").of("coordinates"),) if number % 3 == 0 else ()
    found = None if number % 7 == 0 else Reversed(plan, left, TEXTS[number % 3])
    return Step(
        Item(None, asset_id, number, title), reversal, found, left,
        AssetRecord(asset_id, number, title, Applied("block")), "run-1", unread=True, told=bool(number % 2),
    )  # fmt: skip


@pytest.mark.parametrize("count", [0, 5, LOOSE, LOOSE + 1, LOOSE + 50])
def test_steps_are_what_was_added_packed_or_not(count):
    made = [step(number) for number in range(count)]
    steps = Steps(made)
    assert len(steps) == count
    assert steps.is_large == (count > LOOSE)
    assert list(steps) == made
    assert [steps[place] for place in range(count)] == made
    assert [one for several in steps.slices(17) for one in several] == made
    if count:
        assert steps[-1] == made[-1]
        assert steps[:3] == tuple(made[:3])
    with pytest.raises(IndexError):
        steps[count]


def test_what_is_counted_as_they_come_is_what_there_is():
    made = [step(number) for number in range(LOOSE + 20)]
    steps = Steps(made)
    assert steps.jobs == sum(one.is_job for one in made)
    assert steps.left == sum(len(one.left) for one in made)
    plans = [one.change for one in made if one.change is not None]
    assert steps.counts["images"] == len(plans)
    assert steps.counts["descriptions"] == sum(plan.description is not None for plan in plans)
    assert steps.counts["tags_off"] == sum(len(plan.remove_tags) for plan in plans)
    assert steps.texts == {
        text: sum(one.change is not None and one.change.description is not None and one.found.text == text
                  for one in made)
        for text in TEXTS
    }  # fmt: skip
    assert steps.texts.total() == steps.counts["descriptions"]
    assert 0 < steps.counts["descriptions"] < steps.counts["images"] < len(made)
