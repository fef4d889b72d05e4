"""Conflicts that a person decided, from the decision to what Immich shows, over real HTTP and a real store."""

from __future__ import annotations

import pytest

from reconciler.core.plan.conflicts import sides
from reconciler.engine.conflicts import decidable, take_decision
from reconciler.errors import DecisionError
from reconciler.immich.client import SystemClock

pytestmark = pytest.mark.anyio

ANXIOUS = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,clock_skew"
MINE, THEIRS = "Seen with my own eyes", "Three nights with the new mount"


@pytest.fixture
def conflict(install):
    """Make an installation of which one image has a person's words in Immich against the catalogue's."""

    async def make(unkind="none"):
        here = install(count=6, unkind=unkind)
        image_id, asset_id = here.images()[1]
        here.sql("UPDATE astrophotography_images SET description = ? WHERE id = ?", THEIRS, image_id)
        here.sim.person(asset_id, "set_description", MINE)
        here.sim.wait_until_idle()
        await here.run()
        assert here.statuses()[asset_id] == "conflict"
        return here, image_id, asset_id

    return make


async def decide(here, image_id, keep, **more):
    prepared = await here.prepare(image_ids=frozenset({image_id}))
    (item,) = prepared.items
    at = SystemClock().now()
    return take_decision(here.store, item.plan, keep, rules=prepared.rules, at=at, **more)


async def test_immich_s_side_stays_and_nothing_is_written(conflict):
    here, image_id, asset_id = await conflict()
    before = here.shown(asset_id)
    assert await decide(here, image_id, "immich") == ("prose",)
    await here.run(by_person=False)
    assert here.writes == 0
    assert here.statuses()[asset_id] == "in_sync"
    assert here.shown(asset_id) == before
    await here.run(by_person=False)
    assert sum(count for route, count in here.requests.items() if route == "GET /assets/{id}") == 0


@pytest.mark.parametrize("unkind", ["none", ANXIOUS])
async def test_both_sides_stand_together_after_one_write(conflict, unkind):
    here, image_id, asset_id = await conflict(unkind)
    await decide(here, image_id, "both")
    await here.run(by_person=False)
    assert here.shown(asset_id)["description"].startswith(f"{MINE}\n\n{THEIRS}\n\n✦ ")
    for _ in range(2):
        await here.run(by_person=False)
        assert here.writes == 0
        assert here.statuses()[asset_id] == "in_sync"
    await here.assert_true()
    (entry, *_) = here.store.journal_of(asset_id=asset_id)
    assert MINE in entry.before
    assert THEIRS not in entry.before


async def test_skymmich_s_side_is_written_and_the_journal_has_the_person_s(conflict):
    here, image_id, asset_id = await conflict()
    await decide(here, image_id, "skymmich", field="prose")
    await here.run(by_person=False)
    assert here.shown(asset_id)["description"].startswith(f"{THEIRS}\n\n✦ ")
    assert MINE in here.store.journal_of(asset_id=asset_id)[0].before
    await here.run(by_person=False)
    assert here.store.record(asset_id).resolutions == ()
    await here.assert_true()


@pytest.mark.parametrize("keep", ["immich", "both"])
async def test_it_comes_back_when_a_side_changes(conflict, keep):
    here, image_id, asset_id = await conflict()
    await decide(here, image_id, keep)
    await here.run(by_person=False)
    await here.run(by_person=False)
    shown = here.shown(asset_id)["description"]
    here.sql("UPDATE astrophotography_images SET description = 'Changed' WHERE id = ?", image_id)
    await here.run(by_person=False)
    assert here.statuses()[asset_id] == "conflict"
    assert here.shown(asset_id)["description"] == shown
    assert here.store.record(asset_id).resolutions == ()


async def test_a_decision_can_be_taken_back(conflict):
    here, image_id, asset_id = await conflict()
    await decide(here, image_id, "immich")
    await here.run(by_person=False)
    assert await decide(here, image_id, None) == ("prose",)
    await here.run(by_person=False)
    assert here.statuses()[asset_id] == "conflict"
    assert here.writes == 0


async def test_a_decision_for_what_is_no_longer_there_is_refused(conflict):
    here, image_id, asset_id = await conflict()
    (item,) = (await here.prepare(image_ids=frozenset({image_id}))).items
    (decision,) = decidable(item.plan)
    shown = sides(decision)
    here.sim.person(asset_id, "set_description", "Newer words")
    here.sim.wait_until_idle()
    with pytest.raises(DecisionError, match="changed since it was shown"):
        await decide(here, image_id, "skymmich", field="prose", shown=shown)
    assert here.store.record(asset_id).resolutions == ()
    await here.run(by_person=False)
    assert here.shown(asset_id)["description"].startswith("Newer words")


async def test_what_is_no_conflict_or_has_one_side_only_can_not_be_decided(conflict):
    here, image_id, asset_id = await conflict()
    with pytest.raises(DecisionError, match="no conflict about its place"):
        await decide(here, image_id, "immich", field="coordinates")
    with pytest.raises(DecisionError, match="no conflict"):
        await decide(here, here.images()[0][0], "immich")
    assert here.store.record(asset_id).resolutions == ()


async def test_a_person_who_writes_after_the_decision_is_asked_anew(conflict):
    here, image_id, asset_id = await conflict()
    await decide(here, image_id, "skymmich")
    here.sim.person(asset_id, "set_description", "Second thoughts")
    here.sim.wait_until_idle()
    await here.run(by_person=False)
    assert here.shown(asset_id)["description"].startswith("Second thoughts")
    assert here.statuses()[asset_id] == "conflict"


async def test_left_to_the_person_is_decided_only_where_it_is_asked_for(conflict, policy):
    """A field that is in conflict beside it stays as it is: a decision is for one field."""
    here, image_id, asset_id = await conflict()
    await decide(here, image_id, "skymmich")
    await here.run(by_person=False)
    here.sim.person(asset_id, "set_description", f"{MINE}\n\n{here.shown(asset_id)['description']}")
    here.sim.person(asset_id, "set_coordinates", [10.5, 20.5])
    here.sql("UPDATE astrophotography_images SET latitude = 49.0, longitude = 11.0 WHERE id = ?", image_id)
    here.sim.wait_until_idle()
    await here.run(by_person=False)
    assert here.statuses()[asset_id] == "conflict"
    (item,) = (await here.prepare(image_ids=frozenset({image_id}))).items
    assert {one.field: one.case for one in decidable(item.plan)} == {
        "prose": "drift",
        "coordinates": "both_changed",
    }
    assert await decide(here, image_id, "skymmich", field="prose") == ("prose",)
    await here.run(by_person=False)
    shown = here.shown(asset_id)
    assert shown["description"].startswith(f"{THEIRS}\n\n✦ ")
    assert (shown["latitude"], shown["longitude"]) == (10.5, 20.5)
    assert here.statuses()[asset_id] == "conflict"


async def test_what_immich_did_not_keep_is_tried_again_without_a_word_of_another_field(conflict):
    here, image_id, asset_id = await conflict("sign_flips,round_trip")
    near = "UPDATE astrophotography_images SET latitude = 0.02, longitude = 30.1 WHERE id = ?"
    here.sql(near, image_id)
    await here.run(by_person=False)
    assert here.statuses()[asset_id] == "not_sticking"
    assert await decide(here, image_id, "skymmich", field="coordinates") == ("coordinates",)
    await here.run(image_ids=frozenset({image_id}))
    assert here.writes > 0  # it was tried
    assert here.shown(asset_id)["description"].startswith(MINE)
    await here.run(by_person=False)
    assert here.writes == 0  # once


async def test_force_takes_also_what_was_left_to_the_person(conflict):
    here, image_id, asset_id = await conflict()
    await decide(here, image_id, "skymmich")
    await here.run(by_person=False)
    here.sim.person(asset_id, "set_description", MINE)
    here.sim.wait_until_idle()
    await here.run(image_ids=frozenset({image_id}), force=True)
    assert here.shown(asset_id)["description"].startswith(f"{THEIRS}\n\n✦ ")


async def test_texts_too_long_together_are_refused_before_anything_is_decided(conflict):
    here, image_id, asset_id = await conflict()
    long = "x" * 9_990
    here.sql("UPDATE astrophotography_images SET description = ? WHERE id = ?", long, image_id)
    await here.run(by_person=False)
    with pytest.raises(DecisionError, match="over 10000 bytes"):
        await decide(here, image_id, "both")
    assert here.store.record(asset_id).resolutions == ()
    assert here.statuses()[asset_id] == "conflict"
