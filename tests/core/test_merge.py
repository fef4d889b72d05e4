"""The table of merge.py, a test a row, for one value and for a set of tags."""

from __future__ import annotations

from reconciler.core.plan.merge import merge_tags, merge_value


def merge(base, desired, live, on_conflict="keep", on_drift="correct"):
    merged = merge_value(
        base, desired, live, equal=lambda a, b: a == b, on_conflict=on_conflict, on_drift=on_drift
    )
    return merged.case, merged.action, merged.base, merged.takes_away


def test_equal_values_are_in_sync():
    assert merge("a", "a", "a") == ("in_sync", "nothing", "a", False)


def test_a_value_that_happens_to_be_equal_is_not_owned():
    assert merge(None, "a", "a") == ("in_sync", "nothing", None, False)
    assert merge("older", "a", "a") == ("in_sync", "nothing", None, False)


def test_nothing_on_all_sides_is_in_sync():
    assert merge(None, None, None) == ("in_sync", "nothing", None, False)


def test_an_empty_field_is_filled():
    assert merge(None, "a", None) == ("fill", "write", None, False)


def test_an_emptied_field_is_filled_with_what_the_catalogue_has_now():
    assert merge("a", "b", None) == ("fill", "write", "a", False)


def test_a_value_that_is_not_ours_stays():
    assert merge(None, "a", "b") == ("conflict", "keep", None, False)


def test_a_value_that_is_not_ours_is_overwritten_where_that_is_the_policy():
    assert merge(None, "a", "b", on_conflict="overwrite") == ("conflict", "write", None, True)


def test_what_we_wrote_follows_the_catalogue():
    assert merge("a", "b", "a") == ("update", "write", "a", False)


def test_drift_is_corrected():
    assert merge("a", "a", "b") == ("drift", "write", "a", False)


def test_drift_is_kept_where_that_is_the_policy():
    assert merge("a", "a", "b", on_drift="keep") == ("drift", "keep", "a", False)


def test_what_we_wrote_and_a_person_emptied_is_drift():
    assert merge("a", "a", None) == ("drift", "write", "a", False)
    assert merge("a", "a", None, on_drift="keep") == ("drift", "keep", "a", False)


def test_a_value_changed_on_both_sides_stays():
    assert merge("a", "b", "c") == ("both_changed", "keep", "a", False)


def test_a_value_changed_on_both_sides_is_overwritten_where_that_is_the_policy():
    assert merge("a", "b", "c", on_conflict="overwrite") == ("both_changed", "write", "a", True)


def test_what_we_wrote_goes_with_the_catalogue_s():
    assert merge("a", None, "a") == ("withdraw", "remove", "a", True)


def test_what_is_not_ours_stays_when_the_catalogue_has_none():
    assert merge(None, None, "b") == ("not_ours", "nothing", None, False)


def test_what_a_person_changed_stays_when_the_catalogue_has_none_and_is_theirs_from_then_on():
    assert merge("a", None, "b") == ("not_ours", "nothing", None, False)


def tags(owned, desired, live, on_drift="correct"):
    merged = merge_tags(frozenset(owned), frozenset(desired), frozenset(live), on_drift=on_drift)
    return set(merged.add), set(merged.remove), set(merged.owned), merged.case


def test_missing_tags_are_added_beside_those_that_are_there():
    assert tags("", "ab", "bx") == ({"a"}, set(), set(), "update")


def test_a_tag_of_ours_goes_with_the_catalogue_s():
    assert tags("ab", "a", "abx") == (set(), {"b"}, {"a", "b"}, "withdraw")


def test_a_tag_that_was_there_before_us_is_never_removed():
    assert tags("", "", "abx") == (set(), set(), set(), "in_sync")


def test_a_tag_of_ours_that_was_taken_off_comes_back():
    assert tags("ab", "ab", "a") == ({"b"}, set(), {"a"}, "drift")


def test_a_tag_of_ours_that_was_taken_off_stays_off_where_that_is_the_policy():
    assert tags("ab", "ab", "a", on_drift="keep") == (set(), set(), {"a", "b"}, "drift")


def test_a_tag_that_both_sides_dropped_is_forgotten():
    assert tags("ab", "a", "a") == (set(), set(), {"a"}, "in_sync")


def test_a_tag_that_a_person_put_back_before_we_could_is_theirs():
    """Taken off, seen so by a pass that wrote nothing, entered by hand, then dropped from the catalogue."""
    _, _, owned, _ = tags("b", "b", "")
    assert tags(owned, "", "b")[1] == set()


def test_tags_can_come_and_go_at_once():
    assert tags("ab", "bc", "abx") == ({"c"}, {"a"}, {"a", "b"}, "update")


def test_the_same_tag_in_another_unicode_form_is_not_added_beside():
    composed, decomposed = "Astro/K\u00fcche", "Astro/Ku\u0308che"
    assert tags((), [composed], [decomposed]) == (set(), set(), set(), "in_sync")
