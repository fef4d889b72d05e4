"""Taking back, in virtual time: everything, a change, up to a moment; killed, and gone on with."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.desired.coordinates import same_place
from reconciler.core.store_keys import CREATED_TAGS, UNDOING
from reconciler.engine.conflicts import take_decision
from reconciler.engine.redo import write_again
from reconciler.engine.undo_wish import UndoWish, begun, unfinished
from reconciler.errors import DecisionError, UndoError
from tests.thorough import several

REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,clock_skew"
EDITS, PASSES = 500, 5
KINDS = ("title", "description", "no description", "tags", "no tags", "place", "solved", "gear")


def settled(here):
    """Give what Immich shows of each asset: description, place, tags."""
    return {
        asset_id: (one["description"], one["latitude"], one["longitude"], sorted(one["tags"]))
        for asset_id, one in here.shown().items()
    }


def in_slices(monkeypatch):
    """Let an undo be carried out as one of very many images: a few at a time, the others packed."""
    monkeypatch.setattr("reconciler.engine.undo_steps.LOOSE", 1)
    monkeypatch.setattr("reconciler.engine.undo_plan.LOOSE", 1)
    monkeypatch.setattr("reconciler.engine.undo_steps._PACK", 2)
    monkeypatch.setattr("reconciler.engine.undo_plan.SIZE", 3)
    monkeypatch.setattr("reconciler.engine.undo.SIZE", 3)
    monkeypatch.setattr("reconciler.engine.undo._WRITTEN", 5)


def lived_in(here, random):
    """Let people have entered words, places and tags before this program came."""
    for _, asset_id in here.images():
        if random.random() < 0.3:
            here.person(
                asset_id, "set_description", random.choice(["Mine.", "First line\n\n\n  second", "✦ odd"])
            )
            here.settle()
        if random.random() < 0.3:
            here.person(asset_id, "set_coordinates", [random.uniform(10, 60), random.uniform(10, 60)])
            here.settle()
        if random.random() < 0.3:
            here.person(asset_id, "add_tag", random.choice(["mine/own", "Wall", "Telescope"]))
            here.settle()


def edit(here, random, kinds=KINDS):
    """Change something in the catalogue, as Skymmich would."""
    image_id, _ = random.choice(here.images())
    row = "WHERE id = ?"
    kind = random.choice(kinds)
    if kind == "title":
        here.sql(f"UPDATE astrophotography_images SET title = ? {row}", f"Title {random.random()}", image_id)
    elif kind == "description":
        text = f"Words {random.random()}\n\nand more"
        here.sql(f"UPDATE astrophotography_images SET description = ? {row}", text, image_id)
    elif kind == "no description":
        here.sql(f"UPDATE astrophotography_images SET description = NULL {row}", image_id)
    elif kind == "tags":
        tags = random.sample(["Wide", "Deep", "Wall", "mine", "Narrowband", "First/Second"], 3)
        here.sql(f"UPDATE astrophotography_images SET tags = ? {row}", json.dumps(tags), image_id)
    elif kind == "no tags":
        here.sql(f"UPDATE astrophotography_images SET tags = '[]' {row}", image_id)
    elif kind == "place":
        place = random.uniform(10, 60), random.uniform(10, 60)
        here.sql(f"UPDATE astrophotography_images SET latitude = ?, longitude = ? {row}", *place, image_id)
    elif kind == "solved":
        here.sql(
            f"UPDATE astrophotography_images SET constellation = 'Lyra', object_type = 'Nebula' {row}",
            image_id,
        )
    else:
        here.sql("DELETE FROM image_equipment WHERE image_id = ?", image_id)


def assert_as_before(here, before, after, report):
    """Compare asset by asset; only a place where there was none may be left, and is named then."""
    named = {asset_id for asset_id, why in report.left if why.code == "no_place_before"}
    for asset_id, (text, latitude, longitude, tags) in before.items():
        now = after[asset_id]
        assert now[0] == text, asset_id
        assert now[3] == tags, asset_id
        if latitude is None:
            assert now[1] is None or asset_id in named
        else:
            assert same_place(Coordinates(latitude, longitude), Coordinates(now[1], now[2]))


@pytest.mark.parametrize("wish", [{"everything": True}, {"run_id": "run-1"}])
def test_an_undo_in_a_read_only_folder_ends_and_says_what_came_back(world, wish):
    here = world(unkind=f"{REAL},read_only", count=6)
    here.run()
    here.settle()
    here.clock.most_turns = 20_000
    asset_id = here.images()[2][1]
    here.state.assets[asset_id].read_only = True
    carried = set(here.shown()[asset_id]["tags"])
    report = here.take_back(**wish)
    assert set(here.shown()[asset_id]["tags"]) == carried
    assert (asset_id, "not_put_back") in [(left, why.code) for left, why in report.left]
    tags_off = Counter(path for _, method, path, _ in here.line.sent if method == "DELETE")
    assert tags_off
    assert max(tags_off.values()) <= 2 * 6
    # What did not go is ours still, and goes with the next undo once the folder can be written to.
    here.state.assets[asset_id].read_only = False
    here.take_back(**wish)
    assert not {tag for tag in here.shown()[asset_id]["tags"] if tag in carried}


@pytest.mark.parametrize(("seed", "count"), [(1, None), (2, 12)])
def test_everything_undone_the_library_is_as_it_was_before_the_first_sync(world, seed, count, monkeypatch):
    """On the whole sample: first sync, 500 edits of all kinds in five passes, conflicts overwritten."""
    if seed == 2:
        in_slices(monkeypatch)
    here, random = world(unkind=REAL, seed=seed, count=count), Random(seed)
    lived_in(here, random)
    before, tags_before = settled(here), here.tags
    here.run()
    for number in range(PASSES):
        for _ in range(EDITS // PASSES):
            edit(here, random)
        some = frozenset(image_id for image_id, _ in random.sample(here.images(), 8))
        here.run(force=bool(number % 2), image_ids=some if number % 2 else None)
    here.run(approved="", by_person=True)
    assert settled(here) != before
    assert here.tags > tags_before
    report = here.take_back(everything=True)
    after = settled(here)
    assert_as_before(here, before, after, report)
    assert {why.code for _, why in report.left} <= {"no_place_before", "trashed", "locked", "not_shown"}
    assert (here.tags, report.tags.kept) == (tags_before, ())
    assert here.faults["overlaps"] == here.faults["lost"] == 0, here.state.book.examples
    # It stays so, whatever the catalogue says, until it is written again.
    for _ in range(50):
        edit(here, random)
    here.run(full=True)
    assert (here.writes, settled(here)) == (0, after)
    assert here.statuses()["undone"] >= 0.9 * len(before)
    write_again(here.store, None)
    here.run(full=True)
    assert here.writes > 0
    assert "undone" not in here.statuses()
    again = here.take_back(everything=True)
    assert_as_before(here, before, settled(here), again)


def test_with_people_at_work_everything_undone_is_what_people_made(world):
    here, random = world(count=24, unkind=REAL, seed=5), Random(5)
    lived_in(here, random)
    before = settled(here)
    here.run()
    appended, tagged = [asset_id for _, asset_id in here.images()[:6]], [a for _, a in here.images()[4:10]]
    for asset_id in appended:
        here.person(asset_id, "append_description", "\n\nA later line.")
    here.settle()
    for asset_id in tagged:
        here.person(asset_id, "add_tag", "people/later")
    here.settle()
    for _ in range(60):
        edit(here, random, ("title", "tags", "no tags", "place", "solved", "gear"))
    here.run()
    here.take_back(everything=True)
    after = settled(here)
    for asset_id, (text, _, _, tags) in before.items():
        assert after[asset_id][3] == sorted({*tags, *(["people/later"] if asset_id in tagged else [])})
        wanted = f"{text}\n\nA later line.".strip() if asset_id in appended else text
        assert after[asset_id][0] == wanted
    assert {"people/later", "people"} <= here.tags


@pytest.mark.parametrize("seed", several((0, 4), range(6)))
def test_an_undo_of_everything_that_is_killed_is_never_written_over_and_goes_on(world, seed, monkeypatch):
    if seed >= 3:
        in_slices(monkeypatch)
    here, random = world(count=20, unkind="settling,lost_updates", seed=seed, drain=20.0), Random(seed)
    lived_in(here, random)
    before, tags_before = settled(here), here.tags
    here.run()
    # How long it takes is not known: killed early and late.
    for within in (random.uniform(0.2, 3.0), random.uniform(0.2, 6.0)):
        if here.take_back(everything=True, within=within) is not None:
            break
        assert UNDOING.read(here.store)
        broken_off = settled(here)
        here.run(full=True)
        assert settled(here) == broken_off
    report = here.take_back(everything=True)
    assert_as_before(here, before, settled(here), report)
    assert (here.tags, CREATED_TAGS.read(here.store)) == (tags_before, [])
    assert UNDOING.read(here.store) is None
    assert not here.store.pending()
    assert here.faults["overlaps"] == here.faults["lost"] == 0, here.state.book.examples


@pytest.mark.parametrize("seed", several((1, 5), range(6)))
def test_an_undo_of_a_run_that_is_killed_is_never_written_over_and_goes_on(world, seed, monkeypatch):
    if seed >= 3:
        in_slices(monkeypatch)
    here, random = world(count=12, unkind="settling,lost_updates", seed=seed, drain=20.0), Random(seed)
    before = settled(here)
    here.run()
    if here.take_back(run_id="run-1", within=random.uniform(0.3, 4.0)) is None:
        broken_off = settled(here)
        here.run(full=True)
        assert settled(here) == broken_off
    report = here.take_back(run_id="run-1")
    assert_as_before(here, before, settled(here), report)
    assert UNDOING.read(here.store) is None
    here.run(full=True)
    assert here.writes == 0
    assert here.statuses()["undone"] == 12


def test_an_undo_of_an_image_takes_back_the_change_before_the_next_time_and_never_writes_again(world):
    here = world(count=3, unkind="settling")
    image_id, asset_id = here.images()[0]
    states = [settled(here)[asset_id]]
    titles = ["First title", "Second title"]
    here.run()
    for title in titles:
        states.append(settled(here)[asset_id])
        here.sql("UPDATE astrophotography_images SET title = ? WHERE id = ?", title, image_id)
        here.run()
    assert "Second title" in settled(here)[asset_id][0]
    while states:
        wanted = states.pop()
        report = here.take_back(asset_id=asset_id)
        assert report.undone == (asset_id,)
        assert settled(here)[asset_id][0] == wanted[0]
        here.run(full=True)
        assert here.writes == 0
    assert settled(here)[asset_id][3] == wanted[3]
    last = here.take_back(asset_id=asset_id)
    assert last.undone == ()
    assert here.writes == 0


@pytest.mark.parametrize("seed", several((1, 3), range(6)))
def test_an_undo_of_several_images_that_is_killed_goes_on_and_goes_no_further_back(world, seed):
    """Each is bound to its run, so that what was taken back before the kill stays as it was before that run."""
    here, random = world(count=12, unkind="settling,lost_updates", seed=seed, drain=20.0), Random(seed)
    here.run()
    chosen = here.images()[:8]
    before = settled(here)
    for image_id, _ in chosen:
        here.sql("UPDATE astrophotography_images SET title = ? WHERE id = ?", f"Later {image_id}", image_id)
    here.run()
    ours = [asset_id for _, asset_id in chosen]
    others = {one: state for one, state in settled(here).items() if one not in ours}
    images = tuple((asset_id, "") for asset_id in ours)
    here.take_back(images=images, within=random.uniform(0.3, 3.0))
    for wish in unfinished(here.store):
        assert {run_id for _, run_id in wish.images} == {"run-2"}
        here.take_back(images=wish.images)
    after = settled(here)
    assert [after[one][0] for one in ours] == [before[one][0] for one in ours]
    assert others == {one: after[one] for one in others}
    assert UNDOING.read(here.store) is None
    here.run(full=True)
    assert here.writes == 0


def test_an_undo_of_several_is_wanted_no_more_of_those_that_are_written_again(world):
    here = world(count=4)
    here.run()
    wish = UndoWish(images=tuple((asset_id, "run-1") for _, asset_id in here.images()))
    begun(here.store, wish)
    write_again(here.store, [wish.images[0][0]])
    assert unfinished(here.store) == [UndoWish(images=wish.images[1:])]
    write_again(here.store, [asset_id for asset_id, _ in wish.images])
    assert unfinished(here.store) == []


def test_what_would_be_written_again_is_shown_and_nothing_is_recorded(world):
    here = world(count=3)
    here.run()
    wanted = settled(here)
    here.take_back(everything=True)
    records = here.store.records()
    assert here.look().changes == ()
    again = here.look(again=True)
    assert {plan.asset_id for plan in again.changes} == wanted.keys()
    assert here.store.records() == records
    write_again(here.store, None)
    here.run()
    assert settled(here) == wanted


def test_one_field_of_an_image_that_was_taken_back_as_a_whole_is_not_decided(world):
    """It would have brought the whole image back."""
    here = world(count=2)
    here.run()
    here.take_back(everything=True)
    before = settled(here)
    found, now = here.look(full=True), here.clock.now()
    (item, _), rules = found.items, found.rules
    with pytest.raises(DecisionError, match="taken back as a whole") as refused:
        take_decision(here.store, item.plan, "skymmich", rules=rules, at=now, field="tags")
    assert "redo" in refused.value.remedy
    here.run(full=True)
    assert (here.writes, settled(here)) == (0, before)


def test_what_was_taken_back_of_an_update_is_updated_again_once_the_catalogue_changes(world):
    """The former block was nobody's then: a conflict with oneself."""
    here = world(count=2, unkind="settling")
    image_id, asset_id = here.images()[0]
    here.run()
    for title in ("First title", "Second title"):
        here.sql("UPDATE astrophotography_images SET title = ? WHERE id = ?", title, image_id)
        here.run()
    here.take_back(asset_id=asset_id)
    assert "First title" in settled(here)[asset_id][0]
    here.sql("UPDATE astrophotography_images SET title = 'Third title' WHERE id = ?", image_id)
    here.run()
    assert "Third title" in settled(here)[asset_id][0]
    assert "First title" not in settled(here)[asset_id][0]


def test_an_undo_is_never_undone(world):
    here = world(count=2, unkind="settling")
    here.run()
    here.take_back(run_id="run-1")
    with pytest.raises(UndoError, match="took something back"):
        here.take_back(run_id="run-2")


def test_an_image_is_taken_back_to_a_moment(world):
    here = world(count=2, unkind="settling")
    image_id, asset_id = here.images()[0]
    here.run()
    wanted, moment = settled(here)[asset_id], here.clock.now()
    for title in ("First title", "Second title", "Third title"):
        here.clock.seconds += timedelta(hours=1).total_seconds()
        here.sql(
            "UPDATE astrophotography_images SET title = ?, tags = ? WHERE id = ?",
            title,
            json.dumps([title]),
            image_id,
        )
        here.run()
    report = here.take_back(asset_id=asset_id, to=moment)
    assert report.undone == (asset_id,)
    assert settled(here)[asset_id] == wanted
    here.run(full=True)
    assert here.writes == 0


def test_written_again_what_was_taken_back_comes_back(world):
    here = world(count=6, unkind="settling")
    here.run()
    wanted = settled(here)
    here.take_back(run_id="run-1")
    assert settled(here) != wanted
    asset_ids = [asset_id for _, asset_id in here.images()]
    assert write_again(here.store, asset_ids[:2]) == {image_id for image_id, _ in here.images()[:2]}
    here.run()
    after = settled(here)
    assert [after[one][3] == wanted[one][3] for one in asset_ids] == [True] * 2 + [False] * 4
    write_again(here.store, None)
    here.run()
    assert settled(here) == wanted
    assert here.statuses() == {"in_sync": 6}


def test_a_tag_of_a_persons_below_one_of_ours_keeps_it(world):
    here = world(count=3, unkind="settling")
    here.sql("UPDATE astrophotography_images SET tags = '[\"Made/Here\"]'")
    here.run()
    made = next(tag for tag in CREATED_TAGS.read(here.store) if "/" not in tag)
    here.person(here.images()[0][1], "add_tag", f"{made}/mine")
    here.settle()
    report = here.take_back(everything=True)
    assert (made, f"{made}/mine") == tuple(sorted(here.tags & {made, f"{made}/mine"}))
    assert made in dict(report.tags.kept)


@pytest.mark.parametrize("seed", several((1, 2), range(5)))
def test_whatever_was_undone_and_written_again_before_everything_undone_is_as_it_was(world, seed):
    """Passes, forced ones, undos of runs and images, to moments, killed ones and redos, in any order."""
    here, random = world(count=5, unkind="settling,lost_updates,round_trip", seed=seed), Random(seed)
    lived_in(here, random)
    before, tags_before, moments = settled(here), here.tags, [here.clock.now()]
    here.run()
    for _ in range(14):
        for _ in range(4):
            edit(here, random)
        image_id, asset_id = random.choice(here.images())
        deed = random.choice(
            ["pass", "pass", "force", "undo run", "undo image", "to", "killed", "redo", "redo all"]
        )
        moments.append(here.clock.now())
        here.clock.seconds += 60.0
        try:
            if deed == "pass":
                here.run()
            elif deed == "force":
                here.run(force=True, image_ids=frozenset({image_id}))
            elif deed == "undo run":
                here.take_back(run_id=f"run-{random.randint(1, here.runs)}")
            elif deed == "undo image":
                here.take_back(asset_id=asset_id)
            elif deed == "to":
                here.take_back(asset_id=asset_id, to=random.choice(moments))
            elif deed == "killed":
                here.take_back(everything=True, within=random.uniform(0.5, 4.0))
            else:
                write_again(here.store, [asset_id] if deed == "redo" else None)
                here.run()
        except UndoError:
            pass
    report = here.take_back(everything=True)
    assert_as_before(here, before, settled(here), report)
    assert here.tags == tags_before
    assert here.faults["overlaps"] == here.faults["lost"] == 0, here.state.book.examples


def test_what_left_the_catalogue_is_taken_back_too_and_what_is_in_the_trash_later(world):
    here = world(count=4, unkind="settling")
    before = settled(here)
    here.run()
    (gone, gone_asset), (_, trashed), *_ = here.images()
    here.sql("DELETE FROM astrophotography_images WHERE id = ?", gone)
    here.person(trashed, "trash", value=True)
    here.run()
    report = here.take_back(everything=True)
    assert [why.code for asset_id, why in report.left if asset_id == trashed] == ["trashed"]
    assert UNDOING.read(here.store) is None
    shown = settled(here)
    assert (shown[gone_asset][0], shown[gone_asset][3]) == (before[gone_asset][0], before[gone_asset][3])
    assert shown[trashed][0] != before[trashed][0]
    assert {why.code for _, why in report.tags.kept} <= {"tag_in_use", "tag_has_others"}
    assert report.tags.kept
    here.person(trashed, "trash", value=False)
    here.run()
    assert settled(here)[trashed] == shown[trashed]
    here.take_back(everything=True)
    assert {key: (one[0], one[3]) for key, one in settled(here).items()} == {
        key: (one[0], one[3]) for key, one in before.items()
    }
    assert CREATED_TAGS.read(here.store) == []


@pytest.mark.parametrize("wish", [{"everything": True}, {"run_id": "run-1"}])
def test_what_was_taken_back_is_not_ours_by_its_record_in_immich_either(world, wish):
    here = world(count=2, unkind="settling")
    here.run()
    owned = here.store.record(here.images()[0][1]).applied.tags
    assert all(tag in json.dumps(here.notes()) for tag in owned)
    here.take_back(**wish)
    assert not any(tag in json.dumps(here.notes()) for tag in owned)


def test_an_image_that_a_person_trashes_while_its_undo_waits_is_not_written_to_any_more(world):
    """The trash moves its date at once, so that it looks as if what was sent had settled."""
    here = world(count=4, unkind="settling", drain=200.0)
    here.run()
    here.settle()
    _, asset_id = here.images()[0]
    here.settings.paused = True
    looks = []

    def trash(moment, method, path):
        fields_sent = any(
            one[1:3] == ("PUT", "/api/assets") or one[1:3] == ("PUT", f"/api/assets/{asset_id}")
            for one in here.line.sent[begun:]
        )
        if moment == "after" and method != "PUT" and fields_sent:
            looks.append(path)
            if len(looks) == 3:
                here.person(asset_id, "trash")

    begun = len(here.line.sent)
    here.line.meanwhile = trash
    here.take_back(everything=True)
    assert len(looks) > 3
    assert here.faults["overlaps"] == 0


@pytest.mark.parametrize("known", [True, False])
def test_a_tag_of_ours_that_a_person_gave_to_a_locked_image_is_not_deleted_from_it(world, known):
    """Immich shows no key what is in the locked folder, and takes a deleted tag off those in it, too."""
    here = world(count=4, unkind="settling")
    here.run()
    made = here.tags
    (_, locked), (_, other) = here.images()[:2]
    theirs = max(here.store.record(other).applied.tags)
    here.take_back(run_id="run-1")
    here.person(locked, "add_tag", theirs)
    here.settle()
    if known:
        here.run()
    here.state.assets[locked].visibility = "locked"
    report = here.take_back(everything=True)
    assert theirs in here.shown()[locked]["tags"]
    assert (report.tags.deleted, here.tags) == ((), made)
    assert {(path, why.code) for path, why in report.tags.kept} >= {(theirs, "tag_perhaps_in_use")}
    # Once it is shown again all go that nothing carries.
    here.state.assets[locked].visibility = "timeline"
    again = here.take_back(everything=True)
    assert theirs in here.shown()[locked]["tags"]
    assert {path for path, _ in again.tags.kept} == {
        path for path in made if path == theirs or theirs.startswith(f"{path}/")
    }
    assert here.tags == {path for path, _ in again.tags.kept}


def test_tags_that_the_key_may_not_delete_are_named(world):
    scopes = ("asset.read", "asset.update", "tag.read", "tag.create", "tag.asset", "user.read", "apiKey.read")
    here = world(count=2, unkind="settling", scopes=scopes)
    here.run()
    made = here.tags
    report = here.take_back(everything=True)
    assert report.tags.deleted == ()
    assert {path for path, why in report.tags.kept if why.code == "permission"} == made
    assert here.tags == made
    assert UNDOING.read(here.store) is None
    here.settings.scopes = ("all",)
    again = here.take_back(everything=True)
    assert set(again.tags.deleted) == made
    assert here.requests["DELETE /tags/{id}"] == 1  # Immich deletes those below with it
    assert here.tags == set()


def test_a_tag_that_a_person_put_back_after_an_undo_stays_when_the_run_is_undone_once_more(world):
    """It was ours once, and is theirs now: only owned tags are taken off."""
    here = world(count=2, unkind="settling", drain=200.0)
    here.run()
    here.undo("run-1")
    _, asset_id = here.images()[0]
    tag = min(
        tag
        for entry in here.store.journal_of("run-1", asset_id)
        if entry.field == "tags"
        for tag in entry.after
    )
    here.person(asset_id, "add_tag", tag)
    here.settle()
    here.undo("run-1")
    here.settle()
    assert here.shown()[asset_id]["tags"] == [tag]


def test_tags_deleted_on_the_server_that_come_back_with_an_extraction_are_ours_still(world):
    here = world(count=3, unkind="settling", drain=60.0)
    here.run()
    here.settle()
    _, odd = here.images()[1]
    here.person(here.images()[0][1], "delete_tag", "Astro")
    here.person(odd, "set_coordinates", [20.0, 30.0])
    here.run(full=True)
    here.take_back(everything=True)
    assert here.shown()[odd]["tags"] == []


def test_tags_deleted_on_the_server_that_an_undos_own_write_brings_back_are_taken_off_again(world):
    here = world(count=3, unkind="settling", drain=60.0)
    here.run()
    here.settle()
    here.person(here.images()[0][1], "delete_tag", "Astro")
    here.take_back(everything=True)
    assert {key: one["tags"] for key, one in here.shown().items() if one["tags"]} == {}
    assert not [tag for tag in here.tags if tag.startswith("Astro")]


def test_a_tag_that_a_person_put_back_is_theirs_though_an_undo_would_have_put_it_back(world):
    here = world(count=3, unkind="settling", drain=60.0)
    here.run()
    (_, asset_id) = here.images()[0]
    tag = next(tag for tag in here.shown()[asset_id]["tags"] if tag.startswith("Astro/Equipment/"))
    here.policy = replace(here.policy, tags=replace(here.policy.tags, root="Sky"))
    here.run()
    assert tag not in here.shown()[asset_id]["tags"]
    here.person(asset_id, "add_tag", tag)
    here.settle()
    here.undo("run-2")
    assert tag not in here.store.record(asset_id).applied.tags
    here.take_back(everything=True)
    here.settle()
    assert here.shown()[asset_id]["tags"] == [tag]


def test_lines_of_the_block_that_an_undo_gives_back_as_a_persons_are_not_ours_afterwards(world):
    here = world(count=3, unkind="settling", drain=60.0)
    here.run()
    (_, asset_id) = here.images()[0]
    text = here.shown()[asset_id]["description"]
    lines = text.split("\n")
    middle = next(number for number, line in enumerate(lines) if line.startswith("Filters:"))
    theirs = "\n".join([*lines[:middle], "✦ Mine", "— Skymmich", *lines[middle:]])  # two marker lines within
    here.person(asset_id, "set_description", theirs)
    here.settle()
    here.run(force=True)
    assert here.shown()[asset_id]["description"] == text
    here.take_back(everything=True)
    here.settle()
    assert (here.store.record(asset_id).applied.block, here.store.record(asset_id).applied.prose) == (
        None,
        None,
    )
    here.run()
    assert here.writes == 0


def test_an_undo_that_finds_the_queue_paused_leaves_the_slices_after_it_and_goes_on(world, monkeypatch):
    in_slices(monkeypatch)
    here = world(count=12, unkind="settling", drain=60.0)
    before = settled(here)
    here.run()
    here.settings.paused = True
    began = here.clock.seconds
    report = here.take_back(everything=True)
    assert here.clock.seconds - began < 200, "one slice waited, and the others were left"
    assert len(report.undone) < 12
    assert UNDOING.read(here.store)
    here.settings.paused = False
    here.settle()
    report = here.take_back(everything=True)
    assert_as_before(here, before, settled(here), report)
    assert UNDOING.read(here.store) is None


def test_the_progress_of_an_undo_in_slices_is_of_the_whole(world, monkeypatch):
    in_slices(monkeypatch)
    here = world(count=12, unkind="settling", drain=60.0)
    here.run()
    del here.events[:]
    here.take_back(everything=True)
    writing = [(one.done, one.total) for one in here.events if getattr(one, "phase", "") == "writing"]
    assert {total for _, total in writing} == {12}
    assert [done for done, _ in writing] == sorted(done for done, _ in writing)
    assert writing[-1] == (12, 12)


@pytest.mark.parametrize(
    "meanwhile", ["nothing", "the catalogue goes on", "a person goes on", "a person takes it out"]
)
@pytest.mark.parametrize("equal", [False, True])
def test_what_a_person_let_join_their_words_is_taken_out_with_everything(world, equal, meanwhile):
    """Both together are nobody's: not ours, and yet what was added to a person's words is this program's doing."""
    here = world(count=2, unkind="settling")
    image_id, asset_id = here.images()[0]
    here.sql("UPDATE astrophotography_images SET description = ? WHERE id = ?", "For her birthday.", image_id)
    if equal:
        here.person(asset_id, "set_description", "For her birthday.")
        here.settle()
        here.run()
    here.person(asset_id, "set_description", "Mine.\n\n  Second.")
    here.settle()
    found, now = here.look(full=True), here.clock.now()
    plan = next(item.plan for item in found.items if item.image_id == image_id)
    assert take_decision(here.store, plan, "both", rules=found.rules, at=now, field="prose") == ("prose",)
    here.run()
    here.settle()
    joined = here.shown()[asset_id]["description"]
    assert joined.startswith("Mine.\n\n  Second.\n\nFor her birthday.\n\n✦ ")
    if meanwhile == "the catalogue goes on":
        here.sql("UPDATE astrophotography_images SET title = 'Another' WHERE id = ?", image_id)
        here.run()
    elif meanwhile == "a person goes on":
        here.person(asset_id, "set_description", f"{joined}\n\nLater.")
    elif meanwhile == "a person takes it out":
        here.person(asset_id, "set_description", joined.replace("For her birthday.\n\n", ""))
    here.settle()
    report = here.take_back(everything=True)
    here.settle()
    later = "\n\nLater." if meanwhile == "a person goes on" else ""
    assert here.shown()[asset_id]["description"] == f"Mine.\n\n  Second.{later}"
    assert {why.code for _, why in report.left} == {"no_place_before"}
