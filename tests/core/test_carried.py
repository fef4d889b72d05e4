"""What of a replaced asset is a person's, and the plan that carries it over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core import kept_json
from reconciler.core.asset import Applied, Coordinates
from reconciler.core.belongings import Album, Belongings
from reconciler.core.carry_over import CarryOver, Kept
from reconciler.core.desired.block import Markers
from reconciler.core.plan.asset_plan import plan_asset
from reconciler.core.plan.carried import albums_to_join, carry_over_plan, left_of, persons, remembered
from reconciler.core.records import JournalEntry

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
HERE, THERE = Coordinates(48.1, 11.6), Coordinates(-30.1, -70.8)
DAY = datetime(2025, 2, 2, 22, 0, tzinfo=UTC)
MARKERS = Markers()


def offer(**kept):
    return CarryOver("old", "new", 1, "M 31", NOW, "asset", Kept(**kept))


@pytest.fixture
def carried(make):
    """Plan carrying things over to an asset in which this is ours."""

    def planned(observed, *offers, ours=None, **rules):
        applied, rules = ours or Applied(), make.rules(**rules)
        blank = plan_asset(1, "M 31", make.desired(), observed, None, rules)
        return carry_over_plan(blank, offers, applied, rules)

    return planned


def test_what_this_program_wrote_is_no_persons(make):
    seen = make.asset(
        f"From Skymmich\nSeen with my daughter\n\n{make.block}", coordinates=HERE, tags=["a", "Family"]
    )
    ours = Applied(block=make.block, prose="From Skymmich", coordinates=HERE, tags=frozenset({"a"}))
    assert persons(seen, ours, MARKERS) == Kept(prose="Seen with my daughter", tags=frozenset({"Family"}))


def test_a_pin_that_was_moved_and_lines_within_the_block_are_a_persons(make):
    head, _, rest = make.block.partition("\n")
    seen = make.asset(f"{head}\nFirst light!\n{rest}", coordinates=THERE)
    kept = persons(seen, Applied(block=make.block, coordinates=HERE), MARKERS)
    assert (kept.prose, kept.coordinates) == ("First light!", THERE)


def test_of_an_asset_that_is_gone_the_journal_tells_what_was_there_at_the_last_writes(make):
    entries = [
        JournalEntry("r3", "old", 1, "tags", [], ["a", "Family"], NOW),
        JournalEntry("r2", "old", 1, "description", "", f"Mine\n\n{make.block}", NOW),
        JournalEntry("r1", "old", 1, "description", "", "Older", NOW),
    ]
    ours = Applied(block=make.block, tags=frozenset({"a"}))
    assert remembered(entries, ours, MARKERS) == Kept(prose="Mine", tags=frozenset({"Family"}))
    assert remembered([], ours, MARKERS).is_empty


def test_only_what_is_not_there_yet_is_added_below_what_is(make, carried):
    seen = make.asset(f"Mine\nSame\n\n{make.block}", tags=["Family"])
    plan = carried(
        seen, offer(prose="Same\nSeen with my daughter", tags=frozenset({"Family", "Best"})), ours=Applied(block=make.block)
    )  # fmt: skip
    assert plan.description == f"Mine\nSame\n\nSeen with my daughter\n\n{make.block}"
    assert (plan.add_tags, plan.remove_tags) == ({"Best"}, frozenset())
    assert plan.gives_back
    assert plan.carries
    # Carried over once more there is nothing to do.
    again = carried(
        make.asset(plan.description, tags=["Family", "Best"]),
        offer(prose="Same"),
        ours=Applied(block=make.block),
    )
    assert not again.changes
    assert left_of(again) == ()


@pytest.mark.parametrize(
    ("live", "ours", "wins"),
    [(None, None, True), (HERE, HERE, True), (HERE, None, False), (THERE, None, False)],
)
def test_a_persons_pin_takes_the_place_of_ours_and_of_none_but_not_of_another_persons(
    make, carried, live, ours, wins
):
    plan = carried(make.asset(coordinates=live), offer(coordinates=THERE), ours=Applied(coordinates=ours))
    assert plan.coordinates == (THERE if wins else None)


def test_of_several_replaced_assets_the_first_ones_value_counts_and_all_words_come(make, carried):
    plan = carried(make.asset(), offer(prose="One", coordinates=THERE), offer(prose="Two", coordinates=HERE))
    assert plan.coordinates == THERE
    assert plan.description == "One\n\nTwo"


def test_a_text_that_would_be_too_long_is_left_and_said(make, carried):
    plan = carried(make.asset("x" * 90), offer(prose="y" * 90), max_bytes=100)
    assert plan.description is None
    assert [(one.code, one.fields) for one in left_of(plan)] == [("text_too_long", ("prose",))]


def test_what_is_still_to_be_written_afterwards_was_not_carried_over(make, carried):
    (why,) = left_of(carried(make.asset(), offer(prose="One", coordinates=THERE, tags=frozenset({"a"}))))
    assert (why.code, why.fields) == ("not_carried_over", ("prose", "coordinates", "tags"))


def test_tags_that_are_not_known_are_not_added(make, carried):
    plan = carried(replace(make.asset(), tags=None), offer(tags=frozenset({"a"})))
    assert plan.add_tags == frozenset()


def test_albums_are_joined_where_it_is_known_that_it_is_not_in_them():
    kept = Kept(albums=(Album("1", "One"), Album("2", "Two")))
    assert albums_to_join(kept, Belongings(albums=(Album("1", "One"),))) == (Album("2", "Two"),)
    assert albums_to_join(kept, Belongings(albums=None)) == ()


def test_what_is_kept_comes_back_from_json():
    kept = Kept("Mine", frozenset({"a"}), HERE, DAY, favorite=True, albums=(Album("1", "One"),))
    assert kept_json.from_json(kept_json.to_json(kept)) == kept
    assert kept_json.from_json({}).is_empty
