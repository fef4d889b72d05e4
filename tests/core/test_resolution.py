"""A person's decision of a conflict holds for just the two values it was made between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.asset import Coordinates
from reconciler.core.desired.block import split
from reconciler.core.plan.conflicts import choices, decide, sides
from reconciler.core.reasons import reason

HERE, THERE, ELSEWHERE = Coordinates(48.1, 11.6), Coordinates(-30.1, -70.8), Coordinates(52.5, 13.4)
AT = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def field(plan, name):
    return next(decision for decision in plan.decisions if decision.field == name)


def decided(make, plan, name, keep, record=None):
    """Give the record with a decision of a field, as the engine keeps it."""
    record = record or make.record()
    made = decide(plan, field(plan, name), keep, make.rules().markers, AT)
    others = tuple(one for one in record.resolutions if one.field != name)
    return replace(record, resolutions=(*others, made))


def carried_out(make, plan, record):
    observed, record = make.carry_out(plan, record)
    return observed, replace(record, resolutions=plan.resolutions)


@pytest.fixture
def words(make):
    """A person's words against the catalogue's, and a block that is in sync."""
    desired = make.desired(block=make.block, prose="From Skymmich")
    observed = make.asset(f"By hand\n\n{make.block}\n\nBelow")
    return desired, observed, make.plan(desired, observed)


def test_only_a_conflict_can_be_decided(make, words):
    desired, observed, plan = words
    assert choices(field(plan, "prose")) == ("immich", "skymmich", "both")
    assert choices(field(plan, "block")) == ()
    place = make.plan(make.desired(coordinates=HERE), make.asset(coordinates=THERE))
    assert choices(field(place, "coordinates")) == ("immich", "skymmich")
    forced = make.plan(desired, observed, rules=make.rules(on_conflict="overwrite"))
    assert choices(field(forced, "prose")) == ()


def test_immich_s_side_stays_and_is_no_conflict_any_more(make, words):
    desired, observed, plan = words
    record = decided(make, plan, "prose", "immich")
    after = make.plan(desired, observed, record)
    assert make.decision(after, "prose") == ("resolved", "nothing")
    assert not after.changes
    assert after.conflicts == ()
    assert after.resolutions == record.resolutions
    assert field(after, "prose").reason == reason("decided_immich", day="2026-11-22")
    assert choices(field(after, "prose"))  # it can be decided anew


@pytest.mark.parametrize("change", ["Skymmich", "Immich"])
@pytest.mark.parametrize("keep", ["immich", "skymmich", "both"])
def test_a_change_of_either_side_brings_the_conflict_back(make, words, change, keep):
    desired, observed, plan = words
    record = decided(make, plan, "prose", keep)
    if change == "Skymmich":
        desired = replace(desired, prose="Other words")
    else:
        observed = replace(observed, description=observed.description.replace("By hand", "By hand, later"))
    after = make.plan(desired, observed, record)
    assert make.decision(after, "prose") == ("conflict", "keep")
    assert not after.changes
    assert after.resolutions == ()


def test_a_decision_of_one_field_is_none_of_another(make, words):
    desired, observed, plan = words
    record = decided(make, plan, "prose", "skymmich")
    desired, observed = replace(desired, coordinates=HERE), replace(observed, coordinates=THERE)
    after = make.plan(desired, observed, record)
    assert make.decision(after, "coordinates") == ("conflict", "keep")
    assert after.coordinates is None


def test_skymmich_s_side_is_written_once_and_then_owned(make, words):
    desired, observed, plan = words
    record = decided(make, plan, "prose", "skymmich")
    after = make.plan(desired, observed, record)
    assert make.decision(after, "prose") == ("conflict", "write")
    assert after.prose == "From Skymmich"
    assert "By hand" not in after.description
    assert not after.takes_away  # the person has seen what goes
    observed, record = carried_out(make, after, record)
    later = make.plan(desired, observed, record)
    assert make.decision(later, "prose") == ("in_sync", "nothing")
    assert later.resolutions == ()
    # The same two sides once more are another conflict: the decision was for that once.
    again = make.plan(desired, words[1], replace(record, resolutions=later.resolutions))
    assert make.decision(again, "prose")[1] == "keep"


def test_both_keep_the_person_s_words_where_they_are(make, words):
    desired, observed, plan = words
    record = decided(make, plan, "prose", "both")
    after = make.plan(desired, observed, record)
    assert after.description == f"By hand\n\nFrom Skymmich\n\n{make.block}\n\nBelow"
    assert after.prose is None  # not ours: a person's words are in it
    observed, record = carried_out(make, after, record)
    later = make.plan(desired, observed, record)
    assert make.decision(later, "prose") == ("resolved", "nothing")
    assert not later.changes
    assert [one.keep for one in later.resolutions] == ["immich"]
    # From here on it holds as a decision for what stands there now.
    once_more = make.plan(desired, observed, replace(record, resolutions=later.resolutions))
    assert make.decision(once_more, "prose") == ("resolved", "nothing")
    undone = make.plan(desired, words[1], replace(record, resolutions=later.resolutions))
    assert make.decision(undone, "prose") == ("conflict", "keep")


def test_both_where_immich_has_the_catalogue_s_words_already_write_nothing(make):
    desired, observed = make.desired(prose="Short"), make.asset("Short, and a person's more")
    record = decided(make, make.plan(desired, observed), "prose", "both")
    after = make.plan(desired, observed, record)
    assert make.decision(after, "prose") == ("resolved", "nothing")
    assert not after.changes


def test_a_block_of_unknown_origin_gives_way_and_its_own_lines_stay(make):
    desired = make.desired(block=make.block)
    observed = make.asset("✦ Of an older time\nTelescope: FRA400\nWith Anna\n— Skymmich")
    plan = make.plan(desired, observed)
    assert make.decision(plan, "block") == ("conflict", "keep")
    after = make.plan(desired, observed, decided(make, plan, "block", "both"))
    assert after.description == f"{make.block}\n\nOf an older time\nWith Anna"
    taken = make.plan(desired, observed, decided(make, plan, "block", "skymmich"))
    assert taken.description == make.block
    kept = make.plan(desired, observed, decided(make, plan, "block", "immich"))
    assert not kept.changes


def test_a_place_is_decided_either_way(make):
    desired, observed = make.desired(coordinates=HERE), make.asset(coordinates=THERE)
    plan = make.plan(desired, observed)
    assert not make.plan(desired, observed, decided(make, plan, "coordinates", "immich")).changes
    taken = make.plan(desired, observed, decided(make, plan, "coordinates", "skymmich"))
    assert taken.coordinates == HERE
    moved = replace(observed, coordinates=ELSEWHERE)
    assert not make.plan(desired, moved, decided(make, plan, "coordinates", "skymmich")).changes


def test_a_decision_outlives_a_field_that_is_switched_off_for_a_while(make, words):
    from reconciler.core.policy import Switches

    desired, observed, plan = words
    record = decided(make, plan, "prose", "immich")
    off = make.plan(desired, observed, record, make.rules(switches=Switches(description=False)))
    assert off.resolutions == record.resolutions


def test_a_decision_holds_over_a_policy_that_overwrites(make, words):
    desired, observed, plan = words
    record = decided(make, plan, "prose", "immich")
    after = make.plan(desired, observed, record, make.rules(on_conflict="overwrite"))
    assert not after.changes


def test_what_was_shown_is_named_by_both_sides(make, words):
    desired, observed, plan = words
    shown = sides(field(plan, "prose"))
    assert shown == sides(field(make.plan(desired, observed), "prose"))
    assert shown != sides(field(make.plan(replace(desired, prose="Other"), observed), "prose"))


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(WORDS, WORDS, WORDS, st.booleans())
def test_both_lose_no_line_of_either_side_and_are_settled_by_one_write(make, before, below, theirs, blocked):
    block = make.block if blocked else None
    observed = make.asset(before + (f"\n\n{block}" if block else "") + (f"\n\n{below}" if block else ""))
    desired = make.desired(block=block, prose=theirs.strip() or None)
    plan = make.plan(desired, observed)
    if make.decision(plan, "prose") != ("conflict", "keep"):
        return
    record = decided(make, plan, "prose", "both")
    after = make.plan(desired, observed, record)
    text = after.description if after.description is not None else observed.description
    mine = split(observed.description, make.rules().markers).prose
    for line in (*mine.split("\n"), *desired.prose.split("\n")):
        assert line.strip() in text
    observed, record = carried_out(make, after, record)
    later = make.plan(desired, observed, record)
    assert not later.changes
    assert not later.conflicts


def test_a_drift_that_is_left_to_the_person_can_be_decided_for_skymmich_or_both(make):
    desired, record = make.desired(prose="Written"), make.record(prose="Written")
    observed = make.asset("Mine")
    plan = make.plan(desired, observed, record)
    assert choices(field(plan, "prose")) == ("skymmich", "both")
    taken = make.plan(desired, observed, decided(make, plan, "prose", "skymmich", record))
    assert taken.description == "Written"
    both = make.plan(desired, observed, decided(make, plan, "prose", "both", record))
    assert both.description == "Mine\n\nWritten"


def test_a_drift_that_is_put_right_needs_no_decision(make):
    desired, record = make.desired(block=make.block), make.record(block=make.block)
    plan = make.plan(desired, make.asset(make.block.replace("FRA400", "mine")), record)
    assert choices(field(plan, "block")) == ()
