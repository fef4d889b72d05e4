"""Killed at any moment: the next apply comes to the same end, writes nothing needlessly, and loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from random import Random

import pytest

from reconciler.core.store_keys import UNDOING
from reconciler.engine.polling.timing import Timing
from reconciler.simulator.serve import serve
from state.store import StateStore
from tests.catalogues import FIRST_LINKED, keep_only
from tests.thorough import several

pytestmark = pytest.mark.anyio

TIMING = Timing(recheck=0.02, look=0.03, grace=0.4, patience=10.0)
KILLS, PER_TRIAL, SIDE_BY_SIDE = 50, 2, 3
UNKIND = "settling,lost_updates"


class ForkServer:
    """The process that starts passes; see ``fork_server.py``."""

    def __init__(self, process):
        self._process, self._heard = process, {}
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self):
        async for line in self._process.stdout:
            told = json.loads(line)
            queue = self._heard.setdefault(told["id"], asyncio.Queue())
            queue.put_nowait(told)

    async def _hear(self, name, key):
        queue = self._heard.setdefault(name, asyncio.Queue())
        return (await asyncio.wait_for(queue.get(), 30))[key]

    async def apply(self, name, trial, *, kill_after=None):
        """Run a pass as a process, killed after so many seconds; gives how it ended and how long it took."""
        order = {**trial, "id": name, "timing": asdict(TIMING)}
        self._process.stdin.write((json.dumps(order) + "\n").encode())
        pid, begun = await self._hear(name, "pid"), time.monotonic()
        if kill_after is not None:
            await asyncio.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return await self._hear(name, "status"), time.monotonic() - begun

    async def close(self):
        self._process.stdin.close()
        await self._process.wait()
        await self._listening


@pytest.fixture
async def fork_server():
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("fork_server.py")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    fork_server = ForkServer(process)
    yield fork_server
    await fork_server.close()


@pytest.fixture
def catalogue(tmp_path, samples):
    path = tmp_path / "skymmich.sqlite3"
    shutil.copyfile(samples(), path)
    keep_only(path, FIRST_LINKED, 9)
    return path


def end_of(sim):
    sim.wait_until_idle()
    return {
        asset_id: (shown["description"], shown["latitude"], shown["longitude"], sorted(shown["tags"]))
        for asset_id, shown in sim.assets().items()
    }


def writes_of(sim):
    return sum(shown["writes"] for shown in sim.assets().values())


async def test_fifty_kills_at_random_moments_all_come_to_the_same_end(
    fork_server, catalogue, tmp_path, empty_store
):
    def trial_of(name, sim):
        shutil.copyfile(empty_store, tmp_path / f"{name}.sqlite3")
        return {
            "catalogue": str(catalogue),
            "store": str(tmp_path / f"{name}.sqlite3"),
            "url": sim.url,
            "key": sim.api_key,
        }

    with serve(catalogue=catalogue, unkind=UNKIND, drain=300.0) as sim:
        status, duration = await fork_server.apply("undisturbed", trial_of("undisturbed", sim))
        assert status == 0
        undisturbed, needed = end_of(sim), writes_of(sim)
    assert needed == 18

    killed = []

    async def one(number):
        chance, name = Random(number), f"trial-{number}"
        with serve(catalogue=catalogue, unkind=UNKIND, drain=300.0, seed=number) as sim:
            trial, in_flight = trial_of(name, sim), 0
            for kill in range(PER_TRIAL):
                moment = chance.uniform(0.0, duration / (kill + 1))
                status, _ = await fork_server.apply(f"{name}-{kill}", trial, kill_after=moment)
                if status == -signal.SIGKILL:
                    killed.append(moment)
                with StateStore.open(trial["store"]) as store:
                    in_flight += len(store.pending())
            status, _ = await fork_server.apply(f"{name}-last", trial)
            assert status == 0
            assert end_of(sim) == undisturbed
            faults = sim.faults()
            assert (faults["overlaps"], faults["lost"]) == (0, 0), faults
            assert needed <= writes_of(sim) <= needed + in_flight
            with StateStore.open(trial["store"]) as store:
                assert {record.status for record in store.records().values()} == {"in_sync"}
                assert not store.pending()
            if number % 5 == 0:
                before = writes_of(sim)
                await fork_server.apply(f"{name}-again", trial)
                assert writes_of(sim) == before

    numbers = iter(range(2 * KILLS))

    async def until_enough():
        while len(killed) < KILLS:
            await one(next(numbers))

    await asyncio.gather(*(until_enough() for _ in range(SIDE_BY_SIDE)))


@pytest.mark.parametrize("everything", [True, False], ids=["everything", "a run"])
async def test_an_undo_that_is_killed_is_not_written_over_and_goes_on_to_the_same_end(
    fork_server, catalogue, tmp_path, empty_store, everything
):
    keep_only(catalogue, FIRST_LINKED, 4)
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute("DELETE FROM image_equipment")
    killed, enough = [], several(2, 8)  # at any moment of it: see tests/virtual/test_undo.py

    async def one(number):
        chance, name = Random(number), f"undo-{number}"
        with serve(catalogue=catalogue, unkind=UNKIND, drain=300.0, seed=number) as sim:
            before = end_of(sim)
            shutil.copyfile(empty_store, tmp_path / f"{name}.sqlite3")
            trial = {
                "catalogue": str(catalogue),
                "store": str(tmp_path / f"{name}.sqlite3"),
                "url": sim.url,
                "key": sim.api_key,
            }
            status, duration = await fork_server.apply(f"{name}-first", trial)
            assert status == 0
            wish = {"everything": True} if everything else {"run_id": f"{name}-first"}
            taking = {**trial, "undo": wish}
            moment = chance.uniform(0.1, duration)
            status, _ = await fork_server.apply(f"{name}-killed", taking, kill_after=moment)
            if status == -signal.SIGKILL:
                with StateStore.open(trial["store"]) as store:
                    killed.append(len(store.pending()) if UNDOING.read(store) else -1)
                broken_off = end_of(sim)
                await fork_server.apply(f"{name}-pass", trial)
                if killed[-1] >= 0:  # else it had not begun
                    assert end_of(sim) == broken_off
            status, _ = await fork_server.apply(f"{name}-last", taking)
            assert status == 0
            for asset_id, (text, _, _, tags) in end_of(sim).items():
                assert (text, tags) == (before[asset_id][0], before[asset_id][3])
            faults = sim.faults()
            assert (faults["overlaps"], faults["lost"]) == (0, 0), faults
            writes = writes_of(sim)
            await fork_server.apply(f"{name}-after", trial)
            assert writes_of(sim) == writes
            with StateStore.open(trial["store"]) as store:
                assert {record.status for record in store.records().values()} == {"undone"}
                assert not store.pending()
                assert UNDOING.read(store) is None

    for first in range(0, 8, 2):
        await asyncio.gather(one(first), one(first + 1))
        if len(killed) >= enough and any(count > 0 for count in killed):
            break
    assert len(killed) >= min(enough, 4)
    assert any(count > 0 for count in killed)
