"""Undo over real HTTP: no more requests than the apply took, and a person's later words stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.engine.undo import Undo
from tests.thorough import several

pytestmark = pytest.mark.anyio


async def undone(here, run_id):
    """Take a run back."""

    async def act(cycle):
        undo = Undo(cycle, cycle._target, here.store, cycle._clock, here.events.append, here.timing)
        prepared = await undo.prepare(here.store.journal_of(run_id, limit=1_000_000), here.wishes)
        return await undo.apply(prepared, run_id="undo-1", stop=lambda: False)

    return await here._with_cycle(act)


@pytest.mark.parametrize(("count", "copies"), [(24, 1), (60, 2), *several([], [(200, 4)])])
async def test_an_undo_costs_no_more_requests_than_the_apply_and_later_words_stay(install, count, copies):
    here = install(count=count, copies=copies, unkind="settling,lost_updates", drain=400.0)
    here.sql('UPDATE astrophotography_images SET tags = \'["Wide","Deep"]\'')
    tags = replace(here.policy.tags, constellation=False, target=False, equipment=False)
    here.policy = replace(here.policy, tags=tags, guard=replace(here.policy.guard, canary=0))
    report = await here.run()
    applied = here.requests.total()
    assert {outcome.status for outcome in report.outcomes} == {"in_sync"}
    worded, tagged = here.asset(0), here.asset(1)
    here.sim.person(worded, "append_description", "\n\nMine.")
    here.sim.person(tagged, "add_tag", "mine/own")
    here.sim.wait_until_idle()
    found = await undone(here, report.run.run_id)
    assert here.requests.total() <= applied, here.requests
    assert len(found.undone) == count
    here.sim.wait_until_idle()
    shown, faults = here.sim.assets(), here.sim.faults()
    assert (faults["overlaps"], faults["lost"]) == (0, 0), faults["examples"]
    assert shown[worded]["description"].endswith("Mine.")
    assert shown[tagged]["tags"] == ["mine/own"]
    assert sum(bool(one["description"]) for one in shown.values()) == 1
    assert sum(bool(one["tags"]) for one in shown.values()) == 1
