"""Makes small Skymmich databases of any release, row by row."""

from __future__ import annotations

import json
import sqlite3

import psycopg
import pytest

from reconciler.openngc.catalogue import OpenNgc
from reconciler.skymmich.rest.source import RestCatalogue
from tests.postgres_server import server  # noqa: F401 - a fixture

from .standin import SqliteData, serving

IMAGE = """
    CREATE TABLE astrophotography_images (
        id integer PRIMARY KEY NOT NULL, immich_id text, title text NOT NULL, filename text NOT NULL,
        thumbnail_url text, full_url text, capture_date {time}, focal_length real, aperture text, iso integer,
        exposure_time text, frame_count integer, total_integration_hours real, telescope text, camera text,
        mount text, filters text, latitude real, longitude real, altitude real,
        plate_solved integer DEFAULT false, ra text, dec text, pixel_scale real, field_of_view text, rotation real,
        astrometry_job_id text, tags text, object_type text, constellation text, description text,
        created_at {time}, updated_at {time}{extra});
    CREATE UNIQUE INDEX images_immich_id ON astrophotography_images (immich_id);
"""
ALWAYS = """
    CREATE TABLE equipment (
        id integer PRIMARY KEY NOT NULL, name text NOT NULL, type text NOT NULL, specifications text,
        image_url text, description text, created_at {time}, updated_at {time});
    CREATE TABLE image_equipment (
        id integer PRIMARY KEY NOT NULL, image_id integer, equipment_id integer, settings text, notes text,
        created_at {time});
    CREATE TABLE plate_solving_jobs (
        id integer PRIMARY KEY NOT NULL, image_id integer, astrometry_submission_id text, astrometry_job_id text,
        status text DEFAULT 'pending' NOT NULL, submitted_at {time}, completed_at {time}, result text);
    CREATE TABLE admin_settings (id integer PRIMARY KEY NOT NULL, key text NOT NULL, value text);
"""
SINCE_05 = """
    CREATE TABLE locations (
        id integer PRIMARY KEY NOT NULL, name text NOT NULL, latitude real NOT NULL, longitude real NOT NULL,
        altitude real, description text, created_at integer, updated_at integer);
    CREATE TABLE image_acquisition (
        id integer PRIMARY KEY NOT NULL, image_id integer NOT NULL, filter_id integer, filter_name text,
        frame_count integer NOT NULL, exposure_time real NOT NULL, gain integer, `offset` integer, binning text,
        sensor_temp real, date integer, notes text, created_at integer);
"""
SINCE_07 = """
    CREATE TABLE catalog_objects (
        id integer PRIMARY KEY NOT NULL, name text NOT NULL, type text, ra_deg real, dec_deg real,
        constellation text, messier text, common_names text);
"""


class Maker:
    """A Skymmich database that grows row by row; each row is committed at once, as Skymmich does."""

    def __init__(self, path, release="0.9"):
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        time = "text" if release == "0.2" else "integer"
        extra = ", target_name text" if release == "0.9" else ""
        script = IMAGE.format(time=time, extra=extra) + ALWAYS.format(time=time)
        if release >= "0.5":
            script += SINCE_05
        if release >= "0.7":
            script += SINCE_07
        self.connection.executescript(script)

    def row(self, table, **values):
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        cursor = self.connection.execute(
            f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values())
        )
        return cursor.lastrowid

    def image(self, number=1, **values):
        row = {"immich_id": asset(number), "title": f"Image {number}", "filename": f"{number}.tif"}
        return self.row("astrophotography_images", **(row | values))

    def equipment(self, name, kind="telescope", specifications=None):
        return self.row("equipment", name=name, type=kind, specifications=specifications)

    def link(self, image_id, equipment_id):
        return self.row("image_equipment", image_id=image_id, equipment_id=equipment_id)

    def acquisition(self, image_id, count=10, exposure=300, **values):
        row = {"image_id": image_id, "frame_count": count, "exposure_time": exposure}
        return self.row("image_acquisition", **(row | values))

    def solve(self, image_id, *, at=1_700_000_000, status="success", **result):
        return self.row(
            "plate_solving_jobs",
            image_id=image_id,
            status=status,
            submitted_at=at,
            completed_at=at,
            result=json.dumps(result),
        )

    def location(self, name, latitude, longitude):
        return self.row("locations", name=name, latitude=latitude, longitude=longitude)

    def object(self, name, **values):
        return self.row("catalog_objects", name=name, **values)

    def settings(self, value):
        return self.row("admin_settings", key="immich", value=value)

    def close(self):
        self.connection.close()


def asset(number):
    return f"00000000-0000-4000-8000-{number:012x}"


@pytest.fixture
def make(tmp_path):
    """A database of release 0.9; ``make.path`` is its file."""
    maker = Maker(tmp_path / "skymmich.db")
    yield maker
    maker.close()


@pytest.fixture
def make_release(tmp_path):
    """Databases of any release, by its number."""
    makers = []

    def build(release):
        makers.append(Maker(tmp_path / f"skymmich-{release}.db", release))
        return makers[-1]

    yield build
    for maker in makers:
        maker.close()


@pytest.fixture
def database(server, request):
    """An empty database of its own: gives its address."""
    name = f"t{abs(hash(request.node.nodeid)):x}"
    admin = f"postgresql://postgres@/postgres?host={server}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://postgres@/{name}?host={server}"


def load(address, dump):
    """Run a dump of ``pg_dump``, whose data stands in COPY blocks, without ``psql``."""
    with psycopg.connect(address) as connection:
        lines = iter(dump.read_text().splitlines(keepends=True))
        statement = ""
        for line in lines:
            if not statement and (line.startswith(("--", "\\")) or not line.strip()):
                continue
            statement += line
            if not line.rstrip().endswith(";"):
                continue
            if statement.startswith("COPY"):
                with connection.cursor().copy(statement) as copy:
                    for row in iter(lambda: next(lines), "\\.\n"):
                        copy.write(row)
            else:
                connection.execute(statement)
            statement = ""


@pytest.fixture(scope="session")
def seed_pg(server, shared):
    admin = f"postgresql://postgres@/postgres?host={server}"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute("CREATE DATABASE seed")
    address = f"postgresql://postgres@/seed?host={server}"
    load(address, shared / "skymmich" / "seed.pg.sql")
    return address


SKY = OpenNgc()


@pytest.fixture
def full(make):
    """A catalogue with a bit of everything."""
    make.connection.execute("PRAGMA synchronous = OFF")
    scope = make.equipment("RedCat 51", specifications='{"focalLength": 250, "focalRatio": "f/4.9"}')
    camera, filters = make.equipment("ASI533", "camera"), make.equipment("Ha 3nm", "filter")
    make.location("Backyard", 48.1371, 11.5761)
    make.object("NGC 7000", type="HII", constellation="Cyg", common_names="North America Nebula", ra_deg=314.75,
                dec_deg=44.37)  # fmt: skip
    make.settings('{"metadataSyncEnabled": true, "host": "http://immich:2283", "apiKey": "a-real-key-1234"}')
    for number in range(1, 7):
        image = make.image(
            number, description=f"Night {number}", tags='["astrophotography", "half \\ud83d"]', latitude=48.1371,
            longitude=11.5761, target_name="NGC 7000", plate_solved=1, ra="314.7", dec="44.3",
            updated_at=1_700_000_000 + number,
        )  # fmt: skip
        for piece in (camera, scope, filters, camera, 999):
            make.link(image, piece)
        make.acquisition(image, 10 + number, 300.5, filter_id=filters, filter_name="old", date=1_700_000_000)
        make.acquisition(image, 5, 60, filter_name="L", gain=100, sensor_temp=-10.5)
        make.solve(image, ra=314.7, dec=44.3, width_arcsec=7200.5, height_arcsec=5400.25, orientation=12.5)
        make.solve(image, status="failed", error="no stars")
    make.image(7, immich_id=None, tags='"notalist"', focal_length=None)
    make.image(8, tags="null", plate_solved="false", capture_date="2024-12-15T22:30:00.000Z")
    return make


@pytest.fixture
def standin(full):
    with serving(SqliteData(full.path)) as found:
        yield found


@pytest.fixture
def over_the_web(tmp_path):
    """Open catalogues over the web; they are closed again."""
    opened = []

    def build(address, **more):
        opened.append(RestCatalogue(address, **({"kept": tmp_path / "answers.sqlite3", "sky": SKY} | more)))
        return opened[-1]

    yield build
    for each in opened:
        each.close()
