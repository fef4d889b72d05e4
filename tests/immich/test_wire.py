"""Immich's JSON: what is more than expected does not matter, what is less is unknown and never empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from reconciler.core.asset import Coordinates, IncompleteAsset, ObservedAsset
from reconciler.immich.wire import iso, moment, observed, tag_values, whole

ID = "5c006224-0036-526e-875f-16acbdb97dbe"
FULL = {
    "id": ID.upper(),
    "ownerId": "me",
    "updatedAt": "2026-11-22T14:42:32.866Z",
    "visibility": "archive",
    "isTrashed": True,
    "hasMetadata": True,
    "originalFileName": "M31.jpg",
    "libraryId": "lib",
    "width": 100,
    "height": 50,
    "tags": [{"id": "t1", "name": "Galaxy", "value": "Astro/Galaxy"}, {"id": "t2", "value": "M 31"}],
    "exifInfo": {
        "description": "words",
        "latitude": 48.137154,
        "longitude": -11,
        "exifImageWidth": 6248,
        "exifImageHeight": 4176,
    },
    "somethingNew": {"in": ["version", 4]},
}


def test_a_whole_asset_is_read():
    asset = observed(FULL, with_tags=True)
    assert asset.asset_id == ID
    assert asset.owner_id == "me"
    assert asset.updated_at == datetime(2026, 11, 22, 14, 42, 32, 866000, tzinfo=UTC)
    assert asset.description == "words"
    assert asset.coordinates == Coordinates(48.137154, -11.0)
    assert asset.tags == {"Astro/Galaxy", "M 31"}
    assert (asset.visibility, asset.is_trashed) == ("archive", True)
    assert (asset.width, asset.height) == (6248, 4176)
    assert (asset.filename, asset.library_id) == ("M31.jpg", "lib")


def test_a_search_row_never_has_tags_whatever_it_shows():
    assert observed({**FULL, "tags": []}, with_tags=False).tags is None


GONE = object()


def without(place, value=GONE):
    """Give the whole asset with the member at a place gone, or with another value."""
    row = {**FULL, "exifInfo": dict(FULL["exifInfo"])}
    *way, name = place.split(".")
    part = row[way[0]] if way else row
    if value is GONE:
        del part[name]
    else:
        part[name] = value
    return row


@pytest.mark.parametrize("value", [GONE, None, 5, {}, ["x"], True])
@pytest.mark.parametrize(
    "place",
    ["id", "ownerId", "updatedAt", "visibility", "isTrashed", "exifInfo.description", "exifInfo.latitude",
     "exifInfo.longitude", "tags", "exifInfo"],
)  # fmt: skip
def test_a_member_that_is_missing_or_of_another_type_is_unknown_and_named(place, value):
    if (place, value) in [("isTrashed", True), ("exifInfo.latitude", 5), ("exifInfo.longitude", 5)]:
        pytest.skip("that is a value")
    seen = observed(without(place, value), with_tags=True)
    assert isinstance(seen, IncompleteAsset)
    told = {"exifInfo.longitude": "exifInfo.latitude"}.get(place, place)
    if place == "exifInfo" and value == {}:
        assert seen.fields == ("exifInfo.description", "exifInfo.latitude")
    else:
        assert seen.fields == (told,)
    assert seen.asset_id == ("" if place == "id" else ID)


def test_each_field_has_one_way_to_be_empty():
    row = without("exifInfo", {"description": "", "latitude": None, "longitude": None}) | {"tags": []}
    seen = observed(row, with_tags=True)
    assert isinstance(seen, ObservedAsset)
    assert (seen.description, seen.coordinates, seen.tags) == ("", None, frozenset())


def test_an_asset_whose_file_was_not_read_yet_lacks_its_exif():
    assert observed(without("exifInfo"), with_tags=True).fields == ("exifInfo",)
    assert observed(without("hasMetadata", value=False), with_tags=True).fields == ("exifInfo",)


def test_tags_of_which_one_can_not_be_read_are_unknown():
    for odd in (None, 5, {}, {"id": "t3", "value": None}, {"id": "t3", "value": 7}):
        assert observed({**FULL, "tags": [*FULL["tags"], odd]}, with_tags=True).fields == ("tags",)


def test_before_1_133_is_archived_tells_the_visibility():
    old = without("visibility")
    assert observed({**old, "isArchived": True}, with_tags=True).fields == ("visibility",)
    seen = observed({**old, "isArchived": True}, with_tags=True, with_visibility=False)
    assert seen.visibility == "archive"
    seen = observed({**old, "isArchived": False}, with_tags=True, with_visibility=False)
    assert seen.visibility == "timeline"
    assert observed(old, with_tags=True, with_visibility=False).fields == ("visibility",)


@pytest.mark.parametrize("row", [None, 3, "x", [], {}, {"id": 5}])
def test_a_row_that_says_nothing_usable_is_no_asset(row):
    seen = observed(row, with_tags=True)
    assert isinstance(seen, IncompleteAsset)
    assert seen.asset_id == ""


@pytest.mark.parametrize("wrong", ["12.5", True, None, [], float("nan"), float("inf"), 91, 10**400])
def test_half_a_place_is_no_place_and_not_known(wrong):
    for which in ("latitude", "longitude"):
        value = 181 if (which, wrong) == ("longitude", 91) else wrong
        assert observed(without(f"exifInfo.{which}", value), with_tags=True).fields == ("exifInfo.latitude",)


def test_a_list_of_tags_is_known_whole_or_not_at_all(uuid):
    good = [{"id": uuid(1), "value": "x"}, {"id": uuid(2), "value": ""}]
    assert tag_values(good) == {"x": uuid(1)}
    for odd in ({"id": uuid(3)}, {"value": "y"}, {"id": "no-uuid", "value": "y"}, 7, None):
        assert tag_values([*good, odd]) is None
    assert tag_values({"not": "a list"}) is None


def test_times_are_read_in_any_zone_and_written_as_immich_does():
    assert moment("2024-05-01T12:00:00+02:00") == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert moment("2024-05-01 12:00:00").tzinfo is UTC
    assert moment(17) is None
    east = timezone(timedelta(hours=2))
    assert iso(datetime(2024, 5, 1, 12, 0, 0, 999999, tzinfo=east)) == "2024-05-01T10:00:00.999Z"


@pytest.mark.parametrize(
    ("value", "number"),
    [("2", 2), (2, 2), (2.0, 2), (None, None), ("", None), ("x", None), (True, None), (float("inf"), None)],
)
def test_numbers_may_come_as_strings(value, number):
    assert whole(value) == number
