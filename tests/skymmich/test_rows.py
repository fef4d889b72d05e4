"""What odd rows of Skymmich become, and that each spoils only itself."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from reconciler.core.catalogue import RowProblem
from reconciler.core.reasons import reason
from reconciler.messages.reasons import words
from reconciler.skymmich.database import SqliteCatalogue


def read(make):
    return SqliteCatalogue(make.path).read()


def only(make):
    (image,) = read(make).images
    return image


def reasons(catalogue, severity="warning"):
    return [words(problem.reason) for problem in catalogue.problems if problem.severity == severity]


@pytest.mark.parametrize("stored", [None, "", "   "])
def test_an_image_without_a_link_is_no_problem(make, stored):
    make.image(immich_id=stored)
    catalogue = read(make)
    assert catalogue.images[0].asset_id is None
    assert catalogue.linked() == ()
    assert catalogue.problems == ()


def test_a_link_that_is_no_uuid_is_reported_with_its_row(make):
    make.image(1)
    make.image(2, immich_id="not-a-uuid-123")
    catalogue = read(make)
    assert [image.asset_id is None for image in catalogue.images] == [False, True]
    (problem,) = catalogue.problems
    assert (problem.table, problem.row_id, problem.severity) == ("astrophotography_images", 2, "warning")
    assert problem.reason == reason("row_no_uuid", column="immich_id", value="'not-a-uuid-123'")


def test_asset_ids_are_in_lower_case(make):
    make.image(immich_id="5C006224-0036-526E-875F-16ACBDB97DBE")
    assert only(make).asset_id == "5c006224-0036-526e-875f-16acbdb97dbe"


def test_of_two_links_to_one_asset_the_first_counts(make):
    make.image(immich_id="5c006224-0036-526e-875f-16acbdb97dbe")
    make.image(immich_id="5C006224-0036-526E-875F-16ACBDB97DBE")
    catalogue = read(make)
    assert [image.asset_id for image in catalogue.images] == ["5c006224-0036-526e-875f-16acbdb97dbe", None]
    (problem,) = catalogue.problems
    assert problem.row_id == 2
    assert problem.reason.get("image") == "1"


@pytest.mark.parametrize("column", ["title", "description", "immich_id"])
def test_binary_data_in_a_vital_column_leaves_out_that_row_alone(make, column):
    make.image(1)
    make.image(2, **{column: b"\x00\xff\x00"})
    make.image(3)
    catalogue = read(make)
    assert [image.image_id for image in catalogue.images] == [1, 3]
    assert catalogue.problems == (
        RowProblem("astrophotography_images", 2, reason("row_binary", column=column, size=3)),
    )


def test_text_that_is_not_utf8_leaves_out_that_row_alone(make):
    make.image(1)
    make.image(2)
    make.connection.execute("UPDATE astrophotography_images SET title = CAST(x'4d33ff' AS text) WHERE id = 2")
    catalogue = read(make)
    assert [image.image_id for image in catalogue.images] == [1]
    assert [problem.row_id for problem in catalogue.problems] == [2]


def test_binary_data_elsewhere_costs_only_that_value(make):
    make.image(telescope=b"\x00\x01", camera="ASI2600MM")
    catalogue = read(make)
    assert catalogue.images[0].summary.telescope is None
    assert catalogue.images[0].summary.camera == "ASI2600MM"
    assert len(reasons(catalogue)) == 1


def test_a_row_without_an_integer_id_is_left_out(tmp_path, make):
    make.image(1)
    make.connection.executescript(
        "CREATE TABLE rebuilt AS SELECT * FROM astrophotography_images;"
        "DROP TABLE astrophotography_images; ALTER TABLE rebuilt RENAME TO astrophotography_images;"
        "INSERT INTO astrophotography_images (id, title, filename) "
        "VALUES ('seven', 'odd', 'a'), (NULL, 'none', 'b'), (1, 'again', 'c');"
    )
    catalogue = read(make)
    assert [(image.image_id, image.title) for image in catalogue.images] == [(1, "Image 1")]
    assert sorted(str(problem.row_id) for problem in catalogue.problems) == ["'seven'", "1", "None"]
    assert {problem.severity for problem in catalogue.problems} == {"error"}


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (1_609_539_300, datetime(2021, 1, 1, 22, 15, tzinfo=UTC)),
        (-14_182_940, datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC)),
        ("2024-12-15T22:30:00.000Z", datetime(2024, 12, 15, 22, 30, tzinfo=UTC)),
        ("2024-12-15 22:30:00", datetime(2024, 12, 15, 22, 30, tzinfo=UTC)),
        ("2024-12-16T01:30:00+03:00", datetime(2024, 12, 15, 22, 30, tzinfo=UTC)),
        ("2025-01-27", datetime(2025, 1, 27, tzinfo=UTC)),
        (None, None),
        ("", None),
    ],
)
def test_a_moment_is_read_in_every_form_it_was_ever_stored_in(make, stored, expected):
    make.image(capture_date=stored)
    catalogue = read(make)
    assert catalogue.images[0].captured_at == expected
    assert catalogue.problems == ()


@pytest.mark.parametrize("stored", ["last winter", 10**17, float("inf"), b"\x01"])
def test_a_moment_that_is_none_is_reported_and_dropped(make, stored):
    make.image(capture_date=stored)
    catalogue = read(make)
    assert catalogue.images[0].captured_at is None
    assert len(reasons(catalogue)) == 1


@pytest.mark.parametrize("stored", [None, "", "null", "[]"])
def test_no_tags_are_no_problem(make, stored):
    make.image(tags=stored)
    catalogue = read(make)
    assert catalogue.images[0].tags == ()
    assert catalogue.problems == ()


@pytest.mark.parametrize("stored", ['"notalist"', "[broken", '{"a": 1}', "7", "[" * 100_000, b"[]"])
def test_tags_that_are_no_list_are_reported_and_cost_only_themselves(make, stored):
    make.image(tags=stored)
    catalogue = read(make)
    assert catalogue.images[0].tags == ()
    assert catalogue.images[0].asset_id is not None
    assert len(reasons(catalogue)) == 1


def test_what_can_not_be_read_is_not_taken_for_empty(make):
    make.image(1, tags="{not json", latitude="north")
    make.image(2, tags=None, latitude=None)
    broken, empty = read(make).images
    assert broken.unreadable == {"tags", "coordinates"}
    assert empty.unreadable == frozenset()


def test_tags_are_kept_as_they_are_and_what_is_no_text_is_dropped(make):
    make.image(tags='["M 31", "", "  spaced ", null, 7, ["x"], "Family/Trips"]')
    catalogue = read(make)
    assert catalogue.images[0].tags == ("M 31", "", "  spaced ", "Family/Trips")
    assert len(reasons(catalogue)) == 1


def test_half_a_character_is_replaced_because_nothing_could_carry_it(make):
    make.image(tags='["M \\ud83c"]')
    assert only(make).tags == ("M \ufffd",)


def test_coordinates_are_handed_on_as_stored(make):
    make.image(1, latitude=95.0, longitude=-200.5)
    make.image(2, latitude=0.0, longitude=0.0)
    make.image(3, latitude=51.4779)
    catalogue = read(make)
    assert [(image.latitude, image.longitude) for image in catalogue.images] == [
        (95.0, -200.5),
        (0.0, 0.0),
        (51.4779, None),
    ]
    assert catalogue.problems == ()


@pytest.mark.parametrize("stored", [float("inf"), "north", b"\x00"])
def test_a_coordinate_that_is_no_number_is_dropped_with_a_warning(make, stored):
    make.image(latitude=stored, longitude=11.5)
    catalogue = read(make)
    assert (catalogue.images[0].latitude, catalogue.images[0].longitude) == (None, 11.5)
    assert "latitude" in reasons(catalogue)[0]


def test_flat_columns_are_read_and_impossible_ones_dropped(make):
    make.image(
        telescope="", mount=" EQ6-R ", filters="L, R ,,G", focal_length="250mm", iso=-1, frame_count=3.5,
        total_integration_hours=13.117, exposure_time="60s - 300s", aperture="f/5.6",
    )  # fmt: skip
    catalogue = read(make)
    summary = catalogue.images[0].summary
    assert (summary.telescope, summary.mount, summary.filters) == (None, "EQ6-R", ("L", "R", "G"))
    assert (summary.focal_length_mm, summary.iso, summary.frame_count) == (None, None, None)
    assert (summary.integration_hours, summary.exposure_time, summary.aperture) == (
        13.117,
        "60s - 300s",
        "f/5.6",
    )
    assert len(reasons(catalogue)) == 3


def test_equipment_comes_in_the_order_in_which_it_was_entered_each_piece_once(make):
    image = make.image()
    scope, camera = make.equipment("RedCat 51"), make.equipment("ASI533", " Camera ")
    for linked in (camera, scope, camera, 99_999):
        make.link(image, linked)
    make.link(4711, scope)
    catalogue = read(make)
    assert [(item.name, item.kind) for item in catalogue.images[0].equipment] == [
        ("RedCat 51", "telescope"),
        ("ASI533", "camera"),
    ]
    assert catalogue.problems == ()


def test_specifications_are_sorted_and_flat(make):
    image = make.image()
    make.link(
        image,
        make.equipment("A", specifications='{"b":"250mm","a":400,"c":true,"n":null,"d":{"x":1},"e":[1]}'),
    )
    make.link(image, make.equipment("B", specifications='{"a": NaN, "b": 1e999}'))
    make.link(image, make.equipment("C", specifications="{broken"))
    make.link(image, make.equipment("D", specifications="[1]"))
    catalogue = read(make)
    assert [item.specifications for item in catalogue.images[0].equipment] == [
        (("a", 400), ("b", "250mm"), ("c", True)),
        (),
        (),
        (),
    ]
    assert [(problem.table, problem.row_id) for problem in catalogue.problems] == [
        ("equipment", 3),
        ("equipment", 4),
    ]


def test_equipment_without_a_name_is_left_out_and_its_links_with_it(make):
    image = make.image()
    make.link(image, make.equipment(" "))
    catalogue = read(make)
    assert catalogue.images[0].equipment == ()
    assert reasons(catalogue, "error") == ["it has no name"]


def test_sub_exposures_come_by_night_and_then_as_entered(make):
    image = make.image()
    for name, night in (("R", None), ("G", 1_675_296_000), ("L", 1_675_209_600), ("B", 1_675_209_600)):
        make.acquisition(image, filter_name=name, date=night)
    assert [(row.filter_name, row.night) for row in only(make).acquisitions] == [
        ("L", date(2023, 2, 1)),
        ("B", date(2023, 2, 1)),
        ("G", date(2023, 2, 2)),
        ("R", None),
    ]


def test_a_filter_goes_by_its_present_name_while_it_exists(make):
    image = make.image()
    renamed = make.equipment("Antlia 3nm Ha", "filter")
    make.acquisition(image, filter_id=renamed, filter_name="Ha")
    make.acquisition(image, filter_id=99_999, filter_name="Oiii (sold)")
    make.acquisition(image, filter_name="Baader Moon")
    make.acquisition(image, filter_name="")
    assert [row.filter_name for row in only(make).acquisitions] == [
        "Antlia 3nm Ha", "Oiii (sold)", "Baader Moon", None,
    ]  # fmt: skip


def test_a_row_of_sub_exposures_keeps_its_details(make):
    image = make.image()
    make.acquisition(
        image, 60, 180.5, gain=0, offset=50, binning="1x1", sensor_temp=-10.0, date=1_675_209_600
    )
    (row,) = only(make).acquisitions
    assert (row.frame_count, row.exposure_s, row.gain, row.offset) == (60, 180.5, 0, 50)
    assert (row.binning, row.sensor_temp_c, row.night) == ("1x1", -10.0, date(2023, 2, 1))


@pytest.mark.parametrize(
    ("count", "exposure"),
    [(-3, 300), (0, 300), ("many", 300), (1.5, 300), (10, -1), (10, 0), (10, float("inf")), (10, "long")],
)
def test_an_impossible_count_or_duration_leaves_out_that_row_alone(make, count, exposure):
    image = make.image()
    make.acquisition(image, count, exposure)
    make.acquisition(image, 12, 300)
    make.acquisition(4711, 12, 300)
    catalogue = read(make)
    assert [row.frame_count for row in catalogue.images[0].acquisitions] == [12]
    (problem,) = catalogue.problems
    assert (problem.table, problem.row_id, problem.severity) == ("image_acquisition", 1, "error")
