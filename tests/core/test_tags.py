"""Which tags an image should carry, and how they are spelt."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.desired.tag_noise import is_solvers
from reconciler.core.desired.tags import MAX_NAME, TagSources, desired_tags, omitted_tags, own_tags, tag_name
from reconciler.core.policy import TagPolicy
from reconciler.core.reasons import reason

SOURCES = TagSources(
    own=("Autumn",),
    object_type="Galaxy",
    constellation="Andromeda",
    targets=("M 31 Andromeda Galaxy",),
    equipment=(("telescope", "FRA400"), ("software", "Siril")),
)


def tags(sources, settled=lambda path: path, **policy):
    chosen = TagPolicy(**policy)
    return desired_tags(replace(sources, own=own_tags(sources.own, chosen).kept), chosen, settled)


def names(*catalogue, **policy):
    """Give the tags made of catalogue tags alone, without root, sorted."""
    return sorted(tags(TagSources(own=catalogue), root="", **policy)[0])


@pytest.mark.parametrize(
    "name",
    [
        "θ1 Ori C (θ1 Ori)",
        "θ¹ Ori",
        "(ζ Ori)",
        "ζ Ori)",
        "Alnitak (ζ Ori)",
        "25 Tau)",
        "(25 Tau)",
        "HD 37742",
        "HD37742",
        "HIP 26727",
        "SAO 132444",
        "BD-02 1338",
        "TYC 4771-1188-1",
        "The star Alnitak",
        "the star 25 Tau",
        "Part of the constellation Taurus (Tau)",
        "The constellation Scutum (Sct)",
        "Small Sgr Star Cloud",
        "The star Kaus Australis (ε Sgr)",
        "The star 27Tau",
        "Alcyone (η Tau",
        "Giedi (α¹ Cap",
        "52 Sgr)",
        "52 Sagittarii)",
        "Merope I (23 Tau)",
        "31 Cyg",
        "alp Ori",
        "the1 Ori",
        "(HD 37742",
        "HD 37742A",
        "Part of the constellation Ursa Major (UMa)",
    ],
)
def test_what_the_plate_solver_brings_is_noise(name):
    assert is_solvers(name)
    assert names(name) == []


@pytest.mark.parametrize(
    "name",
    [
        "NGC 224",
        "M 31",
        "IC 1824",
        "Sh2-190",
        "LBN 667",
        "Andromeda Galaxy",
        "Barnard 33 (Horsehead)",
        "M 31 (2023)",
        "Flame Nebula (near ζ Ori)",
        "Ha+OIII",
        "HDR",
        "HDR 2023",
        "CD remaster",
        "BD",
        "HR",
        "Starfield",
        "The starry night",
        "Constellation walk",
        "astrophotography",
        "The Star Party 2025",
        "The star party",
        "The star",
        "The Constellation Walk",
        "the constellation of our house",
        "Red Rectangle (HD 44179)",
        "Tarantula Nebula (30 Dor)",
        "Flame Nebula (ζ Ori)",
        "47 Tuc",
        "30 Dor",
        "ω Cen",
        "omega Cen",
        "ω Centauri",
        "61 Cygni",
        "Rho Ophiuchi",
        "Rho Oph",
        "CD 2023",
        "12 May",
        "10 per",
        "Trip (12 Mar)",
        "V838 Mon",
        "first light (ASI",
        "(",
    ],
)
def test_what_a_person_files_pictures_under_is_kept(name):
    assert not is_solvers(name)
    assert names(name) == [name]


def test_a_user_s_own_patterns_drop_tags_whatever_their_case():
    assert names("astrophotography", "WIP 3", "M 31", drop=("^Astrophoto", r"wip\b")) == ["M 31"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Family/Trips", "Family-Trips"),
        ("A/B/C", "A-B-C"),
        ("/lead", "lead"),
        ("trail/", "trail"),
        ("p | q \\ r", "p-q-r"),
        ("  spaced \t out ", "spaced out"),
        ("two\nlines", "two lines"),
        ("Ku\u0308che", "Küche"),
        ("zero\u0000byte\ufeff", "zero byte"),
        ("\ud800", ""),
        ("", ""),
        (" / ", ""),
        ("a, b; c", "a, b; c"),
    ],
)
def test_a_name_is_one_level_on_one_line(text, name):
    assert tag_name(text) == name


def test_blank_tags_are_left_out():
    assert names("", " ", "\t\n", "/") == []


def test_a_tag_that_is_too_long_is_left_out_and_reported():
    found, problems = tags(TagSources(own=("a" * 300, "b" * MAX_NAME, "M 31")), root="")
    assert found == {"b" * MAX_NAME, "M 31"}
    assert problems == (reason("tag_too_long", tag="a" * 40, most=MAX_NAME),)


def test_a_tag_that_immich_can_not_keep_is_left_out_and_reported():
    found, problems = tags(TagSources(own=("null", "M 31")), lambda p: None if p == "null" else p, root="")
    assert found == {"M 31"}
    assert problems == (reason("tag_not_kept", tag="null"),)


def test_a_tag_is_wanted_in_the_form_that_immich_keeps():
    assert tags(TagSources(own=("1.50",)), lambda path: path.replace("1.50", "1.5"), root="")[0] == {"1.5"}


def test_tags_that_differ_in_case_only_are_one_the_first():
    assert names("Upper", "UPPER", "upper") == ["Upper"]
    assert tags(TagSources(own=("galaxy",), object_type="Galaxy"), root="")[0] == {"Type/Galaxy"}


def test_facts_hang_under_the_name_of_their_kind_below_the_root():
    assert tags(SOURCES)[0] == {
        "Astro/Autumn",
        "Astro/Type/Galaxy",
        "Astro/Constellation/Andromeda",
        "Astro/Target/M 31 Andromeda Galaxy",
        "Astro/Equipment/FRA400",
    }


def test_without_groups_all_tags_hang_side_by_side():
    assert tags(SOURCES, groups=False)[0] == {
        "Astro/Autumn",
        "Astro/Galaxy",
        "Astro/Andromeda",
        "Astro/M 31 Andromeda Galaxy",
        "Astro/FRA400",
    }


def test_an_empty_root_is_none():
    assert tags(SOURCES, root="", groups=False)[0] >= {"Autumn", "Galaxy"}
    assert tags(SOURCES, root=" / ", groups=False)[0] >= {"Autumn", "Galaxy"}


def test_a_root_may_have_levels_of_its_own():
    assert "Photos/Astro/Autumn" in tags(SOURCES, root="Photos / Astro/")[0]


@pytest.mark.parametrize(
    ("switch", "tag"),
    [
        ("catalogue_tags", "Astro/Autumn"),
        ("object_type", "Astro/Type/Galaxy"),
        ("constellation", "Astro/Constellation/Andromeda"),
        ("target", "Astro/Target/M 31 Andromeda Galaxy"),
        ("equipment", "Astro/Equipment/FRA400"),
    ],
)
def test_each_kind_of_tag_can_be_switched_off(switch, tag):
    assert tags(SOURCES)[0] - tags(SOURCES, **{switch: False})[0] == {tag}


def test_only_the_chosen_kinds_of_equipment_become_tags():
    found = tags(SOURCES, equipment_kinds=frozenset({"software"}))[0]
    assert "Astro/Equipment/Siril" in found
    assert "Astro/Equipment/FRA400" not in found


def test_a_fact_s_name_is_no_noise():
    """A camera may be called like a star: only the catalogue's own tags are the plate solver's."""
    assert tags(TagSources(equipment=(("camera", "HD 37742"),)), root="")[0] == {"Equipment/HD 37742"}


def test_an_image_without_facts_has_no_tags():
    assert tags(TagSources()) == (frozenset(), ())


def test_facts_of_different_kinds_may_share_a_name_and_a_plain_tag_yields_to_them():
    sources = TagSources(own=("orion", "Winter"), constellation="Orion", equipment=(("telescope", "Orion"),))
    tags, problems = desired_tags(sources, TagPolicy(root=""), lambda path: path)
    assert tags == {"Constellation/Orion", "Equipment/Orion", "Winter"}
    assert problems == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HD 44179", "HD44179"),
        ("HR 8799", "hr 8799, four planets"),
        ("ρ Oph", "Rho Ophiuchi Complex"),
        ("θ¹ Ori", "Theta1 Orionis"),
        ("alp Ori", "Betelgeuse, α Ori"),
        ("Small Sgr Star Cloud", "Small Sagittarius Star Cloud"),
        ("52 Cyg", "The Veil around 52 Cygni"),
    ],
)
def test_a_tag_of_the_solver_s_kind_that_names_the_target_or_stands_in_the_title_is_a_person_s(name, text):
    assert own_tags((name,), TagPolicy(), (text,)).kept == (name,)
    assert own_tags((name,), TagPolicy(), ("Something else", "")).omitted == (name,)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HD 441", "HD 44179"),
        ("62 Cyg", "IC 62 Cygnus"),
        ("31 And", "M 31 and friends"),
        ("34 Sgr)", "34 Sgr"),
    ],
)
def test_a_part_of_another_name_or_half_a_bracket_names_no_target(name, text):
    assert own_tags((name,), TagPolicy(), (text,)).kept == ()


def test_what_the_user_keeps_is_kept_though_it_is_noise_or_dropped():
    found = own_tags(("HD 1", "HD 2", "WIP 3"), TagPolicy(drop=("wip",), keep=("^hd 1$", "3")))
    assert (found.kept, found.omitted) == (("HD 1", "WIP 3"), ("HD 2",))


def test_what_the_user_drops_goes_though_it_names_the_target():
    assert own_tags(("HD 1",), TagPolicy(drop=("^HD",)), ("HD 1",)).kept == ()


def test_what_is_left_out_is_told_in_one_remark_of_bounded_length():
    many = tuple(f"HD {number}" for number in range(1, 40))
    (remark,) = omitted_tags(own_tags(("M 31", *many, "hd 1"), TagPolicy()))
    assert (remark.code, remark.get("count"), remark.get("tags")) == ("tags_omitted", 39, many[:10])
    assert omitted_tags(own_tags(("M 31",), TagPolicy())) == ()


def test_catalogue_tags_that_are_switched_off_are_not_told_as_noise():
    assert omitted_tags(own_tags(("HD 1",), TagPolicy(catalogue_tags=False))) == ()


def test_of_more_tags_than_the_bound_facts_come_first_and_it_is_told():
    sources = TagSources(own=("c", "a", "b", "A"), object_type="Galaxy", constellation="Orion")
    found, problems = tags(sources, root="", max_per_image=3)
    assert found == {"Type/Galaxy", "Constellation/Orion", "c"}
    assert problems == (reason("tags_bounded", most=3, count=2),)
    assert tags(sources, root="", max_per_image=5)[1] == ()


_PIECES = (
    "The star|Nunki|(|)|σ|θ¹|34|Sgr|Cyg|Cygni|HD|44179|HR|Part of the constellation|Orion|(Ori)|TYC 1-2-3|M 31|"
    "alp|Party|,|²|Ǆ|٣|\u0345"
)
PIECES = st.sampled_from(_PIECES.split("|"))
NAMES = st.lists(PIECES, max_size=6).map(" ".join) | st.text(max_size=40)


@given(st.lists(NAMES, max_size=20), st.lists(NAMES, max_size=3))
def test_every_tag_is_taken_or_told(names, texts):
    found = own_tags(tuple(names), TagPolicy(), tuple(texts))
    assert {name.casefold() for name in (*found.kept, *found.omitted)} == {
        tag_name(name).casefold() for name in names if tag_name(name)
    }
    assert not {name.casefold() for name in found.kept} & {name.casefold() for name in found.omitted}


@given(NAMES)
def test_a_tag_that_is_the_title_is_kept(name):
    if tidy := tag_name(name):
        assert own_tags((name,), TagPolicy(), (tidy,)).kept == (tidy,)
