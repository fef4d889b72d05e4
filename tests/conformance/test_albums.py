"""What the client believes about albums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Conformance · M 31"
DESCRIPTION = "Filled from here.\n— a line of its own"


@pytest.fixture
def album(server: Any) -> Iterator[str]:
    made = server.call("POST", "/albums", {"albumName": NAME, "description": DESCRIPTION})["id"]
    yield made
    for one in server.call("GET", "/albums"):
        if one["albumName"].startswith("Conformance · "):
            server.call("DELETE", f"/albums/{one['id']}")


def shown(server: Any, album: str) -> Any:
    return next(one for one in server.call("GET", "/albums") if one["id"] == album)


def put(server: Any, album: str, *ids: str) -> list[str]:
    """Put assets in; give Immich's word on each."""
    rows = server.call("PUT", f"/albums/{album}/assets", {"ids": list(ids)})
    assert [row["id"] for row in rows] == list(ids)
    return ["" if row["success"] else row["error"] for row in rows]


def inside(server: Any, album: str, **more: object) -> set[str]:
    found = server.call("POST", "/search/metadata", {"albumIds": [album], **more})
    return {row["id"] for row in found["assets"]["items"]}


def test_a_listing_tells_name_description_count_date_and_cover(server: Any, album: str) -> None:
    one = shown(server, album)
    assert (one["albumName"], one["description"], one["assetCount"]) == (NAME, DESCRIPTION, 0)
    assert one["albumThumbnailAssetId"] is None
    assert one["shared"] is one["hasSharedLink"] is False
    assert one["updatedAt"]


def test_a_second_album_may_have_the_same_name(server: Any, album: str) -> None:
    assert server.call("POST", "/albums", {"albumName": NAME})["id"] != album


def test_each_id_that_is_put_in_gets_its_own_word(server: Any, album: str, assets: list[str]) -> None:
    assert put(server, album, assets[0]) == [""]
    assert put(server, album, assets[0], assets[1], str(uuid4())) == ["duplicate", "", "no_permission"]
    assert inside(server, album, visibility="timeline") == set(assets[:2])


def test_who_takes_out_what_is_not_in_it_is_told_so(server: Any, album: str, assets: list[str]) -> None:
    put(server, album, assets[0])
    rows = server.call("DELETE", f"/albums/{album}/assets", {"ids": assets[:2]})
    assert [row.get("error", "") for row in rows] == ["", "not_found"]
    assert shown(server, album)["assetCount"] == 0


def test_what_comes_moves_the_albums_date_and_what_goes_its_count(
    server: Any, album: str, assets: list[str]
) -> None:
    before = shown(server, album)
    put(server, album, *assets[:2])
    after = shown(server, album)
    assert after["updatedAt"] > before["updatedAt"]
    assert after["assetCount"] == 2
    assert after["albumThumbnailAssetId"] == assets[0]


def test_an_album_moves_no_date_of_an_asset(server: Any, album: str, asset: str) -> None:
    before = server.asset(asset)["updatedAt"]
    put(server, album, asset)
    server.call("DELETE", f"/albums/{album}/assets", {"ids": [asset]})
    assert server.stands_still(asset)["updatedAt"] == before


def test_the_archive_counts_and_the_trash_does_not(server: Any, album: str, assets: list[str]) -> None:
    put(server, album, *assets[:2])
    server.call("PUT", "/assets", {"ids": [assets[0]], "visibility": "archive"})
    assert shown(server, album)["assetCount"] == 2
    assert inside(server, album, visibility="timeline") == {assets[1]}
    assert inside(server, album, visibility="archive") == {assets[0]}
    server.call("DELETE", "/assets", {"ids": [assets[1]]})
    assert shown(server, album)["assetCount"] == 1
    assert inside(server, album, visibility="timeline", withDeleted=True) == {assets[1]}


def test_a_cover_has_to_be_in_the_album(server: Any, album: str, assets: list[str]) -> None:
    put(server, album, *assets[:2])
    server.call("PATCH", f"/albums/{album}", {"albumThumbnailAssetId": assets[1]})
    assert shown(server, album)["albumThumbnailAssetId"] == assets[1]
    assert (
        server.refusal("PATCH", f"/albums/{album}", {"albumThumbnailAssetId": str(uuid4())}).status_code
        == 400
    )


def test_an_album_that_is_gone_answers_400(server: Any, asset: str) -> None:
    gone = str(uuid4())
    assert server.refusal("GET", f"/albums/{gone}").status_code == 400
    assert server.refusal("DELETE", f"/albums/{gone}").status_code == 400
    assert server.refusal("PUT", f"/albums/{gone}/assets", {"ids": [asset]}).status_code == 400


def test_one_id_that_is_none_refuses_the_whole_call(server: Any, album: str, asset: str) -> None:
    assert server.refusal("PUT", f"/albums/{album}/assets", {"ids": [asset, "none"]}).status_code == 400
    assert shown(server, album)["assetCount"] == 0
