"""The albums' tables: which an image wants, which are used, and how one asset's are merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.albums import DESCRIPTION, Albums, OwnAlbum, SeenAlbum, recognised
from reconciler.core.asset import Applied, ObservedAsset
from reconciler.core.desired.albums import AlbumSources, desired_albums
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.album_plan import plan_albums
from reconciler.core.plan.plan import AssetPlan, Rules
from reconciler.core.policy import AlbumPolicy, MergePolicy, Policy, Switches

NOW = datetime(2026, 3, 1, tzinfo=UTC)
A, B = "Astro · A", "Astro · B"
SOURCES = AlbumSources(
    ("M 31", "m 31"), "Andromeda", "Galaxy", (("telescope", "RC 8"), ("filter", "Ha")), "Home"
)
ON = AlbumPolicy(enabled=True)


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        (("target",), {"M 31"}),
        (("constellation", "object_type"), {"Andromeda", "Galaxy"}),
        (("equipment",), {"RC 8"}),
        (("site",), {"Home"}),
        ((), set()),
    ],
)
def test_each_kind_has_its_albums(kinds, names):
    found = desired_albums(SOURCES, replace(ON, kinds=kinds))
    assert found == {f"Astro · {name}" for name in names}
    assert desired_albums(SOURCES, AlbumPolicy(kinds=kinds)) == frozenset()


def test_what_is_not_known_and_what_is_too_long_has_no_album():
    kinds = ("target", "constellation", "object_type", "site")
    assert desired_albums(AlbumSources(), replace(ON, kinds=kinds)) == frozenset()
    assert desired_albums(AlbumSources(targets=("x" * 200,)), ON) == frozenset()


def seen(album_id="1", name=A, description=DESCRIPTION, **more):
    return SeenAlbum(album_id, name, description, 0, "stamp", **more)


def used(*albums, known=None, use_existing=False, again=False):
    own, unusable, _ = recognised(
        albums, known or {}, prefix="Astro · ", use_existing=use_existing, again=again
    )
    return {name: one.album_id for name, one in own.items()}, unusable


OURS = {A: OwnAlbum("1")}


@pytest.mark.parametrize(
    ("albums", "how", "own", "unusable"),
    [
        ([seen()], {"known": OURS}, {A: "1"}, {}),
        ([seen(name="Mine")], {"known": OURS}, {A: "1"}, {}),  # renamed: known by its id
        ([], {"known": OURS}, {A: "1"}, {A: "album_deleted"}),
        ([], {"known": OURS, "again": True}, {}, {}),
        ([seen()], {}, {A: "1"}, {}),  # the store was lost: our line is in it
        ([seen(description="mine")], {}, {}, {A: "album_is_persons"}),
        ([seen(description="mine")], {"use_existing": True}, {A: "1"}, {}),
        ([seen(description="mine", is_own=False)], {"use_existing": True}, {}, {A: "album_is_persons"}),
        ([seen("2", description="mine"), seen("1")], {}, {A: "1"}, {}),
        ([seen("2", description="mine")], {"known": OURS}, {A: "1"}, {A: "album_is_persons"}),
        ([seen(name="Holidays", description="")], {}, {}, {}),
    ],
)
def test_which_albums_are_used(albums, how, own, unusable):
    assert used(*albums, **how) == (own, unusable)


@pytest.mark.parametrize(
    ("change", "untouched"),
    [
        ({}, True),
        ({"name": "Mine"}, False),
        ({"description": f"Mine\n{DESCRIPTION}"}, False),
        ({"is_shared": True}, False),
        ({"is_own": False}, False),
    ],
)
def test_an_album_that_a_person_changed_is_theirs(change, untouched):
    assert replace(seen(), **change).is_untouched(A) is untouched


def plan(*, owned=(), wanted=(), live=(), drift="keep", unusable=None, partial=()):
    base = Applied(albums=frozenset(owned))
    one = AssetPlan(1, "a", "t", ObservedAsset("a", "me", NOW), Desired(albums=frozenset(wanted)), base=base)
    there = {*owned, *live} if unusable is None else {*live}
    albums = Albums(
        members={name: frozenset({"a"} if name in live else ()) for name in there}, partial=frozenset(partial)
    )
    policy = Policy(merge=MergePolicy(on_drift_albums=drift))
    rules = Rules(policy, Switches(albums=True), albums=albums, unusable_albums=unusable or {})
    found = plan_albums(one, None, rules)
    decision = found.decisions[-1]
    return set(found.add_albums), set(found.remove_albums), set(found.base.albums), decision.case


@pytest.mark.parametrize(
    ("sides", "add", "remove", "owned", "case"),
    [
        ({}, set(), set(), set(), "in_sync"),
        ({"wanted": [A]}, {A}, set(), set(), "fill"),
        ({"wanted": [A], "live": [A]}, set(), set(), set(), "in_sync"),  # a person's
        ({"wanted": [A], "live": [A], "owned": [A]}, set(), set(), {A}, "in_sync"),
        ({"wanted": [B], "live": [A], "owned": [A]}, {B}, {A}, {A}, "update"),
        ({"live": [A], "owned": [A]}, set(), {A}, {A}, "withdraw"),
        ({"live": [A]}, set(), set(), set(), "in_sync"),
        ({"wanted": [A], "owned": [A]}, set(), set(), {A}, "drift"),
        ({"wanted": [A], "owned": [A], "drift": "correct"}, {A}, set(), set(), "drift"),
        ({"wanted": [A], "owned": [A], "partial": [A]}, set(), set(), {A}, "in_sync"),  # it was not told
        ({"wanted": [A], "unusable": {A: "album_is_persons"}}, set(), set(), set(), "conflict"),
        ({"wanted": [A], "owned": [A], "unusable": {A: "album_deleted"}}, set(), set(), {A}, "in_sync"),
    ],
)
def test_the_table_of_one_assets_albums(sides, add, remove, owned, case):
    assert plan(**sides) == (add, remove, owned, case)
