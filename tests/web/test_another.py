"""Beside another instance pages and API say so first, and offer nothing that would be refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.ownership import Owner
from reconciler.engine.standpoint import Another, Standpoint, Taken
from tests.web.conftest import NOW

PEOPLE = {"accept": "text/html"}
SAID = "Another instance of this program (abc on attic) has kept this library since"


@pytest.fixture
def beside(client, control):
    """Another instance keeps the library."""
    plain = control.preview
    taken = Taken(Standpoint(Owner("me", NOW), 0, another=Another("abc", NOW, NOW, "attic")))

    async def preview(*given, **named):
        return replace(await plain(*given, **named), taken=taken)

    control.preview = preview
    return client


def test_the_preview_says_so_first_and_has_no_button_to_write(beside):
    text = beside.get("/preview", headers=PEOPLE).text
    assert "Nothing is written from here</h1>" in text
    assert "would change" not in text
    assert text.index(SAID) < text.index("Compared:")
    assert "what this state store knows alone" in text
    assert "/decide?action=take_over" in text
    assert "/actions/sync-all" not in text


@pytest.mark.parametrize("action", ["sync", "redo", "undo"])
def test_what_would_be_refused_is_shown_and_cannot_be_asked_for(beside, action):
    text = beside.get(f"/decide?action={action}&images=1", headers=PEOPLE).text
    assert SAID in text
    assert "/decide/confirmed" not in text


def test_nothing_is_taken_back_from_here(beside):
    text = beside.get("/undo?everything=true", headers=PEOPLE).text
    assert SAID in text
    assert 'action="/undo"' not in text


@pytest.mark.parametrize("address", ["/api/v1/plan", "/api/v1/undo?everything=true"])
def test_the_api_names_the_other(beside, address):
    found = beside.get(address).json()["another"]
    assert (found["instance"], found["host"]) == ("abc", "attic")
    assert SAID in found["message"]
    assert "take-over" in found["remedy"]


def test_the_api_says_where_nobody_else_does(client):
    assert client.get("/api/v1/plan").json()["another"] is None


def test_taking_over_says_what_does_not_come_along(beside):
    text = beside.get("/decide?action=take_over&everything=true", headers=PEOPLE).text
    assert "calls itself abc (attic)" in text
    assert "decided in conflicts" in text
    assert "/decide/confirmed" in text
