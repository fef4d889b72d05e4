"""The engine against each version of Immich: the same stories, and the same end."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from uuid import uuid1

import pytest

from reconciler.simulator.server.state import USER_ID
from tests.virtual.documents import Document
from tests.virtual.tape import Tape
from tests.virtual.test_promises import NAMED, assert_nothing_lost
from tests.virtual.world import forbid_two_at_once

VERSIONS = ("1.144.1", "2.7.5", "3.1.0", "3.2.0")
OLD = VERSIONS[:2]
ENOUGH = 40
"""Requests of one route that are held against a document."""
REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,slow_tagging,clock_skew"


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def shown(here):
    """Give what Immich finally shows of each asset: description, place, tags."""
    return {
        asset_id: (one["description"], one["latitude"], one["longitude"], sorted(one["tags"]))
        for asset_id, one in here.shown().items()
    }


def life(here):
    """Live through what happens to a library: people, edits of the catalogue, and an undo."""
    (first, one), (second, two), (third, _), *_ = here.images()
    here.person(one, "set_description", "A word of mine.")
    here.person(two, "add_tag", "mine/own")
    here.settle()
    before = shown(here)
    here.run()
    written = shown(here)
    here.run()
    idle = here.requests.copy()
    assert here.writes == 0
    here.person(one, "append_description", "\n\nAnother word.")
    here.person(two, "archive")
    here.settle()
    here.tags_of(second, ["Wide", "New/Path"])
    here.sql("UPDATE astrophotography_images SET title = 'Another title' WHERE id IN (?, ?)", first, third)
    here.run(by_person=False)
    edited = shown(here)
    here.tags_of(second, ["Wide"])
    here.run()
    here.run(full=True)
    assert here.writes == 0
    assert here.statuses() == {"in_sync": 11, "conflict": 1}  # the catalogue has other words than the person
    ended = shown(here)
    here.undo("run-1")
    undone = shown(here)
    assert "A word of mine." in undone[one][0]
    assert "mine/own" in undone[two][3]
    assert_nothing_lost(here)
    return {
        "before": before,
        "written": written,
        "idle": idle,
        "edited": edited,
        "ended": ended,
        "undone": undone,
    }


@pytest.fixture(scope="module")
def lives(worlds):
    """Live through the same with each version, once for all."""
    lived = {}
    for version in VERSIONS:
        here = worlds(count=12, unkind=REAL, drain=60.0, version=version)
        here.line = tape = Tape(here.line)
        with pytest.MonkeyPatch.context() as patch:
            forbid_two_at_once(patch)
            lived[version] = life(here) | {"tape": tape.exchanges}
    return lived


@pytest.mark.parametrize("stage", ["before", "written", "edited", "ended", "undone"])
def test_every_version_shows_the_same(lives, version, stage):
    assert lives[version][stage] == lives["2.7.5"][stage]
    others = {one: lives[version][one] for one in ("before", "written", "edited", "ended") if one != stage}
    assert lives[version][stage] not in others.values()


def test_no_version_is_asked_more_when_there_is_nothing_to_do(lives, version):
    assert lives[version]["idle"].total() <= lives["2.7.5"]["idle"].total()


def test_all_unkindness_ends_in_named_states(world, no_two_at_once, version):
    here = world(count=45, copies=2, unkind="all", seed=6, version=version)
    report = here.run()
    assert {outcome.status for outcome in report.outcomes} <= {"in_sync", *NAMED}, report.attention
    assert Counter(outcome.status for outcome in report.outcomes)["in_sync"] >= 33
    assert_nothing_lost(here)
    here.run()
    assert here.writes == 0


def test_killed_at_any_moment_it_comes_to_the_same_end(world, no_two_at_once, version):
    chance = Random(4)
    undisturbed = world(count=8, unkind="settling,lost_updates", drain=40.0, version=version)
    undisturbed.run()
    here = world(count=8, unkind="settling,lost_updates", drain=40.0, version=version)
    for _ in range(3):
        here.run(within=chance.uniform(0.0, undisturbed.seconds))
    for _ in range(4):
        here.settle()
        here.run()
    assert here.statuses() == {"in_sync": 8}
    assert shown(here) == shown(undisturbed)
    assert_nothing_lost(here)


def test_an_asset_that_is_gone_and_one_whose_id_cannot_be_cost_only_themselves(world, version):
    here = world(count=8, unkind="settling", drain=60.0, version=version)
    gone, odd = here.images()[0], here.images()[1]
    here.person(gone[1], "delete")
    here.settle()
    unheard = str(uuid1())
    here.sql("UPDATE astrophotography_images SET immich_id = ? WHERE id = ?", unheard, odd[0])
    here.run()
    assert here.statuses() == {"in_sync": 6, "unknown_asset": 2}
    asked = [path for _, _, path, _ in here.line.sent if path.endswith(unheard)]
    assert len(asked) == (1 if version in OLD else 0)
    assert not [
        body for _, method, _, body in here.line.sent if method != "POST" and unheard.encode() in body
    ]


def test_a_read_only_library_is_found_out(world, version):
    here = world(count=4, unkind="settling,read_only", version=version)
    for asset in here.state.assets.values():
        asset.read_only = True
    here.run()
    assert here.statuses() == {"not_sticking": 4}
    writes = here.faults["reverted"]
    here.run()
    assert here.writes == 0
    assert writes > 0


def test_without_the_right_to_tag_the_rest_is_written(world, version):
    scopes = ("asset.read", "asset.update", "user.read", "asset.statistics")
    here = world(count=4, unkind="settling", scopes=scopes, version=version)
    here.run()
    for _, asset_id in here.images():
        text, _, _, tags = shown(here)[asset_id]
        assert text
        assert tags == []


def test_requests_and_answers_are_those_of_the_published_documents(lives, version, shared):
    document = Document(shared / "specs", version)
    seen = Counter()
    for one in lives[version]["tape"]:
        template, operation = document.operation(one.method, one.path)
        route, where = f"{one.method} {template}", f"{one.method} {template} {one.status}"
        seen[route] += 1
        assert one.status < 300, where
        if one.query:
            assert {part.partition("=")[0] for part in one.query.split("&")} <= {
                known["name"] for known in operation["parameters"]
            }
        if seen[route] > ENOUGH:
            continue
        if one.sent:
            schema, names = document.asked(operation)
            document.check(schema, json.loads(one.sent), where)
            assert json.loads(one.sent).keys() <= names, where
        described = document.answered(operation, one.status)
        if described is None:
            assert not one.answer, where
        else:
            document.check(described, json.loads(one.answer), where)
    assert {"POST /search/metadata", "PUT /tags", "PUT /tags/assets", "GET /tags"} <= seen.keys()
    method = "PUT" if version in OLD else "PATCH"
    assert (
        min(seen[f"{method} /assets/{{id}}"], seen["DELETE /tags/{id}/assets"], seen["GET /assets/{id}"]) > 0
    )


def test_the_flat_fields_of_a_search_are_never_mixed_with_the_other_kind(lives, version):
    searched = [json.loads(one.sent) for one in lives[version]["tape"] if one.path == "/search/metadata"]
    assert searched
    assert not [body for body in searched if {"filter", "orderBy", "cursor"} & body.keys()]
    assert all("page" in body for body in searched)


def test_a_tag_that_a_person_renames_in_3_2_comes_to_rest_and_takes_nobodys_tags_along(world, no_two_at_once):
    """The new name is in no file, so Immich itself brings the old one back with the next extraction."""
    here = world(count=6, unkind="settling,round_trip", drain=60.0, version="3.2.0")
    here.run()
    for _, asset_id in here.images():
        here.person(asset_id, "add_tag", "mine/own")
    here.settle()
    here.run()
    before = shown(here)
    ours = next(tag for tag in here.state.tags.own(USER_ID) if tag.value == "Astro/Equipment")
    here.state.tags.rename(ours, "Gear", here.state.milliseconds)
    here.run(by_person=False)
    assert here.writes == 0  # a renaming moves no date: the audit sees it
    writes = []
    for _ in range(3):
        here.clock.seconds += 86_400
        here.run(full=True, by_person=False)
        writes.append(here.writes)
    assert writes[0] > 0
    assert writes[1:] == [0, 0]
    assert here.statuses() == {"in_sync": 6}
    after = shown(here)
    for asset_id in before:
        assert "mine/own" in after[asset_id][3]
        assert set(before[asset_id][3]) <= set(after[asset_id][3])
