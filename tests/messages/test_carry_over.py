"""What is offered from a replaced asset, in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.belongings import Album
from reconciler.core.carry_over import CarryOver, Kept
from reconciler.messages.carry_over import STATES, kept_lines, state_of, whence

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


def test_each_thing_that_a_person_had_has_a_title():
    kept = Kept(
        "Mine",
        frozenset({"b", "a"}),
        Coordinates(48.1, 11.6),
        NOW,
        favorite=True,
        albums=(Album("1", "One"),),
    )
    assert [title for title, _ in kept_lines(kept)] == [
        "Description: prose",
        "Tags",
        "Place",
        "Date",
        "Favourite",
        "Albums",
    ]
    assert dict(kept_lines(kept))["Tags"] == "a, b"
    assert kept_lines(Kept()) == []


@pytest.mark.parametrize(
    ("source", "trashed", "words"),
    [
        ("asset", False, "Read from asset old,"),
        ("asset", True, "in the trash"),
        ("memory", False, "could not be read"),
    ],
)
def test_it_says_from_where_it_is_known(source, trashed, words):
    offer = CarryOver("old", "new", 1, "M 31", NOW, source, was_trashed=trashed)
    assert words in whence(offer)
    assert "2026-11-28" in whence(offer)
    assert state_of(offer) == "offered"
    assert len({str(one) for one in STATES.values()}) == 5
