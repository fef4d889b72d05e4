"""Every run ends: whatever call of the store fails."""

from __future__ import annotations

import pytest

from reconciler.core.policy import Policy
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.undo import Undo
from reconciler.errors import StateError
from tests.virtual.loop import run


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


def fails_at_every_call(here, act, *, before=lambda _: None, after=False):
    """Do something to two images again and again, with the store failing one call later each time; give how often.

    ``act`` is a coroutine function of a cycle, the target, the number, and what ``before`` gave with a store that is
    whole. With ``after`` the call takes effect before it fails.
    """
    real, failed = here.store, 0
    for at in range(200):  # far more than there are calls
        here.sql("UPDATE astrophotography_images SET title = ?", f"Title {at}")
        given = before(at)
        here.store = store = Failing(real, at, after=after)

        async def one(cycle, target, store=store, at=at, given=given):
            try:
                await act(cycle, target, at, given)
            except StateError:
                assert store.broken
            store.mended = True
            cycle.runs.settle()

        run(here.clock, here._cycle(one))
        here.store = real
        assert [each.run_id for each in real.runs(1000) if each.outcome == "running"] == []
        if not store.broken:
            break
        failed += 1
    return failed


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after"])
def test_no_pass_stays_running_whatever_call_of_the_store_fails(world, after):
    here = world(count=2, policy=Policy())

    async def act(cycle, _, at, __):
        prepared = await cycle.prepare(Selection(), Wishes(here.policy, here.switches))
        await cycle.apply(prepared, Selection(), run_id=f"failing-{at}", trigger="cli")

    assert fails_at_every_call(here, act, after=after) > 8
    assert {"failed", "succeeded"} <= {each.outcome for each in here.store.runs(1000)}


def test_no_undo_stays_running_whatever_call_of_the_store_fails(world):
    here = world(count=2, policy=Policy())

    async def act(cycle, target, at, run_id):
        undo = Undo(cycle, target, cycle._store, here.clock, lambda _: None, here.timing)
        prepared = await undo.prepare(here.store.journal_of(run_id), Wishes(here.policy, here.switches))
        await undo.apply(prepared, run_id=f"undo-{at}", stop=lambda: False)

    assert fails_at_every_call(here, act, before=lambda _: here.run(force=True).run.run_id) > 8
