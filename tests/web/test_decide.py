"""One image, some, a run's, all that match, or all: shown first with counts and exceptions, then done."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from unittest.mock import AsyncMock
from urllib.parse import urlencode

import pytest

from reconciler.core.permission import Begun, Permission
from reconciler.core.plan.conflicts import all_sides
from reconciler.core.plan.guard import Verdict
from reconciler.core.reasons import reason
from reconciler.engine.events import Progress
from reconciler.engine.foreseen import foresee
from reconciler.engine.undo_wish import UndoWish
from reconciler.errors import AnotherInstanceError, DecisionError, ImmichTemporaryError
from reconciler.service.api import Condition, RunState
from reconciler.service.api import Request as Wish
from tests.web.conftest import NOW, SAME, asset

LIVE = {**SAME, "hx-request": "true"}


def chosen(client, action, *image_ids, **more):
    body = [("action", action), *(("image", str(one)) for one in image_ids), *more.items()]
    headers = {**SAME, "content-type": "application/x-www-form-urlencoded"}
    return client.post("/decide", content=urlencode(body), headers=headers, follow_redirects=False)


def confirmed(client, **form):
    return client.post("/decide/confirmed", data=form, headers=SAME, follow_redirects=False)


def test_a_selection_is_shown_before_anything_is_done(client, control):
    shown = chosen(client, "undo", 1, 2, back="/images?q=M")
    assert shown.status_code == 200
    assert "The last change would be taken back from 2 images" in shown.text
    assert "2 values left as they are, see below" in shown.text
    assert 'name="images" value="1,2"' in shown.text
    assert 'href="/images?q=M"' in shown.text
    assert control.requested == []


@pytest.mark.parametrize(
    ("action", "wish"),
    [
        ("undo", {"undo": UndoWish(images=((asset(1), ""), (asset(2), ""))), "trigger": "undo"}),
        ("redo", {"again": True, "trigger": "redo"}),
        ("sync", {"again": False, "trigger": "page"}),
    ],
)
def test_what_was_shown_is_done_and_said(client, control, action, wish):
    answer = confirmed(client, action=action, images="1,2", back="/images?q=M")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/images?q=M&said=asked&run=run1"
    (request,) = control.requested
    assert {name: getattr(request, name) for name in wish} == wish
    if action != "undo":
        assert request.image_ids == {1, 2}


def test_what_was_taken_back_is_looked_at_as_if_it_were_written_again(client, control):
    assert "would be written again" in client.get("/decide?action=redo&everything=true").text
    assert "would be written again" in client.get("/decide?action=redo&images=1").text
    client.get("/decide?action=redo&run_id=old1")
    assert control.looked_through == [(None, True), ({1}, True), ({1, 2}, True)]
    confirmed(client, action="redo", everything="true")
    assert (control.requested[0].image_ids, control.requested[0].again) == (None, True)


def test_all_that_match_a_filter_are_shown_and_named_to_be_done(client, control):
    shown = chosen(client, "sync", 1, all="yes", filter="status=conflict")
    (ids, _) = control.looked_through[-1]
    assert ids == {number for number, status in control.status.items() if status == "conflict"}
    assert f'name="images" value="{",".join(map(str, sorted(ids)))}"' in shown.text


def test_no_image_chosen_is_said(client, control):
    answer = chosen(client, "undo", back="/images")
    assert answer.headers["location"] == "/images?said=nothing_chosen"
    assert "No image was chosen" in client.get("/images?said=nothing_chosen").text
    assert control.requested == []


@pytest.mark.parametrize("keep", ["immich", "skymmich", "both"])
def test_conflicts_are_decided_for_what_was_shown(client, control, keep):
    shown = client.get(f"/decide?action={keep}&images=1,2").text
    assert "value" in shown
    confirmed(client, action=keep, images="1,2", shown="abc")
    assert control.decided == [({1, 2}, keep, "abc")]


def test_conflicts_that_changed_since_are_shown_again_and_not_decided(client, control):
    async def changed(*_, **__):
        raise DecisionError("Something of it changed since it was shown.")

    control.resolve_many = changed
    answer = confirmed(client, action="skymmich", images="1", shown="abc")
    assert answer.status_code == 200
    assert "changed since it was shown, so nothing was done" in answer.text
    assert control.requested == []


def test_sides_of_many_are_named_whatever_their_order(client, control):
    import asyncio

    plans = [item.plan for item in asyncio.run(control.preview()).items]
    assert all_sides(plans) == all_sides(reversed(plans))
    assert all_sides(plans) != all_sides(plans[1:])


def test_the_guards_card_has_numbers_pictures_and_no_command(client, control):
    reasons = (reason("would_lose", count=12, managed=55, percent=22, most=20),)
    verdict = Verdict(tripped=True, hash="h4sh", reasons=reasons, held=frozenset({asset(6)}), cause="values")
    held = Condition("GuardClear", "False", "HeldBack", verdict.told, NOW)
    control.shown = replace(control.shown, conditions=(held,), verdict=verdict)
    page = client.get("/").text
    card = page[page.index("<article") : page.index("</article>")]
    assert "12 of 55 managed assets would lose something (22%, more than 20%)" in card
    assert "Nothing was taken from Immich" in card
    assert "/decide?action=approve&amp;everything=true" in card
    assert "/thumbnails/" in card
    assert "skymmich-reconciler" not in card
    assert "h4sh" not in card
    assert "1 image: held back" not in page


def test_an_approval_is_for_what_was_shown_of_some_images_or_all(client, control):
    assert "The guard holds nothing back" in client.get("/decide?action=approve&everything=true").text
    assert confirmed(client, action="approve", everything="true").status_code == 400
    confirmed(client, action="approve", everything="true", hash="h4sh")
    confirmed(client, action="approve", images="1", hash="h4sh")
    found = [(one.image_ids, one.approved, one.trigger) for one in control.requested]
    assert found == [(None, "h4sh", "decision"), ({1}, "h4sh", "decision")]


def test_another_installation_is_a_card_that_offers_to_take_its_place(client, control):
    from reconciler.core.reasons import of_error

    error = AnotherInstanceError("attic", NOW, NOW)
    condition = Condition("Writer", "False", "AnotherInstance", (of_error(error),), NOW)
    control.shown = replace(control.shown, conditions=(condition,))
    page = client.get("/").text
    card = page[page.index("<article") : page.index("</article>")]
    assert "(attic) has kept this library" in card
    assert "skymmich-reconciler" not in card
    assert "/decide?action=take_over&amp;everything=true" in card
    assert (
        "No other installation keeps this library"
        in client.get("/decide?action=take_over&everything=true").text
    )
    assert confirmed(client, action="take_over", everything="true").status_code == 303
    assert control.took_over


@pytest.fixture
def waiting(control):
    """A control of an installation that nobody has begun, and that met another one."""
    from reconciler.core.reasons import of_error

    error = AnotherInstanceError("attic", NOW, NOW)
    condition = Condition("Writer", "False", "AnotherInstance", (of_error(error),), NOW)
    control.shown = replace(control.shown, conditions=(condition,), permission=Permission("ask"))
    prepared = asyncio.run(control.preview())
    found = foresee(prepared, NOW)
    control.shown = replace(control.shown, foreseen=found)
    return control


@pytest.mark.parametrize("begun", [None, Begun("page", NOW, frozenset({3}))])
def test_who_stands_back_is_offered_to_take_over_and_not_to_begin(client, waiting, begun):
    waiting.shown = replace(waiting.shown, permission=Permission("ask", begun))
    for address in ("/", "/parts/first_run", "/preview"):
        assert "/actions/begin" not in client.get(address).text
    page = client.get("/").text
    card = page[page.index("<article") : page.index("</article>")]
    assert "(attic) has kept this library" in card
    assert "Stop the other one, or take over from here, and begin" in card
    assert "/decide?action=take_over&amp;everything=true" in card
    waiting.shown = replace(waiting.shown, conditions=())
    assert all("/actions/begin" in client.get(address).text for address in ("/", "/preview"))


@pytest.mark.parametrize(
    "ask", [("/actions/begin", {"data": {"count": "0"}}), ("/api/v1/begin", {"json": {}})]
)
def test_who_stands_back_begins_nothing(client, waiting, ask):
    address, form = ask
    answer = client.post(address, headers=SAME, **form)
    assert answer.status_code == 409
    assert "take over" in answer.text
    assert waiting.begun == []


def test_the_api_takes_a_place_only_if_it_is_told_to(client, control):
    assert client.post("/api/v1/adopt", json={}, headers=SAME).status_code == 400
    assert client.post("/api/v1/adopt", json={"take_over": True}, headers=SAME).status_code == 200
    assert control.took_over


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("action=nope&images=1", 400),
        ("action=undo&everything=true", 400),
        ("action=sync&images=a", 400),
        ("action=sync&images=-1", 400),
        ("action=sync&images=" + "9" * 30, 400),
        ("action=sync&images=12345", 200),
    ],
)
def test_what_cannot_be_asked_for_is_refused(client, control, query, status):
    assert client.get(f"/decide?{query}", headers={"accept": "text/html"}).status_code == status
    assert control.requested == []


def test_a_pause_is_shown_with_the_run_under_way_and_what_waits_for_it(client, control):
    progress = Progress("writing", 1200, 5000)
    control.shown = replace(control.shown, current=RunState("run9", Wish(), "running", progress))
    page = client.get("/decide?action=pause&everything=true").text
    assert "6 images would wait until you resume" in page
    assert "A run is under way, and goes on to its end: 1,200 of 5,000 done." in page
    assert "6 descriptions." in page
    assert 'action="/actions/pause"' in page
    looking = RunState("run9", Wish(by_person=False), "running", Progress("planning", 0, 5000))
    control.shown = replace(control.shown, current=looking)
    assert "No run is under way." in client.get("/decide?action=pause&everything=true").text
    control.paused = True
    page = client.get("/decide?action=resume&everything=true").text
    assert "Runs would start by themselves again, and 6 images would be written" in page
    assert 'action="/actions/resume"' in page
    assert control.paused
    assert confirmed(client, action="resume", everything="true").status_code == 400


def test_where_nothing_waits_the_page_says_what_resuming_does(client, control):
    found = asyncio.run(control.preview())
    control.preview = AsyncMock(return_value=replace(found, items=type(found.items)()))
    page = client.get("/decide?action=resume&everything=true").text
    assert "<h1>Runs would start by themselves again</h1>" in page
    assert "<li>Nothing waits to be written now.</li>" in page
    control.preview = AsyncMock(side_effect=ImmichTemporaryError("Immich does not answer."))
    page = client.get("/decide?action=resume&everything=true").text
    assert "<h1>Runs would start by themselves again</h1>" in page
    assert "Nothing waits" not in page


def test_where_immich_cannot_be_asked_it_can_be_paused_all_the_same(client, control):
    async def preview(*_, **__):
        raise ImmichTemporaryError("Immich does not answer.")

    control.preview = preview
    page = client.get("/decide?action=pause&everything=true").text
    assert "What waits cannot be told now: Immich does not answer" in page
    assert "disabled" not in button(page, "Pause</button>")


def test_of_one_that_only_observes_nothing_waits(client, control):
    control.shown = replace(control.shown, permission=Permission("observe"))
    page = client.get("/decide?action=resume&everything=true").text
    assert "only observes, so nothing is written" in page
    assert "only observes" in page
    assert "disabled" not in button(page, "Resume</button>")


# -- a message after each click --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/actions/look", "Checked 6 images"),
        ("/actions/sync-all", "Checked 6 images"),
        ("/actions/stop", "there was nothing to stop"),
        ("/actions/pause", "Paused"),
        ("/actions/resume", "Resumed"),
    ],
)
def test_every_button_of_the_overview_answers_with_a_message(client, path, said):
    live = client.post(path, headers=LIVE)
    assert live.status_code == 200
    assert said in live.text
    plain = client.post(path, headers=SAME)
    assert plain.url.path == "/"
    toasts = plain.text[plain.text.index('id="toasts"') : plain.text.index('<main id="main"')]
    assert said in toasts


def test_the_outcome_takes_the_place_of_the_first_answer_once_there_is_one(client, control):
    control.hanging = True
    asked = client.post("/actions/look", headers=LIVE).text
    assert "Requested." in asked
    assert "/toast?said=asked" in asked
    assert client.get("/toast?said=asked&run=run1").status_code == 204
    control.hanging = False
    control.request(control.requested[0])
    control.states["run1"] = control.states["run2"]
    assert "Checked 6 images" in client.get("/toast?said=asked&run=run1").text


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (Condition("ImmichReachable", "False", "NoAnswer", (), NOW), "Immich cannot be reached"),
        (Condition("SyncEnabled", "False", "SwitchedOff", (), NOW), "Metadata sync is switched off"),
        (Condition("Writer", "False", "HeldElsewhere", (), NOW), "Another process or installation writes"),
    ],
)
def test_a_button_that_can_do_nothing_says_why(client, control, condition, why):
    control.shown = replace(control.shown, conditions=(condition,))
    page = client.get("/").text
    button = page[: page.index(">Sync all images<")].rpartition("<button")[2]
    assert "disabled" in button
    assert why in page
    grid = client.get("/images").text
    assert "disabled" in grid[: grid.index(">Preview<")].rpartition("<button")[2]
    assert why in grid
    look = page[: page.index(">Look now<")].rpartition("<button")[2]
    assert ("disabled" in look) == (condition.type == "Writer")


def button(page: str, label: str) -> str:
    """Return the tag of the button that has a label."""
    return page[: page.rindex(f">{label}")].rpartition("<")[2]


@pytest.mark.parametrize(
    ("permission", "why", "offered"),
    [
        (Permission("observe"), "only observes", set()),
        (Permission("ask"), "Nothing is written yet", {"undo", "immich", "skymmich", "both"}),
        (
            Permission("ask", Begun("page", NOW, frozenset({3}))),
            "Only the first images",
            {"sync", "undo", "redo", "immich", "skymmich", "both", "approve"},
        ),
    ],
)
def test_before_anything_may_be_written_buttons_that_can_do_nothing_say_why(
    client, control, permission, why, offered
):
    control.shown = replace(control.shown, permission=permission)
    grid = client.get("/images").text
    choice = grid[grid.index('<select name="action"') :]
    options = re.findall(r'<option value="(\w+)"( disabled)?>', choice)
    none = choice.startswith('<select name="action" disabled>')
    assert none == (not offered)
    assert none or {name for name, off in options if not off} == offered
    assert ("disabled" in button(grid, "Preview")) == (not offered)
    assert ('id="why-selection"' in grid) == (len(offered) < len(options))
    page = client.get("/images/1").text
    assert "disabled" in button(page, "Sync to Immich")
    assert why in page
    assert ("disabled" in button(page, "Undo the last change …")) == (not offered)
    assert ("disabled" in button(page, "Use Skymmich's")) == (not offered)
    assert "disabled" in button(client.get("/images/6").text, "Approve what the guard holds …")
    shown = chosen(client, "sync", 1).text
    assert "disabled" in button(shown, "Write this")
    assert why in shown


def test_of_the_images_begun_with_all_can_be_done(client, control):
    control.shown = replace(control.shown, permission=Permission("ask", Begun("page", NOW, frozenset({3}))))
    assert "disabled" not in button(client.get("/images/3").text, "Sync to Immich")
    assert "disabled" not in button(chosen(client, "sync", 3).text, "Write this")
    assert "disabled" in button(chosen(client, "sync", 3, 4).text, "Write this")
