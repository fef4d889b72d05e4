"""The table of famous objects: what people call what they photograph."""

from __future__ import annotations

from collections import Counter

import pytest

from reconciler.core.sky import constellations, designations, famous
from reconciler.core.sky.object_names import TYPE_NAMES

TABLE = famous.table()


def test_every_designation_and_every_name_is_one_object_s():
    claims = Counter(name for one in TABLE for name in (one.designation, *one.also))
    assert [name for name, count in claims.items() if count > 1] == []
    names = Counter(famous.plain(name) for one in TABLE for name in (one.name, *one.other_names) if name)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_designation_is_canonical():
    for one in TABLE:
        for name in (one.designation, *one.also):
            assert designations.canonical(name) == name
            assert famous.find(name) is one


def test_names_are_no_designations_and_find_their_object():
    for one in TABLE:
        for name in filter(None, (one.name, *one.other_names)):
            assert designations.canonical(name) is None
            assert famous.find(name.upper()) is one
        assert not {famous.plain(name) for name in one.wrong_names} & {famous.plain(one.name)}


def test_types_and_constellations_are_known_ones():
    assert {one.type_code for one in TABLE} - {""} <= set(TYPE_NAMES)
    assert {one.constellation for one in TABLE} - {""} <= set(constellations.CONSTELLATIONS)


def test_all_of_messier_and_caldwell_are_there():
    known = {name for one in TABLE for name in (one.designation, *one.also)}
    assert known >= {f"M {number}" for number in range(1, 111)}
    assert known >= {f"C {number}" for number in range(1, 110)}


@pytest.mark.parametrize(
    ("spellings", "designation", "name"),
    [
        (("Sh2-155", "sh2 155", "C9", "Caldwell 9", "Cave Nebula", "cave"), "Sh2-155", "Cave Nebula"),
        (("NGC7000", "C20", "North America Nebula", "north america"), "NGC 7000", "North America Nebula"),
        (("Barnard 33", "B33", "The Horsehead Nebula", "horsehead"), "B 33", "Horsehead Nebula"),
        (("M31", "NGC 224", "Andromeda Galaxy", "ANDROMEDA NEBULA"), "M 31", "Andromeda Galaxy"),
        (("NGC 6334", "Cat\u2019s Paw", "cats paw nebula"), "NGC 6334", "Cat's Paw Nebula"),
        (("Mel 22", "M45", "the Pleiades"), "M 45", "Pleiades"),
    ],
)
def test_all_spellings_find_one_object(spellings, designation, name):
    for one in spellings:
        found = famous.find(one)
        assert found is not None, one
        assert (found.designation, found.name) == (designation, name)
        assert famous.identity(one) == famous.identity(designation)


@pytest.mark.parametrize(
    "text",
    [
        "Red Rectangle",
        "HD 44179",
        "Andromeda",
        "Orion",
        "Carina",
        "Crescent",
        "Butterfly",
        "Nebula",
        "",
        "NGC 1",
    ],
)
def test_what_is_not_certain_is_not_found(text):
    assert famous.find(text) is None


def test_two_unknown_names_are_not_one_object():
    assert famous.identity("my comet") == famous.identity("My Comet")
    assert famous.identity("my comet") != famous.identity("my other comet")


def test_names_that_nobody_says_are_left_out_and_others_are_mended():
    given = ("gam Cyg", "omi Vel Cluster", "Gem A", "S Nor Cluster", "chi Persei Cluster", "M45", " ")
    assert famous.usable_names(given) == ()
    given = ("omega Nebula", "the Running Man Nebula", "Little Gem", "Flame Nebula", "Fornax A")
    assert famous.usable_names(given, ("Flame Nebula",)) == (
        *("Omega Nebula", "Running Man Nebula", "Little Gem", "Fornax A"),
    )


def test_crosses_agree_with_openngc():
    ongc = pytest.importorskip("pyongc.ongc")
    # Not one entry there: Caldwell's numbers of the Rosette (C 49, C 50) and C 37, parts with a number of their own.
    apart = {"C 37", "C 49", "C 50", "IC 4703", "NGC 2238", "NGC 2246", "NGC 6165", "NGC 4657", "NGC 6882"}
    for one in TABLE:
        if not one.designation.startswith(("M ", "NGC ", "IC ")) or one.designation == "M 102":
            continue
        ours = ongc.get(one.designation.replace(" ", ""))
        assert ours is not None, one.designation
        for name in set(one.also) - apart:
            if name.startswith(("NGC ", "IC ")):
                assert ongc.get(name.replace(" ", "")).name == ours.name, (name, one.designation)
            elif name.startswith("C "):
                assert f"C {int(name[2:]):03d}" in str(ours.identifiers), (name, one.designation)
