"""The file itself: in delete mode and in WAL mode, in use, locked, forbidden, damaged; and never touched."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from reconciler.errors import CatalogueError
from reconciler.skymmich import files
from reconciler.skymmich.database import SqliteCatalogue

NOBODY = 65534


def titles(path, **options):
    return [image.title for image in SqliteCatalogue(path, **options).read().images]


def contents(directory):
    return {
        entry.name: entry.read_bytes() for entry in directory.iterdir() if not entry.name.endswith("-shm")
    }


def to_wal(make):
    assert make.connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)


def unprivileged(work):
    """Do ``work`` as a user who is not root, whom permissions bind; gives what it returned, as JSON."""
    if os.geteuid() != 0:
        return work()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            answer = {"result": work()}
        except CatalogueError as error:
            answer = {"error": str(error), "remedy": error.remedy}
        except BaseException as error:  # noqa: BLE001  the child has no other way to tell
            answer = {"crash": repr(error)}
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = json.loads(pipe.read())
    os.waitpid(child, 0)
    if "error" in answer:
        raise CatalogueError(answer["error"], remedy=answer["remedy"])
    return answer["result"]


@pytest.fixture
def open_place():
    """A directory that other users can reach, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    directory.chmod(0o755)
    shutil.rmtree(directory)


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_database_in_use_is_read_with_what_was_just_saved(make, mode):
    make.connection.execute(f"PRAGMA journal_mode = {mode}")
    make.image(1)
    catalogue = SqliteCatalogue(make.path)
    assert len(catalogue.read().images) == 1
    make.image(2)
    read = catalogue.read()
    assert len(read.images) == 2
    assert read.schema == f"SQLite, journal mode {mode}, schema of 0.9"


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_each_read_sees_one_moment_while_a_writer_is_busy_and_the_writer_is_never_kept_out(make, mode):
    make.connection.execute(f"PRAGMA journal_mode = {mode}")
    stop = threading.Event()
    failures = []

    def write():
        writer = sqlite3.connect(make.path, isolation_level=None, timeout=5)
        try:
            number = 0
            while not stop.is_set() and number < 2_000:
                number += 1
                writer.execute("BEGIN IMMEDIATE")
                writer.execute(
                    "INSERT INTO astrophotography_images (id, title, filename) VALUES (?, 'x', 'x')",
                    (number,),
                )
                writer.execute(
                    "INSERT INTO image_acquisition (image_id, frame_count, exposure_time) VALUES (?, 1, 1)",
                    (number,),
                )
                writer.execute("COMMIT")
        except sqlite3.Error as error:
            failures.append(error)
        finally:
            writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        counts = []
        catalogue = SqliteCatalogue(make.path, timeout_s=30)
        for _ in range(12):
            images = catalogue.read().images
            assert all(len(image.acquisitions) == 1 for image in images)
            counts.append(len(images))
    finally:
        stop.set()
        thread.join()
    assert failures == []
    assert counts == sorted(counts)


def test_the_file_is_free_before_its_rows_are_understood(make, monkeypatch):
    make.image(1)
    catalogue = SqliteCatalogue(make.path)

    def read(_, moment):
        make.connection.execute("PRAGMA busy_timeout = 0")
        make.connection.execute("BEGIN EXCLUSIVE")
        make.connection.execute("COMMIT")
        return len(moment.named_rows("SELECT id FROM astrophotography_images"))

    monkeypatch.setattr("reconciler.skymmich.reader.CatalogueReader.read", read)
    assert catalogue.read() == 1


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("in_use", [True, False])
def test_reading_leaves_no_trace(make, mode, in_use):
    make.connection.execute(f"PRAGMA journal_mode = {mode}")
    make.image(1)
    if not in_use:
        make.close()
    before = contents(make.path.parent)
    names = set(make.path.parent.iterdir())
    assert titles(make.path) == ["Image 1"]
    assert contents(make.path.parent) == before
    assert set(make.path.parent.iterdir()) == names


def test_in_wal_mode_a_writer_in_the_midst_of_saving_is_not_waited_for(make):
    to_wal(make)
    make.image(1)
    make.connection.execute("BEGIN IMMEDIATE")
    make.image(2)
    assert titles(make.path, timeout_s=0) == ["Image 1"]
    make.connection.execute("COMMIT")
    assert titles(make.path, timeout_s=0) == ["Image 1", "Image 2"]


def test_a_writer_that_does_not_finish_is_named_as_the_cause(make):
    make.image(1)
    make.connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CatalogueError, match="locked") as caught:
        titles(make.path, timeout_s=0.05)
    assert "restart Skymmich" in caught.value.remedy
    make.connection.execute("COMMIT")
    assert titles(make.path) == ["Image 1"]


@pytest.mark.parametrize("in_use", [True, False])
@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_directory_that_may_not_be_written_to_is_enough(make, open_place, mode, in_use):
    make.connection.execute(f"PRAGMA journal_mode = {mode}")
    make.image(1)
    make.connection.execute("PRAGMA wal_checkpoint")
    make.image(2)
    for entry in list(make.path.parent.iterdir()):
        if not entry.is_dir() and (in_use or not entry.name.endswith("-shm")):
            shutil.copy(entry, open_place)
            (open_place / entry.name).chmod(0o444)
    assert mode == "delete" or (open_place / "skymmich.db-wal").stat().st_size > 0
    open_place.chmod(0o555)
    place = str(open_place / make.path.name)
    assert unprivileged(lambda: titles(place)) == ["Image 1", "Image 2"]


def test_what_this_user_may_not_read_is_said_with_the_remedy(make, open_place):
    make.image(1)
    place = open_place / "skymmich.db"
    shutil.copy(make.path, place)
    place.chmod(0o000)
    with pytest.raises(CatalogueError, match="may not read") as caught:
        unprivileged(lambda: titles(str(place)))
    assert f"it belongs to uid {os.geteuid()}" in caught.value.remedy
    assert "container" not in caught.value.remedy
    if os.geteuid() == 0:
        os.chown(place, 1001, 1001)
        with pytest.raises(CatalogueError, match="may not read") as caught:
            unprivileged(lambda: titles(str(place)))
        assert "uid 1001, Skymmich's own user in its container" in caught.value.remedy


def test_a_copy_is_private_and_goes_away(make):
    to_wal(make)
    make.image(1)
    with files.copied(make.path) as copy:
        assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
        assert {stat.S_IMODE(entry.stat().st_mode) for entry in copy.parent.iterdir()} == {0o600}
        assert titles(copy) == ["Image 1"]
    assert not copy.parent.exists()


def test_a_copy_during_which_something_was_saved_is_made_again(make, monkeypatch):
    make.image(1)
    copy_files, times = files._copy, []

    def copy_while_saving(path, copy):
        copy_files(path, copy)
        times.append(None)
        if len(times) == 1:
            make.image(2)

    monkeypatch.setattr(files, "_copy", copy_while_saving)
    with files.copied(make.path) as copy:
        assert titles(copy) == ["Image 1", "Image 2"]
    assert len(times) == 2


def test_a_database_that_never_rests_is_not_copied_in_pieces(make, monkeypatch):
    copy_files = files._copy
    monkeypatch.setattr(files, "_COPY_PAUSE_S", 0)
    numbers = itertools.count()
    monkeypatch.setattr(
        files, "_copy", lambda path, copy: (copy_files(path, copy), make.image(next(numbers)))
    )
    with pytest.raises(CatalogueError, match="kept changing"), files.copied(make.path):
        pass


def test_what_a_crashed_writer_left_is_rolled_back_on_a_copy(make, tmp_path):
    for number in range(200):
        make.image(number, description="x" * 3000)
    make.connection.execute("PRAGMA cache_size = 2")
    make.connection.execute("BEGIN IMMEDIATE")
    make.connection.execute(
        "UPDATE astrophotography_images SET title = 'torn', description = description || 'y'"
    )
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    shutil.copy(make.path, crashed)
    shutil.copy(f"{make.path}-journal", crashed)
    make.connection.execute("ROLLBACK")
    before = contents(crashed)
    assert b"torn" in before["skymmich.db"]
    assert titles(crashed / "skymmich.db") == [f"Image {number}" for number in range(200)]
    assert contents(crashed) == before


@pytest.mark.parametrize("container", [True, False])
def test_a_file_that_is_not_there_is_not_made_and_mounts_are_spoken_of_in_a_container_alone(
    tmp_path, monkeypatch, container
):
    monkeypatch.setattr(files, "in_container", lambda: container)
    with pytest.raises(CatalogueError, match="There is no file") as caught:
        titles(tmp_path / "skymmich.db")
    assert "Check the path" in caught.value.remedy
    assert ("Mount the directory" in caught.value.remedy) == container
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"SELECT 1;", "not an SQLite database"),
        (b"SQLite format 3\0" + b"\xff" * 5000, "damaged"),
    ],
)
def test_what_is_no_database_is_said(tmp_path, content, message):
    path = tmp_path / "skymmich.db"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=message) as caught:
        titles(path)
    assert caught.value.remedy


def test_a_directory_is_no_database(tmp_path):
    with pytest.raises(CatalogueError, match="is a directory") as caught:
        titles(tmp_path)
    assert "skymmich.db" in caught.value.remedy


def test_a_damaged_database_is_said_to_be_damaged(make):
    for number in range(200):
        make.image(number, description="x" * 3000)
    make.close()
    with make.path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 100_000)
    with pytest.raises(CatalogueError, match="damaged"):
        titles(make.path)


def test_another_programs_database_is_not_skymmichs(tmp_path):
    path = tmp_path / "photos.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE photos (id integer)")
    other.close()
    with pytest.raises(CatalogueError, match="not a database of Skymmich") as caught:
        titles(path)
    assert "[skymmich] source" in caught.value.remedy


@pytest.mark.parametrize("name", ["a b?c#d%20.db", "bücher.db"])
def test_any_name_of_a_file_will_do(make, tmp_path, name):
    make.image(1)
    make.close()
    shutil.copy(make.path, tmp_path / name)
    assert titles(tmp_path / name) == ["Image 1"]


@pytest.mark.parametrize("release", ["0.2", "0.5", "0.6", "0.7", "0.9"])
def test_every_release_is_read_without_what_it_lacks(make_release, release):
    make = make_release("0.5" if release == "0.6" else release)
    if release == "0.6":
        make.connection.execute("ALTER TABLE equipment ADD cost real")
    image = make.image(1, plate_solved=1, ra="10.5", dec="41.2")
    make.link(image, make.equipment("RedCat 51"))
    catalogue = SqliteCatalogue(make.path).read()
    (image,) = catalogue.images
    assert catalogue.problems == ()
    assert catalogue.schema.endswith(f"schema of {release}")
    assert (image.solution.ra_deg, image.equipment[0].name) == (10.5, "RedCat 51")


def test_a_table_that_lacks_what_it_needs_is_passed_over_and_reported(make):
    make.image(1)
    make.connection.execute("ALTER TABLE image_equipment DROP COLUMN equipment_id")
    catalogue = SqliteCatalogue(make.path).read()
    assert [image.title for image in catalogue.images] == ["Image 1"]
    (problem,) = catalogue.problems
    assert (problem.table, problem.severity) == ("image_equipment", "warning")


def test_a_read_takes_a_handful_of_queries(make, monkeypatch):
    for number in range(50):
        make.acquisition(make.image(number))
    seen = []
    connect = sqlite3.connect

    asked = []

    def traced(place, *args, **options):
        connection = connect(place, *args, **options)
        connection.set_trace_callback(seen.append if "skymmich.db" in place else asked.append)
        return connection

    monkeypatch.setattr("reconciler.skymmich.files.sqlite3.connect", traced)
    assert len(titles(make.path)) == 50
    selects = [statement for statement in seen if statement.lstrip().startswith("SELECT")]
    assert len(selects) == 2, "the file itself is only copied"
    assert seen.count("BEGIN") == 1
    of_the_copy = [statement for statement in asked if statement.lstrip().startswith("SELECT")]
    assert len(of_the_copy) == 13


def test_a_writer_that_comes_while_an_idle_database_is_copied_is_read_beside(make, monkeypatch):
    """Its file is idle at first, so it is copied; then it is busy, and can be read in place."""
    make.image(1)
    make.connection.execute("PRAGMA journal_mode = WAL")
    make.connection.close()
    writers = []
    copy = files._copy

    def copy_while_somebody_writes(path, to):
        copy(path, to)
        if not writers:
            writers.append(sqlite3.connect(path, isolation_level=None))
        writers[0].execute("UPDATE astrophotography_images SET title = title || '.'")

    monkeypatch.setattr(files, "_copy", copy_while_somebody_writes)
    try:
        assert len(SqliteCatalogue(make.path).read().images) == 1
    finally:
        for writer in writers:
            writer.close()
    assert writers
