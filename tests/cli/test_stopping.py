from __future__ import annotations

import asyncio
import gc
import io
import re
import signal
import sys
import time

import pytest

from reconciler.cli.context import Work
from reconciler.cli.interrupts import Interrupted, Stopping
from reconciler.cli.output.progress import Meter
from reconciler.cli.output.screen import Screen

RING, JELLYFISH, SLOW = 19, 33, 1.5


def _writing(installation):
    """Start an apply and wait until it has sent its first write."""
    process = installation.started("apply", "--yes")
    end = time.monotonic() + 20
    while not installation.writes and time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


def test_a_signal_lets_calls_in_flight_finish_and_the_next_apply_goes_on(install):
    with install(RING, JELLYFISH, drain=SLOW) as it:
        process = _writing(it)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 143, err
        assert "calls in flight are finished and recorded" in err
        assert re.search(r"^Stopped at [12] of 2\. What was sent is on record;", err, re.MULTILINE)
        assert "run apply again, and it goes on from here" in err
        assert "Run " in out
        it.simulator.configure(drain=2000.0)
        assert it.run("apply", "--yes").returncode == 0
        assert "✦ IC 443" in it.shown(JELLYFISH)["description"]
        faults = it.simulator.faults()
        assert (faults["lost"], faults["overlaps"]) == (0, 0)


def test_a_second_signal_ends_it_at_once_and_the_next_apply_goes_on_all_the_same(install):
    with install(RING, JELLYFISH, drain=SLOW) as it:
        process = _writing(it)
        process.send_signal(signal.SIGINT)
        end = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < end:
            process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert process.wait(timeout=5) == 130
        process.communicate()
        it.simulator.configure(drain=2000.0)
        assert it.run("apply", "--yes").returncode == 0
        faults = it.simulator.faults()
        assert (faults["lost"], faults["overlaps"]) == (0, 0)


def test_a_signal_amid_many_tasks_ends_all_of_them_and_is_raised_once(caplog):
    """It comes while one of them is at work: raised there, it would end that one, and be logged as nobody's."""
    ended = []

    async def reading(number):
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if number == 1:
                signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    async def all_of_them():
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(reading(number))

    async def closed():
        return sorted(ended)

    stopping = Stopping()
    with stopping.listening(), asyncio.Runner() as runner:
        work = Work(None, None, stopping, runner, Meter(Screen.silent()))
        with pytest.raises(Interrupted, match="2"):
            work.do(all_of_them())
        gc.collect()
        assert runner.run(closed()) == [0, 1, 2]
    assert caplog.messages == []


def test_a_signal_in_the_midst_of_a_line_of_progress_is_answered_all_the_same(monkeypatch, capfd):
    class Slow(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            signal.raise_signal(signal.SIGINT)
            return len(data)

    stream = io.TextIOWrapper(io.BufferedWriter(Slow()), line_buffering=True)
    stopping = Stopping()
    with stopping.listening(), stopping.careful(), monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        print("Writing: 0/2, 2 settling", file=sys.stderr)
    assert stopping.requested
    assert "calls in flight are finished" in capfd.readouterr().err


class Signalled(asyncio.Runner):
    """One that a signal reaches beside the work: before the loop begins, as it begins, or once it has ended."""

    moment = ""

    def run(self, coroutine, **options):
        if self.moment == "before":
            signal.raise_signal(signal.SIGINT)
        if self.moment == "as it begins":
            self.get_loop().call_soon(signal.raise_signal, signal.SIGINT)
        done = super().run(coroutine, **options)
        if self.moment == "after":
            signal.raise_signal(signal.SIGINT)
        return done


@pytest.mark.parametrize(("moment", "ran"), [("before", []), ("as it begins", []), ("after", ["work"])])
def test_a_signal_beside_the_work_leaves_no_task_behind(moment, ran):
    stopping, did = Stopping(), []

    async def work():
        did.append("work")

    async def rest():
        await asyncio.sleep(0.01)
        return asyncio.all_tasks() - {asyncio.current_task()}

    before = signal.getsignal(signal.SIGINT)
    try:
        with stopping.listening(), Signalled() as runner:
            runner.moment = moment
            with pytest.raises(Interrupted):
                stopping.run(runner, work())
            runner.moment = ""
            assert runner.run(rest()) == set()  # such as closing what is open
        assert did == ran
        gc.collect()  # a coroutine that nobody awaits would be told now, and is an error here
    finally:
        signal.signal(signal.SIGINT, before)
