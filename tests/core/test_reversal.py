from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.desired.block import Markers
from reconciler.core.plan.reversal import everything, reversals
from reconciler.core.plan.undo import TextReturn, reverse
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord, FormerValue, JournalEntry

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BLOCK = "✦ M 31\nGalaxy\n— Skymmich"
NEW_BLOCK = "✦ M 31\nGalaxy in Andromeda\n— Skymmich"
HERE, THERE = Coordinates(1.0, 2.0), Coordinates(3.0, 4.0)


def entries(*changes):
    return [
        JournalEntry("run", "asset", 1, field, before, after, NOW, number, tuple(*ours))
        for number, (field, before, after, *ours) in enumerate(changes, start=1)
    ]


def asset(description="", coordinates=None, tags=()):
    return ObservedAsset("asset", "me", NOW, description, coordinates, frozenset(tags))


def undo(seen, *changes, applied=Applied(), max_bytes=10_000):  # noqa: B008 - a frozen value
    (reversal,) = reversals(entries(*changes))
    return reverse(reversal, seen, "M 31", applied, Markers(), max_bytes)


def undo_all(seen, applied, **former):
    record = AssetRecord("asset", 1, "M 31", applied)
    values = [FormerValue("asset", field, value, NOW) for field, value in former.items()]
    return reverse(everything(record, values, Markers()), seen, "M 31", applied, Markers(), 10_000)


def test_what_is_still_there_is_written_back_and_then_given_up():
    applied = Applied(block=NEW_BLOCK, prose="Words", coordinates=THERE, tags=frozenset({"Astro/M 31", "x"}))
    changes = (
        ("description", f"Words\n\n{BLOCK}", f"Words\n\n{NEW_BLOCK}"),
        ("coordinates", [1.0, 2.0], [3.0, 4.0]),
        ("tags", ["mine", "old"], ["Astro/M 31", "mine"]),
    )
    done = undo(asset(f"Words\n\n{NEW_BLOCK}", THERE, {"Astro/M 31", "mine", "x"}), *changes, applied=applied)
    assert done.left == ()
    assert (done.plan.description, done.plan.coordinates) == (f"Words\n\n{BLOCK}", HERE)
    assert (done.plan.add_tags, done.plan.remove_tags) == ({"old"}, {"Astro/M 31"})
    # Until it is back it stays ours: an undo that is killed goes on by that.
    assert done.plan.base == applied
    back = undo(asset(f"Words\n\n{BLOCK}", HERE, {"old", "mine", "x"}), *changes, applied=applied)
    assert not back.plan.changes
    assert back.plan.base == Applied(prose="Words", tags=frozenset({"x"}))


def test_what_was_ours_before_a_run_is_ours_again():
    done = undo(
        asset(f"Words\n\n{BLOCK}", HERE, {"old"}),
        ("description", f"Words\n\n{BLOCK}", f"New words\n\n{NEW_BLOCK}", ["block", "prose"]),
        ("coordinates", [1.0, 2.0], [3.0, 4.0], ["coordinates"]),
        ("tags", ["old"], ["new"], ["old"]),
        applied=Applied(NEW_BLOCK, "New words", THERE, frozenset({"new"})),
    )
    assert not done.plan.changes
    assert done.plan.base == Applied(BLOCK, "Words", HERE, frozenset({"old"}))


def test_with_a_persons_sentence_below_the_block_it_goes_and_the_sentence_stays():
    """There was nothing to write back then, and the block stayed for ever."""
    done = undo(
        asset(f"{BLOCK}\n\nMine.", HERE),
        ("description", "", BLOCK),
        ("coordinates", [5.0, 6.0], [3.0, 4.0]),
        applied=Applied(block=BLOCK, coordinates=THERE),
    )
    assert done.plan.description == "Mine."
    assert done.left == (reason("newer").of("coordinates"),)


@pytest.mark.parametrize("around", ["{}", "Before.\n\n{}", "Before.\n\n{}\n\nAfter.", "{}\n\nAfter."])
def test_a_persons_lines_inside_the_block_go_below_it_when_it_goes(around):
    edited = BLOCK.replace("Galaxy", "Galaxy\nMine, inside.")
    done = undo(asset(around.format(edited)), ("description", "", BLOCK), applied=Applied(block=BLOCK))
    kept = [line for line in done.plan.description.split("\n") if line]
    wanted = around.format("Mine, inside.").split("\n")
    assert kept == [line for line in wanted if line]


def test_words_that_a_person_changed_stay_and_are_named_and_the_block_still_goes():
    done = undo(
        asset(f"Catalogue's, and mine.\n\n{BLOCK}"),
        ("description", "Former.", f"Catalogue's.\n\n{BLOCK}"),
        applied=Applied(block=BLOCK, prose="Catalogue's."),
    )
    assert done.plan.description == "Catalogue's, and mine."
    assert done.left == (reason("newer").of("prose"),)


def test_former_words_come_back_above_what_a_person_added_below_the_block():
    done = undo(
        asset(f"Catalogue's.\n\n{BLOCK}\n\nMine."),
        ("description", "Former.", f"Catalogue's.\n\n{BLOCK}"),
        applied=Applied(block=BLOCK, prose="Catalogue's."),
    )
    assert done.plan.description == "Former.\n\nMine."
    assert done.left == ()


def test_a_later_runs_block_is_not_the_earlier_ones_to_take_back():
    done = undo(asset(NEW_BLOCK), ("description", "", BLOCK), applied=Applied(block=NEW_BLOCK))
    assert (done.plan.changes, done.left) == (False, (reason("newer").of("block"),))
    assert done.plan.base.block == NEW_BLOCK


def test_what_is_as_before_needs_nothing():
    done = undo(asset("Words"), ("description", "Words", BLOCK), ("tags", [], ["a"]))
    assert (done.plan.changes, done.left) == (False, ())


def test_a_place_can_not_be_taken_away_again_and_that_is_said():
    done = undo(asset("", THERE), ("coordinates", None, [3.0, 4.0]), applied=Applied(coordinates=THERE))
    assert (done.plan.changes, done.left) == (False, (reason("no_place_before").of("coordinates"),))
    assert done.plan.base.coordinates == THERE


def test_a_text_that_is_too_long_to_be_written_is_left():
    done = undo(asset(BLOCK), ("description", "x" * 50, BLOCK), max_bytes=40)
    assert (done.plan.changes, done.left) == (False, (reason("former_too_long").of("description"),))


def test_several_writes_of_a_run_are_taken_back_together():
    retried = undo(asset(NEW_BLOCK), ("description", "", BLOCK), ("description", "", NEW_BLOCK))
    assert retried.plan.description == ""
    rounds = ("tags", [], ["a"]), ("tags", ["a"], ["a", "b"])
    owned = undo(asset(tags={"a", "b"}), *rounds, applied=Applied(tags=frozenset({"a", "b"})))
    assert owned.plan.remove_tags == {"a", "b"}
    put_back_by_a_person = undo(asset(tags={"a", "b"}), *rounds, applied=Applied(tags=frozenset({"a"})))
    assert put_back_by_a_person.plan.remove_tags == {"a"}
    nothing = undo(asset(tags={"b"}), ("tags", ["b"], ["a", "b"]), ("tags", ["a", "b"], ["b"]))
    assert not nothing.plan.changes


def test_what_a_person_wrote_between_two_writes_of_a_run_stays_and_the_block_goes():
    between = f"Mine.\n\n{BLOCK}"
    done = undo(
        asset(f"Mine.\n\n{NEW_BLOCK}"),
        ("description", "", BLOCK),
        ("description", between, f"Mine.\n\n{NEW_BLOCK}"),
    )
    assert done.plan.description == "Mine."


def test_everything_takes_out_what_is_ours_and_gives_back_what_was_there():
    applied = Applied(NEW_BLOCK, "Ours.", THERE, frozenset({"ours"}))
    done = undo_all(
        asset(f"Ours.\n\n{NEW_BLOCK}\n\nLater.", THERE, {"ours", "mine"}),
        applied,
        block=None,
        prose="Former.",
        coordinates=[1.0, 2.0],
    )
    assert done.plan.description == "Former.\n\nLater."
    assert (done.plan.coordinates, done.plan.remove_tags, done.plan.add_tags) == (HERE, {"ours"}, set())
    back = undo_all(
        asset("Former.\n\nLater.", HERE, {"mine"}), applied, prose="Former.\n\nLater.", coordinates=[1.0, 2.0]
    )
    assert (back.plan.changes, back.left, back.plan.base) == (False, (), Applied())


def test_everything_leaves_what_is_not_ours_and_says_what_is_not_on_record():
    theirs = undo_all(asset(f"Theirs.\n\n{BLOCK}", HERE, {"mine"}), Applied())
    assert (theirs.plan.changes, theirs.left) == (False, ())
    unknown = undo_all(asset("Ours.", THERE), Applied(prose="Ours.", coordinates=THERE))
    why = reason("former_unknown")
    assert (unknown.plan.changes, unknown.left) == (False, (why.of("prose"), why.of("coordinates")))


def test_an_older_versions_whole_text_is_given_back_without_its_block():
    done = undo_all(asset("Ours."), Applied(prose="Ours."), description=f"Former.\n\n{BLOCK}")
    assert done.plan.description == "Former."


def test_the_block_of_another_run_is_taken_whole_though_the_present_one_shares_lines_with_it():
    """The lines that both had were taken for the former block, and put into the middle of the other one."""
    first, second, third = (
        f"✦ {name}\nTitle {number}\nGalaxy\n\nIntegration: 5h\nTelescope\n— Skymmich"
        for number, name in enumerate(("M 31", "M 31 · NGC 224", "M 31 · NGC 224 · Andromeda"))
    )
    changes = ("description", f"Mine.\n\n{first}", f"Mine.\n\n{second}", ["block"])
    done = undo(asset(f"Mine.\n\n{second}"), changes, applied=Applied(block=second))
    assert done.plan.description == f"Mine.\n\n{first}"
    later = undo(asset(f"Mine.\n\n{third}"), changes, applied=Applied(block=third))
    assert (later.plan.changes, later.plan.base.block) == (False, third)
    back = undo(asset(f"Mine.\n\n{first}"), changes, applied=Applied(block=second))
    assert (back.plan.changes, back.plan.base.block) == (False, first)


def test_a_later_runs_words_stay_ours_where_an_earlier_run_is_taken_back():
    done = undo(
        asset(f"Second words.\n\n{BLOCK}"),
        ("description", "", f"First words.\n\n{BLOCK}"),
        applied=Applied(block=BLOCK, prose="Second words."),
    )
    assert done.plan.description == "Second words."
    assert done.plan.base.prose == "Second words."
    assert done.left == (reason("newer").of("prose"),)


@pytest.mark.parametrize(
    ("before", "after", "becomes"),
    [
        ("", BLOCK, ("removed", "stays")),
        ("Mine.", f"Mine.\n\n{BLOCK}", ("removed", "stays")),
        (BLOCK, NEW_BLOCK, ("former", "stays")),
        (f"Mine.\n\n{BLOCK}", f"Mine.\n\n{NEW_BLOCK}", ("former", "stays")),
        (BLOCK, "", ("again", "stays")),
        (f"Mine.\n\n{BLOCK}", f"Mine. A sentence.\n\n{BLOCK}", ("stays", "former")),
        (BLOCK, f"A sentence.\n\n{BLOCK}", ("stays", "removed")),
        (f"Mine.\n\n{BLOCK}", BLOCK, ("stays", "again")),
        (f"Mine.\n\n{BLOCK}", f"Other.\n\n{NEW_BLOCK}", ("former", "former")),
        ("Mine.", f"Other.\n\n{BLOCK}", ("removed", "former")),
        ("", f"Other.\n\n{BLOCK}", ("removed", "removed")),
    ],
)
def test_what_becomes_of_block_and_prose_is_what_the_new_text_shows(before, after, becomes):
    ours = Applied(block=after[after.index("✦") :] if "✦" in after else None)
    done = undo(asset(after), ("description", before, after), applied=ours)
    assert (done.plan.description, done.text) == (before, TextReturn(*becomes))


def test_all_that_is_ours_tells_what_becomes_of_the_text_too():
    done = undo_all(asset(f"Ours.\n\n{NEW_BLOCK}"), Applied(NEW_BLOCK, "Ours."), prose="Mine.")
    assert (done.plan.description, done.text) == ("Mine.", TextReturn("removed", "former"))
    alone = undo_all(asset(f"Mine.\n\n{NEW_BLOCK}"), Applied(NEW_BLOCK), prose="Mine.")
    assert (alone.plan.description, alone.text) == ("Mine.", TextReturn("removed", "stays"))


def test_a_part_that_is_back_already_is_not_said_to_come_back():
    changes = ("description", f"Mine.\n\n{BLOCK}", f"Other.\n\n{NEW_BLOCK}")
    done = undo(asset(f"Mine.\n\n{NEW_BLOCK}"), changes, applied=Applied(NEW_BLOCK, "Other."))
    assert (done.plan.description, done.text) == (f"Mine.\n\n{BLOCK}", TextReturn("former", "stays"))


def test_what_a_person_wrote_below_the_block_does_not_hide_that_it_goes():
    done = undo(asset(f"{BLOCK}\n\nMine."), ("description", "", BLOCK), applied=Applied(BLOCK))
    assert (done.plan.description, done.text) == ("Mine.", TextReturn("removed", "stays"))
