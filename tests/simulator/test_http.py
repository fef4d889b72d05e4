"""Requests over real sockets: who may ask, what is refused and how."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import httpx
import pytest

from reconciler.simulator.serve import Simulator

Start = Callable[..., Simulator]
Open = Callable[..., httpx.Client]
UNKNOWN = "9f1e2d3c-4b5a-4978-8877-665544332211"


def test_a_wrong_key_is_401_and_none_is_401(start: Start) -> None:
    with httpx.Client(base_url=f"{start().url}/api") as anyone:
        assert anyone.get("/tags").json()["message"] == "Authentication required"
        assert anyone.get("/tags", headers={"x-api-key": "no"}).json()["message"] == "Invalid API key"
        bearer = anyone.get("/tags", headers={"authorization": "Bearer no"})
        assert (bearer.status_code, bearer.json()["message"]) == (401, "Invalid user token")


def test_the_key_works_as_a_query_parameter(start: Start) -> None:
    simulator = start()
    with httpx.Client(base_url=f"{simulator.url}/api") as anyone:
        assert anyone.get("/tags", params={"apiKey": simulator.api_key}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", f"/assets/{UNKNOWN}", "asset.read"),
        ("PUT", f"/assets/{UNKNOWN}", "asset.update"),
        ("PUT", "/assets", "asset.update"),
        ("POST", "/search/metadata", "asset.read"),
        ("POST", "/search/statistics", "asset.statistics"),
        ("GET", "/assets/statistics", "asset.statistics"),
        ("GET", "/tags", "tag.read"),
        ("PUT", "/tags", "tag.create"),
        ("PUT", "/tags/assets", "tag.asset"),
        ("DELETE", f"/tags/{UNKNOWN}/assets", "tag.asset"),
        ("GET", "/users/me", "user.read"),
        ("GET", "/server/about", "server.about"),
    ],
)
def test_a_missing_scope_is_403_and_named(
    start: Start, client: Open, method: str, path: str, scope: str
) -> None:
    answer = client(start(scopes=("map.read",))).request(method, path, json={})
    assert answer.status_code == 403
    assert answer.json()["message"] == f"Missing required permission: {scope}"


def test_a_key_with_just_the_scope_is_let_in(start: Start, client: Open) -> None:
    simulator = start(scopes=("tag.read",))
    assert client(simulator).get("/tags").status_code == 200
    assert client(simulator).get("/api-keys/me").json()["permissions"] == ["tag.read"]


def test_maintenance_answers_404_to_everything_but_ping_version_and_config(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start()
    simulator.configure(maintenance=True)
    http = client(simulator)
    for path in (f"/assets/{ids[0]}", "/api-keys/me", "/tags"):
        answer = http.get(path)
        assert (answer.status_code, answer.json()["message"]) == (404, f"Cannot GET /api{path}")
    assert http.get("/server/ping").json() == {"res": "pong"}
    assert http.get("/server/version").status_code == 200
    assert http.get("/server/config").json()["maintenanceMode"] is True
    simulator.configure(maintenance=False)
    assert http.get(f"/assets/{ids[0]}").status_code == 200
    assert http.get("/server/config").json()["maintenanceMode"] is False


def test_an_unknown_route_is_404_and_outside_of_api_there_is_a_page(start: Start, client: Open) -> None:
    http = client(start())
    answer = http.get("/nothing/here")
    assert (answer.status_code, answer.json()["message"]) == (404, "Cannot GET /api/nothing/here")
    page = http.get(str(http.base_url).removesuffix("/api/") + "/photos/anything")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_a_body_over_10_mb_is_500_and_writes_nothing(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    answer = client(simulator).put(f"/assets/{ids[0]}", json={"description": "x" * 10_500_000})
    assert (answer.status_code, answer.json()["message"]) == (500, "Internal server error")
    assert simulator.assets()[ids[0]]["description"] == ""


@pytest.mark.parametrize("body", [b"[1, 2]", b"", b'"text"'])
def test_a_body_that_is_no_object_counts_as_none(
    start: Start, client: Open, ids: list[str], body: bytes
) -> None:
    headers = {"content-type": "application/json"}
    assert client(start()).put(f"/assets/{ids[0]}", content=body, headers=headers).status_code == 200


def test_another_content_type_is_a_write_that_silently_does_nothing(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start()
    body = json.dumps({"description": "M 31"})
    answer = client(simulator).put(f"/assets/{ids[0]}", content=body, headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["exifInfo"]["description"]) == (200, "")


def test_malformed_json_is_400(start: Start, client: Open, ids: list[str]) -> None:
    headers = {"content-type": "application/json"}
    for body in (b"{", b'{"latitude": NaN, "longitude": 1}'):
        answer = client(start()).put(f"/assets/{ids[0]}", content=body, headers=headers)
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            {"latitude": 1},
            ["longitude should not be empty", "longitude must be a longitude string or number"],
        ),
        ({"longitude": 1}, ["latitude should not be empty", "latitude must be a latitude string or number"]),
        ({"latitude": 90.1, "longitude": 1}, ["latitude must be a latitude string or number"]),
        ({"latitude": 1, "longitude": 181}, ["longitude must be a longitude string or number"]),
        ({"latitude": 1e-8, "longitude": 1}, ["latitude must be a latitude string or number"]),
        ({"description": None}, ["description must be a string"]),
        ({"description": 5}, ["description must be a string"]),
        ({"rating": 6}, ["rating must not be greater than 5"]),
        ({"dateTimeOriginal": "soon"}, ["dateTimeOriginal must be a valid ISO 8601 date string"]),
    ],
)
def test_wrong_values_are_400_with_a_list_of_messages(
    start: Start, client: Open, ids: list[str], body: dict[str, object], messages: list[str]
) -> None:
    http = client(start())
    for answer in (
        http.put(f"/assets/{ids[0]}", json=body),
        http.put("/assets", json={"ids": [ids[0]], **body}),
    ):
        assert (answer.status_code, answer.json()["message"]) == (400, messages)


def test_numeric_strings_are_coordinates_up_to_2_x(start: Start, client: Open, ids: list[str]) -> None:
    body = {"latitude": "12.5", "longitude": "-7"}
    exif = client(start()).put(f"/assets/{ids[0]}", json=body).json()["exifInfo"]
    assert (exif["latitude"], exif["longitude"]) == (12.5, -7)
    assert client(start(version="3.0.0")).put(f"/assets/{ids[0]}", json=body).status_code == 400


def test_a_nul_in_a_description_is_500(start: Start, client: Open, ids: list[str]) -> None:
    answer = client(start()).put(f"/assets/{ids[0]}", json={"description": "a\0b"})
    assert (answer.status_code, answer.json()["message"]) == (500, "Failed to update asset")


def test_a_lone_surrogate_is_replaced_at_once(start: Start, client: Open, ids: list[str]) -> None:
    body = b'{"description": "a\\ud800b"}'
    answer = client(start()).put(
        f"/assets/{ids[0]}", content=body, headers={"content-type": "application/json"}
    )
    assert answer.json()["exifInfo"]["description"] == "a\ufffdb"


def test_unknown_foreign_locked_and_upper_case_ids_are_400(start: Start, client: Open) -> None:
    ids = [f"abcdef00-0000-4000-8000-00000000000{digit}" for digit in range(4)]
    simulator = start(assets=ids)
    simulator.state.assets[ids[1]].visibility = "locked"
    simulator.state.assets[ids[2]].owner_id = "c4d5e6f7-1a2b-4c3d-9e8f-a0b1c2d3e4f5"
    http = client(simulator)
    for bad in (UNKNOWN, ids[1], ids[2], ids[0].upper()):
        for answer in (
            http.get(f"/assets/{bad}"),
            http.put(f"/assets/{bad}", json={"description": "x"}),
            http.put("/assets", json={"ids": [ids[0], bad], "description": "x"}),
        ):
            assert answer.status_code == 400
            assert answer.json()["message"].startswith("Not found or no asset.")
    assert simulator.assets()[ids[0]]["writes"] == 0
    assert http.get("/assets/no-uuid").json()["message"] == ["id must be a UUID"]


def test_a_partners_asset_can_be_read_and_not_written(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    simulator.state.assets[ids[0]].owner_id = "b1f9c0de-77aa-4c52-8d0e-2f9a6e5d4c3b"
    http = client(simulator)
    assert http.get(f"/assets/{ids[0]}").json()["ownerId"] != http.get("/users/me").json()["id"]
    assert http.put(f"/assets/{ids[0]}", json={"description": "x"}).status_code == 400


def test_errors_of_3_0_have_paths_and_the_correlation_in_a_header(
    start: Start, client: Open, ids: list[str]
) -> None:
    answer = client(start(version="3.0.0")).put(f"/assets/{ids[0]}", json={"description": None})
    assert answer.json()["message"] == "Validation failed"
    assert answer.json()["errors"][0]["path"] == ["description"]
    assert answer.headers["x-correlation-id"]
    old = client(start()).put(f"/assets/{ids[0]}", json={"description": None})
    assert old.headers["x-immich-cid"] == old.json()["correlationId"]


def test_routes_appear_with_their_version(start: Start, client: Open, ids: list[str]) -> None:
    http = client(start(version="1.133.0"))
    assert http.get("/api-keys/me").status_code == 404
    assert http.get(f"/assets/{ids[0]}/metadata").status_code == 404
    assert http.post("/search/statistics", json={}).status_code == 404


def test_a_bulk_write_queues_a_job_for_every_occurrence_of_an_id(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start()
    body = {"ids": [ids[0], ids[0], ids[1]], "description": "x"}
    assert client(simulator).put("/assets", json=body).status_code == 204
    assert simulator.faults()["overlaps"] == 1


def test_a_bulk_write_of_nothing_queues_its_jobs_all_the_same(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start()
    before = simulator.assets()[ids[0]]["updatedAt"]
    assert client(simulator).put("/assets", json={"ids": ids[:1]}).status_code == 204
    simulator.wait_until_idle()
    assert simulator.assets()[ids[0]]["updatedAt"] != before


def test_before_1_133_a_bulk_write_ignores_the_description(
    start: Start, client: Open, ids: list[str]
) -> None:
    simulator = start(version="1.132.0")
    body = {"ids": ids[:1], "description": "M 31"}
    assert client(simulator).put("/assets", json=body).status_code == 204
    assert simulator.assets()[ids[0]]["description"] == ""


def test_a_deleted_asset_is_still_there_for_a_moment(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    assert http.request("DELETE", "/assets", json={"ids": ids[:1], "force": True}).status_code == 204
    assert http.get(f"/assets/{ids[0]}").status_code == 200
    simulator.wait_until_idle()
    assert http.get(f"/assets/{ids[0]}").status_code == 400


def test_custom_metadata_merges_by_key_and_moves_nothing(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start()
    http = client(simulator)
    before = simulator.assets()[ids[0]]["updatedAt"]
    path = f"/assets/{ids[0]}/metadata"
    for key, value in (("a/b", {"x": 1}), ("c", {}), ("a/b", {"x": 2})):
        assert http.put(path, json={"items": [{"key": key, "value": value}]}).status_code == 200
    assert {item["key"]: item["value"] for item in http.get(path).json()} == {"a/b": {"x": 2}, "c": {}}
    assert http.get(f"{path}/a%2Fb").json()["value"] == {"x": 2}
    assert http.delete(f"{path}/c").status_code == http.delete(f"{path}/c").status_code == 204
    assert http.get(f"{path}/c").status_code == 400
    for bad in ("text", 5, [1], None):
        assert http.put(path, json={"items": [{"key": "k", "value": bad}]}).status_code == 400
    assert simulator.assets()[ids[0]]["updatedAt"] == before


def test_metadata_of_many_is_all_or_nothing(start: Start, client: Open, ids: list[str]) -> None:
    http = client(start())
    items = [{"assetId": asset_id, "key": "k", "value": {"n": 1}} for asset_id in (ids[0], UNKNOWN)]
    assert http.put("/assets/metadata", json={"items": items}).status_code == 400
    assert http.get(f"/assets/{ids[0]}/metadata").json() == []
    assert http.put("/assets/metadata", json={"items": items[:1]}).json()[0]["assetId"] == ids[0]
    assert http.request("DELETE", "/assets/metadata", json={"items": items[:1]}).status_code == 204
    assert http.get(f"/assets/{ids[0]}/metadata").json() == []


def test_metadata_comes_back_in_another_order_and_the_same_key_twice_is_refused(
    start: Start, client: Open, ids: list[str]
) -> None:
    http = client(start())
    path = f"/assets/{ids[0]}/metadata"
    item = {"key": "k", "value": {"zeta": 1, "a": [{"bb": 1, "c": 2}]}}
    assert http.put(path, json={"items": [item, item]}).status_code == 400
    assert http.put(path, json={"items": [item]}).status_code == 200
    assert http.get(path).text.count('{"a":[{"c":2,"bb":1}],"zeta":1}') == 1


def test_metadata_of_any_key_is_refused_before_2_5_and_without_its_scope(
    start: Start, client: Open, ids: list[str]
) -> None:
    of_one = {"items": [{"key": "k", "value": {}}]}
    of_many = {"items": [{"assetId": ids[0], "key": "k", "value": {}}]}
    old = client(start(version="2.4.1"))
    assert old.put(f"/assets/{ids[0]}/metadata", json=of_one).status_code == 400
    assert old.put("/assets/metadata", json=of_many).status_code == 400  # for an asset called "metadata"
    reading = client(start(scopes=("asset.read",)))
    assert reading.get(f"/assets/{ids[0]}/metadata").status_code == 200
    assert reading.put(f"/assets/{ids[0]}/metadata", json=of_one).status_code == 403
    assert reading.put("/assets/metadata", json=of_many).status_code == 403


def test_pictures_are_png_and_each_asset_has_its_own(start: Start, client: Open, ids: list[str]) -> None:
    http = client(start())
    one, again, other = (http.get(f"/assets/{ids[n]}/thumbnail") for n in (0, 0, 1))
    assert one.headers["content-type"] == "image/png"
    assert one.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert one.content == again.content != other.content


def test_the_clock_may_be_another_than_ours(start: Start, client: Open, ids: list[str]) -> None:
    simulator = start(unkind="clock_skew")
    answer = client(simulator).get("/server/ping")
    server = time.mktime(time.strptime(answer.headers["date"], "%a, %d %b %Y %H:%M:%S %Z")) - time.timezone
    assert 90 < time.time() - server < 105
