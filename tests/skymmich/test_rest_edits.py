"""After how long an edit in Skymmich is seen, by its kind and by how the catalogue is read: in virtual time.

Each edit moves ``updated_at`` where Skymmich moves it, and nowhere else. The table stands in docs/skymmich.md,
and is compared with what is asserted here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.skymmich.database import SqliteCatalogue
from reconciler.skymmich.rest.pace import CALM, Pace

from .conftest import SKY
from .standin import AsPostgres, SqliteData, serving

LOOK = 5.0
"""``[schedule] catalogue_seconds``."""
PACE = Pace()
SOON, LISTS, LINKS = LOOK, PACE.list_seconds + LOOK, PACE.links_seconds + LOOK
HOUR, DAY = 3600 + LOOK, PACE.details_hours * 3600 + LOOK
IMAGES = "UPDATE astrophotography_images SET updated_at = {now}, "
BUMP = IMAGES + "title = title WHERE id = 2"
NEW = """
    INSERT INTO astrophotography_images (id, immich_id, title, filename, updated_at)
    VALUES (90, '00000000-0000-4000-8000-000000000090', 'New', 'n.tif', {now})
"""
OWNED = ("image_equipment", "image_acquisition", "plate_solving_jobs")
GONE = [f"DELETE FROM {table} WHERE image_id = 2" for table in OWNED]
GONE += ["DELETE FROM astrophotography_images WHERE id = 2"]
ANSWER = '{{"ra": 10.5, "dec": 41.5, "width_arcsec": 3600, "height_arcsec": 1800, "orientation": 7}}'
SOLVED = f"""
    INSERT INTO plate_solving_jobs (image_id, status, submitted_at, completed_at, result)
    VALUES (2, 'success', {{now}}, {{now}}, '{ANSWER}')
"""
ACQUIRED = "INSERT INTO image_acquisition (image_id, frame_count, exposure_time) VALUES (2, 7, 120)"
LINKED = [
    "DELETE FROM image_equipment WHERE image_id = 3 AND equipment_id = 2",
    "INSERT INTO image_equipment (image_id, equipment_id) VALUES (8, 1)",
]
OBJECT = "INSERT INTO catalog_objects (name, type, messier) VALUES ('NGC 1', 'G', 'M 1')"

EDITS = {
    "a title, a text, tags, a place": (
        [IMAGES + "title = 'Other', latitude = 1 WHERE id = 2"],
        LISTS,
        LISTS,
    ),
    "an image comes": ([NEW], LISTS, LISTS),
    "an image goes": (GONE, LISTS, LISTS),
    "a plate solution": (
        [IMAGES + "ra = '10.5', dec = '41.5', rotation = 7 WHERE id = 2", SOLVED],
        LISTS,
        LISTS,
    ),
    "sub-exposures added or changed": ([ACQUIRED, BUMP], LISTS, LISTS),
    "an image's last sub-exposure goes": (["DELETE FROM image_acquisition WHERE image_id = 6"], DAY, DAY),
    "equipment renamed or described": (
        ["UPDATE equipment SET name = 'RedCat 61', updated_at = {now} WHERE id = 1"],
        LISTS,
        LISTS,
    ),
    "equipment linked or taken off": (LINKED, LINKS, LINKS),
    "equipment deleted": (["DELETE FROM equipment WHERE id = 2"], LISTS, LISTS),
    "a place in the list of sites": (
        ["UPDATE locations SET name = 'Garden', updated_at = {now}"],
        LISTS,
        LISTS,
    ),
    "a switch of the metadata sync": ([], LISTS, LISTS),
    "Skymmich's own table of objects": ([OBJECT], HOUR, HOUR),
}
"""Statements; seconds until it is seen over the web from SQLite in WAL mode, and from PostgreSQL."""
NOT_AT_ONCE = {"Skymmich's own table of objects": HOUR}
"""What is not seen at the next look where the file's date tells of every save."""


class World:
    """A Skymmich that serves its file, a catalogue that is read over the web, and one clock."""

    def __init__(self, make, data, over_the_web):
        self.make, self.now = make, 1_800_000_000.0
        self._serving = serving(data(make.path))
        self.standin = self._serving.__enter__()
        self.standin.now = lambda: self.now
        self.catalogue = over_the_web(self.standin.url, clock=lambda: self.now)
        self.seen = self.token = None

    def close(self):
        self._serving.__exit__(None, None, None)

    def look(self, seconds=LOOK):
        self.now += seconds
        token = self.catalogue.data_version()
        assert token is not None
        if token != self.token:
            self.token, self.seen = token, self.catalogue.read()

    def edit(self, *statements):
        for statement in statements:
            self.make.connection.execute(statement.format(now=int(self.now)))

    def truth(self):
        return SqliteCatalogue(self.make.path, sky=SKY).read()

    def is_seen(self, there=None):
        there = there or self.truth()
        return tuple(self.seen.images) == tuple(there.images) and self.seen.settings.enabled == self.enabled()

    def enabled(self):
        return self.standin.settings()["immich"]["metadataSyncEnabled"]

    def until_seen(self, most):
        """Look until it is seen, which must be within so many seconds; gives how many it took."""
        began, there, step = self.now, self.truth(), max(LOOK, most / 12)
        while not self.is_seen(there):
            assert self.now - began < most + step - LOOK, "it is not seen in time"
            self.look(step)
        return self.now - began


@pytest.fixture
def world(full, over_the_web, request):
    kind = request.param
    # Of the sixth image only one sub-exposure is left, long ago.
    full.connection.execute("DELETE FROM image_acquisition WHERE image_id = 6 AND exposure_time = 60")
    full.connection.execute("UPDATE astrophotography_images SET capture_date = NULL")
    if kind == "wal":
        full.connection.execute("PRAGMA journal_mode = WAL")
    world = World(full, AsPostgres if kind == "postgres" else SqliteData, over_the_web)
    for _ in range(3):
        world.look()
    assert world.is_seen()
    if kind == "wal":
        world.edit(IMAGES + "title = 'First' WHERE id = 1")
        world.first = world.until_seen(CALM + LOOK)
        for _ in range(3):
            world.look()
    yield world
    world.close()


def carry_out(world, name):
    if name == "a switch of the metadata sync":
        world.standin.save(
            {"immich": {**world.standin.saved_settings["immich"], "metadataSyncEnabled": False}}
        )
        world.edit(
            "UPDATE admin_settings SET value = '{{}}'"
        )  # the stand-in has it in memory, as Skymmich has
    world.edit(*EDITS[name][0])


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", EDITS)
def test_where_the_file_s_date_tells_of_every_save_an_edit_is_seen_at_the_next_look(world, name):
    carry_out(world, name)
    world.until_seen(NOT_AT_ONCE.get(name, SOON))


@pytest.mark.parametrize("world", ["wal"], indirect=True)
@pytest.mark.parametrize("name", EDITS)
def test_in_wal_mode_an_edit_is_seen_in_time(world, name):
    carry_out(world, name)
    world.until_seen(EDITS[name][1])


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
@pytest.mark.parametrize("name", EDITS)
def test_of_a_postgresql_an_edit_is_seen_in_time(world, name):
    carry_out(world, name)
    world.until_seen(EDITS[name][2])


@pytest.mark.parametrize("world", ["wal"], indirect=True)
def test_the_first_edit_in_wal_mode_shows_that_the_file_s_date_tells_nothing(world):
    assert LISTS < world.first < CALM + 2 * LOOK
    assert not world.catalogue.freshness().stamp_tells


@pytest.mark.parametrize("world", ["sqlite", "postgres"], indirect=True)
def test_two_changes_of_one_second_are_both_seen(world):
    world.edit("UPDATE image_acquisition SET gain = 1 WHERE image_id = 2", BUMP)
    world.catalogue.hint()
    world.look(0.2)
    assert world.is_seen()
    world.make.connection.execute("UPDATE image_acquisition SET gain = 2 WHERE image_id = 2")
    world.until_seen(2 * LOOK)


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_saves_that_no_list_shows_do_not_have_everything_read_each_time(world):
    world.standin.requests.clear()
    for number in range(60):  # five minutes of a solver's worker, say
        world.edit(f"UPDATE plate_solving_jobs SET astrometry_submission_id = '{number}' WHERE id = 2")
        world.look()
    asked = world.standin.requests
    assert asked["GET /api/images/N/acquisitions"] <= 40  # one image has but one sub-exposure
    assert asked["GET /api/images?equipmentId=N"] <= 3 * 31
    assert asked["GET /api/plate-solving/jobs"] <= 1


@pytest.mark.parametrize("world", ["postgres"], indirect=True)
def test_an_event_that_names_an_image_has_it_read_at_once(world):
    world.edit(*EDITS["an image's last sub-exposure goes"][0], *EDITS["equipment linked or taken off"][0])
    world.catalogue.hint(6)
    world.look()
    assert world.is_seen()


@pytest.mark.parametrize("world", ["sqlite", "postgres"], indirect=True)
def test_while_nothing_is_saved_little_is_asked(world):
    world.look(PACE.links_seconds)
    world.standin.requests.clear()
    for _ in range(180):  # a quarter of an hour
        world.look()
    asked = world.standin.requests
    assert asked["GET /api/admin/database"] == 180
    assert asked["GET /api/images"] <= (2 if world.standin.data.kind == "sqlite" else 31)
    assert asked["GET /api/images?equipmentId=N"] <= 3 * 2
    assert asked["GET /api/images/N/acquisitions"] == 0
    assert asked["GET /api/plate-solving/jobs"] <= 2


def test_the_table_in_the_documentation_says_the_same():
    page = (Path(__file__).parents[2] / "docs" / "skymmich.md").read_text(encoding="utf-8")
    rows = {cells[0]: cells[1:] for line in page.splitlines() if len(cells := [
        cell.strip() for cell in line.strip("|").split("|")]) == 5}  # fmt: skip
    said = {SOON: "5 s", LISTS: "30 s", LINKS: "10 min", HOUR: "1 h", DAY: "24 h"}
    for name, (_, wal, postgres) in EDITS.items():
        here = said[NOT_AT_ONCE.get(name, SOON)]
        assert rows[name] == ["5 s", here, said[wal], said[postgres]], name
