from __future__ import annotations

from reconciler.core.asset import Coordinates
from reconciler.core.plan.diff import Difference, differences, facts

PLACE = Coordinates(48.137154, 11.576124)


def test_equal_states_have_no_differences():
    state = facts("one\ntwo", {"coordinates": PLACE}, {"a", "b"})
    assert differences(state, facts("one\r\ntwo\n", {"coordinates": PLACE}, ["b", "a"])) == ()


def test_a_line_a_place_and_tags_are_told_one_by_one_in_order_of_fields():
    found = differences(
        facts("one\ntwo", {}, {"a", "b"}), facts("one\n2", {"coordinates": PLACE}, {"b", "c", "d"})
    )
    assert found == (
        Difference("description", "changed", "two", "2", 2),
        Difference("coordinates", "added", None, "48.137154, 11.576124"),
        Difference("tags", "removed", "a", None),
        Difference("tags", "added", None, "c"),
        Difference("tags", "added", None, "d"),
    )


def test_lines_put_above_leave_those_below_alone():
    found = differences(facts("✦ M 31\n— end", {}, ()), facts("my words\n\n✦ M 31\n— end", {}, ()))
    assert [(one.kind, one.after, one.line) for one in found] == [("added", "my words", 1), ("added", "", 2)]


def test_what_was_emptied_is_told_line_by_line():
    found = differences(facts("one\ntwo", {"coordinates": PLACE}, ()), facts("", {}, ()))
    assert [(one.field, one.kind, one.before) for one in found] == [
        ("description", "removed", "one"),
        ("description", "removed", "two"),
        ("coordinates", "removed", "48.137154, 11.576124"),
    ]
