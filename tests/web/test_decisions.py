"""Deciding a conflict over HTTP: what reaches the daemon, and what is refused before it does."""

from __future__ import annotations

import re

import pytest

ORIGIN = {"origin": "http://127.0.0.1:8287"}


def test_the_image_names_what_can_be_decided_and_for_what(client):
    decisions = {one["field"]: one for one in client.get("/api/v1/images/2").json()["plan"]["decisions"]}
    assert decisions["prose"]["choices"] == ["immich", "skymmich", "both"]
    assert re.fullmatch("[0-9a-f]{20}", decisions["prose"]["shown"])
    assert decisions["tags"]["choices"] == []
    assert decisions["tags"]["shown"] == ""


def test_a_decision_reaches_the_daemon_with_what_was_shown(client, control):
    wish = {"field": "prose", "keep": "both", "shown": "ab" * 10}
    answer = client.post("/api/v1/images/2/resolve?wait=1", json=wish, headers=ORIGIN)
    assert answer.status_code == 200
    assert answer.json()["state"] == "done"
    assert answer.headers["location"] == f"/api/v1/runs/{answer.json()['run_id']}"
    client.post("/api/v1/images/2/resolve", json={"keep": None}, headers=ORIGIN)
    assert control.decided == [(2, "both", "prose", "ab" * 10), (2, None, None, "")]


@pytest.mark.parametrize(
    ("path", "body", "code", "said"),
    [
        ("2", {}, 400, "keep"),
        ("2", {"keep": "mine"}, 400, "immich, skymmich, both"),
        ("2", {"keep": "both", "field": "title"}, 400, "block, prose, coordinates, taken_at, tags"),
        ("2", {"keep": "both", "shown": 7, "field": "prose"}, 400, "shown"),
        ("2", {"keep": "both", "shown": "ab"}, 400, "name it"),
        ("2", {"keep": "both", "hurry": True}, 400, "hurry"),
        ("1", {"keep": "both"}, 409, "no conflict"),
        ("99", {"keep": "both"}, 409, "not linked"),
        ("12345", {"keep": "both"}, 404, "no image"),
    ],
)
def test_what_can_not_be_decided_is_explained(client, control, path, body, code, said):
    answer = client.post(f"/api/v1/images/{path}/resolve", json=body, headers=ORIGIN)
    assert (answer.status_code, control.decided) == (code, [])
    assert said in answer.json()["detail"]


def test_a_form_decides_and_comes_back_to_the_image_with_the_outcome(client, control):
    page = client.get("/images/2", headers={"accept": "text/html"}).text
    shown = re.search(r'name="shown" value="([0-9a-f]{20})"', page)[1]
    for keep in ("immich", "skymmich", "both"):
        assert f'<button name="keep" value="{keep}"' in page
    form = {"field": "prose", "keep": "immich", "shown": shown}
    answer = client.post("/images/2/resolve", data=form, headers=ORIGIN, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/images/2?run=run1&said=decided")
    client.post("/images/2/resolve", data={**form, "keep": "ask"}, headers=ORIGIN, follow_redirects=False)
    assert control.decided == [(2, "immich", "prose", shown), (2, None, "prose", shown)]


def test_a_form_for_what_is_no_longer_there_shows_both_sides_anew(client, control):
    form = {"field": "prose", "keep": "skymmich", "shown": "ab" * 10}
    answer = client.post("/images/1/resolve", data=form, headers=ORIGIN, follow_redirects=False)
    assert answer.headers["location"].startswith("/images/1?said=moved")
    assert "Nothing was decided" in client.get("/images/1?said=moved").text
    assert control.decided == []


def test_a_form_of_another_site_decides_nothing(client, control):
    form = {"field": "prose", "keep": "skymmich", "shown": ""}
    answer = client.post("/images/2/resolve", data=form, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert control.decided == []
