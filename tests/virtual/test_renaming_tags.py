"""A branch of tags renamed in the configuration: new tags first, then ours, told as one, undone, tidied up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.core.policy import GuardPolicy, Policy, TagPolicy
from reconciler.core.store_keys import CREATED_TAGS, RENAMED_TAGS

REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,clock_skew"
GUARDED = GuardPolicy(canary=0, min_count=1, max_fraction=0.0)
"""Holds the smallest loss back."""


def policy(guard=GUARDED, **tags):
    return Policy(tags=TagPolicy(**tags), guard=guard)


def all_tags(here):
    return {asset_id: set(one["tags"]) for asset_id, one in here.shown().items()}


def renamed(tags):
    return {"Astronomy" + tag.removeprefix("Astro") if tag.startswith("Astro/") else tag for tag in tags}


@pytest.mark.parametrize("unkind", ["none", REAL])
def test_a_renamed_root_is_one_change_with_a_person_in_between(world, unkind):
    here = world(count=12, unkind=unkind, policy=policy())
    theirs = here.images()[0][1]
    here.person(theirs, "add_tag", "Astro/of a person")
    here.settle()
    here.run(full=True)
    before = all_tags(here)
    assert "Astro/of a person" in before[theirs]

    here.policy = policy(root="Astronomy")
    look = here.look(full=True)
    ours = sum(len(record.applied.tags) for record in here.store.records().values())
    assert look.items.tally.renamed == {("Astro", "Astronomy"): ours}
    assert not look.verdict.tripped

    report = here.run(full=True)
    assert report.error is None
    after = all_tags(here)
    expected = {asset_id: renamed(tags) for asset_id, tags in before.items()}
    expected[theirs] = (expected[theirs] - {"Astronomy/of a person"}) | {"Astro/of a person"}
    assert after == expected
    told = [one for one in report.run.summary if one.code == "run_renamed"]
    assert [(one.get("before"), one.get("after"), one.get("count")) for one in told] == [
        ("Astro/…", "Astronomy/…", ours)
    ]
    # A person's tag keeps its branch; of the rest of the old tree nothing is left.
    assert {tag for tag in here.tags if tag.partition("/")[0] == "Astro"} == {"Astro", "Astro/of a person"}
    assert not RENAMED_TAGS.is_kept(here.store)
    assert here.run(full=True).run.counts.changed == 0
    assert here.writes == 0


def test_an_old_root_that_nothing_carries_is_deleted(world):
    here = world(count=4, policy=policy())
    here.run(full=True)
    here.policy = policy(root="")
    report = here.run(full=True)
    assert not any(tag.partition("/")[0] == "Astro" for tag in here.tags)
    assert not any(tag.partition("/")[0] == "Astro" for tag in CREATED_TAGS.read(here.store))
    deleted = next(one for one in report.run.summary if one.code == "run_tags_deleted")
    assert deleted.get("count") > 4
    # And back: the top of the tree has a branch again.
    here.policy = policy(root="Astro", groups=False)
    here.run(full=True)
    assert {tag.partition("/")[0] for tag in here.tags} == {"Astro"}
    here.policy = policy(root="Astro", groups=True)
    report = here.run(full=True)
    told = {one.get("after") for one in report.run.summary if one.code == "run_renamed"}
    assert told == {"Astro/Constellation/…", "Astro/Equipment/…", "Astro/Target/…", "Astro/Type/…"}
    assert here.run(full=True).run.counts.changed == 0


def test_what_a_rename_did_is_taken_back(world):
    here = world(count=4, policy=policy())
    here.run(full=True)
    before = all_tags(here)
    here.policy = policy(root="Astronomy")
    here.run(full=True)
    here.undo("run-2")
    assert all_tags(here) == before
    assert here.run(full=True).run.counts.changed == 0
    assert all_tags(here) == before


def test_a_renamed_root_sends_a_canary_first(world):
    here = world(count=8, policy=policy(guard=GuardPolicy(canary=2)))
    here.run(full=True)
    here.policy = replace(here.policy, tags=TagPolicy(root="Astronomy"))
    sent = len(here.line.sent)
    assert here.run(full=True).error is None
    first = {}
    for at, method, path, body in here.line.sent[sent:]:
        if (method, path) == ("PUT", "/api/tags/assets"):
            for asset_id in json.loads(body)["assetIds"]:
                first.setdefault(asset_id, at)
    _, second, third, *_ = sorted(first.values())
    assert len(first) == 8
    assert third - second > here.timing.recheck, "the others wait until two were seen to keep it"


def test_a_kill_amid_a_rename_leaves_no_second_tree(world):
    here = world(count=12, policy=policy(), unkind="settling")
    here.run(full=True)
    before = all_tags(here)
    here.policy = policy(root="Astronomy")
    for within in (0.5, 1.0, 1.5, 2.0, 2.5):
        here.run(full=True, within=within)
    report = here.run(full=True)
    assert report.error is None
    here.run(full=True)
    assert all_tags(here) == {asset_id: renamed(tags) for asset_id, tags in before.items()}
    assert not any(tag.partition("/")[0] == "Astro" for tag in here.tags)
