"""The three sides of a field, with the change marked from what was written last to each of them."""

from __future__ import annotations

import pytest

from reconciler.core.asset import Coordinates, ObservedAsset
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.plan import AssetPlan, TagsDecision, TextDecision, ValueDecision
from reconciler.web.pages.environment import marked
from reconciler.web.pages.three_sides import distance, map_of, shown
from tests.web.conftest import NOW, asset


def plan(**more) -> AssetPlan:
    observed = ObservedAsset(asset(1), NOW, "", None, frozenset())
    return AssetPlan(1, asset(1), "", observed, Desired(), **more)


def text_sides(base, desired, live):
    return shown(TextDecision("prose", "both_changed", "keep", base, desired, live), plan())


def marks(column):
    return [(piece.kind, piece.text) for piece in column.pieces if piece.kind != "same"]


def test_each_side_shows_what_came_and_went_since_it_was_written():
    base = "Shot from the garden with the small refractor in winter."
    one = text_sides(base, base.replace("winter", "March"), base.replace("small ", "old "))
    written, live, wanted = one.columns
    assert [column.title for column in one.columns] == ["Written last", "In Immich now", "Skymmich wants"]
    assert marks(written) == []
    assert marks(live) == [("removed", "small"), ("added", "old")]
    assert marks(wanted) == [("removed", "winter"), ("added", "March")]
    assert live.note == "1 line added, 1 removed."


def test_a_side_that_is_as_it_was_written_is_said_and_not_shown_again():
    _, live, wanted = text_sides("Words", "Words", "Words of somebody").columns
    assert (live.is_same, wanted.is_same) == (False, True)
    assert wanted.pieces == ()


def test_what_was_never_written_from_here_goes_from_immich_to_skymmich():
    one = text_sides(None, "The facts of an old night", "The facts of a cold night")
    assert [column.title for column in one.columns] == ["In Immich now", "Skymmich wants"]
    live, wanted = one.columns
    assert marks(live) == [("only", "a cold")]
    assert marks(wanted) == [("only", "an old")]


@pytest.mark.parametrize("action", ["keep", "nothing"])
def test_words_that_stay_in_immich_never_look_deleted(action):
    decision = TextDecision("prose", "conflict", action, None, "For Anna", "For Anna and Tom")
    live, wanted = shown(decision, plan()).columns
    assert marks(live) == [("only", " and Tom")]
    assert marks(wanted) == []
    assert "<mark> and Tom</mark>" in marked(live.pieces)
    alone = shown(TextDecision("prose", "conflict", action, None, "Skymmich's", ""), plan())
    assert all(marks(column) == [] for column in alone.columns)


def test_what_is_to_be_written_over_is_marked_as_going():
    decision = TextDecision("prose", "fill", "write", None, "For Anna", "For Anna and Tom")
    live, _ = shown(decision, plan()).columns
    assert marks(live) == [("removed", " and Tom")]
    new, wanted = shown(TextDecision("block", "fill", "write", None, "New", ""), plan()).columns
    assert (marks(new), marks(wanted)) == ([], [("added", "New")])


def test_texts_without_anything_in_common_are_told_to_be_others():
    _, live, _ = text_sides("One thing", "One thing", "Quite other words").columns
    assert live.note == "Another text."
    assert marks(live) == [("added", "Quite other words")]


def test_the_same_on_all_sides_is_shown_once():
    one = text_sides("Words", "Words", "Words\r\n")
    assert one.all_same
    assert len(one.columns) == 1


def test_places_tell_how_far_they_are_from_what_was_written():
    base, live, wanted = Coordinates(50, 8), Coordinates(50.0001, 8), Coordinates(50, 8.1)
    one = shown(ValueDecision("coordinates", "both_changed", "keep", base, wanted, live), plan())
    assert [column.note for column in one.columns] == ["", "11 m away.", "7.1 km away."]
    assert one.columns[1].map_url == map_of(live)
    assert map_of(live) == (
        "https://www.openstreetmap.org/?mlat=50.000100&mlon=8.000000#map=12/50.000100/8.000000"
    )
    gone = shown(ValueDecision("coordinates", "drift", "write", base, base, None), plan())
    assert [(column.note, column.is_same) for column in gone.columns] == [
        ("", False),
        ("It is gone.", False),
        ("", True),
    ]


@pytest.mark.parametrize(
    ("kilometres", "words"),
    [
        (0.0001, "Less than 1 m"),
        (0.0124, "12 m"),
        (0.9994, "999 m"),
        (3.44, "3.4 km"),
        (99.94, "99.9 km"),
        (20015, "20 015 km"),
    ],
)
def test_a_distance_is_told_in_metres_or_kilometres(kilometres, words):
    assert distance(kilometres).replace("\N{NARROW NO-BREAK SPACE}", " ") == words


def test_tags_are_sets_and_a_persons_are_told_to_be_kept():
    decision = TagsDecision(
        "tags", "update", "write", ("both", "off", "old"), ("both", "new", "off"), ("both", "mine", "old")
    )
    one = shown(decision, plan(add_tags=frozenset({"new"}), remove_tags=frozenset({"old"})))
    assert [(group.title, group.tags, group.mark) for group in one.groups] == [
        ("To be added", ("new",), "ins"),
        ("Taken off in Immich", ("off",), "del"),
        ("To be taken off: no longer in Skymmich", ("old",), "del"),
        ("Only in Immich: kept", ("mine",), ""),
        ("On both sides", ("both",), ""),
    ]


def test_albums_are_sets_too_and_one_is_taken_out_of_them():
    decision = TagsDecision("albums", "update", "remove", ("off", "old"), ("off",), ("old",))
    one = shown(decision, plan(remove_albums=frozenset({"old"})))
    assert [(group.title, group.tags) for group in one.groups] == [
        ("Taken out in Immich", ("off",)),
        ("To be taken out: no longer in Skymmich", ("old",)),
    ]


def test_a_place_that_skymmich_never_had_is_none_and_not_gone():
    live = Coordinates(52.5, 13.4)
    one = shown(ValueDecision("coordinates", "not_ours", "keep", None, None, live), plan())
    assert [(column.title, column.place, column.note) for column in one.columns] == [
        ("In Immich now", live, ""),
        ("Skymmich wants", None, ""),
    ]
