"""Skymmich's formats, put right: position, field, rotation, site, target, settings."""

from __future__ import annotations

import pytest

from reconciler.core.catalogue import CatalogueObject, PlateSolution, SyncSettings
from reconciler.core.reasons import reason
from reconciler.skymmich.database import SqliteCatalogue
from reconciler.skymmich.sites import Location, site_at
from reconciler.skymmich.targets import key_of, target_of


def read(make):
    return SqliteCatalogue(make.path).read()


def only(make):
    (image,) = read(make).images
    return image


ANSWER = {"ra": 10.5, "dec": 41.25, "width_arcsec": 4250.87, "height_arcsec": 2833.9, "orientation": 237.3}


def test_the_field_is_the_solvers_and_never_the_stored_text_with_the_wrong_unit(make):
    make.solve(
        make.image(plate_solved=1, ra="10.5", dec="41.25", field_of_view="1.4'", rotation=237.0), **ANSWER
    )
    assert only(make).solution == PlateSolution(10.5, 41.25, 4250.87, 2833.9, 237.0)


def test_without_an_answer_the_stored_text_gives_no_field(make):
    make.image(plate_solved=1, ra="10.5", dec="41.25", field_of_view="1.4'")
    assert only(make).solution == PlateSolution(10.5, 41.25)


@pytest.mark.parametrize("stored", ["1.2° x 0.9°", "1.2°×0.9°", " 1.2 ° X 0.9 ° "])
def test_the_old_stored_field_in_degrees_is_right(make, stored):
    make.image(plate_solved=1, ra="83.822", dec="-5.391", field_of_view=stored, rotation=45.2)
    assert only(make).solution == PlateSolution(83.822, -5.391, 4320.0, 3240.0, 45.2)


def test_an_exact_zero_that_was_stored_as_null_comes_from_the_solvers_answer(make):
    make.solve(make.image(plate_solved=1), ra=0, dec=0, orientation=0, width_arcsec=7200, height_arcsec=3600)
    assert only(make).solution == PlateSolution(0.0, 0.0, 7200.0, 3600.0, 0.0)


def test_a_declination_of_zero_alone_is_found_too(make):
    make.solve(make.image(plate_solved=1, ra="83.0"), ra=83.0, dec=0)
    solution = only(make).solution
    assert (solution.ra_deg, solution.dec_deg) == (83.0, 0.0)


def test_sexagesimal_positions_become_degrees(make):
    make.image(plate_solved=1, ra="05h 35m 17.3s", dec="-05° 23' 28\"", rotation=0.0)
    solution = only(make).solution
    assert solution.ra_deg == pytest.approx(83.822083, abs=1e-6)
    assert solution.dec_deg == pytest.approx(-5.391111, abs=1e-6)
    assert solution.rotation_deg == 0.0


def test_a_position_that_cannot_be_read_is_reported_and_the_solvers_taken(make):
    make.solve(make.image(plate_solved=1, ra="somewhere", dec="95"), **ANSWER)
    catalogue = read(make)
    solution = catalogue.images[0].solution
    assert (solution.ra_deg, solution.dec_deg) == (10.5, 41.25)
    assert [problem.reason for problem in catalogue.problems] == [
        reason("row_no_right_ascension", column="ra", value="'somewhere'"),
        reason("row_no_declination", column="dec", value="'95'"),
    ]


def test_the_newest_successful_answer_counts(make):
    image = make.image(plate_solved=1)
    make.solve(image, at=1_700_000_200, **(ANSWER | {"width_arcsec": 222.0}))
    make.solve(image, at=1_700_000_100, **(ANSWER | {"width_arcsec": 111.0}))
    make.solve(image, at=1_700_000_300, status="failed", error="no stars")
    make.solve(image, at=1_700_000_400, status="processing", width_arcsec=444.0, height_arcsec=1.0)
    assert only(make).solution.width_arcsec == 222.0


def test_an_answer_that_does_not_parse_is_reported_and_an_older_one_taken(make):
    image = make.image(plate_solved=1)
    make.solve(image, at=1, **ANSWER)
    make.row("plate_solving_jobs", image_id=image, status="success", submitted_at=2, result="{broken")
    make.row("plate_solving_jobs", image_id=image, status="success", submitted_at=3, result="[1]")
    make.row("plate_solving_jobs", image_id=image, status="success", submitted_at=4, result=None)
    catalogue = read(make)
    assert catalogue.images[0].solution.ra_deg == 10.5
    assert [(problem.table, problem.row_id) for problem in catalogue.problems] == [
        ("plate_solving_jobs", 2),
        ("plate_solving_jobs", 3),
        ("plate_solving_jobs", 4),  # Skymmich never leaves it empty: that is unknown as well
    ]


def test_numbers_of_an_answer_that_make_no_sense_are_no_numbers(make):
    make.solve(
        make.image(plate_solved=1),
        ra=1e9,
        dec="x",
        width_arcsec=-4,
        height_arcsec=5,
        orientation=float("nan"),
    )
    assert only(make).solution == PlateSolution()


def test_an_image_that_is_not_solved_has_no_solution_whatever_the_jobs_say(make):
    make.solve(make.image(plate_solved=0), **ANSWER)
    assert only(make).solution is None


def test_a_position_counts_even_if_the_image_is_not_marked_as_solved(make):
    make.image(plate_solved=0, ra="83.8", dec="-5.4")
    assert only(make).solution == PlateSolution(83.8, -5.4)


def test_the_site_is_the_nearest_location_within_a_kilometre(make):
    make.location("Club", 48.1450, 11.5761)
    make.location("Backyard", 48.137154, 11.576124)
    make.image(1, latitude=48.1374, longitude=11.5755)
    make.image(2, latitude=48.16, longitude=11.5761)
    make.image(3, latitude=48.137154)
    make.image(4)
    names = [image.site.name if image.site else None for image in read(make).images]
    assert names == ["Backyard", None, None, None]


def test_sites_are_found_across_the_antimeridian_and_at_zero():
    fiji = Location("Taveuni", -16.8, 179.999)
    assert site_at(-16.8, -179.999, [fiji]).name == "Taveuni"
    assert site_at(0.0, 0.0, [Location("Null Island", 0.0, 0.0)]).name == "Null Island"
    assert site_at(95.0, -200.5, [fiji]) is None


def test_a_location_without_a_usable_place_is_passed_over(make):
    make.location("Nowhere", float("inf"), 11.5)
    make.location("Mars", 48.0, 999.0)
    make.location("", 48.0, 11.5)
    make.image(latitude=48.0, longitude=11.5)
    assert only(make).site is None


@pytest.mark.parametrize(
    "name", ["NGC 224", "ngc224", "NGC 0224", "NGC0224", "M 31", "m31", "Messier 31", "M031"]
)
def test_a_target_is_found_by_its_names_however_they_are_written(make, name):
    make.object(
        "NGC 224", type="G", messier="M 31", constellation="And", common_names="Andromeda Galaxy, M31 Galaxy,"
    )
    make.image(target_name=name)
    target = only(make).target
    assert (target.name, target.messier, target.constellation) == ("NGC 224", "M 31", "And")
    assert target.common_names == ("Andromeda Galaxy", "M31 Galaxy")


def test_names_without_a_blank_and_messier_numbers_in_openngcs_own_form(make):
    make.object("Mel022", type="OCl", messier="045", common_names="Pleiades")
    make.image(1, target_name="Mel 22")
    make.image(2, target_name="M45")
    assert {image.target.messier for image in read(make).images} == {"M 45"}


@pytest.mark.parametrize("name", ["NGC 2240", "NGC 22", "Custom target “Ω”", "M", "", None])
def test_free_text_is_no_catalogue_object(make, name):
    make.object("NGC 224", messier="M 31")
    make.image(target_name=name)
    image = only(make)
    assert image.target is None
    assert image.target_name == (name or None)


@pytest.mark.parametrize(
    "name", ["Sh2-155", "sh2 155", "C9", "Caldwell 9", "Cave Nebula", "SH2-155 panel 2", "C 9 / M 31"]
)
def test_a_target_is_found_by_any_designation_of_the_object(make, name):
    make.object("NGC 224", type="G", messier="M 31")
    make.object("C009", type="HII", constellation="Cep", common_names="Cave Nebula")
    make.image(target_name=name)
    assert only(make).target.name == "C009"


class Sphere:
    """Objects by canonical designation, as of a catalogue beside Skymmich's."""

    def __init__(self, **known):
        self.known = {
            key.replace("_", " "): CatalogueObject(name, messier=m) for key, (name, m) in known.items()
        }

    def find(self, designation):
        return self.known.get(designation)

    def near(self, *_circle):
        return []


@pytest.mark.parametrize(
    ("name", "found"),
    [("Caldwell 20", "NGC 7000"), ("north america nebula", "NGC 7000"), ("M 102", None), ("my comet", None)],
)
def test_what_skymmich_s_table_lacks_is_looked_up_by_all_designations(name, found):
    sky = Sphere(NGC_7000=("NGC 7000", None), M_102=("NGC 5457", "M 101"))
    target = target_of(name, {}, sky)
    assert (target and target.name) == found


def test_skymmich_s_own_object_goes_before_the_sky_s():
    own = CatalogueObject("C020", constellation="Cyg")
    sky = Sphere(NGC_7000=("NGC 7000", None))
    assert target_of("NGC 7000", {key_of(own.name): own}, sky) is own


FULL = (
    '{"host":" http://immich:2283/ ","apiKey":"planted-key-7f3a","metadataSyncEnabled":true,'
    '"syncDescription":false,"syncCoordinates":false,"syncTags":false}'
)


def test_the_settings_are_skymmichs(make):
    make.settings(FULL)
    settings = read(make).settings
    assert settings == SyncSettings(
        enabled=True, description=False, coordinates=False, tags=False,
        immich_url="http://immich:2283/", immich_api_key="planted-key-7f3a", stored=True,
    )  # fmt: skip


def test_without_a_row_the_settings_are_those_of_a_new_skymmich(make):
    assert read(make).settings == SyncSettings(enabled=False, stored=False)


@pytest.mark.parametrize("stored", ["{}", '{"host":""}'])
def test_missing_settings_have_skymmichs_defaults(make, stored):
    make.settings(stored)
    catalogue = read(make)
    assert catalogue.settings == SyncSettings(stored=True)
    assert catalogue.problems == ()


@pytest.mark.parametrize(
    "stored",
    [
        '"planted-key-7f3a"',
        '["planted-key-7f3a"]',
        '{"apiKey":"planted-key-7f3a"',
        "null",
        None,
    ],
)
def test_settings_of_the_wrong_type_are_unknown_and_reported_without_their_values(make, stored):
    make.settings(stored)
    catalogue = read(make)
    # Unknown is not the default: nothing is written by what cannot be read.
    assert catalogue.settings == SyncSettings(stored=True).without(("description", "coordinates", "tags"))
    assert len(catalogue.problems) == 1
    assert "planted-key" not in repr(catalogue)


def test_an_api_key_of_the_wrong_type_is_none_and_not_shown(make):
    make.settings('{"apiKey":["planted-key-7f3a"]}')
    catalogue = read(make)
    assert catalogue.settings == SyncSettings(stored=True)
    assert len(catalogue.problems) == 1
    assert "planted-key" not in repr(catalogue)


@pytest.mark.parametrize("odd", ["null", '"off"', "0", "[false]", '"true"'])
def test_a_switch_of_the_wrong_type_is_unknown_and_nothing_is_written_by_it(make, odd):
    make.settings(f'{{"metadataSyncEnabled":{odd},"syncTags":{odd},"syncCoordinates":true}}')
    catalogue = read(make)
    # Unknown is not the default: a person may have switched it off. What is missing has Skymmich's default.
    assert catalogue.settings == SyncSettings(
        enabled=False, description=True, coordinates=True, tags=False, stored=True,
        unreadable=frozenset({"tags"}),
    )  # fmt: skip
    assert [problem.reason for problem in catalogue.problems] == [
        reason("row_no_master_switch", key="metadataSyncEnabled"),
        reason("row_no_switch", key="syncTags"),
    ]


def test_the_api_key_is_in_no_text_of_the_catalogue(make):
    make.settings(FULL)
    assert "planted-key" not in repr(read(make))


class Sky:
    """Knows one object by its designation."""

    def __init__(self, designation, **known):
        self.designation, self.known = designation, CatalogueObject(**known)

    def find(self, designation):
        return self.known if designation == self.designation else None

    def near(self, *_circle):
        return ()


def test_an_object_that_skymmich_s_table_lacks_is_found_in_the_sky(make):
    make.object("NGC 224", messier="M 31")
    make.image(1, target_name="NGC7000")
    make.image(2, target_name="M31")
    images = (
        SqliteCatalogue(make.path, sky=Sky("NGC 7000", name="NGC 7000", constellation="Cyg")).read().images
    )
    assert [image.target and image.target.name for image in images] == ["NGC 7000", "NGC 224"]
