"""Leaving an image out over HTTP: what reaches the daemon, what is refused, and what the page tells."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from reconciler.core.catalogue import WRITTEN_PARTS
from reconciler.core.policy import Switches
from reconciler.core.reasons import reason
from reconciler.core.records import LeftOut
from reconciler.service.api import ImageView
from reconciler.web.access.policy import Access

ORIGIN = {"origin": "http://127.0.0.1:8287"}


def test_an_image_or_a_field_of_it_is_left_out_and_taken_in(client, control):
    answer = client.post("/api/v1/images/2/leave-out?wait=1", json={}, headers=ORIGIN)
    assert (answer.status_code, answer.json()["state"]) == (200, "done")
    client.post("/api/v1/images/2/leave-out", json={"fields": ["tags"]}, headers=ORIGIN)
    client.post("/api/v1/images/2/take-in", json={"fields": ["coordinates", "tags"]}, headers=ORIGIN)
    assert control.left_out == [(2, WRITTEN_PARTS, "api"), (2, ("tags",), "api")]
    assert control.taken_in == [(2, ("coordinates", "tags"))]


@pytest.mark.parametrize(
    ("path", "body", "code", "said"),
    [
        ("2", {"fields": ["block"]}, 400, "description"),
        ("2", {"fields": []}, 400, "fields"),
        ("2", {"for": "ever"}, 400, "for"),
        ("99", {}, 409, "not linked"),
        ("12345", {}, 404, "no image"),
    ],
)
def test_what_cannot_be_left_out_is_explained(client, control, path, body, code, said):
    answer = client.post(f"/api/v1/images/{path}/leave-out", json=body, headers=ORIGIN)
    assert (answer.status_code, control.left_out) == (code, [])
    assert said in answer.json()["detail"]


def test_a_form_leaves_out_and_comes_back_to_the_image(client, control):
    for take, field in (("out", ""), ("in", "tags")):
        answer = client.post(
            "/images/2/leave-out", data={"take": take, "field": field}, headers=ORIGIN, follow_redirects=False
        )
        assert answer.status_code == 303
        said = "left_out" if take == "out" else "taken_in"
        assert answer.headers["location"].startswith("/images/2?run=run")
        assert f"said={said}" in answer.headers["location"]
    assert control.left_out == [(2, WRITTEN_PARTS, "page")]
    assert control.taken_in == [(2, ("tags",))]


def test_a_trusted_proxy_tells_who_it_was(build, control):
    access = Access(user_header="Remote-User", proxies=frozenset({"testclient"}))
    headers = {**ORIGIN, "Remote-User": "anna"}
    build(access=access).post("/api/v1/images/2/leave-out", json={}, headers=headers)
    assert control.left_out == [(2, WRITTEN_PARTS, "anna")]


def test_the_page_tells_what_leaves_it_out_and_that_nothing_goes(client, control, monkeypatch):
    plain = control.view

    async def view(image_id, asset_id=""):
        found = await plain(image_id)
        by = LeftOut("tags", found.record.checked_at, "anna")
        mark = reason("left_out_tag", value="no-sync").of("description", "coordinates")
        return ImageView(
            found.image, replace(found.record, left_out=(by,)), replace(found.plan, marks=(mark,))
        )

    monkeypatch.setattr(control, "view", view)
    page = client.get("/images/1", headers={"accept": "text/html"}).text
    assert "Description, Place: left out by its tag “no-sync” in Skymmich" in page
    assert "left out on 2026-11-22 by anna" in page
    assert "what was written before stays in Immich" in page
    assert 'href="/undo?image_id=1"' in page
    assert "Take this image in again" in page
    found = client.get("/api/v1/images/1").json()["record"]["left_out"]
    assert found == [{"field": "tags", "at": "2026-11-22T20:00:00+00:00", "by": "anna"}]


def test_only_what_is_switched_on_is_offered_to_be_left_out(client, control):
    offered = re.findall(r'aria-label="Leave out: (\w+)"', client.get("/images/2").text)
    assert offered == ["Description", "Place", "Tags"]
    control.shown = replace(control.shown, switches=Switches(dates=True, tags=False))
    offered = re.findall(r'aria-label="Leave out: (\w+)"', client.get("/images/2").text)
    assert offered == ["Description", "Place", "Date"]
