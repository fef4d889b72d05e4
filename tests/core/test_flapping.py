"""How often a value of ours is put right that somebody else changes, and when it is left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.plan.asset_plan import plan_asset
from reconciler.core.plan.flapping import PAUSES, QUIET, counted, is_due
from reconciler.core.policy import GuardPolicy
from reconciler.core.records import Correction
from tests.core.conftest import MOMENT

HERE, THERE = Coordinates(48.1, 11.6), Coordinates(10.0, 20.0)
OURS = {"block": None, "coordinates": HERE, "tags": frozenset({"Astro/Galaxy"})}


class Flapping:
    """One asset of which a field is changed and, where the plan says so, put right."""

    def __init__(self, make, field, most=3):
        self.make, self.field, self.now = make, field, MOMENT
        value = {"block": make.block, "coordinates": HERE, "tags": {"Astro/Galaxy"}}[field]
        self.desired = make.desired(**{field: value})
        self.record = make.record(**{field: value})
        self.rules = make.rules()
        guard = GuardPolicy(corrections=most)
        self.rules = replace(self.rules, policy=replace(self.rules.policy, guard=guard))

    def theirs(self):
        if self.field == "block":
            return self.make.asset(self.make.block.replace("FRA400", "mine"), updated_at=self.now)
        if self.field == "tags":
            return self.make.asset(updated_at=self.now)
        return self.make.asset(coordinates=THERE, updated_at=self.now)

    def plan(self, seen=None):
        return plan_asset(1, "M 31", self.desired, seen or self.theirs(), self.record, self.rules, self.now)

    def carry_out(self):
        """Plan, and note what was put right; tells whether anything was."""
        plan = self.plan()
        changed = {one.field for one in plan.correcting} if plan.changes else set()
        self.record = replace(self.record, corrections=counted(plan, plan, changed))
        return plan.changes

    def decision(self):
        return next(one for one in self.plan().decisions if one.field == self.field)


@pytest.fixture(params=["block", "coordinates", "tags"])
def flapping(request, make):
    return Flapping(make, request.param)


def test_it_is_put_right_at_once_then_after_an_hour_then_after_six_and_then_left(flapping):
    assert flapping.carry_out()
    for pause in PAUSES[:2]:
        assert not flapping.carry_out()
        assert flapping.decision().case == "contested"
        assert flapping.decision().reason.code == "correction_waits"
        flapping.now += pause - timedelta(seconds=1)
        assert not is_due(flapping.record.corrections, flapping.now)
        assert not flapping.carry_out()
        flapping.now += timedelta(seconds=1)
        assert is_due(flapping.record.corrections, flapping.now)
        assert flapping.carry_out()
    for _ in range(20):
        flapping.now += timedelta(days=3)
        assert not flapping.carry_out()
    assert flapping.decision().reason.code == "contested"
    assert flapping.plan().conflicts
    assert flapping.plan().base == flapping.record.applied, "it is ours still, and known to be changed"


@pytest.mark.parametrize("most", [1, 2, 5])
def test_how_often_can_be_chosen(make, most):
    flapping, done = Flapping(make, "block", most), 0
    for _ in range(40):
        done += flapping.carry_out()
        flapping.now += timedelta(days=2)
    assert done == most


def test_it_begins_anew_after_a_week_in_which_it_stood(flapping):
    for _ in range(12):
        assert flapping.carry_out()
        flapping.now += QUIET + timedelta(seconds=1)


def test_it_begins_anew_with_another_value_of_the_catalogue(make):
    flapping = Flapping(make, "block")
    for _ in range(9):
        flapping.carry_out()
        flapping.now += timedelta(days=1)
    assert flapping.decision().case == "contested"
    flapping.desired = make.desired(block=make.newer)
    assert flapping.plan().corrections == ()


def test_what_both_sides_agree_on_is_held_no_more(flapping):
    for _ in range(9):
        flapping.carry_out()
        flapping.now += timedelta(days=1)
    shown = {"block": {"description": flapping.make.block}, "coordinates": {"coordinates": HERE},
             "tags": {"tags": ["Astro/Galaxy"]}}[flapping.field]  # fmt: skip
    assert flapping.plan(flapping.make.asset(updated_at=flapping.now, **shown)).corrections == ()


def test_only_the_tag_that_is_taken_off_again_and_again_is_left(make):
    flapping = Flapping(make, "tags")
    for _ in range(9):
        flapping.carry_out()
        flapping.now += timedelta(days=1)
    flapping.desired = make.desired(tags={"Astro/Galaxy", "Astro/New"})
    plan = flapping.plan()
    assert plan.add_tags == {"Astro/New"}
    assert "Astro/Galaxy" in plan.base.tags
    assert [one.desired for one in plan.correcting] == []


def test_what_a_clock_that_was_ahead_wrote_keeps_nothing_waiting(flapping):
    flapping.carry_out()
    flapping.now -= timedelta(days=400)
    assert flapping.carry_out()


def test_nothing_is_counted_where_nobody_asks_for_the_time(flapping):
    flapping.record = replace(
        flapping.record,
        corrections=tuple(Correction(f, "d", 9, MOMENT, held=True) for f in ("block", "tags")),
    )
    flapping.now = None
    seen = replace(flapping.theirs(), updated_at=MOMENT)
    plan = flapping.plan(seen)
    assert plan.changes
    assert plan.corrections == flapping.record.corrections
