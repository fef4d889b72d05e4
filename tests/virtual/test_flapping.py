"""A value of ours that somebody else changes again and again: a few corrections, then theirs; nothing grows."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from reconciler.core.plan.conflicts import sides
from reconciler.core.policy import Policy, Switches
from reconciler.engine.conflicts import take_decision
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.messages.reasons import sentence
from state.store import StateStore
from tests.thorough import several
from tests.virtual.loop import run
from tests.virtual.world import NO_CANARY

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
PLACE = [10.0, 20.0]


def restart(here):
    path = here.store.file
    here.store.close()
    here.store = StateStore.open(path)


def description(here, asset_id):
    return here.shown()[asset_id]["description"]


def corrected_line(here, asset_id, line="Camera: my own words"):
    """Let a person correct a line of our block, in place of the second."""
    lines = description(here, asset_id).split("\n")
    lines[lines.index(next(one for one in lines if one.startswith("✦"))) + 1] = line
    here.person(asset_id, "set_description", "\n".join(lines))
    here.settle()


def look(here):
    """Do what the daemon does every minute."""
    here.clock.seconds += MINUTE
    report = here.run(by_person=False, brief=True)
    here.settle()
    return report


@pytest.fixture
def synced(world):
    def make(**how):
        here = world(count=6, **how)
        here.run()
        here.settle()
        assert set(here.statuses()) == {"in_sync"}
        return here, here.images()[1][1]

    return make


def edit_block(here, asset_id):
    corrected_line(here, asset_id)


def edit_place(here, asset_id):
    here.person(asset_id, "set_coordinates", PLACE)
    here.settle()


def edit_tags(here, asset_id):
    here.person(asset_id, "remove_tag", next(iter(sorted(here.store.record(asset_id).applied.tags))))
    here.settle()


EDITS = {"block": edit_block, "coordinates": edit_place, "tags": edit_tags}


def is_theirs(here, asset_id, field):
    shown, applied = here.shown()[asset_id], here.store.record(asset_id).applied
    if field == "block":
        return applied.block not in shown["description"]
    if field == "tags":
        return not applied.tags <= set(shown["tags"])
    return [shown["latitude"], shown["longitude"]] == PLACE


@pytest.fixture
def placed(synced):
    """Make a world in which the image has a place, too."""

    def make():
        here, asset_id = synced()
        here.sql(
            "UPDATE astrophotography_images SET latitude = 47.5, longitude = 11.2 WHERE immich_id = ?",
            asset_id,
        )
        here.run(force=True)
        here.settle()
        return here, asset_id

    return make


@pytest.mark.parametrize("field", EDITS)
def test_a_value_is_put_right_three_times_with_growing_pauses_and_then_left(placed, field):
    here, asset_id = placed()
    for times, pause in enumerate((0.0, HOUR, 6 * HOUR)):
        EDITS[field](here, asset_id)
        assert is_theirs(here, asset_id, field)
        if pause:
            look(here)
            record = here.store.record(asset_id)
            assert (record.status, here.writes) == ("conflict", 0)
            assert "is not corrected again before" in sentence(record.reasons)
            assert f"corrected {times} time" in sentence(record.reasons)
            restart(here)
            here.clock.seconds += pause - 10 * MINUTE
            look(here)
            assert here.writes == 0
            here.clock.seconds += 10 * MINUTE
        look(here)
        assert not is_theirs(here, asset_id, field)
        assert here.store.record(asset_id).status == "in_sync"
    EDITS[field](here, asset_id)
    moved = here.store.record(asset_id).seen_updated_at
    for _ in range(4):
        look(here)
        restart(here)
        here.clock.seconds += 2 * DAY
        assert here.writes == 0
    record = here.store.record(asset_id)
    assert record.status == "conflict"
    assert is_theirs(here, asset_id, field)
    told = sentence(record.reasons)
    assert "somebody else writes here, last on 2026-03-0" in told
    assert "it was corrected 3 times" in told
    assert record.seen_updated_at > moved
    requests = here.requests["GET /assets/{id}"]
    assert requests == 0, "what is held costs an idle look nothing"
    found = [one.counts.found.get(("contested", field), 0) for one in here.store.runs(100)]
    assert sum(found) == 3, "once when it waited the second time, the third, and when it was left"


def edited_until_held(here, asset_id, field="block"):
    for _ in range(4):
        EDITS[field](here, asset_id)
        look(here)
        here.clock.seconds += 7 * HOUR
        look(here)
    assert here.store.record(asset_id).status == "conflict"


def test_a_change_of_the_catalogue_begins_anew(synced):
    here, asset_id = synced()
    edited_until_held(here, asset_id)
    here.sql(
        "UPDATE astrophotography_images SET title = 'Another title', telescope = 'Another' WHERE immich_id = ?",
        asset_id,
    )
    look(here)
    assert here.store.record(asset_id).corrections == ()


@pytest.mark.parametrize("field", ["block", "tags"])
def test_a_persons_force_writes_it_and_begins_anew(synced, field):
    here, asset_id = synced()
    edited_until_held(here, asset_id, field)
    (image_id,) = here.sql("SELECT id FROM astrophotography_images WHERE immich_id = ?", asset_id)[0]
    here.run(force=True, image_ids=frozenset({image_id}))
    assert not is_theirs(here, asset_id, field)
    EDITS[field](here, asset_id)
    here.clock.seconds += 2 * HOUR
    look(here)
    assert not is_theirs(here, asset_id, field)


def decide(here, asset_id, keep, field):
    async def act(cycle, _):
        (image_id,) = here.sql("SELECT id FROM astrophotography_images WHERE immich_id = ?", asset_id)[0]
        prepared = await cycle.prepare(
            Selection(image_ids=frozenset({image_id})), Wishes(here.policy, Switches())
        )
        (item,) = prepared.items
        shown = next(sides(one) for one in item.plan.decisions if one.field == field)
        return take_decision(
            here.store, item.plan, keep, rules=prepared.rules, at=here.clock.now(), field=field, shown=shown
        )

    assert run(here.clock, here._cycle(act)) == (field,)


@pytest.mark.parametrize("field", EDITS)
def test_a_person_can_have_ours_written_again(placed, field):
    here, asset_id = placed()
    edited_until_held(here, asset_id, field)
    decide(here, asset_id, "skymmich", field)
    look(here)
    assert not is_theirs(here, asset_id, field)
    assert here.store.record(asset_id).status == "in_sync"


def test_tags_that_stay_as_they_are_are_a_conflict_again_once_either_side_changes(placed):
    here, asset_id = placed()
    edited_until_held(here, asset_id, "tags")
    decide(here, asset_id, "immich", "tags")
    look(here)
    here.person(asset_id, "add_tag", "people/new")
    here.settle()
    look(here)
    assert here.store.record(asset_id).status == "conflict"
    decide(here, asset_id, "immich", "tags")
    look(here)
    assert here.store.record(asset_id).status == "in_sync"
    decide(here, asset_id, "skymmich", "tags")
    look(here)
    assert not is_theirs(here, asset_id, "tags")
    assert "people/new" in here.shown()[asset_id]["tags"]


@pytest.mark.parametrize("field", EDITS)
def test_a_person_can_let_it_stay_as_it_is(placed, field):
    here, asset_id = placed()
    edited_until_held(here, asset_id, field)
    decide(here, asset_id, "immich", field)
    look(here)
    assert here.writes == 0
    assert is_theirs(here, asset_id, field)
    assert here.store.record(asset_id).status == "in_sync"


def test_after_a_quiet_week_a_correction_is_made_at_once(synced):
    here, asset_id = synced()
    for _ in range(3):
        edit_block(here, asset_id)
        look(here)
        assert not is_theirs(here, asset_id, "block")
        here.clock.seconds += 8 * DAY


def test_a_line_that_a_person_corrects_again_and_again_stands_below_once(synced):
    """Before: one corrected line three times gave three copies."""
    here, asset_id = synced()
    for _ in range(4):
        edit_block(here, asset_id)
        look(here)
        here.clock.seconds += 7 * HOUR
        look(here)
    text = description(here, asset_id)
    assert text.count("Camera: my own words") <= 2  # below, and, as it is left, within
    decide(here, asset_id, "skymmich", "block")
    look(here)
    assert description(here, asset_id).count("Camera: my own words") == 1


def test_a_line_that_stands_in_the_prose_is_not_rescued_and_another_one_is(synced):
    here, asset_id = synced()
    text = description(here, asset_id)
    lines = [*text.split("\n")[:-1], "Seen by me", "And by you", text.split("\n")[-1], "", "Seen by me"]
    here.person(asset_id, "set_description", "\n".join(lines))
    here.settle()
    look(here)
    found = description(here, asset_id)
    assert found.endswith("— Skymmich\n\nAnd by you\n\nSeen by me")
    assert found.count("— Skymmich") == 1


def test_two_daemons_on_one_library_come_to_rest_and_nothing_grows(synced, tmp_path, empty_store):
    """Before: 140 writes within 40 s, and "Filters: Ha" below the block seven times.

    Of servers from 2.5 on, the second one stands back at once: ``test_ownership``.
    """
    here, _ = synced(version="2.4.1")
    other_store = tmp_path / "other.sqlite3"
    shutil.copyfile(empty_store, other_store)
    ours, theirs = here.store, StateStore.open(other_store)
    shorter = replace(
        NO_CANARY,
        description=replace(Policy().description, enabled_parts=frozenset({"title", "filters", "software"})),
    )
    writes = []
    with theirs:
        for _ in range(several(60, 120)):  # an hour or two, a look each minute
            for store, policy in ((ours, NO_CANARY), (theirs, shorter)):
                here.store, here.policy = store, policy
                look(here)
                writes.append(here.writes)
        here.clock.seconds += 7 * HOUR
        for _ in range(30):
            for store, policy in ((ours, NO_CANARY), (theirs, shorter)):
                here.store, here.policy = store, policy
                look(here)
                writes.append(here.writes)
    here.store = ours
    assert sum(writes) <= 6 * 4 * 6
    assert sum(writes[-20:]) == 0
    for asset in here.shown().values():
        lines = [line for line in asset["description"].split("\n") if line.strip()]
        assert max((lines.count(line) for line in lines), default=0) <= 2, asset["description"]


def test_a_clock_that_was_set_back_keeps_no_correction_waiting(synced):
    here, asset_id = synced()
    here.clock.ahead = 400 * DAY
    edit_block(here, asset_id)
    look(here)
    here.clock.ahead = 0.0
    edit_block(here, asset_id)
    look(here)
    assert not is_theirs(here, asset_id, "block")
