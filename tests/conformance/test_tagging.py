"""What the client believes about tags."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


def test_an_upsert_is_idempotent_and_keeps_the_order(server: Any) -> None:
    first = server.tags("order/b", "order/a")
    assert server.tags("order/b", "order/a") == first
    assert server.tags("order/a", "order/b") == first[::-1]


def test_an_upsert_answers_each_path_once(server: Any) -> None:
    assert len(server.tags("once", "once")) == 1


def test_parents_are_made_and_listed(server: Any) -> None:
    (leaf,) = server.tags("made/on/the way")
    listed = {tag["value"]: tag for tag in server.call("GET", "/tags")}
    shown = listed[f"{server.prefix}/made/on/the way"]
    assert (shown["id"], shown["name"]) == (leaf, "the way")
    assert shown["parentId"] == listed[f"{server.prefix}/made/on"]["id"]


def test_case_and_spaces_tell_tags_apart(server: Any) -> None:
    assert len(set(server.tags("Alpha", "alpha", " alpha"))) == 3


def test_doubled_slashes_are_dropped(server: Any) -> None:
    assert len(set(server.tags("x//y", "x/y", "x/y/"))) == 1


def test_tagging_counts_new_links_only(server: Any, assets: list[str]) -> None:
    one, two = server.tags("count 1", "count 2")
    assert server.tag(assets, [one]) == 3
    assert server.tag(assets, [one, two]) == 3
    assert server.tag_paths(assets[0]) == {"count 1", "count 2"}


def test_tagging_what_is_tagged_already_moves_nothing(server: Any, asset: str) -> None:
    (tag_id,) = server.tags("already")
    server.tag([asset], [tag_id])
    before = server.asset(asset)["updatedAt"]
    body = {"assetIds": [asset], "tagIds": [tag_id]}
    assert server.call("PUT", "/tags/assets", body) == {"count": 0}
    assert server.stands_still(asset)["updatedAt"] == before


def test_tagging_skips_unknown_assets_and_tags_without_a_word(server: Any, asset: str) -> None:
    (tag_id,) = server.tags("skipped")
    body = {"assetIds": [asset, str(uuid4())], "tagIds": [tag_id, str(uuid4())]}
    before = server.asset(asset)["updatedAt"]
    assert server.call("PUT", "/tags/assets", body) == {"count": 1}
    server.settled(asset, before)


def test_several_tags_in_one_call_all_settle(server: Any, asset: str) -> None:
    names = [f"set {number}" for number in range(18)]
    server.tag([asset], server.tags(*names))
    assert server.tag_paths(asset) == set(names)


def test_untagging_says_what_was_not_tagged(server: Any, assets: list[str]) -> None:
    (tag_id,) = server.tags("taken away")
    server.tag(assets[:1], [tag_id])
    before = server.asset(assets[0])["updatedAt"]
    body = {"ids": [*assets[:2], str(uuid4())]}
    answer = server.call("DELETE", f"/tags/{tag_id}/assets", body)
    shown = {item["id"]: (item["success"], item.get("error")) for item in answer}
    assert shown[assets[0]] == (True, None)
    assert [shown[asset_id] for asset_id in body["ids"][1:]] == [(False, "not_found")] * 2
    assert server.settled(assets[0], before)["tags"] == []


def test_an_unknown_tag_can_not_be_taken_away(server: Any, asset: str) -> None:
    answer = server.refusal("DELETE", f"/tags/{uuid4()}/assets", {"ids": [asset]})
    assert answer.status_code == 400


def test_a_tag_and_a_description_both_stay_when_each_has_settled(server: Any, asset: str) -> None:
    server.write(asset, description="M 31")
    server.tag([asset], server.tags("both"))
    server.write(asset, description="M 31, again")
    assert server.tag_paths(asset) == {"both"}
    assert server.exif(asset)["description"] == "M 31, again"


def test_ordinary_paths_settle_unchanged(server: Any, asset: str) -> None:
    names = ["NGC 224", "a,b", "θ1 Ori C (θ1 Ori)", "« HOO »", "007", "tab\there"]
    server.tag([asset], server.tags(*names))
    assert server.tag_paths(asset) == set(names)


def test_an_entity_in_a_path_settles_decoded(server: Any, asset: str) -> None:
    server.tag([asset], server.tags("R&amp;D"))
    assert server.tag_paths(asset) == {"R&D"}
