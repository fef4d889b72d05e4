"""The same catalogue in PostgreSQL, against a real server that is started for these tests."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime

import psycopg
import pytest

from reconciler.core.catalogue import SyncSettings
from reconciler.errors import CatalogueError
from reconciler.skymmich.database import SqliteCatalogue
from reconciler.skymmich.sources import open_catalogue


def test_the_seed_is_read_in_full(seed_pg):
    catalogue = open_catalogue(seed_pg).read()
    assert [image.image_id for image in catalogue.images] == list(range(1, 65))
    assert len(catalogue.linked()) == 60
    assert [(problem.row_id, problem.reason.get("column")) for problem in catalogue.problems] == [
        (48, "focal_length"),
        (51, "focal_length"),
        (58, "immich_id"),
    ]
    assert catalogue.schema.startswith("PostgreSQL ")
    assert catalogue.schema.endswith("schema of 0.9")
    assert catalogue.settings.enabled
    assert catalogue.settings.immich_api_key == "stub-key-ABCD1234"
    odd = catalogue.images[-1]
    assert odd.tags == ("x",)
    assert odd.captured_at == datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC)


def test_both_storages_of_the_seed_say_the_same(seed_pg, shared):
    other = SqliteCatalogue(shared / "skymmich" / "seed.sqlite3").read().images
    for here, there in zip(open_catalogue(seed_pg).read().images[:63], other[:63], strict=True):
        assert here.asset_id == there.asset_id
        assert (here.title, here.description, here.tags) == (there.title, there.description, there.tags)
        assert (here.solution is None, here.site) == (there.solution is None, there.site)
        assert (here.target and here.target.name) == (there.target and there.target.name)
        assert [(item.name, item.specifications) for item in here.equipment] == [
            (item.name, item.specifications) for item in there.equipment
        ]
        assert here.acquisitions == there.acquisitions
        if here.solution is not None:
            assert (here.solution.ra_deg, here.solution.width_arcsec) == (
                there.solution.ra_deg,
                there.solution.width_arcsec,
            )
        assert (here.latitude, here.longitude) == (there.latitude, there.longitude)


TABLES = """
    CREATE TABLE astrophotography_images (
        id serial PRIMARY KEY, immich_id text UNIQUE, title text NOT NULL, filename text NOT NULL,
        capture_date timestamp, focal_length real, iso integer, latitude real, longitude real,
        plate_solved boolean DEFAULT false, ra text, "dec" text, rotation real, field_of_view text,
        tags text[], description text, created_at timestamp DEFAULT now(), aperture text, exposure_time text,
        frame_count integer, total_integration_hours real, telescope text, camera text, mount text, filters text,
        object_type text, constellation text);
    CREATE TABLE equipment (id serial PRIMARY KEY, name text NOT NULL, type text NOT NULL, specifications json);
    CREATE TABLE image_equipment (id serial PRIMARY KEY, image_id integer, equipment_id integer);
    CREATE TABLE image_acquisition (
        id serial PRIMARY KEY, image_id integer, filter_id integer, filter_name text, frame_count integer,
        exposure_time real, gain integer, "offset" integer, binning text, sensor_temp real, date timestamp);
    CREATE TABLE locations (id serial PRIMARY KEY, name text, latitude real, longitude real);
    CREATE TABLE plate_solving_jobs (
        id serial PRIMARY KEY, image_id integer, status text, submitted_at timestamp,
        completed_at timestamp, result json);
    CREATE TABLE admin_settings (id serial PRIMARY KEY, key text UNIQUE, value json);
"""
ROWS = """
    INSERT INTO astrophotography_images (immich_id, title, filename, capture_date, focal_length, latitude,
        longitude, plate_solved, tags) VALUES
        ('00000000-0000-4000-8000-000000000001', 'M 31', 'a', '2021-01-01 22:15:00.123', 'NaN', 48.137154,
            'Infinity', true, '{NULL,x,"a,b"}'),
        ('00000000-0000-4000-8000-000000000002', 'odd dates', 'b', 'infinity', 400, NULL, NULL, false, NULL),
        (NULL, 'older than the calendar', 'c', '0044-03-15 12:00:00 BC', NULL, NULL, NULL, false, '{}');
    INSERT INTO equipment (name, type, specifications) VALUES ('RedCat 51', 'telescope', '{"focalLength": 250}');
    INSERT INTO image_equipment (image_id, equipment_id) VALUES (1, 1), (1, 1);
    INSERT INTO image_acquisition (image_id, frame_count, exposure_time, "offset", date) VALUES
        (1, 12, 180.5, 50, '2023-02-01'), (1, 3, 'NaN', NULL, NULL);
    INSERT INTO plate_solving_jobs (image_id, status, submitted_at, result) VALUES
        (1, 'success', '2023-02-01', '{"ra": 0, "dec": 0, "width_arcsec": 7200, "height_arcsec": 3600,
            "orientation": 12.5}'),
        (1, 'failed', '2023-02-02', '{"error": "no stars"}');
    INSERT INTO admin_settings (key, value) VALUES ('immich', '{"metadataSyncEnabled": true, "apiKey": "planted-7f3a"}');
"""


def test_odd_rows_spoil_only_themselves(database):
    with psycopg.connect(database) as connection:
        connection.execute(TABLES)
        connection.execute(ROWS)
    catalogue = open_catalogue(database).read()
    first, second, third = catalogue.images
    assert first.captured_at == datetime(2021, 1, 1, 22, 15, 0, 123_000, tzinfo=UTC)
    assert (first.latitude, first.longitude, first.summary.focal_length_mm) == (48.137154, None, None)
    assert first.tags == ("x", "a,b")
    assert (first.solution.ra_deg, first.solution.dec_deg, first.solution.width_arcsec) == (0.0, 0.0, 7200.0)
    assert [item.specifications for item in first.equipment] == [(("focalLength", 250),)]
    (row,) = first.acquisitions
    assert (row.exposure_s, row.offset, row.night) == (180.5, 50, date(2023, 2, 1))
    assert (second.captured_at, second.solution, third.captured_at) == (None, None, None)
    assert catalogue.settings == SyncSettings(enabled=True, immich_api_key="planted-7f3a", stored=True)
    assert sorted((problem.table, problem.row_id) for problem in catalogue.problems) == [
        ("astrophotography_images", 1),
        ("astrophotography_images", 1),
        ("astrophotography_images", 2),
        ("astrophotography_images", 3),
        ("image_acquisition", 2),
    ]


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        ("UPDATE astrophotography_images SET latitude = -2 WHERE id = 2", {2}),
        ("UPDATE astrophotography_images SET tags = '{other}' WHERE id = 1", {1}),
        ("UPDATE image_acquisition SET frame_count = 13 WHERE id = 1", {1}),
        ("INSERT INTO image_equipment (image_id, equipment_id) VALUES (3, 1)", {3}),
        ("DELETE FROM astrophotography_images WHERE id = 3", {3}),
        ("UPDATE admin_settings SET value = '{}'", set()),
        ("UPDATE equipment SET name = 'Renamed'", None),
    ],
)
def test_the_server_itself_tells_what_changed(database, statement, changed):
    with psycopg.connect(database) as connection:
        connection.execute(TABLES)
        connection.execute(ROWS)
        connection.execute("UPDATE astrophotography_images SET latitude = -1 WHERE id = 2")
    catalogue = open_catalogue(database)
    catalogue.read()
    assert catalogue.read().changed == frozenset()
    with psycopg.connect(database) as connection:
        connection.execute(statement)
    again = catalogue.read()
    assert again.changed == changed
    assert again == open_catalogue(database).read()


def test_what_can_not_be_read_is_unknown_and_not_a_number_is_no_focal_length(database):
    with psycopg.connect(database) as connection:
        connection.execute(TABLES)
        connection.execute(ROWS)
        connection.execute("INSERT INTO astrophotography_images (title, filename) VALUES ('plain', 'd')")
        connection.execute("UPDATE astrophotography_images SET focal_length = 'NaN' WHERE title = 'plain'")
    first, second, third, plain = open_catalogue(database).read().images
    assert first.unreadable == {"block", "coordinates"}  # sub-exposures of NaN seconds, an infinite longitude
    assert second.unreadable == third.unreadable == {"taken_at"}  # no dates
    assert plain.unreadable == frozenset()


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("ALTER TABLE image_acquisition RENAME TO acquisitions", "image_acquisition"),
        ("ALTER TABLE astrophotography_images RENAME COLUMN title TO name", "astrophotography_images"),
        (
            "ALTER TABLE plate_solving_jobs ALTER result TYPE text; ALTER TABLE equipment DROP name",
            "equipment",
        ),
        ("CREATE TABLE user_targets (id serial)", "astrophotography_images"),  # 0.7, so with target_name
    ],
)
def test_what_the_schema_once_had_is_told_from_what_else_there_is(database, change, table):
    with psycopg.connect(database) as connection:
        connection.execute(TABLES)
        connection.execute(ROWS)
        connection.execute(change)
    catalogue = open_catalogue(database).read()
    assert table in {one.table for one in catalogue.problems if one.row_id == "-"}
    if "user_targets" not in change:
        assert all("block" in image.unreadable for image in catalogue.images)


def test_columns_of_another_type_spoil_no_query(database):
    with psycopg.connect(database) as connection:
        connection.execute(TABLES)
        connection.execute(ROWS)
        connection.execute(
            "ALTER TABLE astrophotography_images ALTER title TYPE json USING to_json(title), "
            "ALTER filename TYPE text[] USING ARRAY[filename], "
            "ALTER longitude TYPE numeric USING 11.5, ALTER iso TYPE text, ALTER telescope TYPE bytea USING NULL, "
            "ALTER tags TYPE text USING 'x'"
        )
    catalogue = open_catalogue(database).read()
    assert len(catalogue.images) == 3
    assert {image.longitude for image in catalogue.images} == {11.5}
    assert all({"block", "tags"} <= image.unreadable for image in catalogue.images)


def test_every_transaction_is_read_only(database):
    source = open_catalogue(database)
    with source._connect() as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("CREATE TABLE x (id integer)")


def test_a_read_is_one_moment_and_leaves_no_session_behind(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES)
        open_catalogue(database).read()
        connection.execute("DROP TABLE astrophotography_images")


def test_saved_rows_change_the_token(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES)
        source = open_catalogue(database)
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute("SELECT 1")
        before = source.data_version()
        assert source.data_version() == before
        connection.execute("INSERT INTO image_equipment (image_id, equipment_id) VALUES (1, 1)")
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute("SELECT 1")
        assert source.data_version() != before


def test_another_programs_database_is_not_skymmichs(database):
    with pytest.raises(CatalogueError, match="not a database of Skymmich"):
        open_catalogue(database).read()


def test_a_table_that_this_user_may_not_read_is_an_error_and_does_not_seem_empty(database):
    with psycopg.connect(database) as connection:
        connection.execute(TABLES)
        connection.execute("CREATE USER stranger")
        connection.execute("GRANT SELECT ON astrophotography_images, equipment TO stranger")
    with pytest.raises(CatalogueError, match="permission denied for table locations") as caught:
        open_catalogue(database.replace("postgres@", "stranger@")).read()
    assert "Grant this user SELECT" in caught.value.remedy


def test_a_server_that_does_not_answer_is_said_without_the_password():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        source = open_catalogue(f"postgresql://sky:planted-7f3a@127.0.0.1:{port}/skymmich")
        with pytest.raises(CatalogueError, match=f"skymmich at 127.0.0.1:{port} cannot be read") as caught:
            source.read()
    assert "planted" not in str(caught.value)
    assert "reachable" in caught.value.remedy
    assert source.data_version() is None
