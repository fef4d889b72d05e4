"""One object, many spellings: designations in canonical form."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.sky import designations, famous
from reconciler.core.sky.designations import LONGEST, Target, canonical, is_deep_sky, mentioned, parse

SPELLINGS = {
    "M 31": ["M31", "m 31", "M-31", "M031", "Messier 31", "MESSIER31", "messier_31"],
    "NGC 7000": ["NGC7000", "ngc 7000", "NGC-7000", "Ngc  7000", "NGC\u00a07000", "ngc_7000"],
    "NGC 224": ["NGC0224", "NGC 00224"],
    "NGC 4567A": ["ngc4567a", "NGC 4567A"],
    "IC 434": ["IC0434", "ic434"],
    "C 9": ["C9", "c 9", "C009", "Caldwell 9", "caldwell9"],
    "Sh2-155": ["sh2-155", "SH2-155", "Sh 2-155", "SH 2-155", "Sh2 155", "Sharpless 155", "Sh2\u2013155"],
    "LBN 325": ["lbn325", "LBN 0325"],
    "LDN 1622": ["LDN1622", "ldn 1622"],
    "B 33": ["B33", "b 33", "Barnard 33", "B033"],
    "vdB 152": ["vdb152", "VDB 152", "vdB-152"],
    "Abell 39": ["abell39", "A39", "a39", "PN A66 39", "PN A66 039", "ABELL 039"],
    "ACO 2151": ["Abell 2151", "aco2151", "abell-2151"],
    "Arp 273": ["ARP273", "arp 273"],
    "HCG 92": ["Hickson 92", "hcg092"],
    "Ced 214": ["Cederblad 214", "CED214"],
    "RCW 58": ["rcw58"],
    "Gum 15": ["gum15", "GUM 15"],
    "Mel 22": ["Melotte 22", "Mel022"],
    "Cr 399": ["Collinder 399", "cr399"],
    "Tr 14": ["Trumpler 14", "TR14"],
    "St 2": ["Stock 2", "st2"],
    "PK 164+31.1": ["pk164+31.1", "PK 164 +31.1"],
    "PN G065.0-27.3": ["PN G65.0-27.3", "png065.0-27.3"],
    "UGC 454": ["UGC00454"],
    "PGC 2557": ["PGC 002557", "LEDA 2557"],
    "HD 44179": ["HD44179", "hd 044179"],
    "HR 8799": ["hr8799"],
    "HIP 26727": ["HIP26727"],
    "C/2023 A3": ["c/2023 a3", "C/2023A3", "C2023 A3"],
    "12P/Pons-Brooks": ["12p/pons-brooks", "12P/PONS-BROOKS", "012P/Pons-Brooks"],
    "29P/Schwassmann-Wachmann 1": ["29P/Schwassmann-Wachmann 1"],
    "(4) Vesta": ["4 Vesta", "(4) vesta", "(4)Vesta"],
    "Jupiter": ["jupiter", "JUPITER"],
    "Moon": ["moon"],
    "Sun": ["SUN"],
}


@pytest.mark.parametrize(
    ("form", "spelling"), [(form, one) for form, many in SPELLINGS.items() for one in many]
)
def test_all_spellings_of_an_object_meet_in_one_form(form, spelling):
    assert canonical(spelling) == form
    assert canonical(form) == form
    assert famous.identity(spelling) == famous.identity(form)


@pytest.mark.parametrize(
    "text",
    [
        *("M 111", "M 0", "NGC 7841", "NGC0000", "IC 5387", "C 110", "Sh2-314", "Sh2155", "HCG 101", "A 7"),
        *(
            "",
            " ",
            "M",
            "NGC",
            "my comet",
            "Mira",
            "first light",
            "R2D2",
            "ESO056-115",
            "M31a",
            "12p",
            "5 Vesta",
        ),
        *(
            "Saturn Nebula",
            "Jupiter's Ghost",
            "Sunflower Galaxy",
            "Red Rectangle",
            "MM 31",
            "xM31",
            "PK 400+1",
        ),
    ],
)
def test_what_is_no_designation_is_left_as_words(text):
    assert parse(text) == Target(rest=text.strip())
    assert canonical(text) is None


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ("M31 & M110", ("M 31", "M 110")),
        ("NGC 7000/IC 5070", ("NGC 7000", "IC 5070")),
        ("M81 M82", ("M 81", "M 82")),
        ("M81/82", ("M 81", "M 82")),
        ("M 81 & 82", ("M 81", "M 82")),
        ("M 65, M 66; NGC 3628", ("M 65", "M 66", "NGC 3628")),
        ("M 42 und M 43", ("M 42", "M 43")),
        ("M 42 and M 43 + NGC 1977", ("M 42", "M 43", "NGC 1977")),
        ("C/2023 A3 & M 5", ("C/2023 A3", "M 5")),
        ("M 45/46P/Wirtanen", ("M 45", "46P/Wirtanen")),
        ("Moon & Saturn", ("Moon", "Saturn")),
        ("M 31 / m31", ("M 31",)),
        ("M31_M110", ("M 31", "M 110")),
        ("M81-M82", ("M 81", "M 82")),
    ],
)
def test_several_objects_in_one_name_are_told_apart(text, objects):
    assert parse(text) == Target(objects)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("NGC7000 North America", Target(("NGC 7000",), "North America")),
        ("NGC 7000 & friends", Target(("NGC 7000",), "& friends")),
        ("NGC 7000 C14", Target(("NGC 7000",), "C14")),
        ("NGC 6992/5", Target(("NGC 6992",), "/5")),
        ("C/2023 A3 (Tsuchinshan-ATLAS)", Target(("C/2023 A3",), "(Tsuchinshan-ATLAS)")),
        ("Andromeda Galaxy (M31)", Target(("M 31",), "Andromeda Galaxy")),
        ("M 31 - Andromeda", Target(("M 31",), "Andromeda")),
    ],
)
def test_words_behind_a_designation_are_kept(text, target):
    assert parse(text) == target


@pytest.mark.parametrize(
    ("text", "objects", "rest", "panel"),
    [
        ("M31 panel 2", ("M 31",), "", "panel 2"),
        ("NGC7000_P1", ("NGC 7000",), "", "p1"),
        ("M 31 pane 3", ("M 31",), "", "pane 3"),
        ("NGC 7000 mosaic 2x2", ("NGC 7000",), "", "mosaic 2x2"),
        ("Sh2-155 tile 4", ("Sh2-155",), "", "tile 4"),
        ("Cave Nebula (Panel 2/6)", (), "Cave Nebula", "panel 2/6"),
        ("M31 2x2 mosaic", ("M 31",), "", "2x2 mosaic"),
        ("Moon panel 7", ("Moon",), "", "panel 7"),
        ("C/2023 P1", ("C/2023 P1",), "", ""),
        ("C/2023 P1_P2", ("C/2023 P1",), "", "p2"),
        ("M 31 & M 110 panel 1", ("M 31", "M 110"), "", "panel 1"),
    ],
)
def test_a_panel_is_no_part_of_the_name(text, objects, rest, panel):
    assert parse(text) == Target(objects, rest, panel)


@given(
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from(["", "0", "00"]),
    st.sampled_from([str.upper, str.lower]),
)
def test_case_blanks_and_padding_make_no_other_object(form, zeros, case):
    prefix, blank, number = form.partition(" ")
    if blank and number.isdigit() and prefix.isalpha():
        for joint in ("", " ", "  ", "-", "_"):
            assert canonical(f" {case(prefix)}{joint}{zeros}{number} ") == form


@given(st.text(max_size=60) | st.from_regex(r"[MCBAPngcicSh2vdB/()&+,; _0-9-]{1,30}", fullmatch=True))
def test_what_was_read_is_read_again_the_same(text):
    target = parse(text)
    for name in target.objects:
        assert canonical(name) == name
    joined = " & ".join(target.objects)
    assert parse(joined).objects == target.objects


def test_a_text_beyond_measure_is_not_looked_at():
    text = "M 31 " * LONGEST
    assert parse(text) == Target(rest=text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My view of M 31 and NGC205", ("M 31", "NGC 205")),
        ("Sh2-155 in the Cave", ("Sh2-155",)),
        ("HD 44179, 12P/Pons-Brooks and the Moon", ()),
        ("NGC 7000/IC 5070", ("NGC 7000", "IC 5070")),
        ("FM31 XNGC 1", ()),
        ("NGC 9999", ()),
        ("", ()),
    ],
)
def test_the_deep_sky_objects_that_a_text_mentions_are_found_anywhere_in_it(text, found):
    assert mentioned(text) == found


def test_stars_comets_and_planets_are_no_deep_sky_objects():
    assert [is_deep_sky(name) for name in ("HD 1", "HIP 1", "C/2023 A3", "Moon")] == [False] * 4
    assert all(map(is_deep_sky, ("M 31", "Sh2-155", "PN G064.9+05.5", "ACO 2151", "vdB 152")))


def test_a_quick_look_for_designations_finds_what_trying_at_every_letter_finds():
    """As it was before: each match of the whole pattern that no letter or digit precedes."""
    chance = random.Random(7)
    words = (
        *(
            "M31",
            "M 31",
            "NGC 7000",
            "ngc0224",
            "sh2-155",
            "SH 2-101",
            "Sharpless 155",
            "PK 64+5.1",
            "PK064+05.1",
        ),
        *("PN G064.7+05.0", "A66 30", "A31", "A 31", "Abell 2151", "C14", "C/2023 A3", "C2023 A3", "P2023A1"),
        *(
            "HD 1234",
            "vdB 1",
            "B33",
            "LRGB",
            "final",
            "2023-11-27",
        ),
        *("Moon", "x7", "30x300s", "f4", "IC5070", "Mel 15", "&", "and", "81/82", "M81/82"),
    )
    for _ in range(20_000):
        parts = (chance.choice(words) + chance.choice((" ", "_", " - ", "/", ".", ") (")) for _ in range(4))
        text = "".join(parts)
        line = designations._BLANKS.sub(" ", text)
        expected = [
            name
            for match in designations._DESIGNATION.finditer(line)
            if not line[: match.start()][-1:].isalnum()
            and (name := designations._written(match))
            and designations.is_deep_sky(name)
        ]
        assert designations.mentioned(text) == tuple(dict.fromkeys(expected)), text
