"""The right to write of a command: kept alive beside its work, also through a moment in which it cannot be."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from types import SimpleNamespace

import pytest

from reconciler.app.doctor.writer import right_to_write
from reconciler.cli import context
from reconciler.cli.context import Work
from reconciler.immich.client import SystemClock
from state import database
from state.hostlock import HostLock
from state.lease import Lease
from state.store import StateStore


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.setattr(context, "RIGHT", timedelta(seconds=20))
    monkeypatch.setattr(context, "AGAIN", 0.05)
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    with StateStore.open(tmp_path / "state.sqlite3") as store:
        yield Work(None, SimpleNamespace(store=store, clock=SystemClock()), None, None, None)


def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_store_that_is_busy_for_a_moment_costs_a_command_nothing(work, monkeypatch):
    tried = []
    renew = Lease.renew

    def counted(lease):
        tried.append(lease)
        renew(lease)

    monkeypatch.setattr(Lease, "renew", counted)
    monkeypatch.setattr(context, "RIGHT", timedelta(seconds=2))
    with work.right_to_write("apply"):
        lease = Lease(work.bench.store, work.bench.clock.now)
        before = lease.current().expires_at
        with closing(sqlite3.connect(work.bench.store.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            until(lambda: len(tried) > 1)
        until(lambda: lease.current().expires_at > before)
        assert work.lost is None


def test_the_doctor_names_who_keeps_the_lock_without_the_right(tmp_path):
    store = tmp_path / "state.sqlite3"
    store.touch()
    assert right_to_write(store, None, daemon=False) == []
    lock = HostLock(store)
    assert lock.take("daemon, process 7 on here")
    (found,) = right_to_write(store, None, daemon=False)
    assert (found.level, "daemon, process 7 on here" in found.what) == ("warning", True)
    lock.release()


def test_the_doctor_names_the_writer_and_its_lock(work):
    with work.right_to_write("apply"):
        holder = Lease(work.bench.store, work.bench.clock.now).current()
        found = right_to_write(work.bench.store.file, holder, daemon=False)
    assert [one.level for one in found] == ["ok", "ok"]
    assert "the right to write is with: apply, process" in found[0].what
    assert "is kept by apply, process" in found[1].what
