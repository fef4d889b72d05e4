"""A store whose file is deleted, moved or replaced while it is open: nothing is committed into nowhere."""

from __future__ import annotations

import shutil

import pytest

from reconciler.errors import StateCorruptError, StateError, StateGoneError
from state.lease import Lease
from state.store import StateStore

OF_FILES = True


def test_nothing_is_committed_once_the_file_is_gone(store):
    store.put("kept", 1)
    store.file.unlink()
    assert not store.is_there
    with pytest.raises(StateGoneError, match="was deleted or moved") as caught:
        store.put("lost", 1)
    assert "touch" in caught.value.remedy


def test_a_commit_during_which_the_file_went_is_no_success(store):
    def lose():
        with store.transaction():
            store.put("lost", 1)
            store.file.unlink()

    with pytest.raises(StateGoneError):
        lose()


def test_another_file_in_its_place_is_told_from_it(store):
    copy = store.file.with_name("copy")
    shutil.copy(store.file, copy)
    copy.replace(store.file)
    with pytest.raises(StateGoneError, match="replaced by another file"):
        store.put("lost", 1)


def test_one_that_is_put_back_goes_on(store):
    away = store.file.with_name("away")
    store.file.rename(away)
    assert not store.is_there
    away.rename(store.file)
    store.put("kept", 2)
    assert (store.is_there, store.get("kept")) == (True, 2)


def test_an_empty_file_is_taken_up_and_brought_up_to_date(store, noon):
    store.put("before", 1)
    lease = Lease(store, lambda: noon)
    store.file.unlink()
    store.file.touch()
    store.reopen(noon)
    assert (store.is_there, store.get("before")) == (True, None)
    store.put("after", 1)
    assert lease.current() is None
    with StateStore.open(store.file, read_only=True) as other:
        assert other.get("after") == 1


def test_a_damaged_file_is_refused_left_alone_and_another_one_taken_up_later(store, noon):
    store.file.unlink()
    store.file.write_bytes(b"half of a copy " * 500)
    for _ in range(2):
        with pytest.raises(StateCorruptError):
            store.reopen(noon)
        assert store.file.read_bytes() == b"half of a copy " * 500
        with pytest.raises(StateError):
            store.put("lost", 1)
    store.file.unlink()
    store.file.touch()
    store.reopen(noon)
    store.put("after", 1)


def test_the_log_of_the_former_file_is_kept_and_not_played_into_a_backup(store, noon):
    store.put("kept", "old")
    backup = store.file.with_name("backup")
    store.optimize()
    shutil.copy(store.file, backup)
    for number in range(50):
        store.put(f"later {number}", "x" * 3000)
    log = store.file.with_name(f"{store.file.name}-wal")
    size = log.stat().st_size
    assert size > 100_000
    store.file.unlink()
    backup.replace(store.file)
    store.reopen(noon)
    assert (store.get("kept"), store.get("later 7")) == ("old", None)
    with store.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    (left,) = store.file.parent.glob("*.gone-*-wal")
    assert left.stat().st_size == size
