"""A copy of the store: one moment of it, whole, private, or not there; beside a process that writes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.core.store_keys import BACKED_UP_AT
from reconciler.errors import ConfigurationError, StateCorruptError, StateError, StateTooNewError
from state.backup import back_up, look_into, named
from state.store import StateStore

ROOT = Path(__file__).resolve().parents[2]
WRITER = """
from state.store import StateStore

OF_FILES = True
with StateStore.open(argv[0]) as store:
    number = 0
    while True:
        number += 1
        with store.transaction():
            store.put("one", number)
            store.put("filler", "x" * 2_000_000 * (number % 2))
            store.put("other", number)
        say(number)
"""


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "copy.sqlite3"


@pytest.fixture
def filled(path, make):
    """A store with images and a journal, closed."""
    with StateStore.open(path) as store:
        store.save_records([make.record(f"{n}", title=f"M{n}" + "x" * 500) for n in range(300)])
        store.journal([make.entry(f"{n}", before="mine") for n in range(40)])
    return path


def test_a_copy_is_one_moment_of_a_store_that_another_process_writes_to_all_the_time(
    path, tmp_path, spawn, noon
):
    StateStore.open(path).close()
    writer = spawn(WRITER, path)
    seen, last = set(), 0
    for number in range(12):
        last = int(writer.stdout.readline())
        copy = tmp_path / f"copy-{number}"
        back_up(path, copy, noon)
        with StateStore.open(copy, read_only=True) as found:
            assert found.get("one") == found.get("other")
            assert found.get("one") >= last
            seen.add(found.get("one"))
        with closing(sqlite3.connect(copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    before = last
    for _ in range(5):
        last = int(writer.stdout.readline())
    assert last > before  # nobody was kept from writing
    assert writer.poll() is None
    assert len(seen) > 3


def test_a_copy_has_all_that_the_store_has_and_says_what_and_when(filled, target, noon):
    with StateStore.open(filled) as store:  # in use, with a log
        store.put("last", "word")
        copy = back_up(filled, target, noon)
        with StateStore.open(target, read_only=True) as found:
            assert found.records() == store.records()
            assert found.journal_of(limit=100) == store.journal_of(limit=100)
            assert found.get("last") == "word"
            assert BACKED_UP_AT.read(found) == noon
    assert (copy.images, copy.journal, copy.made_at, copy.written_at) == (300, 40, noon, noon)
    assert (copy.path, copy.size) == (target, target.stat().st_size)


def test_a_copy_is_one_file_and_its_owners_alone_whatever_the_umask(filled, tmp_path, noon):
    place = tmp_path / "place"
    place.mkdir()
    before = os.umask(0)
    try:
        back_up(filled, place / "copy", noon)
    finally:
        os.umask(before)
    assert [file.name for file in place.iterdir()] == ["copy"]
    assert mode(place / "copy") == 0o600


def test_a_file_that_is_there_is_left_alone_unless_it_is_to_be_replaced(filled, target, noon):
    target.write_text("my letters")
    with pytest.raises(StateError, match="already") as caught:
        back_up(filled, target, noon)
    assert "--force" in caught.value.remedy
    assert target.read_text() == "my letters"
    back_up(filled, target, noon, replace=True)
    assert look_into(target).images == 300
    assert mode(target) == 0o600


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", ".lock"])
def test_the_store_and_what_belongs_to_it_are_never_replaced(filled, suffix, noon):
    with StateStore.open(filled) as store:
        store.put("a", 1)
        filled.with_name(filled.name + ".lock").touch()
        with pytest.raises(StateError, match="the state store itself"):
            back_up(filled, filled.with_name(filled.name + suffix), noon, replace=True)
        assert store.get("a") == 1
    link = filled.with_name("link")
    link.symlink_to(filled)
    with pytest.raises(StateError, match="the state store itself"):
        back_up(filled, link, noon, replace=True)


def test_a_database_that_is_in_use_is_not_replaced_under_its_user(filled, target, noon):
    with closing(sqlite3.connect(target)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("CREATE TABLE t(a)")
        with pytest.raises(StateError, match="in use"):
            back_up(filled, target, noon, replace=True)


def test_a_place_that_cannot_be_written_is_said_for_people_and_nothing_is_left(filled, tmp_path, noon):
    with pytest.raises(StateError, match="no folder"):
        back_up(filled, tmp_path / "none" / "copy", noon)
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="Not a directory"):
        back_up(filled, tmp_path / "file" / "copy", noon)
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateError, match="a directory"):
        back_up(filled, tmp_path / "folder", noon, replace=True)
    assert not list(tmp_path.glob(".*"))


def test_a_disk_that_is_full_is_said_and_an_earlier_copy_stays(filled, tmp_path):
    """On a file system of 128 kB, in a namespace of its own."""
    place = tmp_path / "small"
    place.mkdir()
    code = (
        "import os, sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from state.backup import back_up\n"
        "place = Path(sys.argv[2]); (place / 'copy').write_text('before')\n"
        "try: back_up(Path(sys.argv[1]), place / 'copy', datetime.now(UTC), replace=True)\n"
        "except Exception as error: print(type(error).__name__, error, '|', error.remedy)\n"
        "print(sorted(os.listdir(place)), (place / 'copy').read_text())\n"
    )
    script = 'mount -t tmpfs -o size=128k tmpfs "$2" 2>/dev/null || exit 77; exec "$3" -c "$4" "$1" "$2"'
    rights = [] if os.geteuid() == 0 else ["--map-root-user"]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    done = subprocess.run(
        ["unshare", "--mount", *rights, "sh", "-c", script, "sh", filled, place, sys.executable, code],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this machine lets nobody mount a file system of their own")
    said, left = done.stdout.splitlines()
    assert said.startswith("StateError The state store was not copied to")
    assert "the disk is full" in said
    assert "Free some space" in said
    assert left == "['copy'] before"


def test_a_store_of_another_schema_is_copied_as_it_is(filled, target, noon):
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StateTooNewError, match="newer version"):
        back_up(filled, target, noon)
    assert target.exists()  # it is there for the version that can read it
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_a_damaged_store_gives_no_copy_and_an_earlier_one_stays(filled, target, noon):
    back_up(filled, target, noon)
    earlier = target.read_bytes()
    with filled.open("r+b") as file:
        file.seek(4096 * 8)
        file.write(os.urandom(4096 * 12))
    with pytest.raises(StateCorruptError, match="damaged"):
        back_up(filled, target, noon, replace=True)
    assert target.read_bytes() == earlier
    assert not list(target.parent.glob(".*"))


def test_without_a_store_nothing_is_copied_and_none_is_made(path, target, noon):
    with pytest.raises(StateError, match="no state store"):
        back_up(path, target, noon)
    path.touch()
    with pytest.raises(StateError, match="empty yet"):
        back_up(path, target, noon)
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"", "empty"),
        (b"half of a letter " * 1000, "not a state store, nor any SQLite file"),
    ],
)
def test_what_is_no_copy_is_said(tmp_path, content, said):
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(StateError, match=said) as caught:
        look_into(file)
    assert "backup" in caught.value.remedy


def test_another_programs_database_is_no_copy(tmp_path):
    with closing(sqlite3.connect(tmp_path / "other")) as other, other:
        other.execute("CREATE TABLE t(a)")
    with pytest.raises(StateError, match="another program's database"):
        look_into(tmp_path / "other")


@pytest.mark.parametrize("text", ["postgresql://me:hunter2@host/db", ":memory:", "sqlite:///:memory:", ""])
def test_what_names_no_file_is_said_without_a_password(text):
    with pytest.raises(ConfigurationError) as caught:
        named(text)
    assert "hunter2" not in f"{caught.value} {caught.value.remedy}"
    assert "SQLite file" in caught.value.remedy


def test_a_file_is_named_from_here_from_home_or_as_an_address(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert named("a") == named("~/a") == named(f"sqlite:///{tmp_path}/a") == tmp_path / "a"
