"""What is relied on where a person's favourite and albums are carried over to a replaced picture's asset."""

from __future__ import annotations

import uuid

import pytest

GONE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def album(server):
    """An album that ends with the test."""
    made = server.http.post("/albums", json={"albumName": f"conformance {uuid.uuid4().hex}"}).json()["id"]
    yield made
    server.http.delete(f"/albums/{made}")


def joined(server, album, *assets):
    return server.http.put(f"/albums/{album}/assets", json={"ids": list(assets)})


def in_albums(server, asset):
    return [one["id"] for one in server.http.get("/albums", params={"assetId": asset}).json()]


def test_the_albums_of_an_asset_are_listed_also_in_the_trash(server, album):
    one, other = server.upload(), server.upload()
    joined(server, album, one)
    assert in_albums(server, one) == [album]
    assert in_albums(server, other) == []
    assert in_albums(server, GONE) == []
    server.http.request("DELETE", "/assets", json={"ids": [one]})
    assert in_albums(server, one) == [album]
    assert server.http.get(f"/assets/{one}").json()["isTrashed"] is True


def test_an_album_takes_an_asset_once_and_says_so_of_each(server, album):
    one = server.upload()
    told = joined(server, album, one, GONE).json()
    assert [(each["id"], each["success"]) for each in told] == [(one, True), (GONE, False)]
    assert told[1]["error"] == "no_permission"
    again = joined(server, album, one)
    assert again.status_code == 200
    assert [(each["success"], each["error"]) for each in again.json()] == [(False, "duplicate")]


def test_an_album_that_is_gone_is_a_400(server):
    assert joined(server, GONE, server.upload()).status_code == 400


def test_a_favourite_is_told_by_the_answer_and_by_the_asset(server):
    one = server.upload()
    answer = server.http.put(f"/assets/{one}", json={"isFavorite": True})
    assert answer.status_code == 200
    assert answer.json()["isFavorite"] is True
    assert server.http.get(f"/assets/{one}").json()["isFavorite"] is True
