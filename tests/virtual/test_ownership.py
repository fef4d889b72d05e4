"""A store that is lost, an older copy of it, another instance: what is ours is known again, and nobody fights."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import replace

import pytest

from reconciler.core.ownership import KEY, OwnershipRecord
from reconciler.core.policy import GuardPolicy, Policy, Switches
from reconciler.core.store_keys import CREATED_TAGS, OWNER
from reconciler.engine.ownership import ALIVE, leave_wishes
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.redo import write_again
from reconciler.errors import AnotherInstanceError
from reconciler.messages.runs import summary
from state.store import StateStore
from tests.thorough import several
from tests.virtual.loop import run

BOLD = Policy(guard=GuardPolicy(canary=0, max_fraction=1.0))
"""The guard has tests of its own: here a whole catalogue may change at once."""
REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging"
BULK = "PUT /assets/metadata"
READ = "GET /assets/{id}/metadata"


def owned(here):
    """Count what the store owns: tags, blocks."""
    records = here.store.records().values()
    return sum(len(one.applied.tags) for one in records), sum(
        one.applied.block is not None for one in records
    )


def lose_store(here, *, copy=None):
    """Make the store anew in its place: empty, or from a copy."""
    path = here.store.file
    here.store.close()
    path.unlink()
    if copy is not None:
        shutil.copyfile(copy, path)
    here.store = StateStore.open(path)


def copy_store(here):
    """Give a copy of the store as a backup has it."""
    target = here.store.file.with_name("copy.sqlite3")
    with closing(sqlite3.connect(here.store.file)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    return target


def second(world, here, store=None):
    """Give another instance: a store of its own in another place, the same catalogue, server and time."""
    other = world(count=1)
    other.path, other.clock, other.line = here.path, here.clock, here.line
    other.application, other.state, other.policy = here.application, here.state, here.policy
    return other


def edit_all(here, word):
    here.sql("UPDATE astrophotography_images SET title = title || ?", f" {word}")
    here.sql("UPDATE equipment SET name = name || ?", f" {word}")


def values(here):
    return {
        key: (one["description"], one["latitude"], tuple(sorted(one["tags"])))
        for key, one in here.shown().items()
    }


def records(here):
    found = {key: kept[KEY] for key, kept in here.notes().items() if KEY in kept}
    return {key: OwnershipRecord.from_json(value, key) for key, value in found.items()}


def conflicts(here):
    return here.statuses().get("conflict", 0)


def test_records_are_written_in_bulk_and_an_idle_pass_writes_and_reads_none(world):
    here = world(unkind=REAL, drain=60.0, policy=BOLD)
    images = len(here.images())
    here.run()
    tags, blocks = owned(here)
    print(
        f"{images} images, {tags} tags, {blocks} blocks; {here.requests[BULK]} bulk calls, {here.requests[READ]} readings"
    )
    assert here.requests[BULK] == 1
    assert here.requests[READ] <= 16
    assert here.store.unshared(10) == []
    kept = records(here)
    assert sum(len(one.tags) for one in kept.values()) == tags
    assert sum(one.block is not None for one in kept.values()) == blocks
    assert len(kept) == images
    here.run(brief=True)
    assert (here.writes, here.requests[BULK]) == (0, 0)
    assert here.requests[READ] <= 1


def test_a_store_that_is_lost_owns_everything_again_and_doubles_nothing(world):
    here = world(unkind=REAL, drain=60.0, policy=BOLD)
    here.run()
    before, shown = owned(here), values(here)
    texts = {key: one.applied for key, one in here.store.records().items()}
    lose_store(here)
    report = here.run()
    print(f"owned (tags, blocks) before: {before}, after: {owned(here)}; {here.requests[READ]} readings")
    assert owned(here) == before
    assert {key: one.applied for key, one in here.store.records().items()} == texts
    assert values(here) == shown
    assert here.writes == 0
    assert conflicts(here) == 0
    assert [one.code for one in report.run.summary].count("run_adopted") == 1


def test_after_a_store_was_lost_every_block_follows_the_catalogue_and_old_tags_go(world):
    here = world(unkind=REAL, drain=60.0, policy=BOLD)
    here.run()
    tags, blocks = owned(here)
    lose_store(here)
    edit_all(here, "two")
    here.run()
    here.run()
    assert conflicts(here) == 0
    updated = sum(
        " two" in one["description"].split("\n")[0] or " two" in one["description"]
        for one in here.shown().values()
    )
    print(f"{updated} of {blocks} blocks updated; owned now {owned(here)}, before {(tags, blocks)}")
    assert updated >= blocks
    assert owned(here)[1] == blocks
    old = [
        tag
        for one in here.shown().values()
        for tag in one["tags"]
        if "Camera/" in tag and not tag.endswith(" two")
    ]
    assert old == []
    here.run()
    assert here.writes == 0


def test_the_same_at_once_where_the_catalogue_changed_while_the_store_was_gone_costs_no_words(world):
    here = world(unkind=REAL, drain=60.0, policy=BOLD, count=20)
    here.run()
    ids = [asset_id for _, asset_id in here.images()]
    here.person(ids[0], "append_description", "\n\nMine, below.")
    here.person(ids[1], "add_tag", "mine/own")
    here.settle()
    lose_store(here)
    edit_all(here, "two")
    here.run()
    here.run()
    shown = here.shown()
    assert shown[ids[0]]["description"].endswith("Mine, below.")
    assert "mine/own" in shown[ids[1]]["tags"]
    assert shown[ids[0]]["description"].count("— Skymmich") == 1


def test_an_older_copy_of_the_store_catches_up_without_conflicts_of_our_own_making(world):
    here = world(unkind=REAL, drain=60.0, policy=BOLD)
    here.run()
    copy = copy_store(here)
    edit_all(here, "two")
    here.sql("UPDATE astrophotography_images SET description = 'Said anew of ' || id WHERE id % 3 = 0")
    here.run()
    after, shown = owned(here), values(here)
    applied = {key: one.applied for key, one in here.store.records().items()}
    was_in_conflict = conflicts(here)
    lose_store(here, copy=copy)
    here.run()
    print(f"owned {owned(here)}, before {after}; conflicts {conflicts(here)}; {here.requests[READ]} readings")
    assert {key: one.applied for key, one in here.store.records().items()} == applied
    assert values(here) == shown
    assert here.writes == 0
    assert conflicts(here) == was_in_conflict
    edit_all(here, "three")
    here.run()
    assert conflicts(here) == was_in_conflict
    here.run()
    assert (here.writes, here.requests[READ] <= 2) == (0, True)


def test_a_pass_of_an_older_store_that_is_killed_goes_on_where_it_stopped(world):
    here = world(unkind=REAL, drain=60.0, policy=BOLD, count=30)
    here.run()
    copy = copy_store(here)
    edit_all(here, "two")
    here.run()
    after = owned(here)
    lose_store(here, copy=copy)
    edit_all(here, "three")
    assert here.run(within=0.8) is None
    for _ in range(3):
        here.run()
    assert owned(here) == after
    assert conflicts(here) == 0
    assert OWNER.read(here.store)["floor"] is None


def test_what_a_person_took_back_is_not_written_again_by_a_store_made_anew(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    here.undo("run-1")
    here.run()
    assert here.statuses() == {"undone": 6}
    bare = values(here)
    lose_store(here)
    here.run()
    assert here.statuses() == {"undone": 6}
    assert values(here) == bare


def test_a_library_that_was_taken_back_whole_stays_so_for_a_store_made_anew(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    here.take_back(everything=True)
    here.run()
    bare = values(here)
    assert not any(text or tags for text, _, tags in bare.values())
    lose_store(here)
    edit_all(here, "two")
    here.run()
    assert values(here) == bare
    assert here.statuses() == {"undone": 6}


def test_two_instances_come_to_rest_and_the_second_says_which_and_since_when(world):
    here = world(count=20, unkind=REAL, drain=60.0, policy=BOLD)
    here.run()
    name = OWNER.read(here.store)["instance"]
    other = second(world, here)
    # Other rules, so that each would undo what the other did for ever.
    other.policy = replace(other.policy, description=replace(other.policy.description, language="de"))
    writes = []
    for _ in range(10):
        with pytest.raises(AnotherInstanceError, match=name):
            other.run(by_person=False)
        with pytest.raises(AnotherInstanceError, match="since 20"):
            other.run()
        writes.append(other.writes)
        here.run()
        writes.append(here.writes)
        here.clock.seconds += 60
    print(f"writes of twenty passes of two instances: {writes}")
    assert writes == [0] * 20
    assert here.statuses() == {"in_sync": 20}
    assert len(other.store.records()) == 0


def test_two_instances_that_begin_at_the_very_same_time_come_to_rest(world):
    here = world(count=20, unkind=REAL, drain=60.0, policy=BOLD)
    other = second(world, here)
    other.policy = replace(other.policy, description=replace(other.policy.description, language="de"))
    prepared = []

    async def both(cycle, _):
        prepared.append(await cycle.prepare(Selection(), Wishes(here.policy, Switches())))

    run(here.clock, here._cycle(both))  # one looks, and finds nobody
    other.run()
    writes = []
    for _ in range(10):
        for each in (here, other):
            with suppress(AnotherInstanceError):
                each.run()
            writes.append(each.writes)
        here.clock.seconds += 60
    print(f"writes of twenty passes: {writes}")
    assert sum(writes[4:]) == 0


def test_an_instance_that_gave_no_sign_of_life_for_half_a_day_is_gone(world):
    here = world(count=10, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    before = owned(here)
    other = second(world, here)
    with pytest.raises(AnotherInstanceError):
        other.run()
    here.clock.seconds += ALIVE.total_seconds() + 60
    other.run()
    assert owned(other) == before
    assert other.writes == 0
    edit_all(here, "two")
    with pytest.raises(AnotherInstanceError):  # and now the first one stands back
        here.run()


def test_who_takes_over_is_known_to_the_other_before_it_writes_again(world):
    here = world(count=10, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    before = owned(here)
    other = second(world, here)
    leave_wishes(other.store, ["take_over"])
    other.run()
    assert owned(other) == before
    edit_all(here, "two")
    with pytest.raises(AnotherInstanceError, match=OWNER.read(other.store)["instance"]):
        here.run()
    other.run()
    assert owned(other)[1] == before[1]
    assert {one.owner.instance for one in records(here).values()} == {OWNER.read(other.store)["instance"]}


@pytest.mark.parametrize("version", ["2.4.1", "1.139.2"])
def test_before_2_5_blocks_are_known_by_their_markers_and_tags_are_offered(world, version):
    here = world(count=20, unkind="settling", drain=60.0, policy=BOLD, version=version)
    here.run()
    tags, blocks = owned(here)
    assert here.requests[BULK] == here.requests[READ] == 0
    lose_store(here)
    here.run()
    assert owned(here) == (0, blocks)
    edit_all(here, "two")
    here.run()
    updated = sum(" two" in one["description"] for one in here.shown().values())
    print(f"{version}: {updated} of {blocks} blocks updated")
    assert updated == blocks
    assert conflicts(here) == 0
    assert here.requests[BULK] == here.requests[READ] == 0
    leave_wishes(here.store, ["offered"])
    here.run()
    print(f"{version}: {owned(here)[0]} of {tags} tags owned once they were taken as offered")
    assert owned(here)[0] >= 0.9 * tags
    here.run()
    assert here.writes == 0


def test_before_2_5_a_block_with_lines_that_may_be_a_persons_is_theirs_to_give_away(world):
    here = world(count=8, unkind="settling", drain=60.0, policy=BOLD, version="2.4.1")
    here.run()
    ids = [asset_id for _, asset_id in here.images()]
    block = here.store.record(ids[0]).applied.block
    lose_store(here)
    text = here.shown()[ids[0]]["description"]
    here.person(ids[0], "set_description", text.replace(block.split("\n")[1], "Seen with my father."))
    here.settle()
    here.run()
    assert here.statuses() == {"in_sync": 7, "conflict": 1}
    assert "Seen with my father." in here.shown()[ids[0]]["description"]
    leave_wishes(here.store, ["offered"])
    here.run()
    assert here.statuses() == {"in_sync": 8}


def test_a_key_that_may_not_write_records_costs_one_request_and_no_pass(world):
    here = world(count=5, unkind="settling", drain=60.0, policy=BOLD)
    here.settings.scopes = tuple(
        scope
        for scope in (
            "asset.read",
            "tag.read",
            "tag.create",
            "tag.asset",
            "asset.statistics",
            "user.read",
            "apiKey.read",
        )
    )
    here.run()
    assert here.requests[BULK] <= 1
    assert records(here) == {}


def test_a_damaged_record_says_nothing_and_costs_nothing(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    ids = sorted(asset_id for _, asset_id in here.images())
    anothers = here.notes()[ids[0]][KEY]  # as a cache gives it, or a copy of an asset brings it
    bad = [{"version": 2}, {"version": 1, "instance": "x"}, anothers]
    for asset_id, value in zip(ids[3:], bad, strict=True):
        here.state.assets[asset_id].metadata[KEY] = (value, here.state.milliseconds)
    shown = values(here)
    lose_store(here)
    here.run()
    kept = {key: one.applied for key, one in here.store.records().items()}
    assert all(kept[asset_id].block is not None for asset_id in ids[:3])
    assert all(kept[asset_id].tags == frozenset() for asset_id in ids[3:])
    assert values(here) == shown


def test_a_new_image_with_our_record_is_known_by_a_store_that_is_settled(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    _, asset_id = here.images()[2]
    before = here.store.record(asset_id).applied
    with here.store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM assets WHERE asset_id = ?", (asset_id,))
    here.run()
    assert here.store.record(asset_id).applied == before
    assert here.requests[READ] <= 3


def test_what_a_new_store_wrote_itself_takes_no_write_of_its_own_for_one_that_has_long_arrived(world):
    here = world(count=3, unkind="settling", drain=8.0, policy=BOLD)
    here.run()
    here.settle()
    lose_store(here)
    image_id, odd = here.images()[1]
    here.run(image_ids=frozenset({image_id}))  # the others' records are still to be taken up
    assert owned(here)[1] == 1

    def pause(moment, method, path):
        here.settings.paused = here.settings.paused or (method == "PUT" and odd in path)

    here.line.meanwhile = pause
    here.take_back(everything=True)
    assert here.store.record(odd).status == "undone"
    assert here.settings.paused
    here.run(force=True)
    assert here.faults["overlaps"] == here.faults["lost"] == 0
    here.line.meanwhile = lambda *_: None
    here.settings.paused = False
    here.settle()
    here.run(force=True)
    assert here.statuses() == {"in_sync": 3}


def test_a_write_of_a_killed_pass_of_a_new_store_is_waited_for_before_its_asset_is_written_again(world):
    here = world(count=3, unkind="settling", drain=1.0, policy=BOLD)
    here.run()
    here.settle()
    lose_store(here)
    here.sql("UPDATE astrophotography_images SET description = 'Words of the catalogue'")
    asset_id = here.images()[1][1]
    here.person(asset_id, "delete_tag", max(here.state.tags.values(here.state.assets[asset_id])))
    assert here.run(within=0.4) is None
    assert here.store.pending()
    assert here.store.records() == {}
    here.run(force=True)
    assert here.faults["overlaps"] == here.faults["lost"] == 0
    here.settle()
    here.run()
    assert here.statuses() == {"in_sync": 3}


def test_an_older_copy_whose_sentinels_cannot_be_asked_reads_all_records_and_takes_no_persons_tag_off(world):
    here = world(unkind="settling", drain=60.0, policy=BOLD, count=6)
    here.run()
    copy = copy_store(here)
    here.take_back(everything=True)
    sentinels = OWNER.read(here.store)["sentinels"]
    image_id, asset_id = next(pair for pair in here.images() if pair[1] not in sentinels)
    with StateStore.open(copy) as older:
        tag = next(tag for tag in sorted(older.record(asset_id).applied.tags) if "/Equipment/" in tag)
    here.person(asset_id, "add_tag", tag)
    for one in sentinels:
        here.state.assets[one].visibility = "locked"
    here.settle()
    lose_store(here, copy=copy)
    here.sql("DELETE FROM image_equipment WHERE image_id = ?", image_id)
    here.run()
    here.run()
    assert tag in here.shown()[asset_id]["tags"]
    assert here.store.record(asset_id).status == "undone"
    here.sql("UPDATE astrophotography_images SET title = 'Another title'")
    write_again(here.store, None)
    here.run()
    form = OWNER.read(here.store)
    assert form["floor"] is None
    assert form["sentinels"]
    assert set(form["sentinels"]).isdisjoint(sentinels)
    here.run()
    assert here.requests[READ] <= 1


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("linked", [True, False])
def test_an_undo_that_comes_first_after_an_older_copy_was_put_back_leaves_what_a_person_put_on(
    world, everything, linked
):
    here = world(unkind="settling", drain=60.0, policy=BOLD, count=3)
    here.run()
    copy = copy_store(here)
    here.take_back(everything=True)
    image_id, asset_id = here.images()[0]
    with StateStore.open(copy) as older:
        tag = next(tag for tag in sorted(older.record(asset_id).applied.tags) if "/Equipment/" in tag)
    here.person(asset_id, "add_tag", tag)
    here.settle()
    lose_store(here, copy=copy)
    if not linked:  # no pass plans this asset
        here.sql("UPDATE astrophotography_images SET immich_id = NULL WHERE id = ?", image_id)
    report = here.take_back(**({"everything": True} if everything else {"run_id": "run-1"}))
    assert report.error is None
    assert tag in here.shown()[asset_id]["tags"]
    here.run()
    assert tag in here.shown()[asset_id]["tags"]


@pytest.mark.parametrize("seed", range(several(2, 4)))
def test_an_undo_of_everything_of_an_older_copy_that_is_killed_waits_for_its_own_writes(world, seed):
    here = world(unkind="settling", drain=8.0, policy=BOLD, count=4, seed=seed)
    here.run()
    copy = copy_store(here)
    edit_all(here, "two")
    here.run()
    here.settle()
    lose_store(here, copy=copy)
    for within in (0.3, 1.5, 4.0):
        here.take_back(everything=True, within=within)
    assert here.take_back(everything=True).error is None
    assert here.faults["overlaps"] == 0
    here.settle()
    assert owned(here) == (0, 0)
    assert not any(shown["tags"] or shown["description"] for shown in here.shown().values())


@pytest.mark.parametrize("count", [3, 40])
def test_an_undo_of_everything_takes_back_what_an_older_copy_of_the_store_does_not_know(
    world, count, monkeypatch
):
    monkeypatch.setattr("reconciler.engine.items.LOOSE", 10)
    monkeypatch.setattr("reconciler.engine.planner.slices.LOOSE", 10)
    here = world(unkind="settling", drain=60.0, policy=BOLD, count=count)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    copy = copy_store(here)
    edit_all(here, "two")
    here.run()
    here.settle()
    lose_store(here, copy=copy)
    report = here.take_back(everything=True)
    assert report.error is None
    here.settle()
    assert len(report.undone) == count
    assert not any(shown["tags"] or "✦" in shown["description"] for shown in here.shown().values())
    # What stood there before only the newer store knew: that is told, and the catalogue's words stay.
    assert {why.code for _, why in report.left} == {"no_place_before", "former_unknown"}
    here.run()
    assert here.writes == 0
    assert here.statuses() == {"undone": count}


def test_an_undo_of_a_run_of_an_older_copy_makes_no_tag_ours_that_a_person_put_on_since(world):
    """Nothing is left to take back, so nothing is written; what is recorded is what Immich's records tell."""
    here = world(unkind="settling", drain=60.0, policy=BOLD, count=3)
    here.run()
    copy = copy_store(here)
    here.take_back(everything=True)
    image_id, asset_id = here.images()[0]
    with StateStore.open(copy) as older:
        tag = next(tag for tag in sorted(older.record(asset_id).applied.tags) if "/Equipment/" in tag)
    here.person(asset_id, "add_tag", tag)
    here.settle()
    lose_store(here, copy=copy)
    assert here.take_back(run_id="run-1").error is None
    assert tag not in here.store.record(asset_id).applied.tags
    here.sql("DELETE FROM image_equipment WHERE image_id = ?", image_id)
    write_again(here.store, None)
    here.run()
    here.run()
    assert tag in here.shown()[asset_id]["tags"]


def test_a_write_of_a_killed_pass_of_a_settled_store_is_waited_for_where_only_immich_has_the_record(world):
    here = world(count=3, unkind="settling", drain=1.0, policy=BOLD)
    here.run()
    here.settle()
    assert OWNER.read(here.store)["floor"] is None
    asset_id = here.images()[1][1]
    with here.store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM assets WHERE asset_id = ?", (asset_id,))
    here.sql("UPDATE astrophotography_images SET description = 'Words of the catalogue'")
    here.person(asset_id, "delete_tag", max(here.state.tags.values(here.state.assets[asset_id])))
    assert here.run(within=0.4) is None
    assert asset_id in here.store.pending()
    assert here.store.record(asset_id) is None
    here.run(force=True)
    assert here.faults["overlaps"] == here.faults["lost"] == 0
    here.settle()
    here.run()
    assert here.statuses() == {"in_sync": 3}


def test_tags_that_another_store_made_are_named_and_left_once_nothing_carries_them(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    made = {tag for tag in here.tags if tag.split("/")[0] == "Astro"}
    other = second(world, here)
    leave_wishes(other.store, ["take_over"])
    other.run()
    assert not CREATED_TAGS.read(other.store)
    looked = other.look_back(everything=True)
    assert (set(looked.unrecorded), looked.counts["tags_unrecorded"]) == (made, len(made))
    report = other.take_back(everything=True)
    assert made <= here.tags
    [(path, why)] = report.tags.unrecorded
    assert (path, why.code, why.get("count")) == ("Astro", "tag_unrecorded", len(made))
    assert f"left {len(made)} tags that nothing carries below “Astro”" in summary(report.run.summary)


def test_of_tags_below_our_root_only_those_that_nothing_carries_are_named(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    _, asset_id = here.images()[0]
    here.person(asset_id, "add_tag", "Astro/Mine/Kept")
    here.person(asset_id, "add_tag", "Astro/Mine/Gone")
    here.person(asset_id, "add_tag", "Elsewhere/Gone")
    for path in ("Astro/Mine/Gone", "Elsewhere/Gone"):
        here.person(asset_id, "remove_tag", path)
    here.settle()
    here.run()
    report = here.take_back(everything=True)
    assert [(path, why.get("count")) for path, why in report.tags.unrecorded] == [("Astro/Mine/Gone", 1)]
    assert {"Astro/Mine/Gone", "Astro/Mine/Kept", "Elsewhere/Gone"} <= here.tags
    assert not any(path.startswith("Astro/") and "Mine" not in path for path in here.tags)


def test_tags_that_an_older_copy_of_the_store_does_not_know_are_named_too(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    copy = copy_store(here)
    before = here.tags
    edit_all(here, "two")
    here.run()
    new = here.tags - before
    lose_store(here, copy=copy)
    here.run()
    report = here.take_back(everything=True)
    assert new
    assert here.tags & new == new
    named = [path for path, _ in report.tags.unrecorded]
    assert all(any(tag == path or tag.startswith(f"{path}/") for path in named) for tag in new)
    assert sum(why.get("count") for _, why in report.tags.unrecorded) == len(new)


def test_a_store_that_made_all_tags_names_none(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    report = here.take_back(everything=True)
    assert report.tags.unrecorded == ()
    assert not any(tag.startswith("Astro") for tag in here.tags)


def refusal(here, **how):
    """Give why an instance stands back."""
    with pytest.raises(AnotherInstanceError) as caught:
        here.run(**how)
    return caught.value


def test_the_last_sign_of_life_is_that_of_the_sentinels_and_not_of_the_first_record_found(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    ids = sorted(asset_id for _, asset_id in here.images())
    first = OWNER.read(here.store)
    assert first["sentinels"] == ids[:2]
    # The first asset is no sentinel any more: its record stays as it was.
    OWNER.write(here.store, {**first, "sentinels": ids[1:3]})
    here.clock.seconds += 3 * 3600
    image_id = next(one for one, asset_id in here.images() if asset_id == ids[5])
    here.sql("UPDATE astrophotography_images SET title = 'Anew' WHERE id = ?", image_id)
    here.run()
    written = {key: one.written_at for key, one in records(here).items()}
    assert written[ids[0]] < written[ids[1]] == written[ids[5]]
    other = second(world, here)
    error = refusal(other)
    assert abs((error.seen_at - written[ids[5]]).total_seconds()) < 5
    assert other.requests[READ] <= 3


def test_an_instance_that_lives_is_not_taken_for_gone_by_an_old_record_of_it(world):
    here = world(count=6, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    ids = sorted(asset_id for _, asset_id in here.images())
    OWNER.write(here.store, {**OWNER.read(here.store), "sentinels": ids[1:3]})
    here.clock.seconds += ALIVE.total_seconds() + 60
    image_id = next(one for one, asset_id in here.images() if asset_id == ids[5])
    here.sql("UPDATE astrophotography_images SET title = 'Anew' WHERE id = ?", image_id)
    here.run()
    refusal(second(world, here))


def test_the_other_one_is_called_by_its_hosts_name_and_a_record_without_one_is_read_too(world, monkeypatch):
    monkeypatch.setattr("state.database.host", lambda: "attic")
    here = world(count=3, unkind="settling", drain=60.0, policy=BOLD)
    here.run()
    name = OWNER.read(here.store)["instance"]
    other = second(world, here)
    error = refusal(other)
    assert f"({name} on attic) has kept this library since" in error.message
    assert "seen from here" in error.message
    for asset in here.state.assets.values():  # as an older version wrote it
        if KEY in asset.metadata:
            value, at = asset.metadata[KEY]
            asset.metadata[KEY] = ({key: one for key, one in value.items() if key != "host"}, at)
    assert f"({name}) has kept this library since" in refusal(other).message


def test_a_key_that_may_not_list_tags_takes_back_all_the_same(world):
    here = world(count=3, unkind="settling", drain=60.0, policy=BOLD)
    here.settings.scopes = ("asset.read", "asset.update", "user.read", "apiKey.read")
    here.run()
    report = here.take_back(everything=True)
    assert (report.error, report.tags.unrecorded) == (None, ())
    assert not any(one["description"] for one in here.shown().values())
