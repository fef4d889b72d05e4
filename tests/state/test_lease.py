"""One writer at a time, and no dead one in the way."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.errors import LeaseHeldError
from state import lease as lease_module
from state.lease import Lease
from state.process import ProcessIdentity, this_process
from state.store import StateStore

TTL = timedelta(seconds=60)

HOLD = """
from datetime import UTC, datetime, timedelta
from reconciler.errors import LeaseHeldError
from state.lease import Lease
from state.store import StateStore
store = StateStore.open(argv[0])
lease = Lease(store, lambda: datetime(2025, 3, 14, 12, tzinfo=UTC))
say('ready')
sys.stdin.readline()
try:
    lease.acquire('apply', timedelta(seconds=60))
    say('held')
except LeaseHeldError as error:
    say('refused')
sys.stdin.read()
"""


@pytest.fixture
def pretend(monkeypatch):
    """Take a lease in the name of another process."""

    def acquire(lease, **changes):
        other = replace(this_process(), **changes)
        with monkeypatch.context() as patch:
            patch.setattr(lease_module, "this_process", lambda: other)
            lease.acquire("daemon", TTL)

    return acquire


def go(child):
    child.stdin.write("go\n")
    child.stdin.flush()


def test_a_second_holder_is_told_who_holds_it_since_when_and_what_to_do(store, clock, pretend):
    pretend(Lease(store, clock), pid=os.getppid(), started=None)
    with pytest.raises(LeaseHeldError) as caught:
        Lease(store, clock).acquire("apply", TTL)
    assert "'daemon'" in str(caught.value)
    assert f"process {os.getppid()} on " in str(caught.value)
    assert "2025-03-14 12:00:00 UTC" in str(caught.value)
    assert f"kill {os.getppid()}" in caught.value.remedy
    assert "2025-03-14 12:01:00 UTC" in caught.value.remedy


def test_the_same_process_can_not_hold_it_twice(store, clock):
    first = Lease(store, clock)
    first.acquire("daemon", TTL)
    with pytest.raises(LeaseHeldError, match="This process already writes as 'daemon'"):
        Lease(store, clock).acquire("page", TTL)
    first.acquire("daemon", TTL)


def test_a_released_lease_is_free(store, clock):
    first, second = Lease(store, clock), Lease(store, clock)
    first.acquire("daemon", TTL)
    first.release()
    assert first.current() is None
    second.acquire("apply", TTL)
    first.release()
    assert second.current().what == "apply"


def test_a_lease_is_held_for_a_block_and_released_even_on_an_error(store, clock):
    seen = []

    def work():
        with Lease(store, clock).held("apply", TTL) as lease:
            seen.append(lease.current().what)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert seen == ["apply"]
    assert Lease(store, clock).current() is None


def test_renewing_moves_the_end_and_not_the_beginning(store, clock, noon):
    lease = Lease(store, clock)
    lease.acquire("daemon", TTL)
    clock.now += timedelta(seconds=50)
    lease.renew()
    current = lease.current()
    assert (current.acquired_at, current.expires_at) == (noon, noon + timedelta(seconds=110))


def test_renewing_what_was_never_acquired_is_a_mistake_of_the_program(store, clock):
    with pytest.raises(RuntimeError):
        Lease(store, clock).renew()


def test_an_expired_lease_is_taken_over_and_its_holder_learns_it(store, clock):
    """A machine that slept: whoever wakes up second must not write any more."""
    slept, other = Lease(store, clock), Lease(store, clock)
    slept.acquire("daemon", TTL)
    clock.now += TTL
    other.acquire("apply", TTL)
    with pytest.raises(LeaseHeldError, match="'apply'"):
        slept.renew()
    assert other.current().what == "apply"


def test_an_expired_lease_that_nobody_took_is_held_on(store, clock):
    lease = Lease(store, clock)
    lease.acquire("daemon", TTL)
    clock.now += 2 * TTL
    lease.renew()
    with pytest.raises(LeaseHeldError):
        Lease(store, clock).acquire("apply", TTL)


def test_of_two_racing_processes_exactly_one_gets_it(spawn, store, target):
    for _ in range(3):
        children = [spawn(HOLD, target) for _ in range(2)]
        for child in children:
            assert child.stdout.readline() == "ready\n"
        for child in children:
            go(child)
        assert sorted(child.stdout.readline() for child in children) == ["held\n", "refused\n"]
        for child in children:
            child.kill()
            child.wait()


def test_the_lease_of_a_killed_process_is_taken_over_at_once(spawn, store, target, clock):
    child = spawn(HOLD, target)
    go(child)
    assert child.stdout.readline() == "ready\n"
    assert child.stdout.readline() == "held\n"
    with pytest.raises(LeaseHeldError, match=f"process {child.pid} on"):
        Lease(store, clock).acquire("daemon", TTL)
    child.kill()
    # Not reaped yet: a zombie writes no more than a process that is gone.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    Lease(store, clock).acquire("daemon", TTL)


def test_a_pid_that_was_given_again_is_not_taken_for_the_holder(store, clock, pretend):
    pretend(Lease(store, clock), started=this_process().started - 1)
    Lease(store, clock).acquire("apply", TTL)


@pytest.mark.usefixtures("path")  # rows in PostgreSQL may be another machine's: test_postgres_machines
def test_a_lease_from_before_a_restart_of_the_machine_is_taken_over(store, clock, pretend):
    pretend(Lease(store, clock), boot="another-boot")
    Lease(store, clock).acquire("apply", TTL)


@pytest.mark.parametrize("changes", [{"host": "elsewhere"}, {"namespace": "4026530000"}])
def test_a_holder_that_can_not_be_looked_at_keeps_it_until_its_end(store, clock, pretend, changes):
    """Another container's pid says nothing here, even if no process has it."""
    pretend(Lease(store, clock), pid=2**22 + 1, boot="", **changes)
    with pytest.raises(LeaseHeldError):
        Lease(store, clock).acquire("apply", TTL)
    clock.now += TTL
    Lease(store, clock).acquire("apply", TTL)


def test_another_users_process_is_alive_though_it_may_not_be_signalled(monkeypatch):
    def forbid(pid, signal):
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbid)
    assert not this_process().is_gone()
    hidden = replace(this_process(), pid=2**22 + 1)
    assert not hidden.is_gone()


def test_a_process_is_not_gone_as_long_as_it_runs():
    here = this_process()
    assert ProcessIdentity.of_json(here.as_json()) == here
    assert here.started is not None
    assert not here.is_gone()
    assert replace(here, pid=2**22 + 1).is_gone()


def test_a_program_with_brackets_in_its_name_is_identified(spawn):
    code = (
        "import pathlib\n"
        "pathlib.Path('/proc/self/comm').write_text('a) b (c')\n"
        "from state.process import this_process\n"
        "say(this_process().started)\n"
        "sys.stdin.read()\n"
    )
    child = spawn(code)
    started = int(child.stdout.readline())
    assert not replace(this_process(), pid=child.pid, started=started).is_gone()
    assert replace(this_process(), pid=child.pid, started=started + 1).is_gone()


def test_a_reader_sees_the_holder(store, clock, target):
    Lease(store, clock).acquire("daemon", TTL)
    with StateStore.open(target, read_only=True) as reader:
        assert Lease(reader, clock).current().process == this_process()
