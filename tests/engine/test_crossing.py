"""A person's edit in the very moment of our write: it is noticed where Immich's dates tell, and told."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from reconciler.core.reasons import reason
from reconciler.core.records import Crossed
from reconciler.core.writes.verification import FLIPPED
from reconciler.engine.polling.timing import Timing

pytestmark = pytest.mark.anyio

SLOWLY = Timing(recheck=0.3, look=0.2, grace=1.0)
FLIPPING = "sign_flips,round_trip"


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
    assert (outcome.status, outcome.crossed) == ("in_sync", True)
    assert crossings(here)[odd].details["why"] == reason("crossed")
    known = here.store.record(odd).crossing
    assert known.fields >= {"block", "prose"}
    assert known.run_id == report.run.run_id
    assert report.run.started_at < known.at <= report.run.finished_at
    assert here.store.crossed() == Crossed(1, known.at)
    here.wrap = lambda target: target
    await here.assert_true()
    assert here.store.record(odd).crossing == known


async def test_a_crossing_stays_through_passes_that_write_read_all_and_lose_the_image_until_a_person_looked(
    install,
):
    here = install(count=6, unkind="settling,lost_updates")
    odd = here.asset(2)
    here.wrap = lambda target: Between(target, "write_fields", typed_once(here, odd))
    await here.run()
    known = here.store.record(odd).crossing
    here.wrap = lambda target: target
    here.sql("UPDATE astrophotography_images SET title = 'Another one' WHERE immich_id = ?", odd)
    (changed,) = [one for one in (await here.run()).outcomes if one.asset_id == odd]
    assert changed.changed
    assert not changed.crossed
    await here.run(full=True)
    here.sql("UPDATE astrophotography_images SET immich_id = NULL WHERE immich_id = ?", odd)
    await here.run()
    assert here.store.record(odd).status == "unlinked"
    assert here.store.record(odd).crossing == known
    here.store.forget_crossings(known.at, [odd])
    assert here.store.record(odd).crossing is None
    assert here.store.crossed() == Crossed()


async def test_a_second_crossing_is_added_to_the_one_that_nobody_has_looked_at(install):
    here = install(count=2, unkind="settling,lost_updates")
    odd = here.asset()
    for number in (1, 2):
        here.sql("UPDATE astrophotography_images SET title = ? WHERE immich_id = ?", f"Title {number}", odd)
        here.wrap = lambda target: Between(target, "write_fields", typed_once(here, odd))
        report = await here.run()
    known = here.store.record(odd).crossing
    assert (known.times, known.run_id) == (2, report.run.run_id)
    assert known.since < known.at


async def test_a_crossing_is_on_record_in_the_commit_that_forgets_the_write_it_is_about(install):
    """A process that dies between two commits finds no write to judge again: nobody would ever hear of it."""
    here = install(count=2, unkind="settling,lost_updates")
    odd, commits, typed = here.asset(), [], typed_once(here, here.asset())
    here.wrap = lambda target: Between(target, "write_fields", typed)
    transaction = here.store.transaction

    @contextmanager
    def watched():
        with transaction():
            yield
        write, known = here.store.pending().get(odd), here.store.record(odd)
        commits.append((write is not None and write.step == "fields", bool(known and known.crossing)))

    here.store.transaction = watched
    await here.run()
    begun = commits.index((True, False))
    after = next(commit for commit in commits[begun:] if commit != (True, False))
    assert after == (False, True)


async def test_a_place_whose_sign_immich_turns_does_not_hide_that_words_crossed(install):
    here = install(count=3, unkind=FLIPPING)
    odd = here.asset()
    here.sql(
        "UPDATE astrophotography_images SET latitude = 51.48, longitude = 0.001 WHERE immich_id = ?", odd
    )
    here.wrap = lambda target: Between(target, "write_fields", typed_once(here, odd))
    await here.run()
    assert "Just now." not in here.shown(odd)["description"]
    assert here.shown(odd)["longitude"] == -0.001
    known = here.store.record(odd)
    assert known.crossing.fields >= {"block", "prose"}
    assert (known.status, known.reasons == (FLIPPED.of("coordinates"),)) == ("not_sticking", True)
    here.wrap = lambda target: target
    await here.run()
    assert (here.store.record(odd).status, here.writes) == ("not_sticking", 0)


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
    """However the first move is seen, by a look or by a reading: the second one comes right after that answer."""
    here = install(count=1, unkind="settling", timing=SLOWLY)
    asset_id, dates, done = here.asset(), [], []

    def edit(rows):
        for row in rows:
            dates.append(row.updated_at)
            if row.updated_at > dates[0] and not done:
                done.append(True)
                here.sim.person(asset_id, "set_description", row.description)
                here.sim.wait_until_idle()

    def watched(target):
        looks = Between(target, "changed_since", edit, after=True)
        return Between(looks, "asset", lambda row: edit([row]), after=True)

    here.wrap = watched
    await here.run()
    assert done
    assert crossings(here).keys() == {asset_id}
    assert here.store.records()[asset_id].status == "in_sync"
    assert here.store.crossed().count == 1


async def test_what_nobody_else_touched_is_never_told(install):
    here = install(count=30, unkind="settling,lost_updates,early_updated_at,slow_tagging", drain=100.0)
    await here.run()
    assert not crossings(here)
    assert here.store.crossed() == Crossed()
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
