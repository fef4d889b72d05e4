"""A catalogue that is read again: what changed is seen, whatever it is, and nothing else is read."""

from __future__ import annotations

import random

import pytest

from reconciler.skymmich import reader
from reconciler.skymmich.database import SqliteCatalogue

CHANGES = [
    ("UPDATE astrophotography_images SET title = 'Another' WHERE id = 3", {3}),
    ("UPDATE image_acquisition SET sensor_temp = -2 WHERE image_id = 4", {4}),
    ("UPDATE astrophotography_images SET latitude = -2 WHERE id = 5", {5}),
    ("DELETE FROM image_acquisition WHERE image_id = 6", {6}),
    ("DELETE FROM astrophotography_images WHERE id = 7", {7}),
    ("UPDATE image_equipment SET equipment_id = 2 WHERE image_id = 8", {8}),
    ("UPDATE image_acquisition SET image_id = 10 WHERE image_id = 9", {9, 10}),
    ("UPDATE image_acquisition SET notes = 'nothing that is read'", set()),
    ("UPDATE equipment SET name = 'Renamed' WHERE id = 1", None),
    ("UPDATE image_acquisition SET image_id = 'nobody' WHERE image_id = 4", None),
    ("UPDATE image_equipment SET equipment_id = 100 + image_id % 3", None),
    ("UPDATE image_acquisition SET image_id = 1000 + id", None),
    ("UPDATE plate_solving_jobs SET status = 'finished' WHERE image_id = 12", {12}),
    ("UPDATE plate_solving_jobs SET status = 'failed' WHERE image_id = 12", {12}),
    ("DELETE FROM plate_solving_jobs", {12}),
    ("UPDATE admin_settings SET value = '{}'", set()),
]


@pytest.fixture
def many(make):
    make.equipment("RedCat 51")
    make.equipment("ASI533", "camera")
    for number in range(1, 31):
        image = make.image(number, latitude=-1, longitude=11)
        make.acquisition(image, 12, 300)
        make.connection.execute("UPDATE image_acquisition SET sensor_temp = -1")
        make.link(image, 1)
    return make


@pytest.mark.parametrize(("statement", "changed"), CHANGES)
def test_what_changed_is_told_and_all_is_as_if_read_anew(many, statement, changed):
    many.solve(12, ra=10, dec=20)
    catalogue = SqliteCatalogue(many.path)
    catalogue.read()
    many.connection.execute(statement)
    again = catalogue.read()
    assert again.changed == changed
    assert again == SqliteCatalogue(many.path).read()


def test_only_the_rows_of_what_changed_are_understood_again(many, monkeypatch):
    catalogue = SqliteCatalogue(many.path)
    catalogue.read()
    understood = []
    images = reader.Assembler.images

    def counted(self, rows):
        understood.extend(row["id"] for row in rows.get("astrophotography_images", ()))
        return images(self, rows)

    monkeypatch.setattr(reader.Assembler, "images", counted)
    catalogue.read()
    assert understood == []
    many.connection.execute("UPDATE image_acquisition SET gain = 5 WHERE image_id = 11")
    catalogue.read()
    assert understood == [11]


def test_a_problem_goes_with_its_row_and_stays_with_it(many):
    catalogue = SqliteCatalogue(many.path)
    many.connection.execute("UPDATE image_acquisition SET exposure_time = -1 WHERE image_id IN (5, 20)")
    many.connection.execute("UPDATE astrophotography_images SET latitude = 'north' WHERE id = 6")
    first = catalogue.read()
    assert [(one.table, one.row_id) for one in first.problems] == [
        ("image_acquisition", 5), ("image_acquisition", 20), ("astrophotography_images", 6),
    ]  # fmt: skip
    many.connection.execute("UPDATE image_acquisition SET exposure_time = 60 WHERE image_id = 5")
    again = catalogue.read()
    assert again.changed == {5}
    assert again.problems == first.problems[1:]
    assert again == SqliteCatalogue(many.path).read()


def test_which_of_two_links_counts_is_decided_anew_when_either_goes(many):
    many.connection.execute("DROP INDEX images_immich_id")
    same = "UPDATE astrophotography_images SET immich_id = (SELECT immich_id FROM astrophotography_images WHERE id = 1)"
    many.connection.execute(f"{same} WHERE id = 2")
    catalogue = SqliteCatalogue(many.path)
    assert catalogue.read().image(2).asset_id is None
    many.connection.execute("UPDATE astrophotography_images SET immich_id = NULL WHERE id = 1")
    again = catalogue.read()
    assert again.image(2).asset_id is not None
    assert again.changed is None, "image 2 is another one, though its row is not"


def test_any_edits_in_any_order_are_read_as_if_for_the_first_time(many, monkeypatch):
    monkeypatch.setattr(reader, "SLICE", 7)
    chance, catalogue = random.Random(3), SqliteCatalogue(many.path)
    catalogue.read()
    for _ in range(40):
        for _ in range(chance.randrange(4)):
            number, value = (
                chance.randrange(1, 40),
                chance.choice(["-1", "-2", "'x'", "NULL", "2.5", "x'ff'"]),
            )
            many.connection.execute(
                chance.choice(
                    [
                        f"UPDATE astrophotography_images SET latitude = {value} WHERE id = {number}",
                        f"UPDATE image_acquisition SET gain = {value} WHERE image_id = {number}",
                        f"UPDATE image_acquisition SET filter_name = {value} WHERE image_id = {number}",
                        f"UPDATE image_equipment SET image_id = {value} WHERE id = {number}",
                        f"UPDATE image_equipment SET equipment_id = {value} WHERE id = {number}",
                        f"DELETE FROM astrophotography_images WHERE id = {number}",
                        f"INSERT OR IGNORE INTO astrophotography_images (id, title, filename) VALUES ({number}, 'a', 'b')",
                    ]
                )
            )
        assert catalogue.read() == SqliteCatalogue(many.path).read()
