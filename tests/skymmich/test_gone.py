"""A table or a column that the schema once had, and that is gone: its facts are unknown, and not empty."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing

import pytest

from reconciler.core.unknown import FIELDS
from reconciler.messages.reasons import words
from reconciler.skymmich.database import SqliteCatalogue
from reconciler.skymmich.tables import TABLES

# The first release of each; what came later is absent before, and gone after.
RELEASES = {"0.2": 2, "0.5": 4, "0.6": 7, "0.7": 8, "0.9": 9}


@pytest.fixture
def copy(shared, tmp_path):
    """Give a copy of the real catalogue in which some SQL was run, read."""

    def read(*statements):
        path = tmp_path / "copy.sqlite3"
        shutil.copyfile(shared / "skymmich" / "seed.sqlite3", path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)
        return SqliteCatalogue(path).read()

    return read


def unknown(catalogue):
    """Count the images by what is unknown of them."""
    return {field: sum(field in image.unreadable for image in catalogue.images) for field in
            ("block", "prose", "coordinates", "tags")}  # fmt: skip


def told(catalogue):
    return [(one.table, words(one.reason).split(";")[0]) for one in catalogue.problems if one.row_id == "-"]


def test_a_table_that_was_renamed_leaves_all_blocks_alone(copy):
    before = copy()
    catalogue = copy("ALTER TABLE image_acquisition RENAME TO acquisitions")
    assert unknown(before) == dict.fromkeys(("block", "prose", "coordinates", "tags"), 0)
    assert unknown(catalogue) == {"block": 65, "prose": 0, "coordinates": 0, "tags": 0}
    assert told(catalogue) == [
        ("image_acquisition", "the table is gone, so what Immich shows of it stays as it is")
    ]


def test_a_title_that_was_renamed_leaves_the_blocks_alone_and_the_file_s_name_speaks(copy):
    catalogue = copy("ALTER TABLE astrophotography_images RENAME COLUMN title TO name")
    assert unknown(catalogue)["block"] == 65
    assert all(image.title for image in catalogue.images)
    assert told(catalogue) == [
        (
            "astrophotography_images",
            "the table has no column title any more, so what Immich shows of it stays as it is",
        )
    ]


@pytest.mark.parametrize(
    ("column", "fields"),
    [
        ("description", {"prose": 65}),
        ("latitude", {"coordinates": 65, "block": 65}),
        ("tags", {"tags": 65}),
        ("iso", {"block": 17}),
        ("capture_date", {}),
        ("telescope", {"block": 21}),
        ("target_name", {"block": 65, "tags": 65}),
    ],
)
def test_a_column_that_was_renamed_costs_what_rests_on_it(copy, column, fields):
    found = unknown(copy(f"ALTER TABLE astrophotography_images RENAME COLUMN {column} TO renamed"))
    for field in ("prose", "coordinates", "tags"):
        assert found[field] == fields.get(field, 0)
    assert (found["block"] > 0) is ("block" in fields)


def test_links_or_answers_that_are_gone_cost_the_tags_as_well(copy):
    links = unknown(copy("ALTER TABLE image_equipment RENAME COLUMN equipment_id TO gear_id"))
    assert (links["block"], links["tags"]) == (65, 65)
    answers = unknown(copy("DROP TABLE plate_solving_jobs"))
    assert answers["block"] == 45  # those that are solved
    assert 0 < answers["tags"] < 5  # whose position is in the answer alone


def test_every_column_that_is_read_is_known_to_cost_something_or_nothing():
    read = {f"{table.name}.{name}" for table in TABLES for name in table.required + table.optional}
    silent = {
        "astrophotography_images.id", "astrophotography_images.immich_id",
        "astrophotography_images.original_path",
        "plate_solving_jobs.submitted_at", "plate_solving_jobs.completed_at",

        "admin_settings.id", "admin_settings.key", "admin_settings.value",
    }  # fmt: skip
    assert read - set(FIELDS) == silent
    assert set(FIELDS) <= read


@pytest.mark.parametrize("release", RELEASES)
def test_what_an_older_release_did_not_have_yet_is_absent(make_release, release):
    make = make_release("0.5" if release == "0.6" else release)
    make.connection.execute("CREATE TABLE __drizzle_migrations (id integer, hash text, created_at numeric)")
    for _ in range(RELEASES[release]):
        make.connection.execute("INSERT INTO __drizzle_migrations (hash) VALUES ('x')")
    make.image(1)
    catalogue = SqliteCatalogue(make.path).read()
    assert catalogue.problems == ()
    assert catalogue.images[0].unreadable == frozenset()
    assert catalogue.schema.endswith(f"schema of {release}")


def test_the_migrations_say_what_a_schema_had_where_nothing_else_does(make_release):
    make = make_release("0.2")
    make.connection.execute("CREATE TABLE __drizzle_migrations (id integer, hash text, created_at numeric)")
    for _ in range(9):
        make.connection.execute("INSERT INTO __drizzle_migrations (hash) VALUES ('x')")
    make.image(1)
    catalogue = SqliteCatalogue(make.path).read()
    assert catalogue.images[0].unreadable == {"block", "tags", "taken_at"}
    assert [table for table, _ in told(catalogue)] == [
        "astrophotography_images", "catalog_objects", "image_acquisition", "locations",
    ]  # fmt: skip


def test_without_migrations_what_else_exists_says_it(make_release):
    make = make_release("0.7")
    make.image(1)
    make.connection.execute("DROP TABLE locations")
    catalogue = SqliteCatalogue(make.path).read()
    assert [table for table, _ in told(catalogue)] == ["locations"]
    assert "locations.name" in catalogue.gone
    assert "image_acquisition.gain" in catalogue.columns


def test_the_problem_says_what_to_do(copy):
    catalogue = copy("DROP TABLE locations")
    (problem,) = [one for one in catalogue.problems if one.table == "locations"]
    assert "look for a newer version of this program" in words(problem.reason)
