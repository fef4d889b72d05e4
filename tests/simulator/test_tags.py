"""Tags over HTTP: upserts, links, and what is skipped without a word."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from reconciler.simulator.serve import Simulator

Start = Callable[..., Simulator]
Open = Callable[..., httpx.Client]
UNKNOWN = "9f1e2d3c-4b5a-4978-8877-665544332211"


def upsert(http: httpx.Client, *paths: str) -> list[str]:
    return [tag["id"] for tag in http.put("/tags", json={"tags": list(paths)}).json()]


def test_an_upsert_makes_parents_and_gives_leaves_in_order(start: Start, client: Open) -> None:
    http = client(start())
    shown = http.put("/tags", json={"tags": ["B/C", "A", "B/C"]}).json()
    assert [(tag["value"], tag["name"]) for tag in shown] == [("B/C", "C"), ("A", "A")]
    listed = http.get("/tags").json()
    assert [tag["value"] for tag in listed] == ["A", "B", "B/C"]
    assert listed[2]["parentId"] == listed[1]["id"]
    assert "parentId" not in listed[0]
    assert upsert(http, "B/C", "A") == [tag["id"] for tag in shown]


def test_paths_are_normalised_by_slashes_only(start: Start, client: Open) -> None:
    http = client(start())
    assert len(set(upsert(http, "a//b", "/a/b", "a/b/"))) == 1
    assert len(set(upsert(http, "Alpha", "alpha", " lead", "lead"))) == 4
    assert upsert(http, "/") == []
    assert http.put("/tags", json={"tags": [""]}).status_code == 400
    assert http.put("/tags", json={"tags": ["a\0"]}).status_code == 500
    assert len(http.put("/tags", json={"tags": "xy"}).json()) == 2


def test_tagging_counts_new_links_and_skips_what_it_does_not_know(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start()
    http = client(simulator)
    one, two = upsert(http, "one", "two")
    body = {"assetIds": [*ids[:2], UNKNOWN], "tagIds": [one, UNKNOWN]}
    assert http.put("/tags/assets", json=body).json() == {"count": 2}
    simulator.wait_until_idle()
    body = {"assetIds": ids[:2], "tagIds": [one, two]}
    assert http.put("/tags/assets", json=body).json() == {"count": 2}
    simulator.wait_until_idle()
    before = simulator.assets()[ids[0]]["updatedAt"]
    assert http.put("/tags/assets", json=body).json() == {"count": 0}
    simulator.wait_until_idle()
    assert simulator.assets()[ids[0]]["updatedAt"] == before
    assert simulator.assets()[ids[0]]["tags"] == ["one", "two"]


def test_linking_one_tag_has_a_word_on_every_asset(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    (tag_id,) = upsert(http, "one")
    path = f"/tags/{tag_id}/assets"
    assert http.put(path, json={"ids": ids[:1]}).json() == [{"id": ids[0], "success": True}]
    simulator.wait_until_idle()
    errors = [item.get("error") for item in http.put(path, json={"ids": [ids[0], UNKNOWN]}).json()]
    assert errors == ["duplicate", "no_permission"]
    removed = http.request("DELETE", path, json={"ids": [ids[0], ids[1], UNKNOWN]}).json()
    assert [item.get("error") for item in removed] == [None, "not_found", "not_found"]
    unknown = http.put(f"/tags/{UNKNOWN}/assets", json={"ids": ids[:1]})
    assert (unknown.status_code, unknown.json()["message"]) == (400, "Not found or no tag.asset access")


def test_a_partners_asset_gets_the_tag_under_its_owner(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    simulator.state.assets[ids[0]].owner_id = "b1f9c0de-77aa-4c52-8d0e-2f9a6e5d4c3b"
    http = client(simulator)
    (tag_id,) = upsert(http, "one")
    assert http.put(f"/tags/{tag_id}/assets", json={"ids": ids[:1]}).json()[0]["success"] is True
    simulator.wait_until_idle()
    shown = http.get(f"/assets/{ids[0]}").json()["tags"]
    assert [(tag["value"], tag["id"] == tag_id) for tag in shown] == [("one", False)]


def test_the_nightly_clean_up_takes_unused_tags_and_their_ids(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start()
    http = client(simulator)
    used, unused = upsert(http, "A/used", "A/unused")
    http.put("/tags/assets", json={"assetIds": ids[:1], "tagIds": [used]})
    assert httpx.post(f"{simulator.url}/_simulator/tag-cleanup").json() == {"deleted": 1}
    assert [tag["value"] for tag in http.get("/tags").json()] == ["A", "A/used"]
    assert http.put("/tags/assets", json={"assetIds": ids[:1], "tagIds": [unused]}).json() == {"count": 0}


def test_deleting_a_tag_takes_its_children(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    (leaf,) = upsert(http, "A/B/C")
    http.put("/tags/assets", json={"assetIds": ids[:1], "tagIds": [leaf]})
    simulator.wait_until_idle()
    parent = http.get("/tags").json()[0]["id"]
    assert http.delete(f"/tags/{parent}").status_code == 204
    assert http.get("/tags").json() == []
    assert http.get(f"/assets/{ids[0]}").json()["tags"] == []


def test_colours_change_and_names_do_not(start: Start, client: Open) -> None:
    http = client(start())
    (tag_id,) = upsert(http, "one")
    shown = http.put(f"/tags/{tag_id}", json={"color": "#123456", "name": "two"}).json()
    assert (shown["color"], shown["name"]) == ("#123456", "one")
    assert http.get(f"/tags/{tag_id}").json()["value"] == "one"
