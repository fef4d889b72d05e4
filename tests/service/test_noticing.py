"""What of the daemon's state a notice can tell of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from reconciler.core.notices import OCCASIONS, Matter
from reconciler.core.reasons import reason
from reconciler.core.records import FINE, AssetStatus, Crossed
from reconciler.service.api import Condition, Headline, Snapshot
from reconciler.service.noticing import (
    BY_STATE,
    CONDITIONS,
    CROSSED,
    MOST,
    Images,
    image_matter,
    image_of,
    is_synced,
    matters,
)

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
WELL = Snapshot(
    headline=Headline("in_sync", "ok", images=6),
    started_at=NOW - timedelta(hours=5),
    checked_at=NOW,
    attempted_at=NOW,
    counts={"in_sync": 6},
)
FIRST = Matter("first_sync", "first")


def broken(kind, since=NOW):
    return Condition(kind, "False", "Failed", (reason("nothing_held"),), since)


def keys(snapshot, **images):
    return set(matters(snapshot, Images(images), NOW)) - {FIRST}


def test_of_a_library_in_sync_there_is_nothing_but_that():
    assert matters(WELL, Images(), NOW) == {FIRST: NOW}


@pytest.mark.parametrize("kind", CONDITIONS)
def test_what_a_pass_depends_on_needs_attention_since_it_broke(kind):
    since = NOW - timedelta(minutes=7)
    found = matters(replace(WELL, conditions=(broken(kind, since),)), Images(), NOW)
    assert found[Matter("attention", kind)] == since


@pytest.mark.parametrize("kind", ["SyncEnabled", "InSync", "Fresh", "NoticesSent"])
def test_what_a_person_switched_off_and_what_is_told_otherwise_is_no_matter(kind):
    assert keys(replace(WELL, conditions=(broken(kind),))) == set()


def test_a_condition_that_holds_or_is_not_known_is_no_matter():
    conditions = tuple(replace(broken("Working"), status=status) for status in ("True", "Unknown"))
    assert keys(replace(WELL, conditions=conditions)) == set()


def test_an_outage_is_told_and_what_failed_by_it_is_not():
    down = replace(WELL, conditions=(broken("ImmichReachable", NOW - timedelta(hours=2)),))
    found = matters(down, Images({"failed": ["a"], "conflict": ["b"]}), NOW)
    assert found[Matter("immich_down", "immich")] == NOW - timedelta(hours=2)
    assert image_matter("failed", "a") not in found
    assert image_matter("conflict", "b") in found
    assert image_matter("failed", "a") in keys(WELL, failed=["a"])


def test_each_image_is_a_matter_of_its_own():
    images = {name: [f"{name}-1", f"{name}-2"] for name in BY_STATE}
    found = keys(WELL, **images)
    assert len(found) == 2 * len(BY_STATE)
    assert {image_of(one) for one in found} == {
        (name, asset) for name, several in images.items() for asset in several
    }
    assert image_of(FIRST) is None


def test_what_the_guard_holds_is_one_matter_until_it_is_twice_as_much():
    def held(count):
        return keys(replace(WELL, conditions=(broken("GuardClear"),), counts={"in_sync": 6, "held": count}))

    assert held(12) == held(15)
    assert held(12) < held(5000)
    assert {one.occasion for one in held(12)} == {"guard"}
    assert held(0)
    assert keys(replace(WELL, counts={"held": 3})) == set()


def test_beyond_the_most_that_are_told_apart_a_doubling_is_told():
    def conflicts(count):
        crowd = replace(WELL, counts={"conflict": count})
        return {one for one in keys(crowd, conflict=["a"]) if image_of(one) is None}

    assert conflicts(MOST) == set()
    assert conflicts(MOST + 1) == conflicts(2 * MOST - 1)
    assert conflicts(MOST + 1) < conflicts(2 * MOST) < conflicts(100_000)
    edits = replace(WELL, crossed=Crossed(5 * MOST, NOW))
    assert any(one.occasion == "attention" for one in keys(edits, **{CROSSED: ["a"]}))


@pytest.mark.parametrize(
    ("snapshot", "synced"),
    [
        (WELL, True),
        (replace(WELL, counts={"in_sync": 3, "conflict": 3}), True),
        (replace(WELL, counts={"in_sync": 3, "new": 3}), False),
        (replace(WELL, counts={"in_sync": 3, "pending": 1}), False),
        (replace(WELL, counts={}), False),
        (replace(WELL, checked_at=None), False),
    ],
)
def test_the_first_sync_is_done_when_no_image_waits_for_it(snapshot, synced):
    assert is_synced(snapshot) == synced
    assert (FIRST in matters(snapshot, Images(), NOW)) == synced


def test_every_state_that_needs_somebody_is_told_or_is_on_its_way_and_every_occasion_has_its_source():
    on_the_way = {"new", "pending"}
    assert set(BY_STATE) - {CROSSED} == set(get_args(AssetStatus)) - FINE - on_the_way - {"held"}
    assert set(BY_STATE.values()) | {"guard", "immich_down", "first_sync"} == set(OCCASIONS)
