"""A person's edit in the very moment of our write: it is noticed where Immich's dates tell, and told."""

from __future__ import annotations

import pytest

from reconciler.engine.pace import Timing

pytestmark = pytest.mark.anyio

SLOWLY = Timing(recheck=0.3, look=0.2, grace=1.0)


class Between:
    """A target at which something happens before, or after, a method's first answers."""

    def __init__(self, target, name, act, *, after=False):
        self._target, self._name, self._act, self._after = target, name, act, after

    def __getattr__(self, name):
        known = getattr(self._target, name)
        if name != self._name:
            return known

        async def interposed(*args, **named):
            if not self._after:
                self._act(*args)
                return await known(*args, **named)
            answer = await known(*args, **named)
            self._act(answer)
            return answer

        return interposed


def typed_once(here, asset_id):
    """Give what lets a person change the description the first time that it is called for the asset."""
    done = []

    def edit(asset_ids, _):
        if asset_id in asset_ids and not done:
            done.append(True)
            here.sim.person(asset_id, "set_description", "Just now.")
            here.sim.wait_until_idle()

    return edit


def crossings(here):
    return {event.asset_id: event for event in here.events if getattr(event, "name", "") == "asset.crossed"}


async def test_an_edit_that_was_digested_between_our_reading_and_our_write_is_told(install):
    """Their words are gone from Immich, and were never shown to us: that this was so can be told, no more."""
    here = install(count=6, unkind="settling,lost_updates")
    odd = here.asset(2)
    edit = typed_once(here, odd)
    here.wrap = lambda target: Between(target, "write_fields", edit)
    report = await here.run()
    assert "Just now." not in here.shown(odd)["description"]
    assert crossings(here).keys() == {odd}
    assert crossings(here)[odd].level == "warning"
    (outcome,) = [outcome for outcome in report.outcomes if outcome.asset_id == odd]
    assert outcome.status == "in_sync"
    assert "at the very moment it was written" in outcome.reason
    assert here.store.records()[odd].reason == outcome.reason
    here.wrap = lambda target: target
    await here.assert_true()
    assert here.store.records()[odd].reason == outcome.reason  # until something moves it again


async def test_an_edit_between_our_look_and_our_tags_loses_nothing_and_is_not_told(install):
    """Tags take nobody's words; the reading that verifies them shows the edit, and it is left to the person."""
    here = install(count=6, unkind="settling,lost_updates")
    odd = here.asset(2)
    edit = typed_once(here, odd)
    here.wrap = lambda target: Between(target, "add_tags", edit)
    await here.run()
    assert "Just now." in here.shown(odd)["description"]
    assert not crossings(here)
    here.wrap = lambda target: target
    await here.run(by_person=False)
    assert "Just now." in here.shown(odd)["description"]
    assert here.statuses()[odd] == "in_sync"
    await here.run(by_person=False)
    assert here.writes == 0


async def test_an_asset_that_moves_twice_for_one_write_was_somebody_elses_too(install):
    here = install(count=1, unkind="settling", timing=SLOWLY)
    asset_id, dates, seen = here.asset(), [], []

    def edit(row):
        dates.append(row.updated_at)
        if row.updated_at > dates[0] and not seen:
            seen.append(row.updated_at)
            here.sim.person(asset_id, "set_description", row.description)
            here.sim.wait_until_idle()

    here.wrap = lambda target: Between(target, "asset", edit, after=True)
    await here.run()
    assert crossings(here).keys() == {asset_id}
    assert here.store.records()[asset_id].status == "in_sync"


async def test_what_nobody_else_touched_is_never_told(install):
    here = install(count=30, unkind="settling,lost_updates,early_updated_at,slow_tagging", drain=100.0)
    await here.run()
    assert not crossings(here)
    await here.assert_true()


async def test_an_edit_that_is_being_digested_when_the_pass_begins_is_waited_for(install):
    """Its date is the one we left it with, and yet it does not show what we left it with."""
    here = install(count=4, unkind="settling,lost_updates", timing=SLOWLY)
    await here.run()
    odd = here.asset(1)
    here.sim.wait_until_idle()
    here.sim.configure(loss=1.0, drain=4.0)  # a second and a half for each
    here.sim.person(odd, "remove_tag", here.sim.assets()[odd]["tags"][0])
    await here.run(full=True)
    faults = here.sim.faults()
    assert (faults["persons_lost"], faults["lost_to_person"]) == (0, 0)
    here.sim.configure(drain=400.0)
    await here.run(by_person=False)
    await here.assert_true()
