"""A copy in the place of the store: exchanged at one go or not at all; what only the former one knows goes along."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.asset import Applied
from reconciler.core.records import Crossing, FormerValue, TakenBack
from reconciler.core.store_keys import CREATED_TAGS
from reconciler.errors import LeaseHeldError, StateCorruptError, StateError
from state import carrying
from state.backup import back_up
from state.lease import Lease
from state.restoring import restore
from state.store import StateStore
from state.tables import METADATA

HOLDER = """
from datetime import UTC, datetime, timedelta
from state.lease import Lease
from state.store import StateStore
store = StateStore.open(argv[0])
Lease(store, lambda: datetime.now(UTC)).acquire("daemon", timedelta(minutes=1))
say("held")
sys.stdin.readline()
"""
RUNNER = """
from datetime import UTC, datetime
from reconciler.core.records import Run
from state.store import StateStore

OF_FILES = True
with StateStore.open(argv[0]) as store:
    store.start_run(Run("r2", "cli", datetime.now(UTC)))
"""
SIDECARS = ("", "-wal", "-shm")


def nothing(_):
    """Settle nothing in the new store."""


@pytest.fixture
def copy(path, tmp_path, make, noon):
    """A copy of a store that went on since: another journal entry, more written, an image more."""
    target = tmp_path / "copy.sqlite3"
    with StateStore.open(path) as store:
        store.put("of", "then")
        store.start_run(make.run("r1"))
        record = make.record("a", applied=Applied(block="old", tags=frozenset({"Old"})))
        store.save_records([record, make.record("b")])
        store.journal([make.entry("a", before="mine")])
        store.save_pending([make.pending("b")])
        back_up(path, target, noon)
        store.put("of", "now")
        store.finish_run(make.run("r1", outcome="succeeded", finished_at=noon))
        store.clear_pending(["b"])
        new = Applied(block="new", prose="words", tags=frozenset({"New"}), taken_at=noon)
        store.save_records([replace(record, applied=new), make.record("c", applied=new)])
        store.journal([make.entry("a", run_id="r2", before="mine, newer")])
        store.note_crossings({"a": Crossing(noon, frozenset({"block"}), "r2")})
        store.note_losses("values", {"a": "mark"}, noon, noon - timedelta(days=1))
    return target


def left(path):
    """What lies in the store's folder, the copy aside."""
    return sorted(file.name for file in path.parent.iterdir() if file.name != "copy.sqlite3")


def test_what_was_decided_is_as_it_was_then_and_what_was_written_since_is_still_known(
    path, copy, spawn, noon
):
    spawn(RUNNER, path).wait()
    with StateStore.open(path) as store:
        losses = store.losses(noon - timedelta(days=1))
    done = restore(copy, path, noon, nothing)
    with StateStore.open(path) as store:
        assert store.get("of") == "then"
        assert [entry.before for entry in store.journal_of()] == ["mine, newer", "mine"]
        records = store.records()
        assert records["a"].applied == Applied(
            block="new", prose="words", tags=frozenset({"New"}), taken_at=noon
        )
        assert records["c"].applied.block == "new"
        assert records["a"].crossing is not None
        assert store.losses(noon - timedelta(days=1)) == losses
        assert store.pending() == {}
        assert {run.run_id: run.outcome for run in store.runs(9)} == {"r1": "succeeded", "r2": "stopped"}
    assert (done.carried.journal, done.carried.images) == (1, 3)
    assert done.former.name == "state.sqlite3.before-restore-20250314T120000Z"


def test_of_every_table_it_was_decided_whether_it_goes_along():
    """Whoever adds one decides, in ``state.carrying``, and says so here."""
    goes = {
        "journal", "runs", "crossings", "losses", "unshared", "pending_writes", "assets", "owned_tags",
        "left_out", "carry_overs", "former_values", "meta",  # of that, the tags that were made
    }  # fmt: skip
    stays = {"resolutions", "lease"}
    assert set(METADATA.tables) == goes | stays
    statements = Path(carrying.__file__).read_text(encoding="utf-8")
    assert {name for name in METADATA.tables if f"INTO main.{name} " in statements} == goes


def test_what_was_taken_back_since_stays_so_and_what_was_there_before_is_still_known(path, copy, make, noon):
    """The copy knows nothing of the undo: the next pass would write everything again."""
    with StateStore.open(path) as store:
        store.save_records([replace(store.record("a"), taken_back=TakenBack(noon))])
        store.keep_former([FormerValue("b", "prose", "mine", noon)])
        CREATED_TAGS.write(store, ["Made"])
    restore(copy, path, noon, nothing)
    with StateStore.open(path) as store:
        assert store.record("a").taken_back == TakenBack(noon)
        assert [one.value for one in store.former_of(["b"])["b"]] == ["mine"]
        assert CREATED_TAGS.read(store) == ["Made"]


def test_exactly_means_nothing_is_taken_over(path, copy, noon):
    done = restore(copy, path, noon, nothing, exactly=True)
    assert done.carried is None
    with StateStore.open(path) as store:
        assert [entry.before for entry in store.journal_of()] == ["mine"]
        assert store.records()["a"].applied.block == "old"
        assert set(store.pending()) == {"b"}


def test_of_a_store_that_is_another_one_nothing_is_taken_over(path, copy, tmp_path, make, noon):
    path.unlink()
    with StateStore.open(path) as store:
        store.journal([make.entry("x", before="of another library") for _ in range(3)])
        store.save_records([make.record("x", applied=Applied(block="of another library"))])
    assert restore(copy, path, noon, nothing).carried is None
    with StateStore.open(path) as store:
        assert set(store.records()) == {"a", "b"}
        assert [entry.before for entry in store.journal_of()] == ["mine"]


def test_the_former_store_is_whole_beside_it_and_can_be_put_back(path, copy, noon):
    former = restore(copy, path, noon, nothing).former
    with StateStore.open(former, read_only=True) as store:
        assert store.get("of") == "now"
    again = restore(former, path, noon, nothing)
    with StateStore.open(path) as store:
        assert store.get("of") == "now"
    assert again.former.name == "state.sqlite3.before-restore-20250314T120000Z-2"


def test_where_there_is_no_store_the_copy_is_it_in_a_folder_that_is_made(copy, tmp_path, noon):
    there = tmp_path / "new" / "machine" / "state.sqlite3"
    done = restore(copy, there, noon, nothing)
    assert (done.former, done.carried) == (None, None)
    with StateStore.open(there) as store:
        assert store.warnings == ()
        assert store.get("of") == "then"
    assert [file.name for file in there.parent.iterdir()] == ["state.sqlite3"]
    assert stat.S_IMODE(there.stat().st_mode) == 0o600


def test_an_empty_file_in_the_place_of_the_store_is_simply_replaced(path, copy, noon):
    for suffix in SIDECARS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.touch()
    assert restore(copy, path, noon, nothing).former is None
    assert left(path) == ["state.sqlite3"]


def test_a_damaged_store_is_set_aside_with_all_that_is_beside_it(path, copy, noon):
    path.write_bytes(b"no longer a database" * 999)
    path.with_name(path.name + "-wal").write_bytes(b"nor a log")
    done = restore(copy, path, noon, nothing)
    assert done.former.read_bytes().startswith(b"no longer")
    assert done.former.with_name(done.former.name + "-wal").exists()
    with StateStore.open(path) as store:
        assert store.get("of") == "then"


def test_the_log_of_a_store_that_was_killed_goes_into_the_former_one_and_not_into_the_new(
    path, copy, spawn, noon
):
    code = "from state.store import StateStore\nimport os\ns = StateStore.open(argv[0])\ns.put('last', 1)\nos._exit(0)"
    spawn(code, path).wait()
    assert path.with_name(path.name + "-wal").exists()
    former = restore(copy, path, noon, nothing).former
    with StateStore.open(former, read_only=True) as store:
        assert store.get("last") == 1
    with StateStore.open(path) as store:
        assert store.get("last") is None


@pytest.mark.parametrize("how", ["whole", "damaged"])
def test_while_a_daemon_runs_nothing_is_restored(path, copy, spawn, noon, how):
    daemon = spawn(HOLDER, path)
    assert daemon.stdout.readline() == "held\n"
    if how == "damaged":
        with path.open("r+b") as file:
            file.write(b"not a header")
    before = path.read_bytes()
    with pytest.raises(LeaseHeldError) as caught:
        restore(copy, path, noon, nothing)
    assert "systemctl stop" in caught.value.remedy
    assert path.read_bytes() == before
    assert not list(path.parent.glob(".*"))


def test_a_daemon_that_was_killed_keeps_nobody_from_restoring(path, copy, spawn, noon):
    daemon = spawn(HOLDER, path)
    daemon.stdout.readline()
    daemon.kill()
    daemon.wait()
    restore(copy, path, noon, nothing)
    with StateStore.open(path) as store:
        Lease(store, lambda: noon).acquire("daemon", timedelta(minutes=1))


def test_who_only_looks_into_the_store_is_not_cut_off_from_its_log(path, copy, spawn, noon):
    code = (
        "from state.store import StateStore\ns = StateStore.open(argv[0])\ns.put('a', 1)\n"
        "say('open')\nsys.stdin.readline()"
    )
    reader = spawn(code, path)
    reader.stdout.readline()
    with pytest.raises(StateError, match="open in another process"):
        restore(copy, path, noon, nothing)
    reader.communicate("\n")
    with StateStore.open(path) as store:
        assert store.get("a") == 1
        # The right that was taken meanwhile was given back.
        Lease(store, lambda: noon).acquire("daemon", timedelta(minutes=1))


def test_a_copy_made_beside_a_daemon_holds_no_right_to_write(path, tmp_path, spawn, noon):
    StateStore.open(path).close()
    daemon = spawn(HOLDER, path)
    daemon.stdout.readline()
    target, there = tmp_path / "moved", tmp_path / "elsewhere"
    back_up(path, target, noon)
    restore(target, there, noon, nothing)
    with StateStore.open(there) as store:
        assert Lease(store, lambda: noon).current() is None


def test_what_settles_the_copy_may_fail_and_the_store_stays(path, copy, noon):
    def fail(_):
        raise StateError("it cannot be settled")

    with pytest.raises(StateError, match="settled"):
        restore(copy, path, noon, fail)
    with StateStore.open(path) as store:
        assert store.get("of") == "now"
    assert left(path) == ["state.sqlite3", "state.sqlite3.lock"]


@pytest.mark.parametrize("kind", ["damaged", "foreign", "itself"])
def test_a_file_that_cannot_be_used_changes_nothing(path, copy, noon, kind):
    file = path if kind == "itself" else copy
    if kind == "damaged":
        with copy.open("r+b") as spoiled:
            spoiled.seek(4096)
            spoiled.write(os.urandom(4096 * 6))
    if kind == "foreign":
        copy.unlink()
        with closing(sqlite3.connect(copy)) as other, other:
            other.execute("CREATE TABLE t(a)")
    before = path.read_bytes()
    with pytest.raises(StateCorruptError if kind == "damaged" else StateError):
        restore(file, path, noon, nothing)
    assert path.read_bytes() == before


def test_another_programs_database_in_the_place_of_the_store_is_not_replaced(path, copy, noon):
    path.unlink()
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE t(a)")
    before = path.read_bytes()
    with pytest.raises(StateError, match="another program's database"):
        restore(copy, path, noon, nothing)
    assert path.read_bytes() == before


def test_a_copy_of_before_an_update_replaces_a_store_that_only_the_newer_version_reads(path, copy, noon):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    done = restore(copy, path, noon, nothing)
    assert done.carried is None
    with StateStore.open(path) as store:
        assert store.get("of") == "then"


def test_a_live_copy_with_its_log_is_taken_with_what_is_in_the_log(path, copy, tmp_path, noon):
    by_hand = tmp_path / "by-hand"
    by_hand.mkdir()
    with StateStore.open(path) as store:
        store.put("last", "in the log")
        for suffix in SIDECARS:
            shutil.copy(path.with_name(path.name + suffix), by_hand / f"x{suffix}")
    restore(by_hand / "x", tmp_path / "there", noon, nothing)
    with StateStore.open(tmp_path / "there") as store:
        assert store.get("last") == "in the log"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_restores_belongs_to_whom_the_store_belonged(path, copy, noon):
    os.chown(path, 12345, 12346)
    restore(copy, path, noon, nothing)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)
