"""Values that are too large, too deep or of another type: each spoils its own image, and is not taken for empty."""

from __future__ import annotations

import json
import threading

import pytest

from reconciler.core.desired.desired import Form, desire
from reconciler.core.desired.tags import MAX_TAGS
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import Policy
from reconciler.core.reasons import reason
from reconciler.errors import CatalogueError
from reconciler.messages.reasons import words
from reconciler.skymmich.change_detection import ChangeProbe
from reconciler.skymmich.database import SqliteCatalogue
from reconciler.skymmich.fields import excerpt
from tests.unusual_files import put_device, put_pipe, put_socket

POLICY = Policy()
TEMPLATE = BlockTemplate(POLICY.description)
FORM = Form(str.strip, lambda path: path)
HUGE = "x" * 1_000_000


def short(value):
    """Name a parameter, also one of a megabyte."""
    return value if isinstance(value, str) and len(value) < 30 else type(value).__name__


def read(make):
    return SqliteCatalogue(make.path).read()


def wanted(image):
    return desire(image, POLICY, TEMPLATE, FORM, (6248, 4176))


def three(make, **odd):
    """Read three images, the second of which has odd values."""
    make.location("Backyard", 48.0, 11.5)
    for number in (1, 2, 3):
        image = make.image(number, **({"latitude": 48.0, "longitude": 11.5} | (odd if number == 2 else {})))
        make.link(image, make.equipment(f"Telescope {number}"))
        make.acquisition(image, filter_name="Ha")
    return read(make)


def named(catalogue, row_id=2, table="astrophotography_images"):
    return [one.reason for one in catalogue.problems if (one.table, one.row_id) == (table, row_id)]


@pytest.mark.parametrize(
    ("column", "unknown"),
    [
        ("title", {"block", "tags"}),
        ("filename", {"block"}),
        ("description", {"prose"}),
        ("object_type", {"block", "tags"}),
        ("constellation", {"block", "tags"}),
        ("target_name", {"block", "tags"}),
        ("mount", {"block"}),
        ("camera", {"block"}),
        ("ra", {"block", "tags"}),
        ("plate_solved", {"block", "tags"}),
        ("tags", {"tags"}),
        ("latitude", {"block", "coordinates"}),
        ("telescope", set()),  # one is linked: the flat column is not shown
        ("filters", set()),
        ("exposure_time", set()),
        ("iso", set()),  # shown nowhere
    ],
)
@pytest.mark.parametrize("value", [HUGE, b"\x00\xff"], ids=short)
def test_a_value_that_can_not_be_read_makes_unknown_what_rests_on_it_and_no_more(
    make, column, unknown, value
):
    catalogue = three(make, **{column: value})
    if column in {"title", "description"} and isinstance(value, bytes):
        assert [image.image_id for image in catalogue.images] == [1, 3]
    else:
        first, second, third = catalogue.images
        assert second.unreadable == unknown
        assert first.unreadable == third.unreadable == frozenset()
        wanted(second)
    (reason,) = named(catalogue)
    assert reason.get("column") == column
    assert len(words(reason)) < 200


def test_a_title_of_five_megabytes_has_the_file_s_name_until_it_is_mended(make):
    catalogue = three(make, title="x" * 5_000_000)
    assert catalogue.images[1].title == "2.tif"
    assert named(catalogue) == [reason("row_too_long_ignored", column="title", most=2_000, size=5_000_000)]


@pytest.mark.parametrize("column", ["frame_count", "total_integration_hours", "focal_length", "rotation"])
@pytest.mark.parametrize("value", [1e308, -1e308, float("inf"), 2**62, "many"])
def test_a_number_beyond_all_bounds_is_unknown(make, column, value):
    make.image(1, plate_solved=1, **{column: value})
    catalogue = read(make)
    (image,) = catalogue.images
    assert image.unreadable == {"block"}
    assert [reason.get("column") for reason in named(catalogue, 1)] == [column]
    wanted(image)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("frame_count", 1e308),
        ("frame_count", 2**62),
        ("frame_count", "ten"),
        ("exposure_time", 1e308),
        ("exposure_time", 5e-324),
        ("exposure_time", float("inf")),
        ("gain", 1e308),
        ("gain", "high"),
        ("offset", b"\x01"),
        ("binning", HUGE),
        ("filter_name", HUGE),
        ("filter_id", "L"),
        ("sensor_temp", 1e308),
        ("date", 1e300),
    ],
    ids=short,
)
def test_sub_exposures_that_can_not_be_read_leave_the_block_of_their_image_alone(make, column, value):
    three(make)
    make.connection.execute(f'UPDATE image_acquisition SET "{column}" = ? WHERE image_id = 2', (value,))
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [set(), {"block"}, set()]
    assert len(named(catalogue, table="image_acquisition")) == 1
    for image in catalogue.images:
        wanted(image)


@pytest.mark.parametrize(
    ("column", "value", "unknown"),
    [
        ("name", HUGE, {"block", "tags"}),
        ("name", b"\xff", {"block", "tags"}),
        ("type", b"\xff", {"block", "tags"}),
        ("specifications", "[" * 100_000, {"block"}),
        ("specifications", '{"a": ' + "9" * 5_000 + "}", {"block"}),
        ("specifications", '"f/5"', {"block"}),
        ("specifications", '{"x": NaN, "y": Infinity, "y": 1e999, "\\ud83c": "\\ud83c"}', set()),
    ],
    ids=short,
)
def test_equipment_that_can_not_be_read_costs_the_images_it_is_linked_to(make, column, value, unknown):
    three(make)
    make.connection.execute(f"UPDATE equipment SET {column} = ? WHERE id = 2", (value,))
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [set(), unknown, set()]
    assert len(named(catalogue, table="equipment")) == (1 if unknown else 0)
    for image in catalogue.images:
        wanted(image)


@pytest.mark.parametrize(
    "result",
    [
        "{broken",
        "[1]",
        "[" * 100_000,
        '{"ra": ' + "9" * 5_000 + "}",
        b"\xff",
        "{}",
        '{"RA": 10.5, "widthArcsec": 4248}',
        '{"ra": 10.5, "dec": 41.2, "width_arcsec": 1e308, "height_arcsec": 1e-320}',
        '{"ra": 10.5, "dec": 41.2, "width_arcsec": "wide", "height_arcsec": 3000}',
        '{"ra": NaN, "dec": 41.2}',
        '{"ra": 10.5, "dec": 41.2, "orientation": 1e308}',
    ],
    ids=short,
)
def test_an_answer_of_the_solver_that_can_not_be_read_leaves_the_block_alone(make, result):
    make.image(1, plate_solved=1)
    make.image(2, plate_solved=1, ra="10.5", dec="41.2")
    make.image(3)
    for image_id in (1, 2, 3):
        make.row("plate_solving_jobs", image_id=image_id, status="success", result=result)
    solved, placed, unsolved = read(make).images
    assert "block" in solved.unreadable
    assert placed.unreadable == {"block"}  # its constellation is that of its own position
    assert unsolved.unreadable == frozenset()  # a left-over answer says nothing of it
    for image in (solved, placed, unsolved):
        wanted(image)


def test_rows_without_a_readable_owner_cost_nobody_until_the_column_is_another_one(make):
    for number in range(1, 41):
        make.acquisition(make.image(number))
    make.connection.execute("UPDATE image_acquisition SET image_id = 'two' WHERE id <= 2")
    few = read(make)
    assert {image.unreadable for image in few.images} == {frozenset()}
    assert len(few.problems) == 2
    make.connection.execute("UPDATE image_acquisition SET image_id = 'uuid-' || id WHERE id <= 4")
    assert {image.unreadable for image in read(make).images} == {frozenset({"block"})}


def test_a_location_or_an_object_that_can_not_be_read_may_be_the_one_that_is_not_found(make):
    make.location("Backyard", "north", 11.5)
    make.object("NGC 224", type="G")
    make.object(b"\xff", type="PN")
    make.object("NGC 7000", type=b"\xff")
    make.image(1)
    make.image(2, latitude=48.0, longitude=11.5)
    make.image(3, target_name="NGC 224")
    make.image(4, target_name="M 57")
    make.image(5, target_name="NGC 7000")
    catalogue = read(make)
    assert [image.unreadable for image in catalogue.images] == [
        set(), {"block"}, set(), {"block", "tags"}, {"block", "tags"},
    ]  # fmt: skip
    assert {(one.table, one.row_id) for one in catalogue.problems} == {
        ("locations", 1), ("catalog_objects", 2), ("catalog_objects", 3),
    }  # fmt: skip


@pytest.mark.parametrize(
    "stored", ['[{"name": "M 31"}]', "[7]", f'["{HUGE}"]', json.dumps(["a", ["b"]])], ids=short
)
def test_tags_of_which_some_can_not_be_read_are_not_all_there_are(make, stored):
    catalogue = three(make, tags=stored)
    assert [image.unreadable for image in catalogue.images] == [set(), {"more_tags"}, set()]
    assert len(named(catalogue)) == 1


def test_a_hundred_thousand_tags_are_cut_with_a_remark(make):
    catalogue = three(make, tags=json.dumps([f"tag {number}" for number in range(100_000)]))
    first, second, third = (wanted(image) for image in catalogue.images)
    assert len(second.tags - first.tags - third.tags) <= MAX_TAGS + 1
    assert "Astro/tag 0" in second.tags
    assert reason("tags_cut", most=MAX_TAGS, count=99_800) in second.problems
    assert "more_tags" in second.unreadable
    assert "more_tags" not in first.unreadable


def test_tags_that_differ_in_case_or_are_noise_do_not_count_towards_the_cut(make):
    many = [text for number in range(150) for text in (f"Tag {number}", f" TAG {number} ", f"HD {number}")]
    catalogue = three(make, tags=json.dumps(many))
    found = wanted(catalogue.images[1])
    assert found.problems == ()
    assert "Astro/Tag 149" in found.tags
    assert found.unreadable == frozenset()


def test_a_remark_for_each_of_a_hundred_odd_tags_is_not_made(make):
    catalogue = three(make, tags=json.dumps([f"{number} " + "x" * 300 for number in range(100)]))
    problems = wanted(catalogue.images[1]).problems
    assert len(problems) == 11
    assert problems[-1] == reason("tags_left_out", count=90)


def test_a_number_that_is_none_is_skymmich_s_own_way_to_keep_no_focal_length(make):
    # SQLite has no NaN; PostgreSQL does: see test_postgres.
    make.image(1, focal_length=None)
    assert read(make).images[0].unreadable == frozenset()


@pytest.mark.parametrize(
    "value",
    [HUGE, b"\xff" * 1_000_000, [[[[[[1]]]]]] * 1000, {"a": HUGE}, 10**5000, object(), None],
    ids=short,
)
def test_a_value_is_shown_short_whatever_it_is(value):
    assert len(excerpt(value)) <= 60


@pytest.mark.parametrize(
    ("put", "kind"), [(put_pipe, "a named pipe"), (put_socket, "a socket"), (put_device, "a device")]
)
@pytest.mark.parametrize("suffix", ["", "-wal", "-journal"])
def test_what_is_no_plain_file_is_refused_at_once(make, put, kind, suffix):
    make.image(1)
    make.close()
    path = make.path.with_name(make.path.name + suffix)
    path.unlink(missing_ok=True)
    put(path)
    errors, tokens = [], []

    def look():
        try:
            SqliteCatalogue(make.path).read()
        except CatalogueError as error:
            errors.append(error)
        tokens.append(ChangeProbe(make.path).token())

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(10)
    assert not looking.is_alive()
    assert f"{path} is {kind}" in str(errors[0])
    assert "[skymmich] source" in errors[0].remedy
    assert tokens == [None]
