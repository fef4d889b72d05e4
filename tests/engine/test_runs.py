"""Every run ends: whatever call of the store fails, and however the pass or the undo is left."""

from __future__ import annotations

import asyncio

import pytest

from reconciler.core.records import Run
from reconciler.engine.passes import Selection
from reconciler.engine.reconcile import Reconciler
from reconciler.engine.runs import Runs
from reconciler.engine.undo import Undo
from reconciler.errors import StateError
from reconciler.immich.client import SystemClock
from reconciler.immich.target import Immich
from reconciler.messages.runs import summary
from reconciler.skymmich.sources import open_catalogue
from tests.engine.conftest import HASTY

pytestmark = pytest.mark.anyio


class Failing:
    """A real store of which one call, counted from now on, fails: before it took effect, or after.

    Once it has failed it fails on until it is mended, as a full disk does.
    """

    def __init__(self, store, at, *, after=False, error=None):
        self._store, self._left, self._after = store, at, after
        self._error = error or StateError("The disk that holds the state store is full.")
        self.broken = self.mended = False
        self.calls = 0

    def __getattr__(self, name):
        real = getattr(self._store, name)
        if not callable(real) or name in {"records", "pending", "record", "run"}:
            return real

        def call(*arguments, **more):
            self.calls += 1
            self._left -= 1
            if self.mended:
                return real(*arguments, **more)
            if self.broken or self._left < 0:
                first, self.broken = not self.broken, True
                if first and self._after and name != "transaction":
                    real(*arguments, **more)
                raise self._error
            return real(*arguments, **more)

        return call


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


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after"])
async def test_no_pass_stays_running_whatever_call_of_the_store_fails(install, after):
    here = install(count=2)
    failed = 0
    for at in range(200):  # far more than there are calls
        here.sql("UPDATE astrophotography_images SET title = ?", f"Title {at}")
        store = Failing(here.store, at, after=after)

        async def one(cycle, _, store=store, at=at):
            try:
                await _pass(cycle, here.wishes, f"run-{at}")
            except StateError:
                assert store.broken
            store.mended = True
            cycle.runs.settle()

        await _with_cycle(here, store, one)
        assert _running(here) == []
        if not store.broken:
            break
        failed += 1
    assert failed > 8
    outcomes = {run.outcome for run in here.store.runs(1000)}
    assert {"failed", "succeeded"} <= outcomes


async def test_no_undo_stays_running_whatever_call_of_the_store_fails(install):
    here = install(count=2)
    failed = 0
    for at in range(200):  # far more than there are calls
        here.sql("UPDATE astrophotography_images SET title = ?", f"Title {at}")
        report = await here.run(force=True)
        store = Failing(here.store, at)

        async def one(cycle, target, store=store, run_id=report.run.run_id, at=at):
            undo = Undo(cycle, target, store, SystemClock(), lambda _: None, here.timing)
            entries = here.store.journal_of(run_id)
            prepared = None
            try:
                prepared = await undo.prepare(entries, here.wishes)
                await undo.apply(prepared, run_id=f"undo-{at}", stop=lambda: False)
            except StateError:
                assert store.broken
            store.mended = True
            cycle.runs.settle()

        await _with_cycle(here, store, one)
        assert _running(here) == []
        if not store.broken:
            break
        failed += 1
    assert failed > 8


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
