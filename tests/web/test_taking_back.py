"""Undo and redo on the page and in the API: shown first, done by a click, one way only."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import AsyncMock

import pytest

from reconciler.core.plan.undo import TextReturn
from reconciler.core.records import TakenBack
from reconciler.engine.undo_wish import UndoWish
from reconciler.service.api import Headline
from tests.web.conftest import SAME, asset, record_of


def test_everything_is_shown_before_it_is_undone(client, control):
    shown = client.get("/undo?everything=true", headers={"accept": "text/html"})
    assert shown.status_code == 200
    assert "Everything would be taken back from 6 images" in shown.text
    assert "there was no place before" in shown.text
    assert f"http://immich.lan:2283/photos/{asset(1)}" in shown.text
    assert "New images are still written" in shown.text
    assert control.requested == []
    done = client.post("/undo", data={"everything": "true"}, headers=SAME, follow_redirects=False)
    assert done.status_code == 303
    assert [one.undo for one in control.requested] == [UndoWish(everything=True)]
    assert control.requested[0].trigger == "undo"


def test_what_becomes_of_each_description_is_told_by_kind(client, control, monkeypatch):
    found = asyncio.run(control.undo_plan(UndoWish(run_id="old1")))
    found.steps.texts.clear()
    found.steps.texts.update({TextReturn("former"): 4, TextReturn("stays", "removed"): 1})
    monkeypatch.setattr(control, "undo_plan", AsyncMock(return_value=found))
    shown = client.get("/undo?run_id=old1").text
    assert "<li>4 descriptions: the block becomes what it was before.</li>" in shown
    assert "<li>1 description: only the prose is removed.</li>" in shown
    assert "block is removed" not in shown


def test_a_run_and_an_image_are_undone_and_written_again(client, control, store):
    assert "/undo?run_id=old1" in client.get("/runs/old1").text
    client.post("/undo", data={"run_id": "old1"}, headers=SAME)
    assert "/undo?image_id=1" in client.get("/images/1").text
    done = client.post("/undo", data={"image_id": "1"}, headers=SAME, follow_redirects=False)
    assert done.headers["location"].startswith("/images/1?")
    client.post("/redo", data={"image_id": "1"}, headers=SAME)
    client.post("/redo", data={"run_id": "old1"}, headers=SAME)
    client.post("/redo", data={"everything": "true"}, headers=SAME)
    undos = [one.undo for one in control.requested[:2]]
    assert undos == [UndoWish(run_id="old1"), UndoWish(asset_id=asset(1))]
    again = [(one.image_ids, one.again, one.trigger) for one in control.requested[2:]]
    assert again == [
        (frozenset({1}), True, "redo"),
        (frozenset({1, 2}), True, "redo"),
        (None, True, "redo"),
    ]


def test_a_run_that_took_back_offers_to_write_again_and_no_undo(client, store):
    run = store.run("old1")
    store.start_run(replace(run, trigger="undo"))
    shown = client.get("/runs/old1").text
    assert "Write again what it took back" in shown
    assert "/undo?run_id" not in shown


def test_an_image_that_was_taken_back_says_so_and_since_when(client, control, store):
    at = datetime(2026, 11, 20, tzinfo=UTC)
    record = replace(record_of(1), taken_back=TakenBack(at), status="undone")
    view = control.view

    async def taken(image_id, *_):
        found = await view(image_id)
        return replace(found, record=record)

    control.view = taken
    shown = client.get("/images/1").text
    assert ">Write again</button>" in shown
    assert "Use Skymmich's" not in shown


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"everything": True}, 200),
        ({"run_id": "old1"}, 200),
        ({"image_id": 1}, 200),
        ({"image_id": 1, "to": "2026-11-27T20:00:00Z"}, 200),
        ({"asset_id": asset(1)}, 200),
        ({}, 400),
        ({"everything": True, "run_id": "old1"}, 400),
        ({"everything": True, "to": "2026-11-27T20:00:00Z"}, 400),
        ({"image_id": 12345}, 404),
        ({"image_id": 99}, 409),
        ({"odd": 1}, 400),
    ],
)
def test_the_api_takes_back_just_one_thing(client, control, body, status):
    answer = client.post("/api/v1/undo", json=body, headers=SAME)
    assert answer.status_code == status, answer.text
    assert len(control.requested) == (status == 200)


def test_the_api_shows_what_would_be_taken_back_and_refuses_what_cannot_be(client):
    found = client.get("/api/v1/undo?everything=true").json()
    assert found["counts"]["images"] == 6
    assert found["tags"] == ["Astro", "Astro/Old"]
    assert found["left"][0]["url"] == f"http://immich.lan:2283/photos/{asset(1)}"
    assert found["left"][0]["reasons"][0]["code"] == "no_place_before"
    assert client.get("/api/v1/undo?run_id=nope").status_code == 409
    assert client.get("/api/v1/undo").status_code == 400
    assert client.get("/api/v1/undo?everything=maybe").status_code == 400


def test_the_api_writes_again(client, control):
    assert client.post("/api/v1/redo", json={"image_ids": [1, 2]}, headers=SAME).status_code == 200
    assert client.post("/api/v1/redo", json={"run_id": "old1"}, headers=SAME).status_code == 200
    assert client.post("/api/v1/redo", json={"run_id": "nope"}, headers=SAME).status_code == 404
    assert client.post("/api/v1/redo", json={}, headers=SAME).status_code == 400
    assert [one.image_ids for one in control.requested] == [frozenset({1, 2}), frozenset({1, 2})]


@pytest.fixture
def all_taken_back(control):
    headline = Headline("taken_back", "off", images=42, looked=3.0)
    control.shown = replace(control.shown, headline=headline, counts={"undone": 42}, conditions=())


def test_where_all_is_taken_back_no_badge_says_in_sync(client, all_taken_back):
    headline = client.get("/parts/headline").text
    assert "<span>Taken back</span>" in headline
    assert "42 images taken back" in headline
    assert "In sync" not in headline
    assert "tone-off" in headline
    assert "left alone until it is written again" in client.get("/parts/attention").text


@pytest.mark.parametrize("address", ["/parts/progress", "/preview"])
def test_beside_what_writes_all_it_is_said_that_this_leaves_alone_what_was_taken_back(
    client, control, all_taken_back, address
):
    shown = client.get(address).text
    assert "taken back: 42 images" in shown
    assert "/decide?action=redo&amp;everything=true" in shown
    control.shown = replace(control.shown, counts={"in_sync": 42})
    assert "taken back" not in client.get(address).text


def test_tags_that_are_not_on_record_here_are_told_before_an_undo_of_everything(client, control):
    plain = control.undo_plan

    async def undo_plan(wish):
        return replace(await plain(wish), unrecorded=("Astro", "Astro/Old"))

    control.undo_plan = undo_plan
    assert (
        "2 tags below our own root left: who made them is not on record here"
        in client.get("/undo?everything=true").text
    )
    assert client.get("/api/v1/undo?everything=true").json()["unrecorded_tags"] == ["Astro", "Astro/Old"]
