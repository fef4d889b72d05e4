"""What the client believes about when a picture was taken, and what a place does to the day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

TOKYO = {"latitude": 35.68, "longitude": 139.76}
EVENING = "2024-05-01T22:15:00+02:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def shown(server: Any, asset: str) -> tuple[str, str]:
    """Give the moment in UTC, and the local time at which it is shown."""
    seen = server.asset(asset)
    return at(seen["exifInfo"]["dateTimeOriginal"]).strftime("%d %H:%M"), seen["localDateTime"][8:16]


def test_a_picture_without_a_date_has_its_files_time_and_no_zone(server: Any, asset: str) -> None:
    seen = server.asset(asset)
    assert seen["exifInfo"]["timeZone"] is None
    assert at(seen["exifInfo"]["dateTimeOriginal"]) == at(seen["fileModifiedAt"])
    assert seen["localDateTime"] == seen["fileCreatedAt"]


def test_a_description_gives_a_date_no_zone(server: Any, asset: str) -> None:
    assert server.write(asset, description="M 31")["timeZone"] is None


def test_a_date_shows_at_once_and_its_local_time_once_it_has_settled(server: Any, asset: str) -> None:
    before = server.asset(asset)
    answer = server.call("PUT", f"/assets/{asset}", {"dateTimeOriginal": EVENING})
    assert at(answer["exifInfo"]["dateTimeOriginal"]) == at(EVENING)
    assert answer["localDateTime"] == before["localDateTime"]
    after = server.settled(asset, before["updatedAt"])
    assert (after["localDateTime"], after["fileCreatedAt"]) == (
        "2024-05-01T22:15:00.000Z", "2024-05-01T20:15:00.000Z",
    )  # fmt: skip


def test_who_enters_a_date_gives_it_a_zone_and_the_files_time_stays(server: Any, asset: str) -> None:
    modified = server.asset(asset)["fileModifiedAt"]
    assert server.write(asset, dateTimeOriginal=EVENING)["timeZone"] == "UTC+2"
    assert server.write(asset, dateTimeOriginal="2024-05-01T22:15:00Z")["timeZone"] is not None
    assert server.asset(asset)["fileModifiedAt"] == modified


def test_a_place_leaves_the_moment_and_moves_the_day(server: Any, asset: str) -> None:
    server.write(asset, dateTimeOriginal=EVENING)
    assert shown(server, asset) == ("01 20:15", "01T22:15")
    server.write(asset, **TOKYO)
    assert shown(server, asset) == ("01 20:15", "02T05:15")


def test_a_date_that_comes_with_a_place_is_shown_in_the_places_time(server: Any, asset: str) -> None:
    server.write(asset, dateTimeOriginal="2024-05-01T22:15:00+09:00", description="M 31", **TOKYO)
    assert shown(server, asset) == ("01 13:15", "01T22:15")


def test_a_date_on_an_asset_with_a_place_is_shown_in_the_places_time(server: Any, asset: str) -> None:
    server.write(asset, **TOKYO)
    server.write(asset, dateTimeOriginal=EVENING)
    assert shown(server, asset) == ("01 20:15", "02T05:15")


def test_a_date_settles_to_the_millisecond(server: Any, asset: str) -> None:
    exif = server.write(asset, dateTimeOriginal="2024-05-01T22:15:00.123456+02:00")
    assert at(exif["dateTimeOriginal"]) == at("2024-05-01T22:15:00.123+02:00")


@pytest.mark.parametrize(
    "sent", ["1969-07-20T20:17:00+00:00", "2024-05-01T22:15:00+05:45", "2024-05-01T22:15:00+14:00"]
)
def test_odd_dates_and_zones_are_kept(server: Any, asset: str, sent: str) -> None:
    assert at(server.write(asset, dateTimeOriginal=sent)["dateTimeOriginal"]) == at(sent)
    assert server.asset(asset)["localDateTime"] == f"{sent[:19]}.000Z"


def test_a_date_twelve_hours_behind_is_not_kept(server: Any, asset: str) -> None:
    sent = "2024-05-01T22:15:00-12:00"
    assert at(server.write(asset, dateTimeOriginal=sent)["dateTimeOriginal"]) != at(sent)


@pytest.mark.parametrize("value", [None, 5])
def test_a_date_can_not_be_null(server: Any, asset: str, value: object) -> None:
    assert server.refusal("PUT", f"/assets/{asset}", {"dateTimeOriginal": value}).status_code == 400


@pytest.mark.parametrize("value", ["", "x", "2024-13-01T00:00:00Z"])
def test_a_date_can_not_be_cleared(server: Any, asset: str, value: str) -> None:
    before = server.exif(asset)["dateTimeOriginal"]
    answer = server.http.request("PUT", f"/assets/{asset}", json={"dateTimeOriginal": value})
    assert answer.status_code == (400 if server.version < (3, 0, 0) else 500)
    assert server.exif(asset)["dateTimeOriginal"] == before


def test_a_bulk_write_gives_every_asset_the_same_date(server: Any, assets: list[str]) -> None:
    before = {asset: server.asset(asset)["updatedAt"] for asset in assets}
    server.call(
        "PUT", "/assets", {"ids": assets, "dateTimeOriginal": EVENING, "description": "M 31", **TOKYO}
    )
    for asset in assets:
        server.settled(asset, before[asset])
        assert shown(server, asset) == ("01 20:15", "02T05:15")
