"""Which tags are lost, and which only give way."""

from __future__ import annotations

import pytest

from reconciler.core.plan.tag_losses import lost_tags, owned_kinds, superseded

OWN = "Astro/Target/M 31 Andromeda Galaxy"


@pytest.mark.parametrize(
    ("removed", "desired", "lost"),
    [
        ((), ("Astro/A",), ()),
        (("Astro/Type/Nebula",), ("Astro/Type/Emission nebula",), ()),
        (("Astro/Type/Nebula",), ("Astro/Target/M 42",), ("Astro/Type/Nebula",)),
        (
            ("Astro/Equipment/A", "Astro/Equipment/B"),
            ("Astro/Equipment/C",),
            ("Astro/Equipment/A", "Astro/Equipment/B"),
        ),
        (("Astro/a",), ("Astro/c",), ("Astro/a",)),
        # The root was renamed: the fact stands under another path.
        (("Sky/Type/Galaxy",), ("Astro/Type/Galaxy",), ()),
        (("Astro/M 31", "Astro/NGC 224", "Astro/Andromeda Galaxy"), (OWN,), ()),
        (("Astro/M 31", "Astro/M 33"), (OWN,), ("Astro/M 33",)),
        ((OWN,), (), (OWN,)),
        (("Astro/34 Sgr)", "Astro/The star Nunki"), (), ()),
        (("Family",), (OWN,), ("Family",)),
    ],
)
def test_a_tag_is_lost_where_nothing_stands_in_its_place(removed, desired, lost):
    assert lost_tags(frozenset(removed), frozenset(desired)) == frozenset(lost)


@pytest.mark.parametrize(
    ("removed", "desired", "owned", "renamed"),
    [
        (["Astro/Equipment/A"], ["Astro/Equipment/B"], ["Astro/Equipment/A"], ["Astro/Equipment/A"]),
        (["Equipment/A"], ["Equipment/B"], ["Equipment/A"], ["Equipment/A"]),
        # One of two was there before: nothing takes the other's place.
        (["Astro/Equipment/A"], ["Astro/Equipment/B"], ["Astro/Equipment/A", "Astro/Equipment/B"], []),
        (
            ["Astro/Equipment/A", "Astro/Equipment/B"],
            ["Astro/Equipment/C", "Astro/Equipment/D"],
            ["Astro/Equipment/A", "Astro/Equipment/B"],
            ["Astro/Equipment/A", "Astro/Equipment/B"],
        ),
        (
            ["Astro/Equipment/A", "Astro/Equipment/B"],
            ["Astro/Equipment/C"],
            ["Astro/Equipment/A", "Astro/Equipment/B"],
            [],
        ),
        # The root was renamed, and of the cameras in it one.
        (["Sky/Equipment/A"], ["Astro/Equipment/B"], ["Sky/Equipment/A"], ["Sky/Equipment/A"]),
        (
            ["Sky/Equipment/A", "Sky/Equipment/B", "Sky/mine", "Sky/gone"],
            ["Astro/Equipment/A", "Astro/mine"],
            ["Sky/Equipment/A", "Sky/Equipment/B", "Sky/mine", "Sky/gone"],
            ["Sky/Equipment/A", "Sky/mine"],
        ),
        (["Astro/Orion"], ["Astro/Constellation/Orion"], ["Astro/Orion"], []),
        (["Astro/old"], ["Astro/new"], ["Astro/old"], []),
        (["Astro/flat"], ["Astro/other"], ["Astro/flat"], ["Astro/flat"]),
        (["Astro/flat"], ["Astro/own"], ["Astro/flat"], []),
        ([], ["Astro/Equipment/B"], [], []),
    ],
)
def test_a_tag_is_renamed_where_a_new_one_of_its_kind_comes(removed, desired, owned, renamed):
    kinds = {"Astro/flat": "Equipment", "Astro/other": "Equipment"}
    found = superseded(frozenset(removed), frozenset(desired), frozenset(owned), kinds)
    assert found == frozenset(renamed)


def test_kinds_are_known_of_what_is_owned_alone():
    known, desired = (("a", "Equipment"), ("gone", "Target")), (("b", "Equipment"), ("theirs", "Type"))
    owned = frozenset({"a", "b", "c"})
    assert owned_kinds(known, desired, owned) == (("a", "Equipment"), ("b", "Equipment"))
    assert owned_kinds((), (), owned) == ()
