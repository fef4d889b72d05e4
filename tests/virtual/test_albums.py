"""Albums: filled, in between, switched off and on, taken back; a person's word holds, and theirs is theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.albums import MARK
from reconciler.core.policy import AlbumPolicy, MergePolicy, Switches
from reconciler.core.records import LeftOut
from reconciler.core.store_keys import ALBUM_INTENTS, ALBUMS
from reconciler.engine.planner.candidates import Memory
from reconciler.simulator.server.state import USER_ID
from tests.virtual.test_ownership import lose_store
from tests.virtual.world import NO_CANARY

ALBUM = AlbumPolicy(enabled=True, kinds=("target", "constellation"))
ALBUMS_ON = replace(NO_CANARY, albums=ALBUM)
REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,clock_skew"
UNKIND = f"{REAL},busy,dropped"


@pytest.fixture
def filled(world):
    """Make a world of the first images, with albums switched on."""

    def make(count=12, policy=ALBUMS_ON, **how):
        here = world(count=count, policy=policy, **how)
        here.switches = Switches(albums=policy.albums.enabled)
        return here

    return make


def named(here):
    """Give the albums that there are: name → assets in it."""
    return {one.name: set(one.assets) for one in here.state.albums.by_id.values()}


def album(here, name):
    return next(one for one in here.state.albums.by_id.values() if one.name == name)


def wanted(here):
    """Give what the catalogue wants, of the images that can be written."""
    found = {}
    for item in here.look(full=True).items:
        if item.plan is not None and not item.plan.blocked:
            for name in item.plan.desired.albums:
                found.setdefault(name, set()).add(item.asset_id)
    return found


def owned(here):
    found = {}
    for record in here.store.records().values():
        for name in record.applied.albums:
            found.setdefault(name, set()).add(record.asset_id)
    return found


def biggest(here):
    """Give the name of the album with the most images, and one of these."""
    name = max(sorted(named(here)), key=lambda one: len(named(here)[one]))
    return name, min(named(here)[name])


def albums_of(counter):
    return {route: count for route, count in counter.items() if "/albums" in route}


@pytest.mark.parametrize("unkind", ["none", REAL, UNKIND])
@pytest.mark.parametrize("version", ["2.7.5", "3.1.0"])
def test_each_image_is_in_its_albums_and_the_second_pass_writes_nothing(filled, unkind, version):
    here = filled(count=None, unkind=unkind, version=version)
    here.run()
    assert named(here) == wanted(here) == owned(here)
    assert len(named(here)) > 5
    assert all(name.startswith("Astro · ") for name in named(here))
    assert all(one.description.endswith(MARK) for one in here.state.albums.by_id.values())
    here.run()
    assert here.writes == 0


def test_nobody_asks_for_albums_while_they_are_switched_off(filled):
    here = filled(policy=NO_CANARY)
    here.run()
    here.run(by_person=False, brief=True)
    assert not any("/albums" in path for _, _, path, _ in here.line.sent)
    assert not ALBUMS.is_kept(here.store)


def test_an_idle_look_of_the_daemon_costs_one_request_more(filled):
    here = filled()
    here.memory = Memory()
    here.run()
    here.run(by_person=False, brief=True)
    here.run(by_person=False, brief=True)
    with_albums = sum(here.requests.values())
    assert albums_of(here.requests) == {"GET /albums": 1}
    here.switches, here.policy = Switches(), NO_CANARY
    here.run()
    here.run(by_person=False, brief=True)
    here.run(by_person=False, brief=True)
    assert with_albums - sum(here.requests.values()) == 1


def test_an_album_is_filled_with_one_call_whatever_the_number_of_images(filled):
    here = filled(count=None)
    here.run()
    made = len(named(here))
    assert here.requests["POST /albums"] == made
    assert here.requests["PUT /albums/{id}/assets"] == made
    assert here.requests["GET /albums"] == 2  # before, and once after


def test_albums_move_no_date_of_an_asset(filled):
    here = filled(policy=NO_CANARY)
    here.run()
    here.settle()
    before = {key: asset.updated for key, asset in here.state.assets.items()}
    here.switches, here.policy = Switches(albums=True), ALBUMS_ON
    here.run()
    here.settle()
    assert named(here)
    assert {key: asset.updated for key, asset in here.state.assets.items()} == before


def test_an_image_that_a_person_takes_out_stays_out(filled):
    here = filled()
    here.run()
    name, asset_id = biggest(here)
    here.state.albums.take(album(here, name), asset_id, here.state.milliseconds)
    here.run()
    here.run(full=True)
    assert asset_id not in named(here)[name]
    assert here.writes == 0
    assert name in here.store.record(asset_id).applied.albums  # so that it is not put in as if it were new
    here.policy = replace(ALBUMS_ON, merge=MergePolicy(on_drift_albums="correct"))
    here.run()
    assert asset_id in named(here)[name]


def test_an_image_that_a_person_put_in_is_theirs_and_stays(filled):
    here = filled()
    plans = wanted(here)
    name = max(sorted(plans), key=lambda one: len(plans[one]))
    chosen = min(plans[name])
    here.run()
    here.take_back(everything=True)
    assert named(here) == {}
    here = filled()
    theirs = here.state.albums.create(USER_ID, name, "", here.state.milliseconds)
    here.state.albums.put(theirs, chosen, here.state.milliseconds)
    here.policy = replace(ALBUMS_ON, albums=replace(ALBUM, use_existing=True))
    here.run()
    assert named(here)[name] == plans[name]
    assert owned(here)[name] == plans[name] - {chosen}
    here.take_back(everything=True)
    assert named(here) == {name: {chosen}}


def test_a_persons_album_of_such_a_name_is_told_and_left(filled):
    here = filled()
    plans = wanted(here)
    name = max(sorted(plans), key=lambda one: len(plans[one]))
    here.state.albums.create(USER_ID, name, "mine", here.state.milliseconds)
    here.run()
    here.run()
    assert named(here)[name] == set()
    assert sum(one.name == name for one in here.state.albums.by_id.values()) == 1
    told = {
        record.asset_id
        for record in here.store.records().values()
        if any(why.code == "album_is_persons" for why in record.reasons)
    }
    assert told == plans[name]
    assert here.writes == 0
    # Once it has another name there is room for ours.
    album(here, name).name = "Andromeda, my best"
    here.run(by_person=False, brief=True)
    assert named(here)[name] == plans[name]


def test_an_album_that_a_person_renamed_and_shared_goes_on_being_used_and_is_never_deleted(filled):
    here = filled()
    here.run()
    name, _ = biggest(here)
    theirs = album(here, name)
    theirs.name, theirs.updated = "My galaxies", here.state.milliseconds
    theirs.shared_with.add("b1f9c0de-77aa-4c52-8d0e-2f9a6e5d4c3b")
    here.run()
    assert name not in named(here)
    assert here.writes == 0
    here.take_back(everything=True)
    assert named(here) == {"My galaxies": set()}


def test_an_album_that_a_person_deleted_is_not_made_again(filled):
    here = filled()
    here.run()
    name, _ = biggest(here)
    del here.state.albums.by_id[album(here, name).album_id]
    here.run()
    here.run(full=True)
    assert name not in named(here)
    assert here.writes == 0
    here.policy = replace(ALBUMS_ON, merge=MergePolicy(on_drift_albums="correct"))
    here.run()
    assert len(named(here)[name]) > 1


def test_another_prefix_moves_all_into_new_albums_and_the_old_ones_go(filled):
    here = filled()
    here.run()
    before = named(here)
    here.policy = replace(ALBUMS_ON, albums=replace(ALBUM, prefix="Sky: "))
    here.run()
    assert named(here) == wanted(here) == owned(here)
    assert not before.keys() & named(here).keys()
    summary = {why.code: why.get("count") for why in here.store.runs(1)[0].summary}
    assert summary["run_albums_made"] == summary["run_albums_deleted"] == len(before)


def test_the_guard_holds_back_that_most_leave_their_albums(filled):
    here = filled()
    here.run()
    before = named(here)
    here.policy = replace(ALBUMS_ON, albums=replace(ALBUM, kinds=("object_type",)))
    here.run()
    assert before.items() <= named(here).items()
    assert here.statuses()["held"] >= 10


def test_an_image_of_another_site_changes_its_album_and_an_empty_one_goes(filled):
    here = filled(policy=replace(ALBUMS_ON, albums=replace(ALBUM, kinds=("site",))))
    here.sql("UPDATE locations SET name = name || ' (old)'")
    here.run()
    before = named(here)
    here.sql("UPDATE locations SET name = 'Elsewhere' WHERE id = (SELECT min(id) FROM locations)")
    here.run()
    assert before
    assert named(here) == wanted(here) == owned(here)
    gone = before.keys() - named(here).keys()
    assert len(gone) == 1
    assert named(here)["Astro · Elsewhere"] == before[gone.pop()]


def test_an_empty_album_into_which_a_person_put_something_stays(filled):
    here = filled(count=6)
    here.run()
    name, asset_id = biggest(here)
    other = next(key for key in here.state.assets if key not in named(here)[name])
    here.state.albums.put(album(here, name), other, here.state.milliseconds)
    here.take_back(everything=True)
    assert named(here) == {name: {other}}
    assert asset_id not in named(here)[name]


def test_a_run_is_taken_back_and_not_done_again(filled):
    here = filled()
    here.run()
    run_id = here.store.runs(1)[0].run_id
    here.undo(run_id)
    assert named(here) == {}
    here.run()
    here.run(full=True)
    assert named(here) == {}


def test_everything_is_taken_back_with_the_albums_that_are_empty(filled):
    here = filled(count=None, unkind=REAL)
    before = here.shown()
    here.run()
    report = here.take_back(everything=True)
    assert named(here) == {}
    assert report.error is None
    assert {key: one["tags"] for key, one in here.shown().items()} == {
        key: one["tags"] for key, one in before.items()
    }


@pytest.mark.parametrize("within", [0.5, 2.0, 4.0, 6.0, 7.0, 8.0, 9.0, 12.0])
def test_who_is_killed_owns_what_it_put_in_all_the_same(filled, within):
    here = filled(unkind=REAL)
    here.run(within=within)
    here.run()
    here.run()
    assert named(here) == wanted(here) == owned(here)
    assert not ALBUM_INTENTS.read(here.store)


def test_killed_between_the_call_and_the_note_it_is_ours(filled):
    here = filled()

    class KilledError(Exception):
        pass

    def kill(when, method, path):
        if when == "after" and method == "PUT" and "/albums/" in path:
            raise KilledError

    here.line.meanwhile = kill
    with pytest.raises(KilledError):
        here.run()
    here.line.meanwhile = lambda *_: None
    assert any(named(here).values())
    here.run()
    assert named(here) == wanted(here) == owned(here)


def test_a_lost_store_finds_its_albums_and_doubles_none(filled):
    here = filled()
    here.run()
    before = named(here)
    lose_store(here)
    here.run(full=True)
    here.run()
    assert named(here) == before
    assert sum(1 for _ in here.state.albums.by_id) == len(before)
    assert owned(here) == before  # as the records in Immich tell


def test_a_key_without_the_permissions_leaves_albums_and_says_so(filled):
    here = filled()
    here.settings.scopes = {
        "asset.read", "asset.update", "tag.read", "tag.create", "tag.asset", "apiKey.read", "album.read",
    }  # fmt: skip
    here.run()
    assert named(here) == {}
    reasons = {why for record in here.store.records().values() for why in record.reasons}
    lacking = [why.get("lacking") for why in reasons if why.code == "permission"]
    assert lacking
    assert set(lacking[0]) >= {"album.create", "album.update", "albumAsset.create", "albumAsset.delete"}


def test_the_newest_image_is_the_cover_until_a_person_chooses(filled):
    policy = replace(ALBUMS_ON, albums=replace(ALBUM, cover=True))
    here = filled(policy=policy)
    here.run()
    images = {asset_id: image_id for image_id, asset_id in here.images()}
    for one in here.state.albums.by_id.values():
        assert one.cover == max(one.assets, key=images.get)
    here.run()
    assert here.writes == 0


def test_switched_off_it_stays_as_it_is_and_on_again_it_goes_on(filled):
    here = filled()
    here.run()
    before = named(here)
    here.switches, here.policy = Switches(), NO_CANARY
    here.run()
    assert named(here) == before
    assert owned(here) == before
    here.switches, here.policy = Switches(albums=True), ALBUMS_ON
    here.run()
    assert named(here) == before
    assert here.writes == 0


def test_an_image_that_is_left_out_stays_where_it_is(filled):
    here = filled(policy=NO_CANARY)
    here.run()
    here.switches, here.policy = Switches(albums=True), ALBUMS_ON
    asset_id = here.images()[0][1]
    here.store.leave_out(asset_id, [LeftOut("albums", datetime(2026, 3, 1, tzinfo=UTC), "cli")])
    here.run()
    assert not any(asset_id in ids for ids in named(here).values())
    assert here.store.record(asset_id).applied.tags
    here.store.take_in(asset_id, ["albums"])
    here.run()
    assert named(here) == wanted(here) == owned(here)
