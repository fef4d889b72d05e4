"""What the client believes about the server as a whole: who asks, what it is, how it refuses."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import httpx


def test_the_version_is_three_numbers_without_a_key(server: Any) -> None:
    answer = httpx.get(f"{server.http.base_url}server/version").json()
    assert all(isinstance(answer[part], int) for part in ("major", "minor", "patch"))


def test_config_shows_the_maintenance_mode_without_a_key(server: Any) -> None:
    assert httpx.get(f"{server.http.base_url}server/config").json()["maintenanceMode"] is False


def test_ping_answers_without_a_key(server: Any) -> None:
    assert httpx.get(f"{server.http.base_url}server/ping").json() == {"res": "pong"}


def test_a_key_can_read_its_own_permissions(server: Any) -> None:
    assert server.call("GET", "/api-keys/me")["permissions"]


def test_a_wrong_key_is_401(server: Any) -> None:
    wrong = {"x-api-key": "wrong"}
    assert httpx.get(f"{server.http.base_url}tags", headers=wrong).status_code == 401


def test_the_user_has_the_id_that_owns_the_assets(server: Any, asset: str) -> None:
    assert server.call("GET", "/users/me")["id"] == server.asset(asset)["ownerId"]


def test_preferences_say_whether_tags_are_switched_on(server: Any) -> None:
    assert isinstance(server.call("GET", "/users/me/preferences")["tags"]["enabled"], bool)


def test_every_answer_carries_the_servers_time(server: Any) -> None:
    assert parsedate_to_datetime(server.http.get("/server/ping").headers["date"]).tzinfo


def test_an_unknown_route_is_404(server: Any) -> None:
    assert server.refusal("GET", "/no/such/route").status_code == 404


def test_an_unknown_asset_is_400_and_not_404(server: Any) -> None:
    unknown = str(uuid4())
    assert server.refusal("GET", f"/assets/{unknown}").status_code == 400
    assert server.refusal("PUT", f"/assets/{unknown}", {"description": "x"}).status_code == 400


def test_an_id_that_is_no_uuid_is_400(server: Any) -> None:
    assert server.refusal("GET", "/assets/not-a-uuid").status_code == 400


def test_an_id_in_upper_case_is_unknown(server: Any, assets: list[str]) -> None:
    lettered = next(asset_id for asset_id in assets if asset_id.upper() != asset_id)
    body = {"ids": [lettered.upper()], "description": "x"}
    assert server.refusal("PUT", "/assets", body).status_code == 400


def test_a_deleted_asset_is_400_after_a_moment(server: Any, asset: str) -> None:
    server.call("DELETE", "/assets", {"ids": [asset], "force": True})
    for _ in range(3000):
        answer = server.http.get(f"/assets/{asset}")
        if answer.status_code != 200:
            break
    server.made.remove(asset)
    assert answer.status_code == 400


def test_the_statistics_count_assets(server: Any, asset: str) -> None:
    assert server.call("GET", "/assets/statistics")["total"] >= 1
    assert server.call("POST", "/search/statistics", {})["total"] >= 1
