"""The API does with a selection what the page's list does: shown first, then done, by ids or by a filter."""

from __future__ import annotations

import pytest

from reconciler.core.plan.conflicts import all_sides
from reconciler.engine.undo_wish import UndoWish
from reconciler.errors import DecisionError
from tests.web.conftest import SAME, asset


def asked(client, action, *image_ids, **more):
    named = {"image_ids": list(image_ids)} if image_ids else {}
    return client.post("/api/v1/selection", json={"action": action, **named, **more}, headers=SAME)


def test_without_a_word_that_it_was_seen_it_is_told_what_it_would_do_and_nothing_is(client, control):
    answer = asked(client, "sync", 1, 4)
    assert answer.status_code == 409
    assert answer.json()["detail"] == "Nothing was done yet. 2 images would be written."
    told = answer.json()["would_do"]
    assert told["possible"] is True
    assert (told["image_ids"], [one["image_id"] for one in told["items"]]) == ([1, 4], [1, 4])
    assert "2 descriptions." in told["lines"]
    assert told["items"][0]["plan"]["add_tags"] == ["Astro/Galaxy"]
    assert control.requested == []
    assert control.looked_through == [(frozenset({1, 4}), False)]


@pytest.mark.parametrize(
    ("action", "more"), [("sync", {}), ("undo", {}), ("redo", {}), ("approve", {"hash": "abc"})]
)
def test_confirmed_it_is_done_and_the_answer_is_the_runs_state(client, control, action, more):
    answer = asked(client, action, 1, 2, confirm=True, **more)
    assert answer.status_code == 200, answer.text
    assert answer.json()["run_id"] == "run1"
    (wish,) = control.requested
    if action == "undo":
        assert wish.undo == UndoWish(images=((asset(1), ""), (asset(2), "")))
    else:
        assert (wish.image_ids, wish.again) == (frozenset({1, 2}), action == "redo")
    assert wish.approved == more.get("hash", "")
    assert wish.trigger == {"sync": "api", "approve": "decision"}.get(action, action)


@pytest.mark.parametrize("keep", ["immich", "skymmich", "both"])
def test_conflicts_are_decided_for_what_was_told(client, control, keep):
    shown = asked(client, keep, 1, 2).json()["would_do"]["shown"]
    assert shown
    assert asked(client, keep, 1, 2, confirm=True).status_code == 400
    assert control.decided == []
    assert asked(client, keep, 1, 2, confirm=True, shown=shown).status_code == 200
    assert control.decided == [(frozenset({1, 2}), keep, shown)]


def test_conflicts_that_changed_since_are_told_again_and_not_decided(client, control):
    async def changed(*_, **__):
        raise DecisionError("Something of it changed since.")

    control.resolve_many = changed
    answer = asked(client, "skymmich", 2, confirm=True, shown="what was")
    assert answer.status_code == 409
    assert "Something of it changed since." in answer.json()["detail"]
    assert answer.json()["would_do"]["shown"] != all_sides([])
    assert control.requested == []


def test_a_filter_names_the_images_that_it_lets_through(client, control):
    told = asked(client, "sync", filter={"status": "conflict"}).json()["would_do"]
    assert told["image_ids"] == [2]
    assert asked(client, "sync", filter={"q": "sword"}).json()["would_do"]["image_ids"] == [4]
    assert asked(client, "redo", filter={"status": "conflict"}, confirm=True).status_code == 200
    assert control.requested[0].image_ids == frozenset({2})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "sync"}, 400),
        ({"action": "sync", "image_ids": [1], "filter": {}}, 400),
        ({"action": "take_over", "image_ids": [1]}, 400),
        ({"action": "pause", "image_ids": [1]}, 400),
        ({"action": "sync", "image_ids": []}, 400),
        ({"action": "sync", "image_ids": [12345]}, 404),
        ({"action": "sync", "image_ids": [99]}, 404),
        ({"action": "sync", "filter": {"q": "nothing like this"}}, 404),
        ({"action": "sync", "filter": {"odd": "x"}}, 400),
        ({"action": "approve", "image_ids": [6], "confirm": True}, 400),
    ],
)
def test_what_cannot_be_asked_for_is_refused(client, control, body, status):
    answer = client.post("/api/v1/selection", json=body, headers=SAME)
    assert answer.status_code == status, answer.text
    assert control.requested == []
