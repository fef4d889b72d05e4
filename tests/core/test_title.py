"""The title is said once: not again below a heading that is made of the same names."""

from __future__ import annotations

import pytest

from reconciler.core.catalogue import CatalogueObject
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.title import tells_more
from reconciler.core.policy import DescriptionPolicy

ORION = ("M 42", "NGC 1976", "Orion Nebula")


@pytest.mark.parametrize(
    "title",
    [
        "M 42", "M42", "m042", "Messier 42", "NGC1976", "Orion Nebula", "the orion nebula", "ORION-NEBULA!",
        "orion nebula (M42)", "M42 - Orion Nebula", "M 42 – NGC 1976 – Orion Nebula", "Orion Nebula/M 42",
        "Órion Nebula", "The Orion Nebula, M42 and NGC 1976", "M42_Orion_Nebula",
    ],
)  # fmt: skip
def test_a_title_made_of_the_heading_s_names_says_nothing_new(title):
    assert not tells_more(title, ORION, "stack.fits")


@pytest.mark.parametrize(
    "title",
    [
        "My Orion", "M 42 in Hα", "Orion", "M 43", "M 4 2", "NGC 42", "M 1976", "Orion Nebula 2", "M 42 & M 43",
        "Great Orion Nebula", "Orion Nebula (mosaic)", "Orion Nebulae", "★", "猎户座大星云", "ω",
    ],
)  # fmt: skip
def test_a_title_that_says_more_stays(title):
    assert tells_more(title, ORION, "stack.fits")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Sh 2-155", "Sh2-155"),
        ("Cats Paw Nebula", "Cat’s Paw Nebula"),
        ("Barnard 33", "B 33"),
        ("C9", "Caldwell 9"),
    ],
)
def test_names_are_the_same_in_each_of_their_spellings(title, name):
    assert not tells_more(title, (name,), "")


def test_the_file_s_name_is_no_title_in_whatever_punctuation():
    assert not tells_more("M 31 LRGB 001", ("M 31",), "M31_LRGB_001.jpg")
    assert tells_more("M 31 LRGB 002", ("M 31",), "M31_LRGB_001.jpg")


def test_an_image_s_title_line_goes_where_the_heading_says_it(make):
    target = CatalogueObject("NGC 1976", "Cl+N", "M 42", ("Orion Nebula",), "Ori")
    image = make.image(title="M42 – orion nebula", target=target)
    assert facts_of(image, DescriptionPolicy(), None).title == ""
    image = make.image(title="M42 – first light", target=target)
    assert facts_of(image, DescriptionPolicy(), None).title == "M42 – first light"
