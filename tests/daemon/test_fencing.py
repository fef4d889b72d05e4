"""A daemon that was asleep while another process took the right to write sends nothing, and goes on after it."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.messages.runs import summary
from state.lease import Lease
from state.store import StateStore

anyio = pytest.mark.anyio


def _process_parts():
    """Give the parts of ``test_process``: its homes are real processes."""
    path = Path(__file__).with_name("test_process.py")
    spec = importlib.util.spec_from_file_location("process_parts", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["process_parts"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def thieves():
    """Connections of other processes to a world's store, closed at the end."""
    made = []

    def make(world):
        store = StateStore.open(world.state)
        made.append(store)
        return Lease(store, world.clock.now)

    yield make
    for store in made:
        store.close()


class _Sleeper:
    """Puts the daemon to sleep just as a write arrives at Immich; meanwhile another process takes the lease."""

    def __init__(self, world, thief, *, after, gives_back, heartbeats=0):
        self.world, self.thief, self.after, self.gives_back = world, thief, after, gives_back
        self.heartbeats = heartbeats
        self.wire, self.writes = world.wire, 0
        self.at_loss = None
        self.inner = self.wire.asgi.handle_async_request
        self.wire.asgi.handle_async_request = self.handle

    async def handle(self, request):
        if request.method in {"PUT", "PATCH", "DELETE"}:
            self.writes += 1
            if self.at_loss is None and self.writes >= self.after:
                self.world.clock.pass_until(self.world.clock.seconds + 3600)
                self.thief.acquire("apply", self.world.triggers.lease_time())
                self.at_loss = self.writes
                if self.gives_back:
                    self.thief.release()
                for _ in range(self.heartbeats):
                    await self.world.triggers.renew()
        return await self.inner(request)


@anyio
@pytest.mark.parametrize("gives_back", [False, True], ids=["still held", "given back"])
@pytest.mark.parametrize("after", [1, 9, 18])
async def test_whoever_wakes_up_in_a_pass_without_the_right_sends_nothing_more(
    make_world, thieves, after, gives_back
):
    world = make_world(images=12)
    world.start()
    sleeper = _Sleeper(world, thieves(world), after=after, gives_back=gives_back)
    # Alone, without the schedule: what is shown is what the fence does, before any heartbeat.
    await world.service.tick()
    assert sleeper.at_loss == after
    assert sleeper.writes == after
    (run,) = world.store.runs(10)
    assert (run.outcome, run.finished_at is not None) == ("stopped", True)
    assert "took over the right to write" in summary(run.summary)
    assert world.service.snapshot().level == "trouble"
    assert not await world.service.tick()

    await world.triggers.renew()  # learns it
    if not gives_back:
        await world.triggers.renew()
        assert not await world.service.tick()
        sleeper.thief.release()
    await world.triggers.renew()
    await world.run(300)
    assert world.service.snapshot().level == "ok"
    assert world.wire.state.book.faults_json()["overlaps"] == 0
    await world.stop()


@anyio
async def test_a_pass_from_before_the_loss_does_not_go_on_under_a_right_that_was_taken_anew(
    make_world, thieves
):
    world = make_world(images=12)
    world.start()
    sleeper = _Sleeper(world, thieves(world), after=9, gives_back=True, heartbeats=3)
    await world.service.tick()
    assert sleeper.writes == 9
    assert [run.outcome for run in world.store.runs(10)] == ["stopped"]
    await world.triggers.renew()
    await world.run(300)
    assert world.service.snapshot().level == "ok"
    await world.stop()


@anyio
async def test_a_renewal_that_was_on_its_way_does_not_speak_for_a_right_that_is_taken_anew(
    make_world, thieves
):
    world = make_world(images=2)
    world.start()
    begun, may_end, renew = threading.Event(), threading.Event(), world.lease.renew

    def slow():
        renew()
        begun.set()
        may_end.wait(20)

    world.lease.renew = slow
    first = asyncio.ensure_future(world.triggers.renew())
    await asyncio.to_thread(begun.wait, 20)
    world.clock.pass_until(world.clock.seconds + 3600)
    thieves(world).acquire("apply", world.triggers.lease_time())
    second = asyncio.ensure_future(world.triggers.renew_anew())
    for _ in range(200):  # as far as it comes while the other one is on its way
        await asyncio.sleep(0.001)
    may_end.set()
    await asyncio.gather(first, second)
    assert not await world.service.tick()
    assert world.service.snapshot().level == "trouble"
    await world.stop()


def _stopped_outside_of_a_commit(process, state):
    """Stop it; let it go on if it holds SQLite's own lock, under which nobody can take anything over."""
    process.send_signal(signal.SIGSTOP)
    _process_parts().until(lambda: _threads(process) == {"T"})
    with closing(sqlite3.connect(state, timeout=0.1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            return False
    return True


def _threads(process):
    """Give the states of a process's threads: it need not be a child of this one."""
    tasks = Path(f"/proc/{process.pid}/task").iterdir()
    return {(task / "stat").read_text().rpartition(")")[2].split()[0] for task in tasks}


@pytest.mark.slow
def test_a_stopped_daemon_sends_nothing_after_another_process_wrote_but_what_was_leaving_it(tmp_path):
    parts = _process_parts()
    with parts.a_home(tmp_path, images=16, drain=2.0) as home:
        process = home.started()
        parts.until(lambda: home.simulator.requests().get("writes", 0) > 3)
        parts.until(lambda: _stopped_outside_of_a_commit(process, home.state))
        with StateStore.open(home.state, read_only=True) as store:
            assert [run.outcome for run in store.runs(10)] == ["running"]  # in the midst of its pass
            lease = Lease(store, lambda: datetime.now(UTC))
            assert lease.current().what == "daemon"
            parts.until(lambda: lease.current().expires_at <= datetime.now(UTC), 30)
        home.simulator.configure(drain=500.0)
        parts.until(home.simulator.is_idle)
        code, out, err = home.command("apply", "--yes", "--config", str(home.config))
        assert code == 0, out + err
        writes = home.simulator.requests()["writes"]
        process.send_signal(signal.SIGCONT)
        parts.until(lambda: home.in_sync(process), 60)
        # The last look at the right to write is followed by a few dozen microseconds (more while another
        # thread runs) until the kernel has the bytes. One request at most can be stopped in there: one thread
        # sends. The tests above, in which the daemon sleeps elsewhere, allow none.
        assert home.simulator.requests()["writes"] - writes <= 1
        assert home.simulator.faults()["overlaps"] == 0
        assert "lease.regained" in process.log.read_text()
        first = home.runs()[-1]
        assert (first.trigger, first.outcome) == ("start", "stopped")
        process.terminate()
        assert parts.ended(process)[0] == 0
