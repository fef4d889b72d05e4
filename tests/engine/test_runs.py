"""Every run ends, however the pass is left; see also ``tests/virtual/test_failing_store.py``."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.core.records import Run
from reconciler.engine.passes import Selection
from reconciler.engine.reconcile import Reconciler
from reconciler.engine.runs import Runs
from reconciler.errors import StateError
from reconciler.immich.client import SystemClock
from reconciler.immich.target import Immich
from reconciler.messages.runs import summary
from reconciler.skymmich.sources import open_catalogue
from tests.engine.conftest import HASTY
from tests.virtual.test_failing_store import Failing

pytestmark = pytest.mark.anyio


async def _with_cycle(here, store, act):
    async with Immich(here.sim.url, here.api_key, patience=HASTY) as target:
        cycle = Reconciler(
            open_catalogue(str(here.path)), target, store, SystemClock(), timing=here.timing, mode="sync"
        )
        return await act(cycle, target)


def _running(here):
    return [run.run_id for run in here.store.runs(1000) if run.outcome == "running"]


async def _pass(cycle, wishes, run_id):
    prepared = await cycle.prepare(Selection(), wishes)
    return await cycle.apply(prepared, Selection(), run_id=run_id, trigger="cli")


@pytest.mark.parametrize(
    ("error", "outcome", "code", "words"),
    [
        (asyncio.CancelledError(), "stopped", "run_stopped", "stopped before its end"),
        (TypeError("odd"), "failed", "run_broke", "ended by an unexpected error (TypeError)"),
        (StateError("The disk is full."), "failed", "run_ended_early", "ended early: The disk is full."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
async def test_a_run_is_closed_as_what_it_was_left_by(install, error, outcome, code, words):
    here = install(count=2)

    def burst(method):
        async def fail(*_, **__):
            raise error

        return fail

    async def one(cycle, target):
        target.write_fields = burst("write_fields")
        with pytest.raises(type(error)):
            await _pass(cycle, here.wishes, "one")

    await _with_cycle(here, here.store, one)
    run = here.store.run("one")
    assert (run.outcome, summary(run.summary)) == (outcome, words)
    assert [one.code for one in run.summary] == [code]
    assert run.finished_at is not None


@pytest.mark.parametrize("left_by", [SystemExit, KeyboardInterrupt, GeneratorExit])
async def test_a_run_is_closed_when_the_process_is_asked_to_end_in_its_middle(install, left_by):
    here = install(count=1)
    runs, clock = Runs(here.store, SystemClock()), SystemClock()
    with pytest.raises(left_by), runs.open(Run("one", "cli", clock.now())):
        raise left_by
    assert here.store.run("one").outcome == "stopped"


async def test_what_could_not_be_closed_is_closed_by_the_next_run_as_it_ended(install):
    here = install(count=1)
    store = Failing(here.store, 10_000)
    runs, clock = Runs(store, SystemClock()), SystemClock()

    with pytest.raises(StateError), runs.open(Run("first", "cli", clock.now())):
        store._left = 0
    assert _running(here) == ["first"]
    assert runs.settle() is not None
    store.mended = True
    with runs.open(Run("second", "cli", clock.now())) as opened:
        opened.ended = Run("second", "cli", clock.now(), clock.now(), "succeeded")
        assert _running(here) == ["second"]
    assert {run.run_id: run.outcome for run in here.store.runs(9)} == {
        "first": "stopped",
        "second": "succeeded",
    }
