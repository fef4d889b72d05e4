"""What the client believes about writing descriptions and coordinates, and about what settles."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest


def test_a_description_is_visible_at_once_as_sent(server: Any, asset: str) -> None:
    answer = server.call("PUT", f"/assets/{asset}", {"description": "  M 31  "})
    assert answer["exifInfo"]["description"] == "  M 31  "


def test_an_asset_without_a_description_has_an_empty_one(server: Any, asset: str) -> None:
    assert server.exif(asset)["description"] == ""


def test_updated_at_moves_only_once_the_write_has_settled(server: Any, asset: str) -> None:
    before = server.asset(asset)["updatedAt"]
    answer = server.call("PUT", f"/assets/{asset}", {"description": "  M 31  "})
    assert answer["updatedAt"] == before
    after = server.settled(asset, before)
    assert after["updatedAt"] > before
    assert after["exifInfo"]["description"] == "M 31"


@pytest.mark.parametrize(
    ("sent", "settled"),
    [
        (" \u00a0\tM 31\n ", "M 31"),
        ("   ", ""),
        ("a &amp; b &lt; c", "a & b < c"),
        ("&amp;amp;", "&amp;"),
        ("0", ""),
        ("null", ""),
        ("1.50", "1.5"),
        ("1e5", "100000"),
        ("a\x01b", "a.b"),
    ],
)
def test_a_description_settles_changed(server: Any, asset: str, sent: str, settled: str) -> None:
    assert server.write(asset, description=sent)["description"] == settled


@pytest.mark.parametrize(
    "text",
    [
        "✦ M 31 · Andromeda\nline 2\n\n— Skymmich",
        "RA 00h 42m 44.3s, Dec +41° 16′ 09″, < > & \"quotes\" 'too'",
        "tab\there  two spaces, e\u0301 👩‍🚀 東京",
        "12345",
        "x" * 9000,
    ],
)
def test_a_description_settles_unchanged(server: Any, asset: str, text: str) -> None:
    assert server.write(asset, description=text)["description"] == text


def test_an_encoded_entity_settles_as_its_text(server: Any, asset: str) -> None:
    """This is how a literal ``&lt;`` can be kept: one level of decoding, no more."""
    assert server.write(asset, description="&amp;lt;")["description"] == "&lt;"


def test_an_empty_description_clears(server: Any, asset: str) -> None:
    server.write(asset, description="M 31")
    assert server.write(asset, description="")["description"] == ""


def test_a_description_can_not_be_null(server: Any, asset: str) -> None:
    assert server.refusal("PUT", f"/assets/{asset}", {"description": None}).status_code == 400


def test_the_same_value_again_is_no_no_op(server: Any, asset: str) -> None:
    server.write(asset, description="M 31")
    before = server.asset(asset)["updatedAt"]
    server.call("PUT", f"/assets/{asset}", {"description": "M 31"})
    assert server.settled(asset, before)["updatedAt"] > before


def test_an_empty_write_changes_nothing(server: Any, asset: str) -> None:
    before = server.asset(asset)
    server.call("PUT", f"/assets/{asset}", {})
    assert server.asset(asset)["updatedAt"] == before["updatedAt"]


def test_an_unknown_field_is_ignored(server: Any, asset: str) -> None:
    server.call("PUT", f"/assets/{asset}", {"noSuchField": 1})
    assert "noSuchField" not in server.asset(asset)


@pytest.mark.parametrize("body", [{"latitude": 48.5}, {"longitude": 11.5}])
def test_a_lone_coordinate_is_400(server: Any, asset: str, body: dict[str, float]) -> None:
    assert server.refusal("PUT", f"/assets/{asset}", body).status_code == 400
    assert server.refusal("PUT", "/assets", {"ids": [asset], **body}).status_code == 400


def test_coordinates_can_not_be_cleared(server: Any, asset: str) -> None:
    body = {"latitude": None, "longitude": None}
    assert server.refusal("PUT", f"/assets/{asset}", body).status_code == 400


@pytest.mark.parametrize("point", [(90.1, 0.0), (0.0, 180.1)])
def test_coordinates_out_of_range_are_400(server: Any, asset: str, point: tuple[float, float]) -> None:
    body = {"latitude": point[0], "longitude": point[1]}
    assert server.refusal("PUT", f"/assets/{asset}", body).status_code == 400


def test_coordinates_settle_with_six_decimals(server: Any, asset: str) -> None:
    exif = server.write(asset, latitude=48.123456789, longitude=11.987654321)
    assert exif["latitude"] == pytest.approx(48.123457, abs=2e-6)
    assert exif["longitude"] == pytest.approx(11.987654, abs=2e-6)
    assert round(exif["latitude"], 6) == exif["latitude"]


def test_0_0_is_not_kept(server: Any, asset: str) -> None:
    exif = server.write(asset, latitude=0, longitude=0)
    assert (exif["latitude"], exif["longitude"]) == (None, None)


@pytest.mark.parametrize("point", [(0.0, 10.5), (10.5, 0.0), (90.0, 180.0), (-33.8688, 151.2093)])
def test_other_points_are_kept(server: Any, asset: str, point: tuple[float, float]) -> None:
    exif = server.write(asset, latitude=point[0], longitude=point[1])
    assert (exif["latitude"], exif["longitude"]) == pytest.approx(point, abs=2e-6)


def test_description_and_coordinates_settle_together(server: Any, asset: str) -> None:
    exif = server.write(asset, description="M 31", latitude=48.5, longitude=11.5)
    assert (exif["description"], exif["latitude"], exif["longitude"]) == ("M 31", 48.5, 11.5)


def test_a_settled_write_survives_the_next_one(server: Any, asset: str) -> None:
    server.write(asset, description="M 31")
    exif = server.write(asset, latitude=48.5, longitude=11.5)
    assert (exif["description"], exif["latitude"]) == ("M 31", 48.5)


def test_a_bulk_write_gives_every_asset_the_same(server: Any, assets: list[str]) -> None:
    before = {asset_id: server.asset(asset_id)["updatedAt"] for asset_id in assets}
    body = {"ids": assets, "description": "M 31", "latitude": 48.5, "longitude": 11.5}
    assert server.call("PUT", "/assets", body) is None
    for asset_id, moment in before.items():
        exif = server.settled(asset_id, moment)["exifInfo"]
        assert (exif["description"], exif["latitude"]) == ("M 31", 48.5)


def test_one_unknown_id_fails_a_whole_bulk_write(server: Any, assets: list[str]) -> None:
    body = {"ids": [*assets, str(uuid4())], "description": "M 31"}
    assert server.refusal("PUT", "/assets", body).status_code == 400
    assert {server.exif(asset_id)["description"] for asset_id in assets} == {""}


def test_a_trashed_asset_can_be_read_and_written(server: Any, asset: str) -> None:
    server.call("DELETE", "/assets", {"ids": [asset]})
    assert server.asset(asset)["isTrashed"] is True
    assert server.write(asset, description="M 31")["description"] == "M 31"


def test_custom_metadata_is_kept_by_key_and_moves_nothing(server: Any, asset: str) -> None:
    before = server.asset(asset)["updatedAt"]
    path = f"/assets/{asset}/metadata"
    server.call("PUT", path, {"items": [{"key": "skymmich/a", "value": {"n": 1}}]})
    server.call("PUT", path, {"items": [{"key": "skymmich/b", "value": {}}]})
    kept = {item["key"]: item["value"] for item in server.call("GET", path)}
    assert kept == {"skymmich/a": {"n": 1}, "skymmich/b": {}}
    assert server.refusal("PUT", path, {"items": [{"key": "k", "value": "text"}]}).status_code == 400
    assert server.asset(asset)["updatedAt"] == before


def test_custom_metadata_of_many_assets_is_all_or_nothing(server: Any, assets: list[str]) -> None:
    gone = "9f1e2d3c-4b5a-4978-8877-665544332211"
    items = [{"assetId": each, "key": "skymmich/c", "value": {"zeta": 1, "a": 2}} for each in (*assets, gone)]
    assert server.refusal("PUT", "/assets/metadata", {"items": items}).status_code == 400
    assert all(server.call("GET", f"/assets/{each}/metadata") == [] for each in assets)
    server.call("PUT", "/assets/metadata", {"items": items[:-1]})
    for each in assets:
        (kept,) = server.call("GET", f"/assets/{each}/metadata")
        assert list(kept["value"]) == ["a", "zeta"]
        assert kept["updatedAt"]
