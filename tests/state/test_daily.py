"""The daemon's own copies: one a day, the newest few, in a folder of the store's owner alone."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from types import SimpleNamespace

import pytest

from reconciler.errors import StateError
from state import daily
from state.daily import copies, copy_daily, folder_of
from state.store import StateStore

OF_FILES = True

DAY = timedelta(days=1)


@pytest.fixture
def used(path, make):
    with StateStore.open(path) as store:
        store.save_records([make.record("a")])
        yield path


def names(store):
    return [one.path.name for one in copies(store)]


def test_one_a_day_is_made_and_the_newest_few_are_kept(used, noon):
    for day in range(10):
        copy_daily(used, noon + day * DAY, 3)
        assert copy_daily(used, noon + day * DAY + timedelta(hours=5), 3) is None
    assert names(used) == [f"state-202503{day}T120000Z.sqlite3" for day in (23, 22, 21)]
    assert stat.S_IMODE(folder_of(used).stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.path.stat().st_mode) for one in copies(used)} == {0o600}
    with StateStore.open(copies(used)[0].path, read_only=True) as found:
        assert set(found.records()) == {"a"}


def test_with_0_none_is_made_and_those_that_are_there_stay(used, noon):
    copy_daily(used, noon, 3)
    assert copy_daily(used, noon + 2 * DAY, 0) is None
    assert len(names(used)) == 1


def test_only_our_own_copies_are_counted_and_removed(used, noon):
    folder_of(used).mkdir()
    others = ["state-mine.sqlite3", "other-20250101T000000Z.sqlite3", "state-20251399T000000Z.sqlite3"]
    for name in others:
        (folder_of(used) / name).touch()
    copy_daily(used, noon, 1)
    copy_daily(used, noon + DAY, 1)
    assert names(used) == ["state-20250315T120000Z.sqlite3"]
    assert set(others) < {file.name for file in folder_of(used).iterdir()}


def test_a_copy_from_the_future_keeps_nobody_from_making_one(used, noon):
    copy_daily(used, noon + 900 * DAY, 3)
    assert copy_daily(used, noon, 3) is not None


def test_at_a_start_a_store_that_is_new_is_not_copied_and_one_that_missed_its_day_is(used, make, noon):
    assert copy_daily(used, noon, 3, only_if_missed=True) is None
    with StateStore.open(used) as store:
        store.start_run(make.run("r1", started_at=noon))
    assert copy_daily(used, noon + timedelta(hours=3), 3, only_if_missed=True) is None
    assert copy_daily(used, noon + DAY, 3, only_if_missed=True) is not None
    assert copy_daily(used, noon + DAY + timedelta(hours=3), 3, only_if_missed=True) is None
    assert copy_daily(used, noon + 2 * DAY, 3, only_if_missed=True) is not None


def test_what_a_killed_daemon_left_of_a_copy_is_removed(used, noon):
    folder_of(used).mkdir()
    old, new = (folder_of(used) / f".state-{n}.sqlite3.abcd.partial" for n in (1, 2))
    for file, age in ((old, 7200), (new, 60)):
        file.touch()
        os.utime(file, (noon.timestamp() - age,) * 2)
    copy_daily(used, noon, 3)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_disk_with_little_room_is_left_to_the_store_itself(used, noon, monkeypatch):
    usage = SimpleNamespace(free=used.stat().st_size)
    monkeypatch.setattr(daily.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StateError, match="too little room") as caught:
        copy_daily(used, noon, 3)
    assert "backups" in caught.value.remedy
    assert names(used) == []


def test_a_folder_that_cannot_be_made_is_said(used, noon):
    folder_of(used).write_text("a file")
    with pytest.raises(StateError, match=r"cannot be read|cannot be made"):
        copy_daily(used, noon, 3)
