"""Values of a new shape are unknown, and not empty: states, answers, specifications and keys of another release."""

from __future__ import annotations

import json

import pytest

from reconciler.core.reasons import reason
from reconciler.skymmich.database import SqliteCatalogue

ANSWER = {
    "ra": 10.5, "dec": 41.25, "width_arcsec": 4250.87, "height_arcsec": 2833.9, "radius": 0.7,
    "pixscale": 2.95, "orientation": 237.3, "parity": 1,
}  # fmt: skip
SOLVED = {"plate_solved": 1, "ra": "10.5", "dec": "41.25"}


def read(make):
    return SqliteCatalogue(make.path).read()


def without(*names):
    return {key: value for key, value in ANSWER.items() if key not in names}


def told(catalogue):
    return [(problem.table, problem.row_id) for problem in catalogue.problems]


@pytest.mark.parametrize("status", ["solved", "SUCCESS", "", 3, b"success"])
def test_a_state_of_a_job_that_was_never_seen_leaves_its_image_alone(make, status):
    for number in (1, 2, 3):
        make.solve(make.image(number, **SOLVED), status=status if number == 2 else "success", **ANSWER)
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [set(), {"block"}, set()]
    assert told(catalogue) == [("plate_solving_jobs", 2)]
    assert catalogue.problems[0].reason.code == "row_unknown_status"


@pytest.mark.parametrize("status", ["pending", "processing", "failed"])
def test_a_job_without_an_answer_says_nothing(make, status):
    image = make.image(**SOLVED)
    make.solve(image, **ANSWER)
    make.solve(image, at=1_700_000_500, status=status)
    catalogue = read(make)
    assert catalogue.images[0].unreadable == set()
    assert catalogue.images[0].solution.width_arcsec == 4250.87
    assert catalogue.problems == ()


def test_a_state_that_was_never_seen_costs_no_image_that_is_not_solved(make):
    make.solve(make.image(plate_solved=0), status="solved", **ANSWER)
    assert read(make).images[0].unreadable == set()


@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        (without("width_arcsec", "height_arcsec"), ("width_arcsec", "height_arcsec")),
        (
            without("width_arcsec", "height_arcsec") | {"width": 4250.87, "height": 2833.9},
            ("width_arcsec", "height_arcsec"),
        ),
        (without("orientation"), ("orientation",)),
        (ANSWER | {"orientation": None}, ("orientation",)),
    ],
)
def test_a_value_that_the_solver_s_answer_lacks_is_unknown(make, answer, lost):
    make.solve(make.image(1, **SOLVED), **answer)
    make.solve(make.image(2, **SOLVED), **ANSWER)
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [{"block"}, set()]
    assert told(catalogue) == [("plate_solving_jobs", 1)]
    assert catalogue.problems[0].reason == reason("row_answer_lacks", column="result", keys=lost)


def test_a_position_that_is_in_neither_place_costs_the_tag_of_its_constellation_too(make):
    make.solve(make.image(plate_solved=1), **without("ra", "dec"))
    assert read(make).images[0].unreadable == {"block", "tags"}


def test_what_the_image_itself_has_need_not_be_in_the_answer(make):
    image = make.image(**SOLVED, rotation=237.3, field_of_view="1.2° x 0.8°")
    make.solve(image, **without("ra", "dec", "orientation"))
    other = make.image(2, **SOLVED, rotation=237.3, field_of_view="1.2° x 0.8°")
    make.solve(other, **without("width_arcsec", "height_arcsec"))
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [set(), set()]
    assert catalogue.problems == ()


def test_only_the_newest_answer_need_be_whole(make):
    image = make.image(**SOLVED)
    make.solve(image, at=1_700_000_000, **without("orientation"))
    make.solve(image, at=1_700_000_100, **ANSWER)
    assert read(make).images[0].unreadable == set()


@pytest.mark.parametrize("result", [None, "", "null"])
def test_a_success_without_an_answer_is_unknown(make, result):
    image = make.image(**SOLVED)
    make.row("plate_solving_jobs", image_id=image, status="success", submitted_at=1, result=result)
    catalogue = read(make)
    assert catalogue.images[0].unreadable == {"block"}
    assert told(catalogue) == [("plate_solving_jobs", 1)]


@pytest.mark.parametrize(
    "stored",
    [
        {"data": {"focalLength": 800, "focalRatio": "f/4"}},
        {"data": {"aperture": 1}},
        {"version": 2, "optics": {"focalLength": 800}},
        {"focalLength": {"value": 800, "unit": "mm"}, "focalRatio": "f/4"},
        {"focalLength": [800]},
        {"focalLength": True},
        {"focalRatio": {"f": 4}},
        {"fRatio": ["f/4"]},
        {"Role": {"name": "guide"}},
        {"role": "guide " * 1000},
    ],
)
def test_specifications_of_another_shape_leave_the_images_of_that_piece_alone(make, stored):
    for number in (1, 2):
        specifications = json.dumps(stored if number == 2 else {"focalLength": 800, "focalRatio": "f/4"})
        make.link(make.image(number), make.equipment(f"Telescope {number}", specifications=specifications))
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [set(), {"block"}]
    assert told(catalogue) == [("equipment", 2)]


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"focalLength": "250mm", "aperture": "51mm", "fRatio": "f/4.9"},
        {"focalLength": None, "focalRatio": "fast"},
        {"focalLength": 800, "backfocus": {"mm": 55}, "adapters": ["M48", "M54"]},
        {"pixelSize": 3.76, "cooled": True, "note": None},
    ],
)
def test_specifications_as_people_have_always_had_them_are_known(make, stored):
    make.link(make.image(), make.equipment("Telescope", specifications=json.dumps(stored)))
    catalogue = read(make)
    assert catalogue.images[0].unreadable == set()
    assert catalogue.problems == ()


def test_a_filter_s_specifications_do_not_cost_the_sub_exposures_that_name_it(make):
    image = make.image()
    strange = make.equipment("Ha", "filter", specifications='{"data": {"bandwidth": 3}}')
    make.acquisition(image, filter_id=strange, filter_name="Ha")
    catalogue = read(make)
    assert catalogue.images[0].unreadable == set()
    assert catalogue.images[0].acquisitions[0].filter_name == "Ha"


@pytest.mark.parametrize("column", ["image_id", "equipment_id"])
def test_links_that_lost_their_ends_are_unknown(make, column):
    for number in range(1, 5):
        make.link(make.image(number), make.equipment(f"Telescope {number}"))
    make.connection.execute(f"UPDATE image_equipment SET {column} = NULL")
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [{"block", "tags"}] * 4
    assert {table for table, _ in told(catalogue)} == {"image_equipment"}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("image_equipment", "image_id"),
        ("image_equipment", "equipment_id"),
        ("image_acquisition", "image_id"),
        ("plate_solving_jobs", "image_id"),
    ],
)
def test_rows_none_of_which_refers_to_anything_go_by_another_key(make, table, column):
    for number in range(1, 5):
        image = make.image(number, **SOLVED)
        make.link(image, make.equipment(f"Telescope {number}"))
        make.acquisition(image)
        make.solve(image, **ANSWER)
    assert not any(image.unreadable for image in read(make).images)
    make.connection.execute(f"UPDATE {table} SET {column} = {column} + 1000")
    catalogue = read(make)
    assert all("block" in image.unreadable for image in catalogue.images)
    assert told(catalogue) == [(table, "-")]


def test_links_to_equipment_that_was_deleted_are_nothing(make):
    image, kept = make.image(), make.equipment("Telescope")
    for linked in (kept, 901, 902, 903):
        make.link(image, linked)
    catalogue = read(make)
    assert [piece.name for piece in catalogue.images[0].equipment] == ["Telescope"]
    assert catalogue.images[0].unreadable == set()


def test_what_the_schema_says_is_never_null_is_unknown_where_it_is(make):
    make.connection.executescript(
        "CREATE TABLE rebuilt AS SELECT * FROM astrophotography_images WHERE 0;"
        "DROP TABLE astrophotography_images; ALTER TABLE rebuilt RENAME TO astrophotography_images;"
    )
    rows = ((1, "M 31", "a.tif"), (2, None, "b.tif"), (3, "M 33", None))
    for row_id, title, filename in rows:
        make.row("astrophotography_images", id=row_id, title=title, filename=filename)
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [set(), {"block", "tags"}, {"block"}]
    assert catalogue.images[1].title == "b.tif"
    assert told(catalogue) == [("astrophotography_images", 2), ("astrophotography_images", 3)]
