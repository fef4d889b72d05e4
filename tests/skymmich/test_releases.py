"""Every release's schema, in SQLite, in PostgreSQL and over the web: what it did not have yet costs its facts."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import count

import psycopg
import pytest

from reconciler.core.desired.desired import Form, desire
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import Policy
from reconciler.immich.roundtrip import settled_description, settled_tag
from reconciler.skymmich.database import SqliteCatalogue
from reconciler.skymmich.sources import open_catalogue
from reconciler.skymmich.tables import LASTING, SETTINGS, TABLES

from .conftest import SKY
from .standin import SqliteData, serving

FORM, POLICY = Form(settled_description, settled_tag), Policy()
TEMPLATE = BlockTemplate(POLICY.description)
RELEASES = ("0.2", "0.5", "0.7", "0.9")
TIMES = {"capture_date", "created_at", "updated_at", "submitted_at", "completed_at", "date"}
TYPES = {
    "plate_solved": "boolean",
    "tags": "text[]",
    "result": "json",
    "specifications": "json",
    "value": "json",
}
KINDS = {"integer": "integer", "real": "real"}
OPTIONAL = [
    f"{table.name}.{column}"
    for table in TABLES
    if table is not SETTINGS
    for column in table.required + table.optional
    # A file without a target's name may be one of 0.7; the path may be missing from any.
    if column not in {"id", "immich_id", "target_name", "original_path"}
]
"""What a later release may rename."""
_numbers = count()


def wishes(catalogue):
    return [
        (image.asset_id, image.unreadable, desire(image, POLICY, TEMPLATE, FORM, (6248, 4176)))
        for image in catalogue.images
    ]


def filled(make):
    """Fill a release's tables, as far as it has them."""
    make.connection.execute("PRAGMA synchronous = OFF")
    tables = {name for (name,) in make.connection.execute("SELECT name FROM sqlite_master")}
    scope, camera = (
        make.equipment("RedCat 51", specifications='{"focalLength": 250}'),
        make.equipment("A", "camera"),
    )
    for number in (1, 2):
        image = make.image(
            number, description="A night", tags='["astrophotography"]', latitude=48.25, longitude=11.5,
            plate_solved=1, ra="10.5", dec="41.25", telescope="A lens", iso=800, frame_count=12,
            object_type="Galaxy", constellation="Andromeda",
        )  # fmt: skip
        make.link(image, scope)
        make.link(image, camera)
        make.solve(image, ra=10.5, dec=41.25, width_arcsec=7200.5, height_arcsec=5400.25, orientation=12.5)
        if "image_acquisition" in tables:
            make.acquisition(image, 10, 300.5, filter_name="L", date=1_700_000_000)
            make.location("Backyard", 48.25, 11.5)
    if "catalog_objects" in tables:
        make.object("NGC 224", type="G", messier="M 31", common_names="Andromeda Galaxy")
    columns = {row[1] for row in make.connection.execute("PRAGMA table_info(astrophotography_images)")}
    if "target_name" in columns:
        make.connection.execute("UPDATE astrophotography_images SET target_name = 'NGC 224'")
    make.settings('{"metadataSyncEnabled": true}')
    return make


def in_postgres(path, address):
    """Make a PostgreSQL database of a SQLite one, with PostgreSQL's own types."""
    with closing(sqlite3.connect(path)) as source, psycopg.connect(address) as target:
        tables = [name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [(row[1], row[2].lower()) for row in source.execute(f"PRAGMA table_info({table})")]
            listed = ", ".join(f'"{name}" {kind_of(name, kind)}' for name, kind in columns)
            target.execute(f"CREATE TABLE {table} ({listed})")
            names = [name for name, _ in columns]
            marks = ", ".join(["%s"] * len(names))
            for row in source.execute(f"SELECT * FROM {table}"):
                values = [value_of(name, value) for name, value in zip(names, row, strict=True)]
                target.execute(f"INSERT INTO {table} VALUES ({marks})", values)


def kind_of(name, kind):
    return "timestamp" if name in TIMES else TYPES.get(name) or KINDS.get(kind, "text")


def value_of(name, value):
    if value is None:
        return None
    if name in TIMES:
        seconds = isinstance(value, int) or value.isdigit()
        return datetime.fromtimestamp(int(value), UTC).replace(tzinfo=None) if seconds else value
    if name == "plate_solved":
        return value in (1, "true")
    return json.loads(value) if name == "tags" else value


@pytest.fixture
def postgres(server):
    """Give PostgreSQL databases made of SQLite files."""

    def build(path):
        name = f"release{next(_numbers)}"
        with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        address = f"postgresql://postgres@/{name}?host={server}"
        in_postgres(path, address)
        return address

    return build


@pytest.mark.parametrize("release", RELEASES)
def test_every_release_says_the_same_whatever_it_is_read_from(make_release, postgres, over_the_web, release):
    make = filled(make_release(release))
    if release == "0.7":
        # PostgreSQL has had it since then, and the API shows it.
        make.connection.execute("ALTER TABLE astrophotography_images ADD COLUMN target_name text")
    by_file = SqliteCatalogue(make.path, sky=SKY).read()
    by_database = open_catalogue(postgres(make.path), sky=SKY).read()
    with serving(SqliteData(make.path)) as standin:
        by_web = over_the_web(standin.url).read()
    assert wishes(by_file) == wishes(by_database) == wishes(by_web)
    for found in (by_file, by_database, by_web):
        assert (found.problems, found.gone) == ((), frozenset())
        assert all(image.unreadable == frozenset() for image in found.images)
        assert found.images[0].equipment
        assert bool(found.images[0].acquisitions) is (release >= "0.5")
        assert bool(found.images[0].site) is (release >= "0.5")


@pytest.mark.parametrize("name", OPTIONAL)
def test_a_column_that_is_gone_is_unknown_in_each_storage(make, postgres, name):
    table, column = name.split(".")
    filled(make).connection.execute(f'ALTER TABLE {table} RENAME COLUMN "{column}" TO renamed')
    by_file = SqliteCatalogue(make.path, sky=SKY).read()
    by_database = open_catalogue(postgres(make.path), sky=SKY).read()
    assert by_file.gone == by_database.gone >= {name}
    here = [image.unreadable for image in by_file.images]
    assert here == [image.unreadable for image in by_database.images]


@pytest.mark.parametrize("table", [table.name for table in TABLES if table.owner or table in LASTING][1:])
def test_a_table_that_is_gone_is_unknown_in_each_storage(make, postgres, table):
    filled(make).connection.execute(f"ALTER TABLE {table} RENAME TO renamed")
    by_file = SqliteCatalogue(make.path, sky=SKY).read()
    by_database = open_catalogue(postgres(make.path), sky=SKY).read()
    assert by_file.gone == by_database.gone
    assert [image.unreadable for image in by_file.images] == [
        image.unreadable for image in by_database.images
    ]
    assert all("block" in image.unreadable for image in by_file.images)


def test_real_files_of_older_releases_say_the_same_from_each_storage(
    shared, postgres, over_the_web, tmp_path
):
    for file in sorted((shared / "skymmich" / "older-schemas").glob("*.sqlite3")):
        by_file = SqliteCatalogue(file, sky=SKY).read()
        by_database = open_catalogue(postgres(file), sky=SKY).read()
        with serving(SqliteData(file)) as standin:
            by_web = over_the_web(standin.url, kept=tmp_path / file.name).read()
        assert wishes(by_file) == wishes(by_web), file.name
        assert by_web.gone == by_file.gone == frozenset()
        if "v0.7" not in file.name:  # of 0.7 a PostgreSQL would have the target's name
            assert wishes(by_file) == wishes(by_database), file.name
            assert by_database.gone == frozenset()
