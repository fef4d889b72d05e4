"""Processes of several machines at rows in PostgreSQL: names that are the same, clocks that are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from reconciler.errors import LeaseHeldError, LeaseLostError, StateError
from state import lease as lease_module
from state import store as store_module
from state.lease import Lease
from state.postgres import database
from state.process import this_process
from state.store import StateStore

BACKENDS = ["postgresql"]
TTL = timedelta(seconds=60)
GONE = {"pid": 2**22, "started": 1}


@pytest.mark.parametrize(
    ("boots", "changes"),
    [
        (("mine", "theirs"), {}),  # another machine of the same name, or this one before a restart
        (("mine", "mine"), {"namespace": "another"}),
        (("", ""), GONE),  # hidden from both: two machines have the same first namespace
        (("mine", ""), GONE),
        (("", "theirs"), GONE),
    ],
)
def test_a_process_that_may_be_on_another_machine_of_the_same_name_is_not_taken_for_dead(
    store, target, clock, monkeypatch, boots, changes
):
    mine, theirs = (replace(this_process(), boot=boot) for boot in boots)
    monkeypatch.setattr(lease_module, "this_process", lambda: replace(theirs, **changes))
    with StateStore.open(target) as other:
        Lease(other, clock).acquire("daemon", TTL)
    monkeypatch.setattr(lease_module, "this_process", lambda: mine)
    monkeypatch.setattr("state.process.this_process", lambda: mine)
    with pytest.raises(LeaseHeldError):
        Lease(store, clock).acquire("apply", TTL)
    clock.now += TTL
    Lease(store, clock).acquire("apply", TTL)


def test_a_run_of_another_machine_of_the_same_name_goes_on(store, make, monkeypatch):
    theirs = replace(this_process(), boot="theirs", **GONE)
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "this_process", lambda: theirs)
        store.start_run(make.run("r1"))
    assert store.mark_interrupted() == []
    assert store.mark_interrupted(alone=True) == ["r1"]


@pytest.mark.parametrize("off", [timedelta(hours=1), -timedelta(hours=1)])
def test_the_right_to_write_goes_by_the_servers_clock(store, target, clock, monkeypatch, off):
    right = Lease(store, clock)
    right.acquire("daemon", TTL)
    with StateStore.open(target) as other, monkeypatch.context() as patch:
        theirs = database._now
        patch.setattr(database, "_now", lambda: theirs() + off)
        patch.setattr(lease_module, "this_process", lambda: replace(this_process(), host="another"))
        there = Lease(other, lambda: clock.now + off)
        with pytest.raises(LeaseHeldError):
            there.acquire("daemon", TTL)
        clock.now += TTL + timedelta(seconds=3)
        there.acquire("daemon", TTL)
        there.renew()
        there.require()
    with pytest.raises(LeaseLostError):
        right.renew()


def test_a_clock_that_is_nearly_right_is_taken_as_it_is(store, clock):
    right = Lease(store, clock)
    right.acquire("daemon", TTL)
    assert right.current().expires_at == clock.now + TTL


def test_a_number_that_is_another_installations_by_now_is_not_written_to(empty):
    with StateStore.open(f"{empty}#anna") as anna:
        anna.put("kept", 1)
        with psycopg.connect(empty, autocommit=True) as connection:
            connection.execute("DROP SCHEMA skymmich_reconciler CASCADE")
        with StateStore.open(f"{empty}#ben") as ben:
            ben.put("kept", "ben's")
            with psycopg.connect(empty, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            for use in (lambda: anna.get("kept"), lambda: anna.put("kept", "anna's"), anna.records):
                with pytest.raises(StateError, match="is not the one that was open"):
                    use()
            assert ben.get("kept") == "ben's"
