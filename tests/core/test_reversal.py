from __future__ import annotations

from datetime import UTC, datetime

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.desired.block import Markers
from reconciler.core.plan.undo import reversals, reverse
from reconciler.core.reasons import reason
from reconciler.core.records import JournalEntry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BLOCK = "✦ M 31\nGalaxy\n— Skymmich"
NEW_BLOCK = "✦ M 31\nGalaxy in Andromeda\n— Skymmich"
HERE, THERE = Coordinates(1.0, 2.0), Coordinates(3.0, 4.0)


def entries(*changes):
    return [
        JournalEntry("run", "asset", 1, field, before, after, NOW, number)
        for number, (field, before, after) in enumerate(changes, start=1)
    ]


def asset(description="", coordinates=None, tags=()):
    return ObservedAsset("asset", "me", NOW, description, coordinates, frozenset(tags))


def undo(seen, *changes, applied=Applied(), max_bytes=10_000):  # noqa: B008 - a frozen value
    (reversal,) = reversals(entries(*changes))
    return reverse(reversal, seen, "M 31", applied, Markers(), max_bytes)


def test_what_is_still_there_is_written_back_and_given_up():
    applied = Applied(block=NEW_BLOCK, prose="Words", coordinates=THERE, tags=frozenset({"Astro/M 31", "x"}))
    done = undo(
        asset(f"Words\n\n{NEW_BLOCK}", THERE, {"Astro/M 31", "mine"}),
        ("description", f"Words\n\n{BLOCK}", f"Words\n\n{NEW_BLOCK}"),
        ("coordinates", [1.0, 2.0], [3.0, 4.0]),
        ("tags", ["mine", "old"], ["Astro/M 31", "mine"]),
        applied=applied,
    )
    assert done.left == ()
    assert (done.plan.description, done.plan.coordinates) == (f"Words\n\n{BLOCK}", HERE)
    assert (done.plan.add_tags, done.plan.remove_tags) == ({"old"}, {"Astro/M 31"})
    assert done.plan.base == Applied(prose="Words", tags=frozenset({"x"}))


def test_a_persons_newer_words_are_named_and_left_and_stay_as_owned_as_they_were():
    applied = Applied(block=BLOCK, coordinates=THERE)
    done = undo(
        asset(f"{BLOCK}\n\nMine.", HERE),
        ("description", "", BLOCK),
        ("coordinates", [5.0, 6.0], [3.0, 4.0]),
        applied=applied,
    )
    assert not done.plan.changes
    assert done.left == (reason("newer").of("description"), reason("newer").of("coordinates"))
    assert done.plan.base.block == BLOCK


def test_what_is_as_before_needs_nothing():
    done = undo(asset("Words"), ("description", "Words", BLOCK), ("tags", [], ["a"]))
    assert (done.plan.changes, done.left) == (False, ())


def test_a_place_can_not_be_taken_away_again_and_that_is_said():
    done = undo(asset("", THERE), ("coordinates", None, [3.0, 4.0]))
    assert (done.plan.changes, done.left) == (False, (reason("no_place_before").of("coordinates"),))


def test_a_text_that_is_too_long_to_be_written_is_left():
    done = undo(asset(BLOCK), ("description", "x" * 50, BLOCK), max_bytes=40)
    assert (done.plan.changes, done.left) == (False, (reason("former_too_long").of("description"),))


def test_several_writes_of_a_run_are_taken_back_together():
    retried = undo(asset(NEW_BLOCK), ("description", "", BLOCK), ("description", "", NEW_BLOCK))
    assert retried.plan.description == ""
    rounds = undo(asset(tags={"a", "b"}), ("tags", [], ["a"]), ("tags", ["a"], ["a", "b"]))
    assert rounds.plan.remove_tags == {"a", "b"}


def test_what_a_person_wrote_between_two_writes_of_a_run_comes_back_with_them():
    between = f"Mine.\n\n{BLOCK}"
    done = undo(
        asset(f"Mine.\n\n{NEW_BLOCK}"),
        ("description", "", BLOCK),
        ("description", between, f"Mine.\n\n{NEW_BLOCK}"),
    )
    assert done.plan.description == between
