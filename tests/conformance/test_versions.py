"""What the client believes about the version that a server says it is."""

from __future__ import annotations

from typing import Any
from uuid import uuid1

V3, STABLE = (3, 0, 0), (3, 1, 0)


def test_patch_does_what_put_does_from_3_0_on(server: Any, assets: list[str]) -> None:
    if server.version < V3:
        assert server.refusal("PATCH", f"/assets/{assets[0]}", {}).status_code == 404
        return
    before = {asset_id: server.asset(asset_id)["updatedAt"] for asset_id in assets}
    answer = server.call("PATCH", f"/assets/{assets[0]}", {"description": "M 31"})
    assert answer["exifInfo"]["description"] == "M 31"
    assert server.call("PATCH", "/assets", {"ids": assets[1:], "description": "M 31"}) is None
    for asset_id, moment in before.items():
        assert server.settled(asset_id, moment)["exifInfo"]["description"] == "M 31"


def test_the_answer_to_a_write_tells_whose_it_is_and_when_it_was_changed_before(
    server: Any, asset: str
) -> None:
    method = "PUT" if server.version < V3 else "PATCH"
    before = server.asset(asset)
    answer = server.call(method, f"/assets/{asset}", {"description": "M 31"})
    assert [answer[name] for name in ("id", "ownerId", "updatedAt")] == [
        before[name] for name in ("id", "ownerId", "updatedAt")
    ]
    assert not answer.get("tags")
    server.settled(asset, before["updatedAt"])


def test_an_id_of_another_uuid_version_is_nowhere_taken(server: Any, asset: str) -> None:
    odd = str(uuid1())
    assert server.refusal("GET", f"/assets/{odd}").status_code == 400
    body = {"ids": [asset, odd], "description": "M 31"}
    assert server.refusal("PUT", "/assets", body).status_code == 400
    if server.version >= V3:
        (tag_id,) = server.tags("odd")
        of_one = {"assetIds": [odd], "tagIds": [tag_id]}
        assert server.refusal("PUT", "/tags/assets", of_one).status_code == 400


def test_the_words_of_a_refusal_are_where_they_are_looked_for(server: Any, asset: str) -> None:
    odd = {"ids": ["no-uuid"]}
    refused = server.refusal("GET", f"/assets/{asset[:-4]}0000").json()
    wrong = server.refusal("PUT", "/assets", odd).json()
    assert isinstance(refused["message"], str)
    if server.version < V3:
        assert all(isinstance(line, str) for line in wrong["message"])
    else:
        assert [issue["path"] for issue in wrong["errors"]] == [["ids", 0]]
        assert all(isinstance(issue["message"], str) for issue in wrong["errors"])


def test_the_type_of_a_body_is_checked_from_3_0_on(server: Any, asset: str) -> None:
    for answer in (
        server.http.put(f"/assets/{asset}", content=b"{}", headers={"content-type": "text/plain"}),
        server.http.post("/search/metadata", json=[]),
        server.http.post("/search/metadata", json={"page": "1"}),
        server.http.put(f"/assets/{asset}", json={"rating": 0}),
    ):
        assert answer.status_code == (200 if server.version < V3 else 400)


def test_pages_of_equal_dates_hold_still_from_3_1_on(server: Any) -> None:
    made = {server.upload("2019-02-03T04:05:06.000Z") for _ in range(9)}
    for size in (2, 3, 4):
        found: list[str] = []
        page = "1"
        while page:
            shown = server.search(
                size=size,
                page=int(page),
                takenAfter="2019-02-03T04:05:06.000Z",
                takenBefore="2019-02-03T04:05:06.000Z",
            )
            found += [row["id"] for row in shown["items"]]
            page = shown["nextPage"]
        assert len(found) >= len(made)
        if server.version >= STABLE:
            assert len(found) == len(set(found))
            assert made <= set(found)


def test_without_a_visibility_the_archive_is_searched_too_from_3_0_on(server: Any, asset: str) -> None:
    before = server.asset(asset)["updatedAt"]
    server.call("PUT", "/assets", {"ids": [asset], "visibility": "archive"})
    server.settled(asset, before)
    assert (asset in server.found()) == (server.version >= V3)
