"""What the client believes about searches."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any


def test_rows_have_exif_when_asked(server: Any, asset: str) -> None:
    server.write(asset, description="M 31", latitude=48.5, longitude=11.5)
    rows = {row["id"]: row for row in server.search(size=1000, withExif=True)["items"]}
    assert rows[asset]["exifInfo"]["description"] == "M 31"
    assert rows[asset]["exifInfo"]["latitude"] == 48.5
    assert (rows[asset]["exifInfo"]["exifImageWidth"], rows[asset]["exifInfo"]["exifImageHeight"]) == (8, 6)
    assert rows[asset]["ownerId"] == server.call("GET", "/users/me")["id"]


def test_rows_never_show_tags(server: Any, asset: str) -> None:
    server.tag([asset], server.tags("unseen"))
    rows = {row["id"]: row for row in server.search(size=1000, withExif=True)["items"]}
    assert not rows[asset].get("tags")


def test_updated_after_is_inclusive(server: Any, assets: list[str]) -> None:
    server.write(assets[0], description="M 31")
    moved = server.asset(assets[0])["updatedAt"]
    assert server.found(updatedAfter=moved) == {assets[0]}
    later = datetime.fromisoformat(moved) + timedelta(milliseconds=2)
    assert server.found(updatedAfter=later.isoformat(timespec="milliseconds")) == set()


def test_a_search_of_what_changed_shows_a_write_once_it_has_settled(server: Any, asset: str) -> None:
    before = server.asset(asset)["updatedAt"]
    later = (datetime.fromisoformat(before) + timedelta(milliseconds=1)).isoformat(timespec="milliseconds")
    server.write(asset, description="M 31")
    assert asset in server.found(updatedAfter=later)


def test_a_thousand_rows_are_a_page_and_more_are_400(server: Any, asset: str) -> None:
    assert server.search(size=1000)["count"] >= 1
    assert server.refusal("POST", "/search/metadata", {"size": 1001}).status_code == 400


def test_the_next_page_is_a_string_or_null_and_is_sent_as_a_number(server: Any, assets: list[str]) -> None:
    first = server.search(size=1, page=1)
    assert first["nextPage"] == "2"
    assert server.search(size=1, page=int(first["nextPage"]))["count"] == 1
    assert server.search(size=1000, page=1000)["nextPage"] is None


def test_the_total_of_a_page_is_its_length(server: Any, assets: list[str]) -> None:
    shown = server.search(size=2)
    assert (shown["total"], shown["count"], len(shown["items"])) == (2, 2, 2)


def test_tag_ids_null_finds_untagged_assets(server: Any, assets: list[str]) -> None:
    server.tag(assets[:1], server.tags("some"))
    found = server.found(tagIds=None)
    assert assets[0] not in found
    assert set(assets[1:]) <= found


def test_no_tag_ids_are_no_filter(server: Any, assets: list[str]) -> None:
    assert set(assets) <= server.found(tagIds=[])


def test_a_parent_finds_what_carries_its_descendants_and_several_tags_mean_and(
    server: Any, assets: list[str]
) -> None:
    child, other = server.tags("kind/galaxy", "colour")
    parent = next(tag["id"] for tag in server.call("GET", "/tags") if tag["value"] == f"{server.prefix}/kind")
    server.tag(assets[:2], [child])
    server.tag(assets[1:], [other])
    assert server.found(tagIds=[parent]) == set(assets[:2])
    assert server.found(tagIds=[parent, other]) == {assets[1]}


def test_an_archived_asset_needs_a_search_of_its_own(server: Any, asset: str) -> None:
    before = server.asset(asset)["updatedAt"]
    server.call("PUT", "/assets", {"ids": [asset], "visibility": "archive"})
    server.settled(asset, before)
    assert asset in server.found(visibility="archive")
    assert asset not in server.found(visibility="timeline")


def test_the_trash_is_shown_only_when_asked(server: Any, asset: str) -> None:
    server.call("DELETE", "/assets", {"ids": [asset]})
    assert asset not in server.found()
    assert asset in server.found(withDeleted=True)


def test_the_locked_folder_is_closed_to_keys(server: Any) -> None:
    answer = server.refusal("POST", "/search/metadata", {"visibility": "locked"})
    assert answer.status_code in {400, 401, 403}


def test_one_asset_can_be_asked_for_by_id(server: Any, asset: str) -> None:
    assert [row["id"] for row in server.search(id=asset)["items"]] == [asset]
