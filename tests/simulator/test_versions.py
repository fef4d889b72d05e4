"""The same request to servers of four versions: what differs between them, as measured and as read."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid1

import httpx
import pytest

from reconciler.simulator.serve import Simulator

Start = Callable[..., Simulator]
Open = Callable[..., httpx.Client]
OLD, NEW = ("1.144.1", "2.7.5"), ("3.1.0", "3.2.0")
ALL = OLD + NEW
PARTNER = "b1f9c0de-77aa-4c52-8d0e-2f9a6e5d4c3b"
JSON = {"content-type": "application/json"}


@pytest.fixture(params=ALL)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def simulator(start: Start, version: str) -> Simulator:
    return start(version=version)


@pytest.fixture
def http(simulator: Simulator, client: Open) -> httpx.Client:
    return client(simulator)


def status(old: int, new: int, version: str) -> int:
    return old if version in OLD else new


def is_validation(answer: httpx.Response) -> bool:
    """Return whether an answer says that a value is wrong, in the form of its version."""
    body = answer.json()
    listed = isinstance(body["message"], list) or (body["message"] == "Validation failed" and body["errors"])
    return answer.status_code == 400 and bool(listed)


def test_patch_stands_beside_put_from_3_0_on(http: httpx.Client, ids: list[str], version: str) -> None:
    tag = http.put("/tags", json={"tags": ["RGB"]}).json()[0]["id"]
    there = version in NEW
    assert http.patch(f"/assets/{ids[0]}", json={"description": "x"}).status_code == (200 if there else 404)
    assert http.patch("/assets", json={"ids": ids[:2]}).status_code == (204 if there else 404)
    assert http.patch(f"/tags/{tag}", json={"color": "#102030"}).status_code == (200 if there else 404)
    assert http.put(f"/assets/{ids[0]}", json={"description": "x"}).status_code == 200


def test_the_answer_to_a_write_has_neither_tags_nor_owner_nor_stack(
    http: httpx.Client, ids: list[str]
) -> None:
    shown = http.put(f"/assets/{ids[0]}", json={"description": "x"}).json()
    assert not {"tags", "owner", "stack"} & shown.keys()
    assert {"exifInfo", "people", "updatedAt"} <= shown.keys()


def test_a_refusal_has_the_form_of_its_version(http: httpx.Client, version: str) -> None:
    unknown = http.get("/assets/9f1e2d3c-4b5a-4978-8877-665544332211")
    wrong = http.put("/assets", json={"ids": ["no-uuid"]})
    lone = http.put("/assets", json={"ids": [], "latitude": 1})
    if version in OLD:
        assert unknown.json().keys() == {"message", "error", "statusCode", "correlationId"}
        assert wrong.json()["message"] == ["each value in ids must be a UUID"]
        assert "x-immich-cid" in unknown.headers
        return
    assert unknown.json() == {"message": "Not found or no asset.read access"}
    assert wrong.json().keys() == lone.json().keys() == {"message", "errors"}
    assert wrong.json()["errors"][0]["path"] == ["ids", 0]
    assert {"code", "path", "message"} <= wrong.json()["errors"][0].keys()
    assert lone.json()["errors"][0]["path"] == []
    assert "x-correlation-id" in unknown.headers
    assert "x-immich-cid" not in unknown.headers


@pytest.mark.parametrize(
    ("content", "headers"),
    [(b"[1, 2]", JSON), (b'{"description": "M 31"}', {"content-type": "text/plain"})],
)
def test_a_body_that_is_no_object_is_nothing_up_to_2_x_and_400_from_3_0_on(
    http: httpx.Client, ids: list[str], version: str, content: bytes, headers: dict[str, str]
) -> None:
    for method, path in (("PUT", f"/assets/{ids[0]}"), ("POST", "/search/metadata")):
        answer = http.request(method, path, content=content, headers=headers)
        assert answer.status_code == status(200, 400, version)
    assert http.get(f"/assets/{ids[0]}").json()["exifInfo"]["description"] == ""


def test_a_rating_of_0_is_none_up_to_2_x_and_400_from_3_0_on(
    simulator: Simulator, http: httpx.Client, ids: list[str], version: str
) -> None:
    path = f"/assets/{ids[0]}"
    assert http.put(path, json={"rating": 3}).status_code == 200
    assert http.put(path, json={"rating": 0}).status_code == status(200, 400, version)
    assert http.put(path, json={"rating": 6}).status_code == 400
    assert http.put(path, json={"rating": -1}).status_code == 200
    simulator.wait_until_idle()
    assert http.get(path).json()["exifInfo"]["rating"] == (-1 if version in OLD else None)
    assert http.put(path, json={"rating": None}).status_code == 200


def test_an_id_of_another_uuid_version_is_unknown_up_to_2_x_and_wrong_from_3_0_on(
    http: httpx.Client, ids: list[str], version: str
) -> None:
    odd = str(uuid1())
    tag = http.put("/tags", json={"tags": ["RGB"]}).json()[0]["id"]
    requests = [
        ("GET", f"/assets/{odd}", None),
        ("PUT", "/assets", {"ids": [ids[0], odd], "description": "x"}),
        ("PUT", "/tags/assets", {"assetIds": [odd], "tagIds": [tag]}),
        ("PUT", "/tags/assets", {"assetIds": ids[:1], "tagIds": [odd]}),
        ("PUT", f"/tags/{tag}/assets", {"ids": [odd]}),
        ("DELETE", f"/tags/{tag}/assets", {"ids": [odd]}),
        ("POST", "/search/metadata", {"id": odd}),
        ("POST", "/search/metadata", {"tagIds": [odd]}),
    ]
    for method, path, body in requests:
        answer = http.request(method, path, json=body)
        if version in NEW:
            assert is_validation(answer), (method, path)
        else:
            assert answer.status_code == 200 or answer.json()["message"].startswith("Not found"), (
                method,
                path,
            )


def test_a_tag_is_renamed_from_3_2_on_and_the_old_path_comes_back_with_the_next_extraction(
    simulator: Simulator, http: httpx.Client, ids: list[str], version: str
) -> None:
    leaf = http.put("/tags", json={"tags": ["Astro/Galaxy/Spiral"]}).json()[0]["id"]
    http.put("/tags/assets", json={"assetIds": ids[:1], "tagIds": [leaf]})
    simulator.wait_until_idle()
    tags = {tag["value"]: tag["id"] for tag in http.get("/tags").json()}
    answer = http.put(f"/tags/{tags['Astro/Galaxy']}", json={"name": "Galaxies"})
    assert answer.status_code == {"3.1.0": 500}.get(version, 200)
    if version == "3.1.0":
        assert answer.json() == {"message": "Failed to update tag"}
    if version != "3.2.0":
        assert {tag["value"]: tag["id"] for tag in http.get("/tags").json()} == tags
        return
    assert {tag["value"]: tag["id"] for tag in http.get("/tags").json()} == {
        "Astro": tags["Astro"],
        "Astro/Galaxies": tags["Astro/Galaxy"],
        "Astro/Galaxies/Spiral": leaf,
    }
    assert [tag["value"] for tag in http.get(f"/assets/{ids[0]}").json()["tags"]] == ["Astro/Galaxies/Spiral"]
    http.put(f"/assets/{ids[0]}", json={"description": "x"})
    simulator.wait_until_idle()
    (back,) = http.get(f"/assets/{ids[0]}").json()["tags"]
    assert back["value"] == "Astro/Galaxy/Spiral"
    assert back["id"] != leaf


def test_a_tag_is_not_renamed_to_one_that_is_there(start: Start, client: Open) -> None:
    http = client(start(version="3.2.0"))
    one, two = (tag["id"] for tag in http.put("/tags", json={"tags": ["A/one", "A/two"]}).json())
    assert http.patch(f"/tags/{one}", json={"name": "two"}).status_code == 400
    assert http.patch(f"/tags/{two}", json={"name": "two"}).status_code == 200


def test_an_empty_colour_is_refused_from_3_0_on_and_null_clears_it(http: httpx.Client, version: str) -> None:
    tag = http.put("/tags", json={"tags": ["RGB"]}).json()[0]["id"]
    assert http.put(f"/tags/{tag}", json={"color": "#102030"}).json()["color"] == "#102030"
    assert http.put(f"/tags/{tag}", json={"color": ""}).status_code == status(200, 400, version)
    assert "color" not in http.put(f"/tags/{tag}", json={"color": None}).json()


def test_a_nul_in_a_tag_is_500_in_the_words_of_its_version(http: httpx.Client, version: str) -> None:
    answer = http.put("/tags", json={"tags": ["a\0b"]})
    words = "Internal server error" if version in OLD else "Failed to upsert tags"
    assert (answer.status_code, answer.json()["message"]) == (500, words)


def test_a_tag_without_a_name_can_be_made_from_3_0_on(http: httpx.Client, version: str) -> None:
    answer = http.post("/tags", json={"name": ""})
    assert answer.status_code == status(400, 201, version)
    if version in NEW:
        assert [tag["value"] for tag in http.get("/tags").json()] == [""]


@pytest.mark.parametrize("body", [{"rating": -1}, {"withDeleted": "true"}, {"withExif": "true"}])
def test_a_search_is_strict_about_types_from_3_0_on(
    http: httpx.Client, version: str, body: dict[str, object]
) -> None:
    assert http.post("/search/metadata", json=body).status_code == status(200, 400, version)


def test_rows_of_equal_date_hold_still_from_3_1_on(
    start: Start, client: Open, ids: list[str], version: str
) -> None:
    simulator = start(version=version, unkind="unstable_paging")
    for asset in simulator.state.assets.values():
        asset.created = 0
    http = client(simulator)
    for size in (3, 7, 10, 20):
        found: list[str] = []
        page: str | None = "1"
        while page:
            body = {"size": size, "page": int(page)}
            shown = http.post("/search/metadata", json=body).json()["assets"]
            found += [item["id"] for item in shown["items"]]
            page = shown["nextPage"]
        assert len(found) == len(ids)
        assert (len(set(found)) == len(ids)) == (version in NEW)


def test_a_partners_archived_asset_is_listed_and_cannot_be_read(
    simulator: Simulator, http: httpx.Client, ids: list[str], version: str
) -> None:
    asset = simulator.state.assets[ids[0]]
    asset.owner_id, asset.visibility = PARTNER, "archive"

    def found(**body: object) -> bool:
        rows = http.post("/search/metadata", json={"size": 1000, **body}).json()["assets"]["items"]
        return ids[0] in {row["id"] for row in rows}

    assert found(visibility="archive")
    assert not found(visibility="timeline")
    assert found() == (version in NEW)
    assert http.get(f"/assets/{ids[0]}").status_code == 400


def test_upper_case_ids_are_tagged_from_3_0_on(start: Start, client: Open, version: str) -> None:
    asset_id = "abcdef00-0000-4000-8000-000000000001"
    http = client(start(version=version, assets=[asset_id]))
    tag = http.put("/tags", json={"tags": ["RGB"]}).json()[0]["id"]
    answer = http.put("/tags/assets", json={"assetIds": [asset_id.upper()], "tagIds": [tag]})
    assert answer.json() == {"count": int(version in NEW)}


def test_in_maintenance_the_web_pages_lead_elsewhere_from_3_0_on(
    simulator: Simulator, http: httpx.Client, version: str
) -> None:
    simulator.configure(maintenance=True)
    page = http.get(simulator.url + "/photos", follow_redirects=False)
    assert page.status_code == status(200, 302, version)


def test_the_fields_of_the_other_search_are_ignored_before_3_2(http: httpx.Client, version: str) -> None:
    body = {"filter": {"hasTags": {"eq": True}}, "page": 1}
    answer = http.post("/search/metadata", json=body)
    if version == "3.2.0":
        assert answer.status_code == 400
        assert answer.json()["message"].startswith("Deprecated field page cannot be combined")
    else:
        assert answer.json()["assets"]["count"] == 60


def test_filters_of_3_2_select(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start(version="3.2.0")
    http = client(simulator)
    one, two = (tag["id"] for tag in http.put("/tags", json={"tags": ["A/one", "A/two"]}).json())
    above = next(tag["id"] for tag in http.get("/tags").json() if tag["value"] == "A")
    http.put("/tags/assets", json={"assetIds": ids[:2], "tagIds": [one]})
    http.put("/tags/assets", json={"assetIds": ids[1:3], "tagIds": [two]})
    simulator.state.assets[ids[3]].visibility = "archive"
    simulator.state.assets[ids[4]].visibility = "locked"
    simulator.state.assets[ids[5]].trashed = True
    simulator.wait_until_idle()

    def found(**wanted: object) -> set[str]:
        rows = http.post("/search/metadata", json={"filter": wanted, "size": 1000}).json()["assets"]
        return {row["id"] for row in rows["items"]}

    everything = set(ids) - {ids[4], ids[5]}
    assert found() == everything
    assert found(visibility={"in": ["archive", "locked"]}) == {ids[3]}
    assert found(hasTags={"eq": True}) == found(tagIds={"any": [above]}) == set(ids[:3])
    assert found(tagIds={"all": [one, two]}) == {ids[1]}
    assert found(tagIds={"none": [one]}) == everything - set(ids[:2])
    either = {"or": [{"id": {"eq": ids[9]}}, {"visibility": {"eq": "archive"}}]}
    assert found(**either) == {ids[3], ids[9]}
    since = http.get(f"/assets/{ids[0]}").json()["updatedAt"]
    assert ids[0] in found(updatedAt={"gte": since})
    assert ids[9] not in found(updatedAt={"gte": since})
    assert http.post("/search/metadata", json={"filter": {"noSuch": {"eq": 1}}}).status_code == 400
    assert http.post("/search/metadata", json={"filter": {"id": {"like": 1}}}).status_code == 400


def test_a_cursor_of_3_2_is_an_offset_in_disguise(start: Start, client: Open, ids: list[str]) -> None:
    http = client(start(version="3.2.0"))
    found: list[str] = []
    body: dict[str, object] = {"filter": {}, "size": 25}
    for _ in range(3):
        shown = http.post("/search/metadata", json=body).json()["assets"]
        found += [row["id"] for row in shown["items"]]
        assert shown["nextPage"] is None
        body = {**body, "cursor": shown["nextCursor"]}
    assert sorted(found) == sorted(ids)
    assert shown["nextCursor"] is None
    assert http.post("/search/metadata", json={"cursor": "?", "size": 5}).status_code == 400
    backwards = {"filter": {}, "size": 1, "orderBy": {"field": "fileCreatedAt", "direction": "asc"}}
    (oldest,) = http.post("/search/metadata", json=backwards).json()["assets"]["items"]
    assert oldest["fileCreatedAt"] == min(
        row["fileCreatedAt"]
        for row in http.post("/search/metadata", json={"filter": {}}).json()["assets"]["items"]
    )
