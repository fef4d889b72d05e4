"""The second copy of what is ours: strict where it is read, and never taken for more than it says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.desired.block import Markers
from reconciler.core.desired.desired import NOTHING
from reconciler.core.ownership import (
    OwnedText,
    Owner,
    OwnershipRecord,
    Undone,
    adopt,
    bears_traces,
    offered_tags,
    recognise_block,
)
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord, TakenBack, Unsticking

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OWNER = Owner("instance-a", NOW, "home-a", 7, ("s1", "s2"))
MARKERS = Markers()
BLOCK = "✦ M 31\nAndromeda\n\nCamera: ASI2600\nFilters: Ha, OIII\n— Skymmich"
NEWER = BLOCK.replace("ASI2600", "ASI6200")
UNDONE = Unsticking("tags", "d", "l", "2.7.5", reason("undone"), undone=True, at=NOW)
LOST = Unsticking("block", "d", "l", "2.7.5", reason("read_only"))
APPLIED = Applied(BLOCK, "My words.", Coordinates(0.0, -12.5), frozenset({"Astro/Ha", "Astro/M 31"}))
RECORD = AssetRecord("a", 1, "M 31", applied=APPLIED, unsticking=(UNDONE, LOST), taken_back=TakenBack(NOW))
KNOWN = OwnershipRecord.of(RECORD, OWNER, NOW)
BARE = AssetRecord("a", 1, "M 31")


def seen(description="", **more):
    return ObservedAsset("a", "me", NOW, description, **{"tags": frozenset(), **more})


def wanted(block=None, prose=None, tags=()):
    return replace(NOTHING, block=block, prose=prose, tags=frozenset(tags))


def test_a_record_comes_back_as_it_was_in_any_order_of_its_keys():
    value = json.loads(json.dumps(KNOWN.to_json()))
    assert OwnershipRecord.from_json(value, "a") == KNOWN
    assert OwnershipRecord.from_json(dict(reversed(value.items())), "a") == KNOWN
    assert OwnershipRecord.from_json(json.loads(json.dumps(value), parse_int=float), "a") == KNOWN
    assert KNOWN.undone == (Undone("tags", "d", "l", NOW),)
    older = replace(KNOWN, undone=(Undone("block", "d", "l"),), taken_back=None)
    assert OwnershipRecord.from_json(older.to_json(), "a") == older


def test_the_record_of_another_asset_says_nothing_of_this_one():
    assert OwnershipRecord.from_json(KNOWN.to_json(), "b") is None


def test_no_word_of_a_person_is_in_it():
    text = json.dumps(KNOWN.to_json(), ensure_ascii=False)
    assert "My words" not in text
    assert "Camera" not in text


def damaged():
    good = KNOWN.to_json()
    yield from ({key: value for key, value in good.items() if key != gone} for gone in good)
    for key, bad in [
        ("version", 2), ("version", True), ("version", "1"), ("instance", ""), ("instance", 5), ("home", None),
        ("since", "yesterday"), ("since", "2026-11-22T12:00:00"), ("generation", -1), ("generation", 1.5),
        ("sentinels", "s1"), ("sentinels", [1]), ("written", None), ("block", "text"), ("block", {"digest": "d"}),
        ("block", {"digest": "", "lines": 1}), ("block", {"digest": "d", "lines": 0}), ("prose", []),
        ("coordinates", [1]), ("coordinates", [1, "2"]), ("coordinates", [91, 0]), ("coordinates", [True, 0]),
        ("tags", {"Astro": 1}), ("tags", [""]), ("tags", [None]), ("undone", [["tags", "d"]]),
        ("undone", [["title", "d", "l"]]), ("undone", [5]),
        ("undone", [["tags", "d", "l", "then"]]), ("taken_back", {"at": "then", "whole": True}),
        ("taken_back", {"at": NOW.isoformat()}), ("taken_back", {"at": NOW.isoformat(), "whole": 1}),
    ]:  # fmt: skip
        yield {**good, key: bad}
    yield from (None, 5, "text", [], {}, [good])


@pytest.mark.parametrize("value", list(damaged()))
def test_what_cannot_be_read_is_unknown_and_not_empty(value):
    assert OwnershipRecord.from_json(value, "a") is None


def test_a_store_that_is_lost_owns_again_what_stands_there_untouched():
    found = adopt(KNOWN, BARE, seen(f"My words.\n\n{BLOCK}"), wanted(NEWER, "Other words."), MARKERS)
    assert found.applied == APPLIED
    ((which, desired, live, undone, at),) = [
        (one.field, one.desired, one.live, one.undone, one.at) for one in found.unsticking
    ]
    assert (which, desired, live, undone, at) == ("tags", "d", "l", True, NOW)
    assert found.taken_back == TakenBack(NOW)
    assert (found.fingerprint, found.status) == ("", "new")


def test_a_block_is_found_by_its_digest_whatever_its_markers_are_by_now():
    other = Markers("## ", "## end")
    found = adopt(KNOWN, BARE, seen(f"Before.\n{BLOCK}\nAfter."), wanted(), other)
    assert found.applied.block == BLOCK


def test_of_a_block_that_a_person_edited_it_is_known_what_it_was_where_the_catalogue_still_has_it():
    edited = BLOCK.replace("Filters", "My line.\nFilters")
    assert adopt(KNOWN, BARE, seen(edited), wanted(BLOCK), MARKERS).applied.block == BLOCK
    assert adopt(KNOWN, BARE, seen(edited), wanted(NEWER), MARKERS).applied.block is None


def test_what_was_written_and_not_recorded_before_the_store_was_lost_is_ours():
    found = adopt(KNOWN, BARE, seen(f"New.\n\n{NEWER}"), wanted(NEWER, "New."), MARKERS)
    assert (found.applied.block, found.applied.prose) == (NEWER, "New.")


def test_what_the_record_does_not_own_is_not_ours_though_it_is_equal():
    known = OwnershipRecord.of(BARE, OWNER, NOW)
    found = adopt(known, BARE, seen(f"Words.\n\n{BLOCK}"), wanted(BLOCK, "Words."), MARKERS)
    assert found.applied == Applied()


def test_prose_beside_the_solvers_sentence_is_still_ours():
    text = f"My words.\nAstronomical image plate solved by Astrometry.net\n\n{BLOCK}"
    assert adopt(KNOWN, BARE, seen(text), wanted(), MARKERS).applied.prose == "My words."


def test_a_record_is_newer_that_is_anothers_or_was_written_later():
    assert not KNOWN.is_newer_than(OWNER, 7)
    assert KNOWN.is_newer_than(OWNER, 6)
    assert KNOWN.is_newer_than(replace(OWNER, instance="b"), 7)


def test_a_text_is_found_only_whole():
    owned = OwnedText.of(BLOCK)
    assert owned.find(f"x\n{BLOCK}\n{BLOCK}\ny") == BLOCK
    assert owned.find(BLOCK.replace("Ha", "Hb")) is None
    assert OwnedText.of("") is OwnedText.of(None) is None


@pytest.mark.parametrize(
    ("live", "ours"),
    [
        (BLOCK, True),
        (BLOCK.replace("\nFilters: Ha, OIII", ""), True),
        (BLOCK.replace("✦ M 31", "✦ M31 old"), True),
        (BLOCK.replace("Andromeda", "A person's line."), False),
        (BLOCK.replace("Filters: Ha", "Mine: Ha"), False),
        ("✦ only a heading\n— Skymmich", False),
        ("✦ M 31\n— Skymmich", True),
        ("✦ another\nAndromeda\n— Skymmich", False),
        ("no block", False),
    ],
)
def test_without_a_record_a_block_is_ours_that_reads_like_one(live, ours):
    text = f"Prose.\n\n{live}"
    assert (recognise_block(seen(text), wanted(NEWER), MARKERS) is not None) is ours
    assert recognise_block(seen(text), wanted(None), MARKERS) is None
    assert bears_traces(seen(text), MARKERS) is ("✦" in live)


def test_tags_under_our_root_that_the_rules_would_make_are_offered_and_no_others():
    live = seen(tags=frozenset({"Astro/Ha", "Astro/mine", "Ha", "Astronomy/Ha"}))
    assert offered_tags(live, wanted(tags=("Astro/Ha", "Ha", "Astro/OIII", "Astronomy/Ha")), "Astro") == {
        "Astro/Ha"
    }
    assert offered_tags(live, wanted(tags=("Ha",)), "") == frozenset()


@pytest.mark.parametrize("odd", ["", 5, None, "two words", "x" * 65, "\x1b[31m"])
def test_the_name_of_a_host_comes_back_and_an_odd_one_damages_nothing(odd):
    named = replace(KNOWN, owner=replace(OWNER, host="attic-2"))
    assert OwnershipRecord.from_json(named.to_json(), "a") == named
    assert OwnershipRecord.from_json({**named.to_json(), "host": odd}, "a") == KNOWN
