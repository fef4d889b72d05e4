"""Which tags an image should carry, and how they are spelt."""

from __future__ import annotations

import pytest

from reconciler.core.desired.tags import MAX_NAME, TagSources, desired_tags, is_noise, tag_name
from reconciler.core.policy import TagPolicy
from reconciler.core.reasons import reason

SOURCES = TagSources(
    catalogue=("Autumn",),
    object_type="Galaxy",
    constellation="Andromeda",
    target="M 31 Andromeda Galaxy",
    equipment=(("telescope", "FRA400"), ("software", "Siril")),
)


def tags(sources, settled=lambda path: path, **policy):
    return desired_tags(sources, TagPolicy(**policy), settled)


def names(*catalogue, **policy):
    """Give the tags made of catalogue tags alone, without root, sorted."""
    return sorted(tags(TagSources(catalogue=catalogue), root="", **policy)[0])


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
    ],
)
def test_what_the_plate_solver_brings_is_noise(name):
    assert is_noise(name)
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
    ],
)
def test_what_a_person_files_pictures_under_is_kept(name):
    assert not is_noise(name)
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
    found, problems = tags(TagSources(catalogue=("a" * 300, "b" * MAX_NAME, "M 31")), root="")
    assert found == {"b" * MAX_NAME, "M 31"}
    assert problems == (reason("tag_too_long", tag="a" * 40, most=MAX_NAME),)


def test_a_tag_that_immich_can_not_keep_is_left_out_and_reported():
    found, problems = tags(
        TagSources(catalogue=("null", "M 31")), lambda p: None if p == "null" else p, root=""
    )
    assert found == {"M 31"}
    assert problems == (reason("tag_not_kept", tag="null"),)


def test_a_tag_is_wanted_in_the_form_that_immich_keeps():
    assert tags(TagSources(catalogue=("1.50",)), lambda path: path.replace("1.50", "1.5"), root="")[0] == {
        "1.5"
    }


def test_tags_that_differ_in_case_only_are_one_the_first():
    assert names("Upper", "UPPER", "upper") == ["Upper"]
    assert tags(TagSources(catalogue=("galaxy",), object_type="Galaxy"), root="")[0] == {"Type/Galaxy"}


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
    sources = TagSources(
        catalogue=("orion", "Winter"), constellation="Orion", equipment=(("telescope", "Orion"),)
    )
    tags, problems = desired_tags(sources, TagPolicy(root=""), lambda path: path)
    assert tags == {"Constellation/Orion", "Equipment/Orion", "Winter"}
    assert problems == ()
