"""What the benchmark sees of the wire."""

from __future__ import annotations

import httpx
import pytest
import wire
from wire import Wire

ONE, OTHER = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
pytestmark = pytest.mark.anyio


async def test_the_window_is_the_time_between_an_assets_reading_and_the_writing_of_its_text(
    monkeypatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(wire.time, "monotonic", lambda: now[0])
    watched = Wire(httpx.MockTransport(lambda _: httpx.Response(200, json={})))
    async with httpx.AsyncClient(transport=watched, base_url="http://immich.test/api") as http:
        for at, method, path, body in (
            (1.0, "GET", f"/assets/{ONE}", None),
            (2.0, "GET", f"/assets/{OTHER}", None),
            (2.5, "PUT", f"/assets/{ONE}", {"latitude": 1.0, "longitude": 2.0}),  # takes nobody's words
            (2.6, "PUT", f"/assets/{ONE}", {"description": "M 31"}),
            (2.7, "PUT", "/assets", {"ids": [OTHER], "description": "M 33"}),
            (9.0, "PUT", f"/assets/{ONE}", {"description": "M 31 again"}),  # no reading since
        ):
            now[0] = at
            await http.request(method, path, json=body)
    window = watched.window()
    assert (window["writes"], window["unread"]) == (2, 1)
    assert (window["median"], window["most"]) == pytest.approx((1150.0, 1600.0))


async def test_requests_are_counted_by_route_and_searches_are_reads() -> None:
    watched = Wire(httpx.MockTransport(lambda _: httpx.Response(200, json={})))
    async with httpx.AsyncClient(transport=watched, base_url="http://immich.test/api") as http:
        await http.get(f"/assets/{ONE}")
        await http.post("/search/metadata", json={})
        await http.put("/tags/assets", json={})
    assert watched.counted() == {
        "GET /assets/{id}": 1, "POST /search/metadata": 1, "PUT /tags/assets": 1, "total": 3, "writes": 1, "reads": 2,
    }  # fmt: skip
