"""What the target is called, of which kind it is, and which tag it gives, however it is written."""

from __future__ import annotations

import pytest

from reconciler.core.catalogue import CatalogueObject, PlateSolution
from reconciler.core.desired.desired import desire
from reconciler.core.desired.object_facts import (
    common_name_of,
    constellation_of,
    object_type_of,
    target_names,
    target_tags,
)
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.desired.title import tells_more
from reconciler.core.policy import Policy

POLICY = Policy()
NAMES = ("M 42", "NGC 1976", "Orion Nebula")


@pytest.mark.parametrize(
    ("title", "target", "common"),
    [
        ("", CatalogueObject("NGC6618", "Neb", "M 17", ("Lobster Nebula", "omega Nebula")), "Omega Nebula"),
        ("Swan", CatalogueObject("NGC6618", "Neb", "M 17", ("Swan Nebula", "omega Nebula")), "Swan Nebula"),
        ("", CatalogueObject("IC 434", "HII", None, ("Flame Nebula", "Orion B")), ""),
        ("", CatalogueObject("IC 1318", "*", None, ("gam Cyg",)), "Sadr Region"),
        ("", CatalogueObject("IC 443", "SNR", None, ("Gem A",)), "Jellyfish Nebula"),
        ("", CatalogueObject("NGC 4567", "G", None, ("the Twins", "Other One")), "Twins"),
        ("other one", CatalogueObject("NGC 4567", "G", None, ("the Twins", "Other One")), "Other One"),
        ("", CatalogueObject("NGC 4567", "G", None, ("alf Vir Cluster", "M58")), ""),
    ],
)
def test_the_common_name_is_the_one_people_use_and_the_title_chooses(make, title, target, common):
    assert common_name_of(make.image(target=target, title=title)) == common


@pytest.mark.parametrize(
    "name", ["Sh2-155", "C9", "caldwell 9", "Cave Nebula", "the cave nebula", "Sh2-155 panel 2"]
)
def test_an_object_has_one_tag_and_heading_however_it_is_written(make, name):
    image = make.image(target_name=name)
    assert target_tags(image) == ("Sh2-155 Cave Nebula",)
    assert target_names(image) == ("Sh2-155", "Cave Nebula")
    assert constellation_of(image) == "Cepheus"


def test_the_title_chooses_no_other_tag(make):
    assert target_tags(make.image(target_name="M17", title="Swan Nebula")) == ("M 17 Omega Nebula",)


@pytest.mark.parametrize(
    ("name", "names", "tags"),
    [
        (
            "NGC 7000/IC 5070",
            ("NGC 7000 & IC 5070",),
            ("NGC 7000 North America Nebula", "IC 5070 Pelican Nebula"),
        ),
        ("M31 & NGC 224", ("M 31", "NGC 224", "Andromeda Galaxy"), ("M 31 Andromeda Galaxy",)),
        ("C/2023 A3 (Tsuchinshan-ATLAS)", ("C/2023 A3", "Tsuchinshan-ATLAS"), ("C/2023 A3",)),
        ("C/2023 P1", ("C/2023 P1",), ("C/2023 P1",)),
        ("HD 44179", ("HD 44179",), ("HD 44179",)),
        ("hd44179_P1", ("HD 44179",), ("HD 44179",)),
        ("my comet panel 3", ("my comet",), ("my comet",)),
        ("Saturn", ("Saturn",), ("Saturn",)),
    ],
)
def test_a_target_s_name_gives_its_objects(make, name, names, tags):
    image = make.image(target_name=name)
    assert target_names(image) == names
    assert target_tags(image) == tags


def test_a_picture_of_several_objects_says_of_them_what_they_share(make):
    image = make.image(target_name="M 81 & M 82", target=CatalogueObject("NGC 3031", "G", "M 81"))
    assert (object_type_of(image), constellation_of(image)) == ("Galaxy", "Ursa Major")
    mixed = make.image(target_name="M 42 & M 31", target=CatalogueObject("NGC 1976", "Cl+N", "M 42"))
    assert (object_type_of(mixed), constellation_of(mixed)) == ("", "")
    assert (
        constellation_of(make.image(target_name="M42 M31", solution=PlateSolution(10.0, 41.0))) == "Andromeda"
    )


@pytest.mark.parametrize(
    ("own", "target", "words"),
    [
        ("Emission Nebula", CatalogueObject("NGC 6618", "Neb"), "Emission nebula"),
        ("Emission Nebula", CatalogueObject("NGC 9", "SNR"), "Emission nebula"),
        ("Emission Nebula", CatalogueObject("NGC 9", "*"), "Emission nebula"),
        ("Galaxy", CatalogueObject("NGC 4567", "GPair"), "Galaxy pair"),
        ("Star cluster", CatalogueObject("M 13", "GCl"), "Globular cluster"),
        ("Wide Field", CatalogueObject("NGC 6334", "SNR"), "Emission nebula"),
        (None, CatalogueObject("IC 1318", "*"), "Emission nebula"),
        (None, CatalogueObject("NGC 4567", "G"), "Galaxy"),
        ("Unknown", CatalogueObject("X", "Other"), ""),
    ],
)
def test_the_user_s_type_wins_and_the_table_corrects_misleading_codes(make, own, target, words):
    assert object_type_of(make.image(object_type=own, target=target)) == words


def test_a_tag_that_is_another_spelling_of_the_target_is_no_second_one(make):
    image = make.image(target_name="C9", tags=("Cave Nebula", "SH2-155", "Autumn"))
    tags = desire(image, POLICY, BlockTemplate(POLICY.description), make.form()).tags
    assert {tag for tag in tags if "/Type/" not in tag and "/Constellation/" not in tag} == {
        *("Astro/Autumn", "Astro/Target/Sh2-155 Cave Nebula"),
    }


def test_two_objects_give_two_tags(make):
    tags = desire(
        make.image(target_name="NGC 7000/IC 5070"), POLICY, BlockTemplate(POLICY.description), make.form()
    ).tags
    assert {tag for tag in tags if "/Target/" in tag} == {
        *("Astro/Target/NGC 7000 North America Nebula", "Astro/Target/IC 5070 Pelican Nebula"),
    }


@pytest.mark.parametrize(
    "title", ["M 42", "m42", "Orion Nebula", "NGC1976", "M 42 · NGC 1976 · Orion Nebula"]
)
def test_a_title_that_says_the_target_s_name_is_not_said_twice(title):
    assert not tells_more(title, NAMES, "")
    assert tells_more("M 43", NAMES, "")
