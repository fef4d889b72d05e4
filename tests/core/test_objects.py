from __future__ import annotations

import pytest

from reconciler.core.sky.object_names import TYPE_NAMES, format_name, type_name

# All object types of OpenNGC's documentation.
CODES = [
    "*",
    "**",
    "*Ass",
    "OCl",
    "GCl",
    "Cl+N",
    "G",
    "GPair",
    "GTrpl",
    "GGroup",
    "PN",
    "HII",
    "DrkN",
    "EmN",
    "Neb",
    "RfN",
    "SNR",
    "Nova",
    "NonEx",
    "Dup",
    "Other",
]


def test_every_type_of_openngc_has_its_own_words():
    assert set(TYPE_NAMES) == set(CODES)
    assert len(set(TYPE_NAMES.values())) == len(CODES)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("G", "Galaxy"),
        ("PN", "Planetary nebula"),
        ("HII", "H II region"),
        ("Cl+N", "Cluster with nebulosity"),
        (" SNR ", "Supernova remnant"),
    ],
)
def test_a_type_code_is_said_in_english(code, words):
    assert type_name(code) == words


@pytest.mark.parametrize("code", [None, "", "g", "QSO"])
def test_an_unknown_type_code_is_left_unsaid(code):
    assert type_name(code) is None


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("NGC0224", "NGC 224"),
        ("NGC 224", "NGC 224"),
        ("NGC0598", "NGC 598"),
        ("IC0434", "IC 434"),
        ("IC5146", "IC 5146"),
        ("Mel022", "Mel 22"),
        ("NGC4567A", "NGC 4567A"),
        ("HCG079", "HCG 79"),
        ("PGC000143", "PGC 143"),
        ("B033", "B 33"),
        ("C009", "C 9"),
        ("C14", "C 14"),
        ("Cl 0399", "Cl 399"),
        ("M042", "M 42"),
        ("M31", "M 31"),
    ],
)
def test_a_padded_catalogue_name_is_written_as_people_do(name, written):
    assert format_name(name) == written


@pytest.mark.parametrize(
    "name",
    [
        "Sh2-190",
        "M111",
        "NGC",
        "NGC0000",
        "ESO056-115",
        "My first light",
        'Custom target "Ω"',
        "",
        " ",
    ],
)
def test_any_other_name_is_left_as_it_is(name):
    assert format_name(name) == name
