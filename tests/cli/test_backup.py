"""``backup`` and ``restore``, as a person types them."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from state.store import StateStore
from tests.cli.conftest import ROOT

RING, JELLYFISH = 19, 33


@pytest.fixture
def done(two):
    """Two images in sync, and a copy of the store."""
    assert two.call("apply", "--yes").returncode == 0
    copied = two.call("backup", str(two.folder / "copy.sqlite3"))
    assert copied.returncode == 0, copied.stderr
    assert "2 images" in copied.stdout
    assert "restore" in copied.stdout
    return two


def seen(here):
    """What people see of the images; the records beside it may be written anew."""
    shown = [here.shown(image_id) for image_id in (RING, JELLYFISH)]
    return [(one["description"], one["latitude"], one["longitude"], one["tags"]) for one in shown]


def run(here, *arguments, **streams):
    """Run the program with its own standard input and output."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=ROOT, env=here._environment({}), stderr=subprocess.PIPE, check=False, timeout=50, **streams,
    )  # fmt: skip


def test_a_copy_is_made_and_put_back_and_then_there_is_nothing_to_do(done):
    done.store.unlink()
    told = json.loads(done.call("restore", str(done.folder / "copy.sqlite3"), "--yes", "--json").stdout)
    assert told["copy"]["images"] == 2
    assert (told["former"], told["carried"]) == (None, None)
    assert done.call("plan").returncode == 0
    before = seen(done)
    assert done.call("apply", "--yes").returncode == 0
    assert seen(done) == before
    assert "put back from a copy on" in done.call("doctor").stdout


def test_what_was_written_after_the_copy_can_be_undone_after_the_restore(done):
    done.sql("UPDATE astrophotography_images SET title = 'The other Ring' WHERE id = ?", RING)
    told = json.loads(done.call("apply", "--yes", "--json").stdout)
    restored = done.call("restore", str(done.folder / "copy.sqlite3"), "--yes")
    assert restored.returncode == 0, restored.stderr
    assert "before-restore" in restored.stdout
    assert "newer journal entr" in restored.stdout
    assert done.call("plan").returncode == 0  # nothing of ours is a conflict
    undone = done.call("undo", told["run"]["run_id"], "--yes")
    assert undone.returncode == 0, undone.stderr
    assert "The other Ring" not in done.shown(RING)["description"]


def test_exactly_says_what_it_costs(done):
    restored = done.call("restore", str(done.folder / "copy.sqlite3"), "--yes", "--exactly")
    assert "counts as a person's" in " ".join(restored.stdout.split())


def test_the_copy_goes_through_pipes_as_well(done):
    piped = run(done, "backup", "-", stdout=subprocess.PIPE)
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout.startswith(b"SQLite format 3")
    assert b"standard output" in piped.stderr
    done.store.unlink()
    restored = run(done, "restore", "-", "--yes", input=piped.stdout, stdout=subprocess.PIPE)
    assert restored.returncode == 0, restored.stderr
    with StateStore.open(done.store, read_only=True) as store:
        assert len(store.records()) == 2


@pytest.mark.parametrize(
    ("words", "said", "remedy"),
    [
        (("backup", "{}/copy.sqlite3"), "already", "--force"),
        (("backup", "{}/none/copy.sqlite3"), "no folder", "Make it"),
        (("backup", "{}/state.sqlite3", "--force"), "the state store itself", "another file"),
        (("backup", "postgresql://me:hunter2@host/db"), "is not a file", "SQLite file"),
        (("backup", ":memory:"), "is not a file", "SQLite file"),
        (("backup", "-", "--json"), "for the copy itself", "backup - > FILE"),
        (("restore", "{}/none", "--yes"), "no file", "daily copies"),
        (("restore", "{}/config.toml", "--yes"), "not a state store", "daily copies"),
        (("restore", "{}/skymmich.db", "--yes"), "another program's database", "daily copies"),
        (("restore", "{}/copy.sqlite3"), "Nobody is there", "--yes"),
        (("restore", "{}/state.sqlite3", "--yes"), "the state store itself", "a copy"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(done, words, said, remedy):
    before = done.store.read_bytes()
    told = done.call(*(word.format(done.folder) for word in words))
    assert told.returncode in {1, 78}
    error = " ".join((told.stderr + told.stdout).split())
    assert said in error
    assert remedy in error
    assert "hunter2" not in error
    assert done.store.read_bytes() == before


def test_a_store_address_that_is_no_file_is_a_mistake_in_the_configuration(two):
    for address in ("mysql://me:hunter2@host/db", "postgresql://me:hunter2@[host/db", ":memory:"):
        told = two.call("backup", "copy", RECONCILER_STATE__URL=address)
        assert told.returncode == 78
        assert re.search(
            "must be the path of a SQLite file|cannot be understood", " ".join(told.stderr.split())
        )
        assert "hunter2" not in told.stderr


def test_a_person_is_asked_before_the_store_is_replaced(done):
    before = done.store.read_bytes()
    code, shown = done.typed("restore", str(done.folder / "copy.sqlite3"), answer="n")
    assert code == 1
    assert "2 images" in shown
    assert done.store.read_bytes() == before
    code, shown = done.typed("restore", str(done.folder / "copy.sqlite3"), answer="y")
    assert code == 0, shown
    assert "Restored." in shown


def test_the_doctor_says_how_old_the_newest_daily_copy_is(done):
    assert "no daily copy" in " ".join(done.call("doctor").stdout.split())
    off = done.call("doctor", RECONCILER_STATE__BACKUPS="0")
    assert "no daily copies are made" in " ".join(off.stdout.split())
    folder = done.folder / "backups"
    folder.mkdir()
    for day in ("20200101", "20200102"):
        (folder / f"state-{day}T034100Z.sqlite3").touch()
    told = done.call("doctor")
    assert told.returncode == 0
    text = " ".join(told.stdout.split())
    assert "2 copies" in text
    assert "The daemon makes one a day" in text
