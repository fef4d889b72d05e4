"""Edits that may be missing, over HTTP: shown with what to compare, and what a person says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.asset import Coordinates, ObservedAsset
from reconciler.core.records import Crossed, Crossing, JournalEntry
from reconciler.web.pages.crossings import Sides, sides

ORIGIN = {"origin": "http://127.0.0.1:8287"}


def asset(number):
    return f"00000000-0000-4000-8000-{number:012d}"


@pytest.fixture
def crossed(client, control, store):
    """Images 1 and 3 were saved by somebody while they were written."""
    at = control.shown.checked_at
    first = Crossing(at, frozenset({"block"}), "old1")
    store.note_crossings({asset(1): first, asset(3): replace(first, at=at - timedelta(hours=2))})
    control.shown = replace(control.shown, crossed=Crossed(2, at))
    view = control.view

    async def recorded(image_id, *_):
        found = await view(image_id)
        return replace(found, record=store.record(found.image.asset_id))

    control.view = recorded
    return client


def test_the_overview_and_the_list_name_them_and_the_filter_shows_just_them(crossed):
    page = crossed.get("/").text
    assert "2 images: an edit may be missing" in page
    assert 'href="/images?status=crossed"' in page
    assert page.count("I have looked at all of them") == 1
    listed = crossed.get("/images?status=crossed").text
    assert listed.count('class="card"') == 2
    assert "NGC 7000" in listed
    assert "Orion" not in listed
    assert listed.count("Edit may be missing</span>") == 2
    every = crossed.get("/images").text
    assert every.count('class="card"') == 6
    assert "I have looked at all" not in every


def test_the_image_shows_what_was_read_and_written_and_takes_a_click(crossed, control):
    page = crossed.get("/images/1").text
    assert "Edit may be missing" in page
    for text in ("Read just before", "Written", "In Immich now", "before", "after"):
        assert text in page
    at = control.shown.crossed.newest
    assert f'name="until" value="{at.isoformat()}"' in page
    form = {"until": at.isoformat()}
    answer = crossed.post("/images/1/seen", data=form, headers=ORIGIN, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/images/1?said=seen#main")
    assert control.looked == [(at, [asset(1)])]
    assert "Edit may be missing" not in crossed.get("/images/2").text


def test_the_journal_may_have_forgotten_what_was_written(crossed, store, control):
    store.note_crossings({asset(1): Crossing(control.shown.checked_at, frozenset({"block"}), "long ago")})
    page = crossed.get("/images/1").text
    assert "no longer in the journal" in page
    assert "1 time before, since" in page


def test_a_click_on_the_overview_is_for_all_that_were_shown(crossed, control):
    form = {"until": control.shown.crossed.newest.isoformat(), "back": "/images?status=crossed"}
    answer = crossed.post("/actions/seen", data=form, headers=ORIGIN, follow_redirects=False)
    assert answer.headers["location"] == "/images?said=seen#main"
    evil = {**form, "back": "https://evil.example/"}
    answer = crossed.post("/actions/seen", data=evil, headers=ORIGIN, follow_redirects=False)
    assert answer.headers["location"] == "/?said=seen#main"
    assert control.looked == [(control.shown.crossed.newest, None)] * 2


def test_the_api_has_them_and_takes_what_a_person_says(crossed, control):
    at = control.shown.crossed.newest
    assert crossed.get("/api/v1/status").json()["crossed"] == {"count": 2, "newest": at.isoformat()}
    listed = crossed.get("/api/v1/images?crossed=true").json()["items"]
    assert [one["image_id"] for one in listed] == [1, 3]
    crossing = crossed.get("/api/v1/images/1").json()["record"]["crossing"]
    assert (crossing["fields"], crossing["run_id"], crossing["times"]) == (["block"], "old1", 1)
    assert crossed.get("/api/v1/images").json()["items"][0]["crossing"] is None
    wish = {"until": "2026-11-22T21:00:00+01:00"}
    assert crossed.post("/api/v1/images/1/seen", json=wish, headers=ORIGIN).json() == {"images": 1}
    assert crossed.post("/api/v1/seen", headers=ORIGIN).json() == {"images": 1}
    now = at + timedelta(seconds=38)  # without a moment, all that was noticed until now
    assert control.looked == [(now, [asset(1)]), (now, None)]


@pytest.mark.parametrize(
    ("path", "body", "code", "said"),
    [
        ("seen", {"until": "yesterday"}, 400, "until"),
        ("seen", {"until": "2026-11-22T20:00:00"}, 400, "time zone"),
        ("seen", {"until": "0001-01-01T00:00:00+23:59"}, 400, "until"),
        ("seen", {"until": 7}, 400, "until"),
        ("seen", {"all": True}, 400, "all"),
        ("images/99/seen", {}, 404, "linked"),
        ("images/12345/seen", {}, 404, "linked"),
    ],
)
def test_what_can_not_be_taken_is_explained(crossed, control, path, body, code, said):
    answer = crossed.post(f"/api/v1/{path}", json=body, headers=ORIGIN)
    assert (answer.status_code, control.looked) == (code, [])
    assert said in answer.json()["detail"]


def test_another_site_says_nothing(crossed, control):
    for path in ("/actions/seen", "/images/1/seen", "/api/v1/seen", "/api/v1/images/1/seen"):
        assert crossed.post(path, headers={"origin": "https://evil.example"}).status_code == 403
    assert control.looked == []


def test_sides_are_of_the_last_write_of_each_field_and_compared_with_what_is_there(noon):
    crossing = Crossing(noon, frozenset({"prose", "coordinates", "tags"}), "r")
    entries = [
        JournalEntry("r", "a", 1, "tags", ["Wall"], ["Wall", "Astro/M 31"], noon),
        JournalEntry("r", "a", 1, "coordinates", None, [1.0, 2.0], noon),
        JournalEntry("r", "a", 1, "description", "second", "third", noon),
        JournalEntry("r", "a", 1, "description", "first", "second", noon),
    ]
    place = Coordinates(1.0000001, 2.0)
    live = ObservedAsset("a", "me", noon, "others", place, frozenset({"Astro/M 31", "Wall"}))
    assert sides(crossing, entries, live) == (
        Sides("description", "second", "third", "others", is_as_written=False, is_known=True),
        Sides("tags", ["Wall"], ["Wall", "Astro/M 31"], ["Astro/M 31", "Wall"], True, True),  # noqa: FBT003  its fields
        Sides("coordinates", None, [1.0, 2.0], place, True, True),  # noqa: FBT003  its fields
    )
    assert [one.is_known for one in sides(crossing, entries, None)] == [False] * 3
    assert not sides(crossing, entries, replace(live, tags=None))[1].is_known


@pytest.fixture
def noon(control):
    return control.shown.checked_at
