"""What else is in a picture is named as people name it."""

from __future__ import annotations

import pytest

from reconciler.core.catalogue import CatalogueObject
from reconciler.core.sky.field import Candidate, chosen, is_deep_sky, keys_of


def told(*objects, target=frozenset()):
    found = chosen([Candidate(each.name, each, keys_of(each)) for each in objects], target)
    return [each.name for each in found if not each.is_target]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C 9", "Sh2-155"),
        ("Cl 399", "Cr 399"),
        ("NGC 224", "M 31"),
        ("NGC 7039", "NGC 7039"),
        ("B 33", "B 33"),
    ],
)
def test_an_object_is_told_by_the_designation_that_people_use(name, shown):
    assert told(CatalogueObject(name, "Neb")) == [shown]


def test_a_nebula_that_openngc_calls_a_star_is_one():
    assert is_deep_sky(CatalogueObject("IC 1318", "*"))
    assert not is_deep_sky(CatalogueObject("IC 2", "*"))


def test_the_famous_come_before_the_others():
    plain, famous = CatalogueObject("NGC 1", "G", magnitude=9.0), CatalogueObject("IC 1318", "*")
    assert told(plain, famous) == ["IC 1318", "NGC 1"]


def test_the_target_is_not_among_the_others_by_whatever_name():
    one = CatalogueObject("C 9", "HII", identifiers=("SH 2-155",))
    assert told(one, CatalogueObject("NGC 1", "G"), target=keys_of(one)) == ["NGC 1"]
