"""Searches: what they find, what they leave out, and pages that do not hold still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest

from reconciler.simulator.serve import Simulator

Start = Callable[..., Simulator]
Open = Callable[..., httpx.Client]


def find(http: httpx.Client, **body: object) -> list[str]:
    answer = http.post("/search/metadata", json=body)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["assets"]["items"]]


def all_pages(http: httpx.Client, size: int) -> list[str]:
    found: list[str] = []
    page: str | None = "1"
    while page:
        shown = http.post("/search/metadata", json={"size": size, "page": int(page)}).json()["assets"]
        found += [item["id"] for item in shown["items"]]
        page = shown["nextPage"]
    return found


def test_pages_repeat_and_skip_rows_of_equal_date(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start(unkind="unstable_paging")
    for asset in simulator.state.assets.values():
        asset.created = 0
    found = all_pages(client(simulator), 7)
    assert len(found) == len(ids)
    assert len(set(found)) < len(ids)


def test_rows_of_distinct_dates_hold_still(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start(unkind="unstable_paging")
    for number, asset in enumerate(simulator.state.assets.values()):
        asset.created = number
    assert sorted(all_pages(client(simulator), 7)) == sorted(ids)


def test_without_the_unkindness_pages_hold_still(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    for asset in simulator.state.assets.values():
        asset.created = 0
    assert sorted(all_pages(client(simulator), 7)) == sorted(ids)


def test_some_photographs_share_their_date(start: Start) -> None:
    dates = [asset.created for asset in start().state.assets.values()]
    assert len(dates) * 0.5 < len(set(dates)) < len(dates)


def test_the_page_length_passes_for_a_total_and_the_next_page_for_a_string(
    start: Start, client: Open
) -> None:
    http = client(start())
    shown = http.post("/search/metadata", json={"size": 20}).json()["assets"]
    assert (shown["total"], shown["count"], shown["nextPage"]) == (20, 20, "2")
    last = http.post("/search/metadata", json={"size": 20, "page": 3}).json()["assets"]
    assert (last["count"], last["nextPage"]) == (20, None)
    assert http.post("/search/statistics", json={}).json() == {"total": 60}


@pytest.mark.parametrize("body", [{"size": 0}, {"size": 1001}, {"page": 0}, {"updatedAfter": "soon"}])
def test_wrong_bounds_are_400(start: Start, client: Open, body: dict[str, object]) -> None:
    assert client(start()).post("/search/metadata", json=body).status_code == 400


def test_a_page_as_text_is_400_from_3_0_on(start: Start, client: Open) -> None:
    assert client(start()).post("/search/metadata", json={"page": "1"}).status_code == 200
    assert client(start(version="3.0.0")).post("/search/metadata", json={"page": "1"}).status_code == 400


def test_without_a_content_type_the_body_is_ignored_and_page_1_comes_again(
    start: Start, client: Open
) -> None:
    http = client(start())
    answer = http.post("/search/metadata", content=b'{"size": 5, "page": 2}')
    assert answer.json()["assets"]["count"] == 60


def test_only_the_timeline_is_searched_up_to_2_x(start: Start, client: Open, ids: list[str]) -> None:
    for version, found in (("2.7.5", 57), ("3.0.0", 59)):
        simulator = start(version=version)
        assets = simulator.state.assets
        assets[ids[0]].visibility = "archive"
        assets[ids[1]].visibility = "hidden"
        assets[ids[2]].visibility = "locked"
        http = client(simulator)
        assert len(find(http, size=1000)) == found
        assert find(http, visibility="archive") == [ids[0]]
        locked = http.post("/search/metadata", json={"visibility": "locked"})
        assert (locked.status_code, locked.json()["message"]) == (401, "Elevated permission is required")


def test_the_trash_is_searched_only_when_asked(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    simulator.person(ids[0], "trash")
    http = client(simulator)
    assert ids[0] not in find(http, size=1000)
    assert ids[0] in find(http, size=1000, withDeleted=True)
    assert http.get(f"/assets/{ids[0]}").json()["isTrashed"] is True


def test_partners_assets_are_found_too(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    simulator.state.assets[ids[0]].owner_id = "b1f9c0de-77aa-4c52-8d0e-2f9a6e5d4c3b"
    simulator.state.assets[ids[1]].owner_id = "c4d5e6f7-1a2b-4c3d-9e8f-a0b1c2d3e4f5"
    found = find(client(simulator), size=1000)
    assert ids[0] in found
    assert ids[1] not in found


def test_updated_after_is_inclusive(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    http.put(f"/assets/{ids[7]}", json={"description": "M 31"})
    simulator.wait_until_idle()
    moved = str(simulator.assets()[ids[7]]["updatedAt"])
    assert find(http, updatedAfter=moved) == [ids[7]]
    later = datetime.fromisoformat(moved) + timedelta(milliseconds=1)
    assert find(http, updatedAfter=later.isoformat(timespec="milliseconds")) == []


def test_rows_carry_exif_when_asked_and_never_tags(start: Start, client: Open, ids: list[str]) -> None:
    http = client(start())
    tag_id = http.put("/tags", json={"tags": ["Galaxy"]}).json()[0]["id"]
    http.put("/tags/assets", json={"assetIds": ids[:1], "tagIds": [tag_id]})
    bare = http.post("/search/metadata", json={"id": ids[0]}).json()["assets"]["items"][0]
    rich = http.post("/search/metadata", json={"id": ids[0], "withExif": True}).json()["assets"]["items"][0]
    assert "exifInfo" not in bare
    assert rich["exifInfo"]["description"] == ""
    assert "tags" not in bare | rich


def test_tag_filters(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    child, other = (tag["id"] for tag in http.put("/tags", json={"tags": ["Astro/Galaxy", "RGB"]}).json())
    parent = next(tag["id"] for tag in http.get("/tags").json() if tag["value"] == "Astro")
    http.put("/tags/assets", json={"assetIds": ids[:3], "tagIds": [child]})
    simulator.wait_until_idle()
    http.put("/tags/assets", json={"assetIds": ids[2:4], "tagIds": [other]})
    simulator.wait_until_idle()
    assert sorted(find(http, tagIds=[parent])) == ids[:3]
    assert find(http, tagIds=[parent, other]) == [ids[2]]
    assert len(find(http, tagIds=[])) == 60
    assert sorted(find(http, tagIds=None, size=1000)) == ids[4:]


def test_a_posted_tag_is_not_found_until_it_is_upserted(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    tag_id = http.post("/tags", json={"name": "Flat/Name"}).json()["id"]
    assert http.post("/tags", json={"name": "Flat/Name"}).status_code == 400
    simulator.state.tags.link(simulator.state.assets[ids[0]], simulator.state.tags.by_id[tag_id])
    assert find(http, tagIds=[tag_id]) == []
    repaired = http.put("/tags", json={"tags": ["Flat/Name"]}).json()[0]
    assert (repaired["id"], repaired["name"]) == (tag_id, "Name")
    assert repaired["parentId"]
    assert find(http, tagIds=[tag_id]) == [ids[0]]


def test_filters_by_date_name_and_checksum(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    asset = simulator.state.assets[ids[5]]
    assert find(http, checksum=asset.checksum) == [ids[5]]
    assert find(http, originalFileName="IMG_00005") == [ids[5]]
    assert len(find(http, takenAfter="2020-01-01T00:30:00.000Z")) < 60
    assert find(http, takenBefore="2019-01-01T00:00:00.000Z") == []
    assert find(http, order="asc") == find(http)[::-1]


def test_before_1_133_the_archive_is_shown_by_with_archived_alone(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start(version="1.132.0")
    simulator.person(ids[0], "archive")
    http = client(simulator)
    assert ids[0] not in find(http, visibility="archive")
    assert ids[0] not in find(http)
    assert set(find(http, withArchived=True)) == set(ids)
