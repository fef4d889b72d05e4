"""What a description may say of an image: every fact right, each as people read it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest

from reconciler.core.catalogue import (
    Acquisition,
    CatalogueObject,
    Equipment,
    FieldObject,
    PlateSolution,
    Site,
    Summary,
)
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.object_facts import constellation_of, object_type_of, target_names
from reconciler.core.policy import ALL_PARTS, DescriptionPolicy

M31 = CatalogueObject("NGC0224", "G", "M 31", ("Andromeda Galaxy", "Great Nebula"), "And")
ORION = PlateSolution(ra_deg=83.82, dec_deg=-5.39)
STALE = Summary(
    telescope="Old lens",
    camera="Old camera",
    mount="Old mount",
    filters=("Old filter",),
    focal_length_mm=50,
    aperture="f/2",
    frame_count=999,
    integration_hours=99,
)


@pytest.fixture
def facts(make):
    def gather(pixels=None, off=(), **known):
        policy = DescriptionPolicy(enabled_parts=ALL_PARTS - set(off))
        return facts_of(make.image(**known), policy, pixels)

    return gather


def gear(*pieces):
    return tuple(Equipment(n, name, kind, tuple(more)) for n, (kind, name, *more) in enumerate(pieces))


def test_the_heading_is_the_target_s_names(facts):
    found = facts(target=M31, title="My first")
    assert found.heading == "M 31 · NGC 224 · Andromeda Galaxy"
    assert (found.object_name, found.common_name, found.title) == ("M 31", "Andromeda Galaxy", "My first")


def test_without_a_target_the_heading_is_the_title_then_the_file_s_name(facts):
    assert facts(title="My first", filename="a.fits").heading == "My first"
    assert facts(filename="a.fits").heading == "a.fits"
    assert facts().heading == "Astrophotograph"


@pytest.mark.parametrize("title", ["M 31 · NGC 224 · Andromeda Galaxy", "M31_001.JPG", "m31_001", " ", ""])
def test_a_title_that_says_nothing_new_is_left_unsaid(facts, title):
    assert facts(target=M31, filename="M31_001.jpg", title=title).title == ""


def test_a_title_with_html_and_newlines_is_one_line_of_plain_text(facts):
    assert facts(title="The <b>Heart</b>\r\n&amp; Soul\x00").heading == "The <b>Heart</b> &amp; Soul"


def test_names_that_differ_in_blanks_only_are_one(make):
    target = CatalogueObject("Mel022", "OCl", "M 45", ("M45", "Pleiades"))
    assert target_names(make.image(target=target)) == ("M 45", "Mel 22", "Pleiades")
    assert target_names(make.image(target_name="NGC0895")) == ("NGC 895",)
    assert target_names(make.image(target_name=" my comet ")) == ("my comet",)


def test_the_constellation_is_the_target_s_and_not_that_of_the_field_s_centre(make):
    placed = CatalogueObject("NGC 224", constellation="Nowhere", ra_deg=10.68, dec_deg=41.27)
    for target in (M31, placed):
        image = make.image(
            solution=ORION,
            target=target,
            tags=("Part of the constellation Taurus (Tau)",),
            constellation="Gemini",
        )
        assert constellation_of(image) == "Andromeda"


def test_without_a_target_the_constellation_is_where_the_picture_points(make):
    image = make.image(
        solution=ORION, tags=("Part of the constellation Taurus (Tau)",), constellation="Gemini"
    )
    assert constellation_of(image) == "Orion"


def test_without_a_position_the_constellation_is_the_catalogue_object_s(make):
    known = {"tags": ("Part of the constellation Taurus (Tau)",), "constellation": "Gemini"}
    assert constellation_of(make.image(target=M31, **known)) == "Andromeda"
    assert (
        constellation_of(make.image(target=M31, solution=PlateSolution(ra_deg=1.0), **known)) == "Andromeda"
    )


def test_without_an_object_the_constellation_is_the_plate_solver_s_tag(make):
    image = make.image(
        tags=("M 1", " part of the constellation Taurus (Tau)"),
        constellation="Gemini",
        target=CatalogueObject("Odd", constellation="Nowhere"),
    )
    assert constellation_of(image) == "Taurus"


def test_skymmich_s_own_constellation_is_the_last_resort(make):
    assert constellation_of(make.image(constellation="Gemini")) == "Gemini"
    assert constellation_of(make.image(constellation="The Big Dipper")) == ""
    assert constellation_of(make.image()) == ""


def test_both_halves_of_the_serpent_are_serpens(make):
    assert constellation_of(make.image(target=CatalogueObject("NGC6611", constellation="Se2"))) == "Serpens"


def test_the_object_s_type_is_the_user_s_unless_the_catalogue_says_it_more_exactly(make):
    assert object_type_of(make.image(target=M31, object_type="Nebula")) == "Nebula"
    assert object_type_of(make.image(target=M31, object_type="Deep Sky")) == "Galaxy"
    dumbbell = CatalogueObject("NGC 6853", "PN")
    assert object_type_of(make.image(target=dumbbell, object_type="Nebula")) == "Planetary nebula"
    assert object_type_of(make.image(target=CatalogueObject("X", "??"), object_type="Nebula")) == "Nebula"
    assert object_type_of(make.image(object_type="Supernova Remnant")) == "Supernova remnant"
    assert object_type_of(make.image(object_type="Ring of Fire")) == "Ring of Fire"
    assert object_type_of(make.image(object_type="Deep Sky")) == ""
    assert object_type_of(make.image()) == ""


def test_equipment_is_listed_by_kind_each_name_once(facts):
    found = facts(
        equipment=gear(
            ("telescope", "FRA400"),
            ("camera", "ASI2600"),
            ("camera", "ASI2600"),
            ("mount", " AM5 "),
            ("filter", "Ha"),
            ("accessory", "EAF"),
            ("software", "Siril"),
            ("dome", "Shed"),
        )
    )
    assert (found.telescopes, found.cameras, found.mounts) == (("FRA400",), ("ASI2600",), ("AM5",))
    assert (found.filters, found.accessories, found.software) == (("Ha",), ("EAF",), ("Siril",))


def test_guiding_gear_is_told_apart(facts):
    found = facts(
        equipment=gear(("telescope", "FRA400"), ("telescope", "Mini", ("Role", "Guide scope"))),
    )
    assert (found.telescopes, found.guiding) == (("FRA400",), ("Mini",))


def test_flat_columns_speak_only_where_nothing_of_that_kind_is_linked(facts):
    found = facts(summary=STALE, equipment=gear(("camera", "ASI2600")))
    assert (found.telescopes, found.cameras, found.mounts) == (("Old lens",), ("ASI2600",), ("Old mount",))


def test_stale_summaries_are_not_used_where_there_are_acquisitions(facts):
    rows = (Acquisition("Ha", 60, 300.0), Acquisition("OIII", 30, 300.0))
    found = facts(summary=STALE, acquisitions=rows)
    assert (found.total_integration, found.frames, found.filters) == ("7h 30m", 90, ("Ha", "OIII"))


def test_acquisitions_that_say_nothing_bring_no_stale_summary_back(facts):
    found = facts(summary=STALE, acquisitions=(Acquisition("Ha", 0, 300.0),))
    assert (found.total_integration, found.frames, found.integration) == ("", 0, ())


def test_without_acquisitions_the_summary_speaks(facts):
    found = facts(summary=STALE)
    assert (found.total_integration, found.frames, found.filters) == ("99h", 999, ("Old filter",))


@pytest.mark.parametrize("hours", [0, -3, math.nan, math.inf, 1e308])
def test_a_total_that_is_no_duration_is_left_unsaid(facts, hours):
    assert facts(summary=Summary(integration_hours=hours)).total_integration == ""


def test_one_odd_acquisition_costs_only_itself(facts):
    rows = (Acquisition("Ha", 10, 300.0), Acquisition("Ha", -5, 300.0), Acquisition("Ha", 1, math.inf))
    found = facts(acquisitions=rows)
    assert (found.total_integration, found.frames) == ("50m", 10)


def test_integration_is_summed_per_filter_in_order(facts):
    rows = (
        Acquisition("Ha", 60, 300.0, gain=100, offset=50, sensor_temp_c=-10.0, binning="1x1"),
        Acquisition("OIII", 12, 600.0, gain=100, binning="2x2"),
        Acquisition("Ha", 20, 60.0, gain=100, offset=50, sensor_temp_c=-5.0),
        Acquisition(None, 4, 2.5),
    )
    lines = [(row.filter, row.subs, row.total, row.details) for row in facts(acquisitions=rows).integration]
    assert lines == [
        ("Ha", "60 × 300 s + 20 × 60 s", "5h 20m", "gain 100, offset 50"),
        ("OIII", "12 × 600 s", "2h", "gain 100, bin 2×2"),
        ("No filter", "4 × 2.5 s", "10s", ""),
    ]


def test_what_all_rows_agree_on_is_said_zeros_too(facts):
    row = Acquisition("L", 1, 60.0, gain=0, offset=0, sensor_temp_c=-10.0, binning="1x1")
    assert facts(acquisitions=(row, row)).integration[0].details == "gain 0, offset 0, −10 °C"


def test_nights_are_counted_once_each(facts):
    nights = [date(2023, 2, 3), date(2023, 2, 1), None, date(2023, 2, 1)]
    found = facts(acquisitions=tuple(Acquisition("L", 1, 60.0, night=night) for night in nights))
    assert (found.nights, found.night_span) == (2, "2023-02-01 to 2023-02-03")


@pytest.mark.parametrize(
    ("specifications", "optics"),
    [
        ((("focalLength", 400), ("focalRatio", "f/5.6")), "400 mm f/5.6"),
        ((("focalLength", "250mm"), ("focalRatio", 4)), "250 mm f/4"),
        ((("fRatio", "F8"),), "f/8"),
        ((("focalLength", "long"), ("focalRatio", True)), ""),
        ((("focalLength", math.nan),), ""),
        ((), ""),
    ],
)
def test_optics_are_the_linked_telescope_s(facts, specifications, optics):
    assert facts(summary=STALE, equipment=gear(("telescope", "T", *specifications))).optics == optics


def test_optics_come_from_the_flat_columns_only_without_a_telescope(facts):
    assert facts(summary=STALE).optics == "50 mm f/2"
    assert facts(summary=Summary(focal_length_mm=math.nan, aperture="wide")).optics == ""


def test_two_telescopes_have_no_common_optics(facts):
    focal = ("focalLength", 400)
    assert facts(equipment=gear(("telescope", "A", focal), ("telescope", "B", focal))).optics == ""


SOLVED = PlateSolution(10.697045, 41.259223, 15264.77, 10036.79, -122.67455, 237.32545)


def test_the_plate_solution_reads_as_astronomers_write_it(facts):
    found = facts(solution=SOLVED)
    assert (found.ra, found.dec) == ("00h 42m 47.3s", "+41° 15′ 33″")
    assert (found.field, found.rotation) == ("4.24° × 2.79°", "237.3°")


def test_right_ascension_declination_and_rotation_of_zero_are_values(facts):
    found = facts(solution=PlateSolution(0.0, 0.0, position_angle_deg=0.0))
    assert (found.ra, found.dec, found.rotation) == ("00h 00m 00.0s", "+00° 00′ 00″", "0.0°")


@pytest.mark.parametrize("pixels", [(6248, 4108), (4108, 6248)])
def test_the_pixel_scale_is_the_original_s_however_it_lies_in_the_file(facts, pixels):
    assert facts(pixels, solution=SOLVED).pixel_scale == "2.44″/px"


@pytest.mark.parametrize("pixels", [None, (0, 0), (4000, 4000)])
def test_no_pixel_scale_is_better_than_a_wrong_one(facts, pixels):
    assert facts(pixels, solution=SOLVED).pixel_scale == ""


@pytest.mark.parametrize(
    "solution",
    [
        PlateSolution(math.nan, 1.0, math.nan, 5.0, 1.0, math.inf),
        PlateSolution(10.0, 91.0, -5.0, 5.0, 1.0, math.nan),
        PlateSolution(None, 1.0, 0.0, None, None),
    ],
)
def test_a_solution_that_is_none_is_left_unsaid_and_raises_nothing(facts, make, solution):
    found = facts((100, 100), solution=solution, constellation="Gemini")
    assert (found.ra, found.dec, found.field, found.pixel_scale, found.rotation) == ("", "", "", "", "")
    assert constellation_of(make.image(solution=solution, constellation="Gemini")) == "Gemini"


def test_the_site_is_named_and_its_coordinates_are_not_given_away(facts):
    found = facts(site=Site("Garden\n"), latitude=48.137154, longitude=11.576124)
    assert found.site == "Garden"
    assert "48.1" not in repr(found)
    assert "11.57" not in repr(found)


@pytest.mark.parametrize("part", sorted(ALL_PARTS))
def test_each_part_can_be_switched_off(facts, part):
    known = {
        "title": "My first",
        "target": M31,
        "solution": replace(SOLVED, objects=(FieldObject("M 32"),)),
        "site": Site("Garden"),
        "latitude": 48.0,
        "longitude": 11.0,
        "equipment": gear(
            ("telescope", "T"), ("camera", "C"), ("mount", "M"), ("filter", "F"),
            ("accessory", "A"), ("software", "S"),
        ),
        "acquisitions": (Acquisition("Ha", 1, 60.0, night=date(2023, 2, 1)),),
    }  # fmt: skip
    names = {
        "title": ["title"],
        "object": ["object_name", "common_name"],
        "constellation": ["constellation"],
        "object_type": ["object_type"],
        "equipment": ["telescopes", "cameras", "mounts"],
        "filters": ["filters"],
        "accessories": ["accessories"],
        "software": ["software"],
        "integration": ["total_integration", "integration", "frames"],
        "nights": ["nights", "night_span"],
        "plate_solution": ["ra", "dec", "field", "rotation"],
        "site": ["site"],
        "field_objects": ["also_in_field"],
        "per_night": ["night_lines"],
        "moon": ["moon"],
    }[part]
    whole, without = facts(**known), facts(off=[part], **known)
    assert all(getattr(whole, name) for name in names)
    assert not any(getattr(without, name) for name in names)


@pytest.mark.parametrize(
    ("exposure", "hours"), [("1/60", 1 / 3600), ("30", 30 / 3600), ("180s", 0.05), ("0.5", 0.000139)]
)
def test_the_one_exposure_that_the_import_found_in_a_picture_is_no_integration(facts, exposure, hours):
    summary = Summary(exposure_time=exposure, frame_count=1, integration_hours=hours)
    found = facts(summary=summary)
    assert (found.total_integration, found.frames) == ("", 0)


def test_a_total_that_a_person_entered_is_an_integration(facts):
    assert facts(summary=Summary("", exposure_time="300s", integration_hours=5)).total_integration == "5h"
    many = Summary(exposure_time="120s", frame_count=60, integration_hours=2)
    assert (facts(summary=many).total_integration, facts(summary=many).frames) == ("2h", 60)
