"""What the catalogue cannot tell is left alone in Immich: it is neither written over, taken away nor forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.catalogue import Acquisition, Catalogue, Equipment, PlateSolution
from reconciler.core.desired.desired import desire
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.plan.conflicts import side
from reconciler.core.policy import DescriptionPolicy, Policy
from reconciler.core.reasons import reason
from reconciler.core.records import Resolution
from reconciler.core.unknown import unknown_of, without
from reconciler.errors import UnusableImageError

IMAGES = "astrophotography_images"


def unknown(make, *fields, **known):
    return make.desired(unreadable=frozenset(fields), **known)


def test_a_block_that_the_catalogue_can_not_tell_stays_whole_and_ours(make):
    thinner = "✦ M 31 · NGC 224\n— Skymmich"
    plan = make.plan(
        unknown(make, "block", block=thinner),
        make.asset(f"Mine\n\n{make.block}"),
        make.record(block=make.block),
    )
    assert not plan.changes
    assert not plan.takes_away
    assert plan.base.block == make.block
    assert make.decision(plan, "block") == ("not_writable", "keep")
    assert plan.decisions[0].reason == reason("unreadable")


def test_a_block_that_is_not_there_yet_is_not_made_of_half_the_facts(make):
    plan = make.plan(unknown(make, "block", block=make.block), make.asset("Mine"))
    assert not plan.changes


def test_the_prose_is_kept_up_beside_a_block_that_can_not_be_told(make):
    plan = make.plan(
        unknown(make, "block", prose="Newer"),
        make.asset(f"Older\n\n{make.block}"),
        make.record(block=make.block, prose="Older"),
    )
    assert plan.description == f"Newer\n\n{make.block}"
    assert plan.block is None
    assert plan.base.block == make.block


def test_a_prose_that_can_not_be_told_stays_and_the_block_goes_on(make):
    plan = make.plan(
        unknown(make, "prose", block=make.newer),
        make.asset(f"Words\n\n{make.block}"),
        make.record(block=make.block, prose="Words"),
    )
    assert plan.description == f"Words\n\n{make.newer}"
    assert plan.base.prose == "Words"
    assert make.decision(plan, "prose") == ("not_writable", "keep")


@pytest.mark.parametrize("which", ["block", "prose"])
def test_a_person_s_decision_outlives_what_can_not_be_told(make, which):
    live = make.block if which == "block" else "Words"
    decided = Resolution(which, "immich", side("wanted"), side(live), datetime(2026, 1, 1, tzinfo=UTC))
    record = make.record()
    record = type(record)(record.asset_id, 1, resolutions=(decided,))
    plan = make.plan(unknown(make, which), make.asset(live), record)
    assert plan.resolutions == (decided,)
    assert not plan.changes


def test_of_tags_that_are_not_all_known_none_is_taken_off(make):
    plan = make.plan(
        unknown(make, "more_tags", tags=["a", "b"]), make.asset(tags=["a", "z"]), make.record(tags=["a", "z"])
    )
    assert plan.add_tags == {"b"}
    assert plan.remove_tags == frozenset()
    assert plan.base.tags == {"a", "z"}
    whole = make.plan(make.desired(tags=["a"]), make.asset(tags=["a", "z"]), make.record(tags=["a", "z"]))
    assert whole.remove_tags == {"z"}


SOLVED = PlateSolution(10.5, 41.2, 4000.0, 3000.0, 12.0)
ROWS = (Acquisition("Ha", 10, 300.0),)
SCOPE = (Equipment(1, "FRA400", "telescope"),)


@pytest.mark.parametrize(
    ("known", "column", "expected"),
    [
        ({}, f"{IMAGES}.telescope", {"block"}),
        ({"equipment": SCOPE}, f"{IMAGES}.telescope", set()),
        ({"equipment": SCOPE}, f"{IMAGES}.camera", {"block"}),
        ({}, f"{IMAGES}.frame_count", {"block"}),
        ({"acquisitions": ROWS}, f"{IMAGES}.frame_count", set()),
        ({}, f"{IMAGES}.constellation", {"block", "tags"}),
        ({"solution": SOLVED}, f"{IMAGES}.constellation", set()),
        ({"solution": SOLVED}, f"{IMAGES}.rotation", set()),
        ({"solution": PlateSolution(10.5, 41.2)}, f"{IMAGES}.rotation", {"block"}),
        ({}, f"{IMAGES}.rotation", set()),
        ({"solution": SOLVED}, "plate_solving_jobs.result", {"block"}),
        ({"solution": PlateSolution()}, "plate_solving_jobs.result", {"block", "tags"}),
        ({}, "plate_solving_jobs.result", set()),
        ({}, "locations.name", set()),
        ({"latitude": 48.0, "longitude": 11.0}, "locations.name", {"block"}),
        ({}, "catalog_objects.messier", set()),
        ({"target_name": "M 31"}, "catalog_objects.messier", {"block", "tags"}),
        ({}, f"{IMAGES}.iso", {"block"}),
        ({"acquisitions": ROWS}, f"{IMAGES}.iso", set()),
        ({}, "notifications.text", set()),
    ],
)
def test_a_column_costs_what_rests_on_it_in_this_very_image(make, known, column, expected):
    assert unknown_of(make.image(**known), {column}) == expected


def test_columns_that_are_gone_are_told_once_however_often_they_are_looked_for(make):
    there = frozenset({f"{IMAGES}.filename", "image_acquisition.id"})
    catalogue = Catalogue((make.image(title="Moon"),), columns=there)
    gone = {f"{IMAGES}.title", "locations.name", "locations.id"}
    once = without(catalogue, gone)
    assert without(once, gone) is once
    assert [(one.table, one.row_id) for one in once.problems] == [(IMAGES, "-"), ("locations", "-")]
    assert once.images[0].unreadable == {"block", "tags"}
    assert once.doubtful_ids() == frozenset()
    assert without(catalogue, frozenset()) is catalogue


def test_values_that_nobody_thought_of_are_an_error_of_their_image(make):
    policy = Policy()
    image = make.image(latitude=10**400, longitude=1.0)
    with pytest.raises(UnusableImageError, match="OverflowError"):
        desire(image, policy, BlockTemplate(DescriptionPolicy()), make.form())
