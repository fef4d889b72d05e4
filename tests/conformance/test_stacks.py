"""What the client believes about stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def stack(server: Any, assets: list[str]) -> Iterator[Any]:
    """Stack the first two assets; the first one is the primary one."""
    made = server.call("POST", "/stacks", {"assetIds": assets[:2]})
    yield made
    for one in server.call("GET", "/stacks"):
        if {asset["id"] for asset in one["assets"]} & set(server.made) or one["id"] == made["id"]:
            server.call("DELETE", f"/stacks/{one['id']}")


def listed(server: Any, stack: Any) -> list[str] | None:
    """Give the assets of a stack in the listing, the primary one first; ``None``: it is not listed."""
    found = [one for one in server.call("GET", "/stacks") if one["id"] == stack["id"]]
    return [asset["id"] for asset in found[0]["assets"]] if found else None


def moves(server: Any, assets: list[str], act: Any) -> list[bool]:
    before = [server.asset(asset)["updatedAt"] for asset in assets]
    act()
    return [server.asset(asset)["updatedAt"] > then for asset, then in zip(assets, before, strict=True)]


def test_one_listing_tells_each_stack_its_primary_asset_and_its_members(
    server: Any, stack: Any, assets: list[str]
) -> None:
    found = next(one for one in server.call("GET", "/stacks") if one["id"] == stack["id"])
    assert found["primaryAssetId"] == assets[0]
    assert [asset["id"] for asset in found["assets"]] == assets[:2]
    assert {asset["ownerId"] for asset in found["assets"]} == {server.asset(assets[0])["ownerId"]}


def test_an_asset_tells_the_stack_that_it_is_in(server: Any, stack: Any, assets: list[str]) -> None:
    expected = {"id": stack["id"], "primaryAssetId": assets[0], "assetCount": 2}
    assert [server.asset(asset)["stack"] for asset in assets[:3]] == [expected, expected, None]


def test_a_member_in_the_trash_is_not_listed_and_comes_back(
    server: Any, stack: Any, assets: list[str]
) -> None:
    server.call("DELETE", "/assets", {"ids": [assets[1]]})
    assert listed(server, stack) == [assets[0]]
    server.call("POST", "/trash/restore/assets", {"ids": [assets[1]]})
    assert listed(server, stack) == assets[:2]


def test_a_primary_asset_in_the_trash_stays_the_primary_one_and_is_not_listed(
    server: Any, stack: Any, assets: list[str]
) -> None:
    server.call("DELETE", "/assets", {"ids": [assets[0]]})
    found = next(one for one in server.call("GET", "/stacks") if one["id"] == stack["id"])
    server.call("POST", "/trash/restore/assets", {"ids": [assets[0]]})
    assert (found["primaryAssetId"], [one["id"] for one in found["assets"]]) == (assets[0], [assets[1]])


def test_a_member_in_the_archive_is_listed(server: Any, stack: Any, assets: list[str]) -> None:
    server.call("PUT", f"/assets/{assets[1]}", {"visibility": "archive"})
    found = listed(server, stack)
    server.call("PUT", f"/assets/{assets[1]}", {"visibility": "timeline"})
    assert found == assets[:2]


def test_a_stack_that_is_made_moves_its_assets_dates(server: Any, assets: list[str]) -> None:
    made: list[Any] = []
    assert moves(
        server, assets[:2], lambda: made.append(server.call("POST", "/stacks", {"assetIds": assets[:2]}))
    ) == [True, True]
    server.call("DELETE", f"/stacks/{made[0]['id']}")


def test_another_cover_moves_no_date(server: Any, stack: Any, assets: list[str]) -> None:
    def cover() -> None:
        server.call("PUT", f"/stacks/{stack['id']}", {"primaryAssetId": assets[1]})

    assert moves(server, assets[:2], cover) == [False, False]
    assert listed(server, stack) == [assets[1], assets[0]]


def test_what_is_written_to_one_member_is_not_of_the_other(
    server: Any, stack: Any, assets: list[str]
) -> None:
    server.write(assets[0], description="of the first alone")
    assert server.exif(assets[1])["description"] == ""
    assert server.write(assets[1], description="of the second")["description"] == "of the second"
    assert server.exif(assets[0])["description"] == "of the first alone"
    assert listed(server, stack) == assets[:2]


def test_a_dissolved_stack_leaves_its_assets(server: Any, assets: list[str]) -> None:
    made = server.call("POST", "/stacks", {"assetIds": assets[:2]})
    server.call("DELETE", f"/stacks/{made['id']}")
    assert listed(server, made) is None
    assert [server.asset(asset)["stack"] for asset in assets[:2]] == [None, None]


def test_a_stack_takes_the_stacks_of_its_assets_along(server: Any, stack: Any, assets: list[str]) -> None:
    joined = server.call("POST", "/stacks", {"assetIds": [assets[2], assets[0]]})
    assert listed(server, stack) is None
    found = listed(server, joined)
    server.call("DELETE", f"/stacks/{joined['id']}")
    assert found is not None
    assert (found[0], set(found)) == (assets[2], set(assets[:3]))


def test_a_primary_asset_has_to_be_in_its_stack(server: Any, stack: Any, assets: list[str]) -> None:
    refused = server.refusal("PUT", f"/stacks/{stack['id']}", {"primaryAssetId": assets[2]})
    assert (refused.status_code, refused.json()["message"]) == (400, "Primary asset must be in the stack")


def test_what_is_no_own_asset_can_be_in_no_stack(server: Any, assets: list[str]) -> None:
    refused = server.refusal("POST", "/stacks", {"assetIds": [assets[0], str(uuid4())]})
    assert (refused.status_code, refused.json()["message"]) == (400, "Not found or no asset.update access")
    assert server.asset(assets[0])["stack"] is None


def test_one_asset_is_no_stack(server: Any, assets: list[str]) -> None:
    assert server.refusal("POST", "/stacks", {"assetIds": assets[:1]}).status_code == 400
