"""The catalogue is watched without being read, and without being in anyone's way."""

from __future__ import annotations

import os
import sqlite3

import pytest

from reconciler.skymmich.change_detection import ChangeProbe
from reconciler.skymmich.database import SqliteCatalogue


@pytest.fixture
def probe(make):
    probe = ChangeProbe(make.path)
    yield probe
    probe.close()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_every_save_is_noticed_once(make, probe, mode):
    make.connection.execute(f"PRAGMA journal_mode = {mode}")
    assert probe.changed()
    assert not probe.changed()
    for number in range(5):
        make.image(number)
        assert probe.changed()
        assert not probe.changed()


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_read_is_no_change(make, probe, mode):
    make.connection.execute(f"PRAGMA journal_mode = {mode}")
    make.image(1)
    probe.changed()
    SqliteCatalogue(make.path).read()
    assert not probe.changed()


def test_a_save_that_leaves_time_and_size_as_they_were_is_noticed_all_the_same(make, probe):
    image = make.image(1)
    probe.changed()
    before = make.path.stat()
    make.connection.execute("UPDATE astrophotography_images SET title = 'Image 2' WHERE id = ?", (image,))
    os.utime(make.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert make.path.stat().st_size == before.st_size
    assert probe.changed()


def test_a_file_that_was_replaced_is_followed(make, probe, make_release):
    probe.changed()
    other = make_release("0.7")
    make.close()
    other.path.replace(make.path)
    assert probe.changed()
    assert not probe.changed()
    moved = sqlite3.connect(make.path, isolation_level=None)
    moved.execute("INSERT INTO astrophotography_images (title, filename) VALUES ('x', 'x')")
    moved.close()
    assert probe.changed()


def test_a_file_that_is_missing_is_waited_for(make):
    make.close()
    away = make.path.with_name("away.db")
    make.path.replace(away)
    probe = ChangeProbe(make.path)
    assert probe.changed()
    assert not probe.changed()
    away.replace(make.path)
    assert probe.changed()
    make.path.unlink()
    assert probe.changed()
    probe.close()


def test_a_file_that_is_no_database_yet_is_no_error(tmp_path):
    path = tmp_path / "skymmich.db"
    path.write_bytes(b"")
    probe = ChangeProbe(path)
    probe.changed()
    assert not probe.changed()


def test_watching_keeps_no_writer_out(make, probe):
    make.connection.execute("PRAGMA busy_timeout = 0")
    for statement in (
        "BEGIN EXCLUSIVE",
        "COMMIT",
        "VACUUM",
        "PRAGMA journal_mode = WAL",
        "PRAGMA journal_mode = DELETE",
    ):
        probe.changed()
        make.connection.execute(statement)
    assert make.connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_watching_a_wal_database_leaves_no_file_beside_it(make, probe):
    make.connection.execute("PRAGMA journal_mode = WAL")
    make.close()
    probe.changed()
    assert list(make.path.parent.iterdir()) == [make.path]


def test_the_source_itself_gives_the_token(make):
    catalogue = SqliteCatalogue(make.path)
    first = catalogue.data_version()
    assert catalogue.data_version() == first
    make.image(1)
    assert catalogue.data_version() != first
    catalogue.close()
