"""Immich's JSON is read leniently: what is unknown, missing or of a wrong type costs only itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from reconciler.core.asset import Coordinates
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
    assert (asset.visibility, asset.is_trashed, asset.has_exif) == ("archive", True, True)
    assert (asset.width, asset.height) == (6248, 4176)
    assert (asset.filename, asset.library_id) == ("M31.jpg", "lib")


def test_a_search_row_never_has_tags_whatever_it_shows():
    assert observed({**FULL, "tags": []}, with_tags=False).tags is None


def test_an_asset_that_was_not_extracted_yet_says_so():
    bare = {"id": ID, "updatedAt": "2026-11-22T14:42:32.866Z", "width": 100, "height": 50}
    asset = observed(bare, with_tags=True)
    assert not asset.has_exif
    assert asset.description == ""
    assert asset.coordinates is None
    assert asset.tags is None
    assert (asset.width, asset.height) == (100, 50)
    assert not observed({**FULL, "hasMetadata": False}, with_tags=True).has_exif


def test_older_servers_tell_the_archive_by_another_name():
    old = {key: value for key, value in FULL.items() if key != "visibility"}
    assert observed({**old, "isArchived": True}, with_tags=True).visibility == "archive"
    assert observed(old, with_tags=True).visibility == "timeline"


@pytest.mark.parametrize(
    "row", [None, 3, "x", [], {}, {"id": ID}, {"id": ID, "updatedAt": "soon"}, {"id": 5}]
)
def test_a_row_that_says_nothing_usable_is_none(row):
    assert observed(row, with_tags=True) is None


@pytest.mark.parametrize("wrong", ["12.5", True, None, [], float("nan"), 91])
def test_half_a_place_is_no_place(wrong):
    exif = {**FULL["exifInfo"], "latitude": wrong}
    assert observed({**FULL, "exifInfo": exif}, with_tags=True).coordinates is None


@pytest.mark.parametrize("wrong", [None, 5, ["x"], {}])
def test_wrong_types_are_read_as_absent(wrong):
    row = {**FULL, "ownerId": wrong, "originalFileName": wrong, "visibility": wrong, "exifInfo": wrong}
    asset = observed(row, with_tags=True)
    assert (asset.owner_id, asset.filename, asset.description) == ("", "", "")
    assert asset.visibility == "timeline"


def test_tags_without_a_value_or_id_are_left_out():
    assert tag_values([{"id": "a", "value": "x"}, {"id": "b"}, {"value": "y"}, 7, None]) == {"x": "a"}
    assert tag_values({"not": "a list"}) == {}


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
