"""What is relied on where a favourite and albums are carried over to a replaced picture's asset."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


def in_albums(server: Any, asset: str) -> list[str]:
    return [one["id"] for one in server.call("GET", f"/albums?assetId={asset}")]


def test_the_albums_of_an_asset_are_listed_also_in_the_trash(server: Any, assets: list[str]) -> None:
    one, other = assets[:2]
    album = server.call("POST", "/albums", {"albumName": "Conformance · belongings"})["id"]
    try:
        server.call("PUT", f"/albums/{album}/assets", {"ids": [one]})
        assert in_albums(server, one) == [album]
        assert in_albums(server, other) == []
        assert in_albums(server, str(uuid4())) == []
        server.call("DELETE", "/assets", {"ids": [one]})
        assert in_albums(server, one) == [album]
    finally:
        server.call("DELETE", f"/albums/{album}")


def test_a_favourite_is_told_by_the_answer_and_by_the_asset(server: Any, asset: str) -> None:
    assert server.call("PUT", f"/assets/{asset}", {"isFavorite": True})["isFavorite"] is True
    assert server.asset(asset)["isFavorite"] is True
