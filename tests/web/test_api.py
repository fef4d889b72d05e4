"""The API: what it shows, what it takes, and that its answers fit its own description."""

from __future__ import annotations

from dataclasses import replace

import jsonschema
import pytest

from reconciler.core.policy import Switches
from reconciler.errors import ImmichUnauthorizedError, ImmichUnreachableError
from reconciler.web.api.openapi import document

SAME = {"origin": "http://127.0.0.1:8287"}


def fits(answer, schema: str) -> dict:
    """Hold an answer to the description; give its JSON."""
    found = answer.json()
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]}
    checker = jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())
    errors = [f"{list(error.absolute_path)}: {error.message}" for error in checker.iter_errors(found)]
    assert not errors
    return found


def test_the_status_tells_headline_counts_conditions_and_next_looks(client):
    found = fits(client.get("/api/v1/status"), "Status")
    assert found["headline"].startswith("Attention")
    assert found["counts"]["conflict"] == 1
    assert found["settings"] == {
        "metadataSyncEnabled": True,
        "syncDescription": True,
        "syncCoordinates": True,
        "syncTags": True,
        "syncDates": False,
        "syncAlbums": False,
        "syncStacks": False,
    }
    assert found["next_looks"]["immich"].startswith("2026-11-22T20:00:22")


def test_an_unchanged_status_is_not_sent_again(client):
    first = client.get("/api/v1/status")
    again = client.get("/api/v1/status", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert not again.content


def test_images_come_in_pages_in_the_order_of_titles_each_once(client):
    titles, after = [], ""
    while True:
        found = fits(client.get("/api/v1/images", params={"limit": 2, "after": after}), "Images")
        assert len(found["items"]) <= 2
        titles += [one["title"] for one in found["items"]]
        if found["next"] is None:
            break
        after = found["next"]
    assert titles[1:] == ["Élégie", "M 31 – Andromeda Galaxy", "M 42", "NGC 7000", "Orion’s Sword"]
    assert titles[0].startswith("<img")


def test_images_are_found_by_title_and_by_status(client):
    assert [one["image_id"] for one in client.get("/api/v1/images?q=ELEGIE").json()["items"]] == [5]
    assert [one["image_id"] for one in client.get("/api/v1/images?status=held").json()["items"]] == [6]


@pytest.mark.parametrize(
    ("query", "image_ids"),
    [
        ("target=ngc 224", [1]),
        ("target=NGC", [1]),
        ("equipment=ASI2600", [1, 3, 5]),
        ("equipment=asi2600&q=elegie", [5]),
        ("target=ngc 224&equipment=ASI2600", [1]),
        ("target=M 31&equipment=nothing", []),
    ],
)
def test_images_are_found_by_target_and_by_equipment(client, query, image_ids):
    found = fits(client.get(f"/api/v1/images?{query}"), "Images")
    assert sorted(one["image_id"] for one in found["items"]) == image_ids


@pytest.mark.parametrize(
    "query",
    [
        "status=odd",
        "limit=0",
        "limit=x",
        "limit=٣",
        "after=%25%25",
        "after=W10",
        "q=" + "a" * 300,
        "target=" + "a" * 300,
    ],
)
def test_a_wrong_query_is_explained(client, query):
    answer = client.get(f"/api/v1/images?{query}")
    assert answer.status_code == 400
    assert fits(answer, "Problem")["detail"]


def test_one_image_shows_three_sides_the_reasons_and_its_history(client):
    found = fits(client.get("/api/v1/images/1"), "ImageView")
    prose = next(one for one in found["plan"]["decisions"] if one["field"] == "prose")
    assert (prose["applied"], prose["desired"], prose["observed"]) == (
        None,
        "Mine",
        "A person's <b>words</b>",
    )
    assert prose["reason"] == "Immich has a value that was not written from here"
    assert prose["reasons"] == [{"code": "conflict", "fields": [], "params": {}}]
    assert [one["field"] for one in found["history"]] == ["coordinates", "description"]
    assert fits(client.get("/api/v1/images/99"), "ImageView")["plan"] is None


def test_a_missing_image_is_a_problem_document(client):
    answer = client.get("/api/v1/images/12345")
    assert answer.status_code == 404
    fits(answer, "Problem")
    assert client.get("/api/v1/images/x").status_code == 404
    assert client.delete("/api/v1/images/1", headers=SAME).status_code == 405


def test_runs_come_newest_first_with_what_they_changed(client):
    found = fits(client.get("/api/v1/runs?limit=2"), "Runs")
    assert [one["run_id"] for one in found["items"]] == ["old1", "old2"]
    assert found["items"][0]["seconds"] == 4
    assert fits(client.get(f"/api/v1/runs?before={found['next']}"), "Runs")["items"][0]["run_id"] == "old3"
    one = fits(client.get("/api/v1/runs/old1?limit=2"), "RunView")
    assert [change["field"] for change in one["changes"]] == ["tags", "coordinates"]
    rest = fits(client.get(f"/api/v1/runs/old1?before={one['next']}"), "RunView")
    assert [change["field"] for change in rest["changes"]] == ["description"]
    assert client.get("/api/v1/runs/never").status_code == 404


def test_the_plan_shows_what_would_be_written(client):
    found = fits(client.get("/api/v1/plan?limit=2"), "Plan")
    assert (found["images"], found["changes"], len(found["items"]), found["left_out"]) == (6, 6, 2, 4)
    assert found["items"][0]["plan"]["add_tags"] == ["Astro/Galaxy"]


def test_the_plan_under_other_settings_is_shown_without_changing_them(client, control):
    found = fits(client.get("/api/v1/plan?syncTags=false"), "Plan")
    assert found["settings"]["syncTags"] is False
    assert found["settings"]["syncDescription"] is True
    assert client.get("/api/v1/plan?syncTags=no").status_code == 400
    assert fits(client.get("/api/v1/settings"), "SettingsView")["settings"]["syncTags"] is True


class Writer:
    where = "Skymmich"

    def __init__(self, control):
        self.control = control

    async def write(self, changes):
        self.control.holding = replace(self.control.holding, **changes)
        self.control.source = "override"

    async def follow(self):
        self.control.holding, self.control.source = Switches(enabled=False), "Skymmich"


def test_settings_are_changed_one_by_one(build, control):
    client = build(settings=Writer(control))
    found = fits(client.post("/api/v1/settings", json={"syncTags": False}, headers=SAME), "SettingsView")
    assert found["settings"] == {
        "metadataSyncEnabled": True,
        "syncDescription": True,
        "syncCoordinates": True,
        "syncTags": False,
        "syncDates": False,
        "syncAlbums": False,
        "syncStacks": False,
    }
    assert found["changed_in"] == "Skymmich"
    assert control.requested[0].trigger == "settings"


def test_a_second_change_starts_from_what_holds_and_not_from_the_last_look(build, control):
    """Paused or amid a pass no look comes; each answer is what holds then all the same."""
    client, control.hanging = build(settings=Writer(control)), True

    def changed(**to):
        return fits(client.post("/api/v1/settings", json=to, headers=SAME), "SettingsView")["settings"]

    assert changed(syncTags=False)["syncTags"] is False
    both = changed(syncCoordinates=False)
    assert (both["syncTags"], both["syncCoordinates"]) == (False, False)
    control.holding = replace(control.holding, description=False)
    after = changed(syncTags=True)
    assert (after["syncTags"], after["syncDescription"]) == (True, False)
    assert control.holding == Switches(coordinates=False, description=False)


def test_what_was_set_here_is_given_up_for_what_skymmich_says(build, control):
    client = build(settings=Writer(control))
    found = fits(client.post("/api/v1/settings", json={"syncTags": False}, headers=SAME), "SettingsView")
    assert (found["source"], found["skymmich"]["syncTags"]) == ("override", True)
    found = fits(client.delete("/api/v1/settings/override", headers=SAME), "SettingsView")
    assert (found["source"], found["settings"]) == ("Skymmich", found["skymmich"])
    assert len(control.requested) == 2
    assert fits(client.delete("/api/v1/settings/override", headers=SAME), "SettingsView")
    assert len(control.requested) == 2


@pytest.mark.parametrize("body", [{}, {"syncTags": "off"}, {"syncEverything": True}])
def test_a_wrong_setting_is_explained(build, control, body):
    client = build(settings=Writer(control))
    assert client.post("/api/v1/settings", json=body, headers=SAME).status_code == 400
    assert not control.requested


def test_a_look_is_asked_for_and_followed(client, control):
    control.hanging = True
    answer = client.post("/api/v1/reconcile", json={"full": True}, headers=SAME)
    assert answer.status_code == 202
    found = fits(answer, "RunState")
    assert answer.headers["location"] == f"/api/v1/runs/{found['run_id']}"
    assert control.requested[0].full
    assert control.requested[0].by_person
    assert fits(client.get(answer.headers["location"]), "RunView")["state"]["state"] == "running"


def test_a_look_at_one_image_can_be_waited_for(client, control):
    answer = client.post("/api/v1/images/1/reconcile?wait=60", headers=SAME)
    assert answer.status_code == 200
    assert fits(answer, "RunState")["report"]["images"][0]["status"] == "in_sync"
    assert control.requested[0].image_ids == {1}


@pytest.mark.parametrize(
    ("path", "code"),
    [("/api/v1/images/12345/reconcile", 404), ("/api/v1/images/99/reconcile", 409)],
)
def test_an_image_that_can_not_be_synced_is_not_asked_for(client, control, path, code):
    assert client.post(path, headers=SAME).status_code == code
    assert not control.requested


@pytest.mark.parametrize(
    "body",
    [
        {"image_ids": []},
        {"image_ids": [True]},
        {"image_ids": ["1"]},
        {"image_ids": [-1]},
        {"full": 1},
        {"approve": 5},
        {"fulll": True},
        {"force": True},
    ],
)
def test_a_wrong_wish_is_explained_and_not_carried_out(client, control, body):
    answer = client.post("/api/v1/reconcile", json=body, headers=SAME)
    assert answer.status_code == 400
    assert not control.requested


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b"[" * 50_000, b'"x"', b"NaN"])
def test_a_body_that_is_no_object_is_refused(client, content):
    headers = {**SAME, "content-type": "application/json"}
    assert client.post("/api/v1/reconcile", content=content, headers=headers).status_code == 400


def test_a_form_can_not_pose_as_json(client):
    assert (
        client.post(
            "/api/v1/reconcile", content="{}", headers={**SAME, "content-type": "text/plain"}
        ).status_code
        == 415
    )


@pytest.mark.parametrize("wait", ["61", "-1", "1.5", "x"])
def test_waiting_has_its_limits(client, wait):
    assert client.post(f"/api/v1/reconcile?wait={wait}", headers=SAME).status_code == 400


def test_pause_resume_and_stop_reach_the_daemon(client, control):
    assert client.post("/api/v1/pause", headers=SAME).json() == {"paused": True}
    assert control.paused
    assert client.post("/api/v1/resume", headers=SAME).json() == {"paused": False}
    assert not control.paused
    assert client.post("/api/v1/stop", headers=SAME).json() == {"stopped": False}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ImmichUnreachableError("http://immich.lan did not answer.", remedy="Check that it runs."), 503),
        (ImmichUnauthorizedError("Immich does not accept the API key.", remedy="Make one."), 502),
    ],
)
def test_an_error_of_immichs_comes_with_its_remedy(client, control, error, code):
    async def fails(wishes=None):
        raise error

    control.preview = fails
    answer = client.get("/api/v1/plan")
    assert answer.status_code == code
    assert fits(answer, "Problem")["remedy"] == error.remedy


def test_an_error_nobody_thought_of_tells_strangers_nothing(client, control):
    async def fails(image_id):
        raise RuntimeError("secret insides")

    control.view = fails
    answer = client.get("/api/v1/images/1")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert fits(answer, "Problem")


def test_skymmichs_button_says_what_was_seen_in_immich(client, control):
    answer = client.post("/api/immich/sync-metadata/1", headers=SAME)
    assert (answer.status_code, answer.json()) == (
        200,
        {"success": True, "message": "Metadata synced to Immich"},
    )
    refused = client.post("/api/immich/sync-metadata/2", headers=SAME)
    assert (refused.status_code, refused.json()) == (409, {"success": False, "message": "why"})
    assert client.post("/api/immich/sync-metadata/12345", headers=SAME).json()["success"] is False
    assert fits(client.post("/api/immich/sync-metadata/99", headers=SAME), "Said")["success"] is False
    assert control.requested[0].trigger == "skymmich"


def test_skymmichs_sync_all_counts_truly(client, control):
    answer = client.post("/api/immich/sync-metadata-all", headers=SAME)
    found = fits(answer, "Said")
    assert found == {"success": False, "message": "Synced 2 images, 4 failed", "synced": 2, "failed": 4}
    control.status = dict.fromkeys(control.status, "in_sync")
    found = client.post("/api/immich/sync-metadata-all", headers=SAME).json()
    assert (found["success"], found["message"]) == (True, "Synced 6 images, 0 failed")
    control.status = dict.fromkeys(control.status, "failed")
    assert client.post("/api/immich/sync-metadata-all", headers=SAME).status_code == 502


def test_skymmichs_sync_all_says_when_it_is_still_going_on(client, control):
    control.hanging = True
    answer = client.post("/api/immich/sync-metadata-all", headers=SAME)
    assert answer.status_code == 202
    assert fits(answer, "Said") == {"success": False, "message": "Not complete yet: the sync goes on"}


def test_skymmichs_button_claims_no_success_while_the_sync_is_still_going_on(client, control):
    control.hanging = True
    answer = client.post("/api/immich/sync-metadata/1", headers=SAME)
    assert answer.status_code == 202
    assert fits(answer, "Said") == {"success": False, "message": "Not synced yet: the sync goes on"}


def test_skymmichs_button_tells_its_own_images_outcome_when_two_are_synced_in_one_pass(client, control):
    ask = control.request
    control.request = lambda wish: ask(replace(wish, image_ids=wish.image_ids | {1}))
    assert client.post("/api/immich/sync-metadata/2", headers=SAME).status_code == 409


def test_a_refusal_of_skymmichs_button_says_why_where_its_page_looks(client, guarded, control):
    for refused in (
        client.post("/api/immich/sync-metadata-all", headers={"origin": "http://evil.example"}),
        client.post("/api/immich/sync-metadata/1", headers={"host": "photos.example"}),
        guarded.post("/api/immich/sync-metadata/1", headers=SAME),
    ):
        found = fits(refused, "Problem")
        assert found["success"] is False
        assert found["message"] == f"skymmich-reconciler: {found['detail']} {found['remedy']}"
    assert "message" not in client.post("/api/v1/pause").json()
    assert control.requested == []
