"""Writes are grouped by what they write; the same plans always give the same calls."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.asset import Coordinates
from reconciler.core.ports import FieldWrite
from reconciler.core.writes.batches import FieldBatch, TagBatch, add_batches, field_batches, remove_rounds

PLACE = Coordinates(48.1, 11.6)


def plans(make, *changes):
    still = make.plan(make.desired(), make.asset())
    return [replace(still, asset_id=f"asset-{n}", **change) for n, change in enumerate(changes)]


def test_assets_that_get_the_very_same_values_share_a_call(make):
    alike, other = {"description": "Hi", "coordinates": PLACE}, {"description": "Hi"}
    assert field_batches(plans(make, alike, other, alike)) == [
        FieldBatch(("asset-0", "asset-2"), FieldWrite("Hi", PLACE)),
        FieldBatch(("asset-1",), FieldWrite("Hi")),
    ]


def test_a_cleared_description_is_a_write_and_none_is_not(make):
    assert field_batches(plans(make, {"description": ""}, {})) == [FieldBatch(("asset-0",), FieldWrite(""))]


def test_assets_that_need_just_the_same_set_of_tags_share_a_call(make):
    one, two = {"add_tags": frozenset("ba")}, {"add_tags": frozenset("a")}
    assert add_batches(plans(make, one, two, {}, one)) == [
        TagBatch(("asset-0", "asset-3"), ("a", "b")),
        TagBatch(("asset-1",), ("a",)),
    ]


def test_calls_are_no_longer_than_allowed(make):
    many = plans(make, *[{"description": "Hi", "add_tags": frozenset("a")}] * 5)
    assert [len(batch.asset_ids) for batch in field_batches(many, most=2)] == [2, 2, 1]
    assert [len(batch.asset_ids) for batch in add_batches(many, most=3)] == [3, 2]


def test_what_most_assets_lose_goes_first():
    rounds = remove_rounds([("a", frozenset("xy")), ("b", frozenset("yz")), ("c", frozenset("y"))])
    assert rounds == [
        [TagBatch(("a", "b", "c"), ("y",))],
        [TagBatch(("a",), ("x",)), TagBatch(("b",), ("z",))],
    ]


def test_nothing_to_do_is_no_call(make):
    idle = plans(make, {}, {})
    assert (field_batches(idle), add_batches(idle), remove_rounds([("a", frozenset())])) == ([], [], [])
