"""Tags of many assets are verified by a search for each tag; what no search shows surely is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.policy import GuardPolicy, Policy
from tests.virtual.test_promises import assert_nothing_lost

OWN = {"object_type": False, "constellation": False, "target": False, "equipment": False}


@pytest.fixture
def shared_tags(world):
    """Make a world in which few tags are on many images."""

    def make(tags='["Wide","Deep"]', **how):
        policy = Policy(guard=GuardPolicy(canary=0))
        policy = replace(policy, tags=replace(policy.tags, **OWN))
        here = world(policy=policy, **how)
        here.sql("UPDATE astrophotography_images SET tags = ?", tags)
        return here

    return make


def test_few_tags_on_many_images_cost_a_search_each_and_no_reading(shared_tags):
    here = shared_tags(copies=2, unkind="settling,lost_updates,slow_tagging", drain=60.0)
    images = len(here.images())
    here.run()
    assert here.statuses() == {"in_sync": images}
    assert here.requests["GET /assets/{id}"] <= images + 5  # before the text of each is written
    assert here.requests.total() <= 2.5 * images
    assert all({"Astro/Wide", "Astro/Deep"} <= set(one["tags"]) for one in here.shown().values())
    assert all(one.applied.tags >= {"Astro/Wide"} for one in here.store.records().values())
    assert_nothing_lost(here)
    here.run()
    assert here.writes == 0


def test_a_tag_that_immich_did_not_keep_is_found_though_many_are_checked_at_once(shared_tags):
    here = shared_tags(copies=2, unkind="settling,read_only", drain=200.0)
    odd = here.images()[4][1]
    for asset in here.state.assets.values():
        asset.read_only = asset.asset_id == odd
    here.run()
    assert here.statuses() == {"in_sync": len(here.images()) - 1, "not_sticking": 1}
    assert here.store.records()[odd].applied.tags == frozenset()


def test_who_has_only_a_tag_below_is_not_taken_to_have_the_one_above(shared_tags):
    """A search for a tag lists who has one below it, too."""
    here = shared_tags('["Deep"]', copies=2, unkind="settling,read_only", drain=200.0)
    odd = here.images()[4][1]
    here.person(odd, "add_tag", "Astro/Deep/Very")
    here.settle()
    for asset in here.state.assets.values():
        asset.read_only = asset.asset_id == odd
    here.run()
    assert here.statuses()["not_sticking"] == 1
    assert here.store.records()[odd].applied.tags == frozenset()


def test_the_few_that_are_archived_are_read_instead_of_searched_for_by_every_tag(world):
    """A search answers for one visibility: for the few in the archive it would cost as much as for all others."""
    here = world(copies=15, unkind="settling,archived", drain=200.0)
    archived = [one for one in here.state.assets.values() if one.visibility == "archive"]
    assert 0 < len(archived) < 40
    here.run()
    tags = {tag for shown in here.shown().values() for tag in shown["tags"]}
    assert here.statuses() == {"in_sync": len(here.images())}
    assert here.requests["POST /search/metadata"] <= 1.1 * len(tags) + 60
    assert_nothing_lost(here)
