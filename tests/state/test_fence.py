"""Who stood still while another one took the right to write records nothing, whatever it believes."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.errors import LeaseHeldError, LeaseLostError, StateGoneError
from state import lease as lease_module
from state.hostlock import HostLock, lock_holder, lock_path
from state.lease import Lease
from state.process import this_process
from state.store import StateStore

TTL = timedelta(seconds=60)

HOLD = """
from datetime import UTC, datetime, timedelta
from state.lease import Lease
from state.store import StateStore
store = StateStore.open(argv[0])
Lease(store, lambda: datetime(2025, 3, 14, 12, tzinfo=UTC)).acquire('daemon', timedelta(seconds=60))
say('held')
sys.stdin.read()
"""


@pytest.fixture
def other(target, store):
    """Another process's connection to the same file."""
    with StateStore.open(target) as opened:
        yield opened


def held(store, clock, what="daemon"):
    lease = Lease(store, clock)
    lease.acquire(what, TTL)
    return lease


def intend(store, make):
    with store.transaction():
        store.save_pending([make.pending()])
        store.journal([make.entry()])


@pytest.mark.parametrize("gone", [False, True], ids=["still held", "given back since"])
def test_an_intention_is_refused_once_another_one_took_the_lease(store, other, clock, make, gone):
    held(store, clock)
    intend(store, make)
    clock.now += 2 * TTL
    thief = held(other, clock, "apply")
    if gone:
        thief.release()
    with pytest.raises(LeaseLostError, match="stood still"):
        intend(store, make)
    assert len(store.journal_of()) == 1


@pytest.mark.parametrize("act", ["mark_sent", "clear_pending", "save_records", "journal"])
def test_what_the_new_holder_recorded_is_not_changed_by_the_old_one(store, other, clock, make, act):
    held(store, clock)
    intend(store, make)
    clock.now += 2 * TTL
    held(other, clock, "apply")
    other.save_pending([make.pending(run_id="r2")])
    value = {"save_records": make.record(), "journal": make.entry(run_id="late")}.get(act, "a")
    with pytest.raises(LeaseLostError):
        getattr(store, act)([value])
    assert other.pending() == {"a": make.pending(run_id="r2")}
    assert other.records() == {}
    assert [entry.run_id for entry in other.journal_of()] == ["r1"]


def test_a_right_that_ran_out_and_nobody_took_still_records(store, clock, make):
    held(store, clock)
    clock.now += 2 * TTL
    intend(store, make)
    assert store.pending()


def test_who_never_took_the_lease_intends_nothing_while_another_one_has_it(store, other, clock, make):
    held(other, clock)
    with pytest.raises(LeaseLostError, match="'daemon'"):
        intend(store, make)
    assert store.pending() == {}


def test_taking_it_anew_makes_the_old_holder_a_new_one(store, other, clock, make):
    lease = held(store, clock)
    clock.now += 2 * TTL
    held(other, clock, "apply").release()
    with pytest.raises(LeaseLostError):
        lease.renew()
    lease.acquire("daemon", TTL)
    intend(store, make)
    lease.renew()
    assert store.pending()


def test_a_write_that_is_about_to_leave_needs_no_look_at_the_store_while_the_right_lasts(
    store, clock, monkeypatch
):
    held(store, clock)
    clock.now += TTL / 2

    def visited(*_, **__):
        raise AssertionError("the store was visited")

    monkeypatch.setattr(store.database, "writing", visited)
    monkeypatch.setattr(store.database, "reading", visited)
    store.require_right()


@pytest.mark.parametrize("by_right", [True, False], ids=["daemon", "without a right"])
@pytest.mark.usefixtures("path")
def test_a_write_that_is_about_to_leave_stays_where_the_store_is_gone(store, clock, by_right):
    if by_right:
        held(store, clock)
    store.file.unlink()
    with pytest.raises(StateGoneError):
        store.require_right()


def test_a_write_that_is_about_to_leave_after_the_end_holds_on_or_is_refused(store, other, clock, noon):
    lease = held(store, clock)
    clock.now += 2 * TTL
    store.require_right()
    assert lease.current().expires_at == noon + 3 * TTL
    clock.now += 2 * TTL
    held(other, clock, "apply")
    for _ in range(2):
        with pytest.raises(LeaseLostError):
            store.require_right()


def test_a_released_right_leaves_the_next_holder_alone(store, other, clock, make):
    held(store, clock).release()
    held(other, clock)
    intend(other, make)
    with pytest.raises(LeaseLostError):
        intend(store, make)


# The lock of the host


def test_the_lock_tells_who_holds_it_and_is_free_after(store, clock, path):
    assert lock_holder(path) is None
    lease = held(store, clock)
    assert lock_holder(path) == f"daemon, process {os.getpid()} on {this_process().host}"
    assert lock_path(path).stat().st_mode & 0o777 == 0o600
    lease.release()
    assert lock_holder(path) is None


@pytest.fixture
def strange(monkeypatch):
    """Make the lease's row one of another container, which cannot be looked at from here."""

    def make(lease, **changes):
        stranger = replace(this_process(), host="elsewhere", pid=1, namespace="4026530000", **changes)
        with monkeypatch.context() as patch:
            patch.setattr(lease_module, "this_process", lambda: stranger)
            lease.renew()

    return make


@pytest.mark.usefixtures("path")
def test_a_killed_holder_in_another_container_is_replaced_at_once(store, other, clock, strange):
    lease = held(store, clock)
    strange(lease)
    with pytest.raises(LeaseHeldError):
        held(other, clock, "apply")
    lease._lock.release()  # as the kernel does at its death
    held(other, clock, "apply")


def test_a_free_lock_says_nothing_of_another_machines_holder(store, other, clock, strange):
    lease = held(store, clock)
    strange(lease, boot="another-kernel")
    lease._lock.release()
    with pytest.raises(LeaseHeldError):
        held(other, clock, "apply")


def test_a_lock_that_was_removed_says_nothing(store, other, clock, strange, path):
    lease = held(store, clock)
    strange(lease)
    lock_path(path).unlink()
    lock_path(path).touch()
    with pytest.raises(LeaseHeldError):
        held(other, clock, "apply")


def test_a_file_system_without_locks_costs_only_the_evidence(store, clock, path, make):
    lock_path(path).mkdir()
    lease = held(store, clock)
    assert lease.current().lock is None
    assert lock_holder(path) is None
    intend(store, make)


def test_a_stopped_process_keeps_the_lock_and_still_loses_the_right(spawn, store, path, clock):
    child = spawn(HOLD, path)
    assert child.stdout.readline() == "held\n"
    child.send_signal(signal.SIGSTOP)
    clock.now += 2 * TTL
    lease = held(store, clock, "apply")
    assert f"process {child.pid} on" in lock_holder(path)
    assert lease.current().lock is None
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    lease.renew()  # now it is free
    assert lock_holder(path) == f"apply, process {os.getpid()} on {this_process().host}"
    assert lease.current().lock is not None


def test_the_lock_is_never_waited_for(path):
    path.touch()
    first, second = HostLock(path), HostLock(path)
    assert first.take("one")
    assert not second.take("two")
    assert first.take("one")
    first.release()
    assert second.take("two")
    second.release()
