"""Stacks: written to all of one or to its cover, in between, switched off, not to be listed, taken back."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from reconciler.core.policy import GuardPolicy, MergePolicy, StackPolicy, Switches
from reconciler.core.store_keys import STACKS
from reconciler.engine.leaving_out import leave_out, take_in
from reconciler.engine.planner.candidates import Memory
from reconciler.simulator.server.model import Exif
from reconciler.simulator.server.state import USER_ID
from reconciler.skymmich.sources import open_catalogue
from tests.thorough import several
from tests.virtual.test_ownership import lose_store
from tests.virtual.world import NO_CANARY

ALL = replace(NO_CANARY, stacks=StackPolicy(enabled=True))
COVER = replace(NO_CANARY, stacks=StackPolicy(enabled=True, write="cover"))
REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,clock_skew"
NO_STACK_READ = frozenset(
    {"asset.read", "asset.update", "asset.statistics", "tag.read", "tag.create", "tag.asset", "user.read"}
)
LISTING = "GET /stacks"
START = "✦"


@pytest.fixture
def stacked(world):
    """Make a world of the first images; two other pictures of the first one are with it in a stack."""

    def make(count=4, policy=ALL, members=2, primary=0, **how):
        here = world(count=count, policy=policy, **how)
        here.switches = Switches(stacks=policy.stacks.enabled)
        here.members = [another(here, number) for number in range(members)]
        here.linked = dict(here.images())[min(dict(here.images()))]
        here.image_id = min(dict(here.images()))
        stack(here, primary=primary)
        return here

    return make


def another(here, number):
    """Take a picture in that nobody linked."""
    here.state.advance(here.application.now())
    like = next(iter(here.state.assets.values()))
    asset_id = f"{number:08x}-5555-4555-8555-555555555555"
    asset = deepcopy(like)
    asset.asset_id, asset.filename, asset.owner_id = asset_id, f"frame-{number}.jpg", USER_ID
    asset.exif, asset.sidecar, asset.embedded = Exif(), Exif(), Exif()
    asset.tags, asset.row = set(), None
    asset.updated = here.state.milliseconds
    asset.width, asset.height = 3000 + number, 2000
    here.state.add(asset)
    return asset_id


def stack(here, primary=0):
    ids = [here.linked, *here.members]
    ids.insert(0, ids.pop(primary))
    made = here.state.stacks.create(ids)
    for asset_id in made.assets:
        here.state.touch(here.state.assets[asset_id])
    return made


def cover(here, asset_id):
    here.state.stacks.of(asset_id).primary = asset_id


def dissolve(here):
    here.state.stacks.by_id.clear()
    for asset_id in (here.linked, *here.members):
        here.state.touch(here.state.assets[asset_id])


def take_out(here, asset_id):
    del here.state.stacks.of(asset_id).assets[asset_id]
    here.state.touch(here.state.assets[asset_id])


def text(here, asset_id):
    here.settle()
    return here.state.assets[asset_id].exif.description or ""


def tags(here, asset_id):
    return set(here.state.tags.values(here.state.assets[asset_id]))


def written(here, asset_id):
    return START in text(here, asset_id)


def everywhere(here):
    return [here.linked, *here.members]


def status(here, asset_id):
    record = here.store.record(asset_id)
    return None if record is None else (record.status, record.linked)


def image(here):
    return open_catalogue(str(here.path)).read().image(here.image_id)


# On


@pytest.mark.parametrize("unkind", ["none", REAL, "all"])
@pytest.mark.parametrize("version", ["2.7.5", "3.1.0"])
def test_what_is_written_goes_to_each_member_and_the_second_pass_writes_nothing(stacked, unkind, version):
    here = stacked(unkind=unkind, version=version)
    for _ in range(3 if unkind == "all" else 1):
        here.run()
    assert all(written(here, asset) for asset in everywhere(here))
    assert tags(here, here.members[0]) == tags(here, here.linked) != set()
    assert [status(here, one) for one in here.members] == [("in_sync", True)] * 2
    assert {here.store.record(one).image_id for one in here.members} == {here.image_id}
    here.run()
    assert here.writes == 0


def test_with_cover_it_goes_to_the_cover_and_the_linked_one_is_left_alone(stacked):
    here = stacked(policy=COVER, primary=1)
    here.run()
    assert [written(here, asset) for asset in everywhere(here)] == [False, True, False]
    assert len(here.store.records()) == 4
    here.run()
    assert here.writes == 0


def test_with_cover_nothing_changes_where_the_linked_asset_is_the_cover(stacked):
    here = stacked(policy=COVER)
    here.run()
    assert [written(here, asset) for asset in everywhere(here)] == [True, False, False]


@pytest.mark.parametrize("policy", [ALL, COVER])
def test_an_asset_of_another_image_stays_that_images(world, policy):
    here = world(count=3, policy=policy)
    here.switches = Switches(stacks=True)
    (_, one), (_, other), _ = here.images()
    here.linked, here.members = one, [other]
    stack(here, primary=1)
    here.run()
    assert {record.asset_id: record.image_id for record in here.store.records().values()} == {
        asset: image_id for image_id, asset in here.images()
    }
    assert text(here, one) != text(here, other)


def test_a_block_tells_each_members_own_size(stacked):
    here = stacked()
    here.run()
    first, second = (here.store.record(one) for one in here.members)
    assert (first.width, second.width) == (3000, 3001)


# Off


def test_who_switches_nothing_on_asks_for_no_stacks(stacked):
    here = stacked(policy=NO_CANARY)
    here.run()
    assert [written(here, asset) for asset in everywhere(here)] == [True, False, False]
    assert here.requests[LISTING] == 0
    assert not STACKS.is_kept(here.store)


def test_a_pass_lists_the_stacks_once(stacked):
    here = stacked()
    here.run()
    assert here.requests[LISTING] == 1
    here.memory = Memory()
    here.run(by_person=False, brief=True)
    here.run(by_person=False, brief=True)
    assert dict(here.requests)[LISTING] == 1
    assert here.writes == 0


def test_an_idle_look_of_the_daemon_costs_one_request_more_and_sees_another_cover(stacked):
    here = stacked(policy=COVER, primary=1)
    here.memory = Memory()
    here.run()
    here.run(by_person=False, brief=True)
    here.run(by_person=False, brief=True)
    with_stacks = sum(here.requests.values())
    cover(here, here.members[1])  # which moves no date
    here.run(by_person=False, brief=True)
    assert written(here, here.members[1])
    here.switches, here.policy = Switches(), NO_CANARY
    here.run()
    here.run(by_person=False, brief=True)
    here.run(by_person=False, brief=True)
    assert with_stacks - sum(here.requests.values()) == 1


@pytest.mark.parametrize("how", ["off", "dissolved", "taken out"])
def test_a_member_that_goes_keeps_what_was_written_and_counts_as_unlinked(stacked, how):
    here = stacked(count=20)
    here.run()
    before = {asset: text(here, asset) for asset in everywhere(here)}
    if how == "off":
        here.policy, here.switches = NO_CANARY, Switches()
    elif how == "dissolved":
        dissolve(here)
    else:
        take_out(here, here.members[0])
    here.run()
    assert here.writes == 0
    assert status(here, here.members[0]) == ("unlinked", False)
    assert {asset: text(here, asset) for asset in everywhere(here)} == before
    assert here.store.carry_overs() == {}
    here.take_back(asset_id=here.members[0])
    assert (text(here, here.members[0]), tags(here, here.members[0])) == ("", set())
    assert written(here, here.linked)


def test_switched_on_again_it_goes_on(stacked):
    here = stacked()
    here.run()
    here.policy, here.switches = NO_CANARY, Switches()
    here.run()
    here.policy, here.switches = ALL, Switches(stacks=True)
    here.run()
    assert here.writes == 0
    assert status(here, here.members[0]) == ("in_sync", True)


def test_many_members_that_go_with_the_switch_are_no_loss_for_the_guard(world):
    here = world(count=12, policy=replace(ALL, guard=GuardPolicy(canary=0)))
    here.switches = Switches(stacks=True)
    here.members = []
    for number, (_, asset) in enumerate(here.images()):
        member = another(here, number)
        here.members.append(member)
        here.state.stacks.create([asset, member])
    here.run()
    assert all(written(here, asset) for asset in here.members)
    here.policy, here.switches = replace(here.policy, stacks=StackPolicy()), Switches()
    report = here.run()
    assert not report.verdict.tripped
    assert {status(here, asset) for asset in here.members} == {("unlinked", False)}
    assert {one.code for one in here.store.record(here.members[0]).reasons} == {"left_stack"}
    here.sql("DELETE FROM astrophotography_images WHERE id > (SELECT min(id) FROM astrophotography_images)")
    assert here.run().verdict.shrunk


def test_released_members_are_counted_by_the_guard(world):
    policy = replace(ALL, guard=GuardPolicy(canary=0), merge=MergePolicy(orphans="release"))
    here = world(count=12, policy=policy)
    here.switches = Switches(stacks=True)
    members = [another(here, number) for number in range(12)]
    for member, (_, asset) in zip(members, here.images(), strict=True):
        here.state.stacks.create([asset, member])
    here.run()
    here.state.stacks.by_id.clear()
    report = here.run()
    assert (report.verdict.tripped, report.verdict.shrunk) == (True, False)
    assert all(written(here, asset) for asset in members)


# A person in between


def test_a_persons_words_on_a_member_stay_and_are_its_own(stacked):
    here = stacked()
    member = here.members[0]
    here.person(member, "set_description", "Single frame, slightly trailed.")
    here.person(member, "add_tag", "Keepers")
    here.settle()
    here.run()
    assert "Single frame, slightly trailed." in text(here, member)
    assert START in text(here, member)
    assert "Keepers" in tags(here, member) - tags(here, here.linked)
    assert "trailed" not in text(here, here.linked) + text(here, here.members[1])
    here.run()
    assert here.writes == 0


def test_a_person_who_writes_while_a_member_is_written_keeps_it(stacked):
    here = stacked(unkind="settling,round_trip", count=2)
    member, readings = here.members[1], []

    def meanwhile(when, method, path):
        if (when, method, path) == ("before", "GET", f"/api/assets/{member}"):
            readings.append(path)
            if len(readings) == 2:  # it was planned, and is read once more before it is written
                here.person(member, "append_description", "Mine, in between.")

    here.line.meanwhile = meanwhile
    here.run()
    here.line.meanwhile = lambda *_: None
    assert len(readings) > 1
    here.clock.seconds += 60
    here.run()
    assert "Mine, in between." in text(here, member)
    assert START in text(here, member)


def test_a_place_that_a_person_gave_a_member_is_a_conflict_of_that_member_alone(stacked):
    here = stacked()
    image_id = here.image_id
    here.sql("UPDATE astrophotography_images SET latitude = 48.1, longitude = 11.5 WHERE id = ?", image_id)
    here.person(here.members[0], "set_coordinates", [10.0, 20.0])
    here.settle()
    here.run()
    assert status(here, here.members[0]) == ("conflict", True)
    assert status(here, here.members[1]) == ("in_sync", True)
    assert here.state.assets[here.members[0]].exif.coordinates == (10.0, 20.0)


# Another stack


def test_a_member_that_comes_is_written_and_one_that_a_person_left_out_is_not(stacked):
    here = stacked(members=1)
    here.run()
    here.members.append(another(here, 7))
    stack(here)
    here.run()
    assert written(here, here.members[1])
    leave_out(here.store, image(here), ("description", "coordinates", "tags"), "test", here.clock.now())
    assert leave_out(here.store, image(here), ("tags",), "test", here.clock.now()) == ()
    assert set(here.store.left_out_of(everywhere(here))) == set(everywhere(here))
    here.members.append(another(here, 8))
    stack(here)
    here.sql("UPDATE astrophotography_images SET title = 'Another title' WHERE id = ?", here.image_id)
    here.run()
    assert here.writes == 0
    assert status(here, here.members[2]) == ("left_out", True)
    assert not any("Another title" in text(here, asset) for asset in everywhere(here))
    take_in(here.store, image(here), ("description", "coordinates", "tags"))
    here.run()
    assert all("Another title" in text(here, asset) for asset in everywhere(here))


def test_another_cover_gets_it_and_the_earlier_one_keeps_what_it_has(stacked):
    here = stacked(policy=COVER, primary=1, count=20)
    here.run()
    cover(here, here.members[1])
    here.run()
    assert [written(here, asset) for asset in everywhere(here)] == [False, True, True]
    assert status(here, here.members[0]) == ("unlinked", False)
    assert here.store.carry_overs() == {}


def test_from_all_to_cover_and_back_nothing_is_taken_for_a_replaced_picture(stacked):
    here = stacked(count=20, primary=1)
    for policy in (ALL, COVER, ALL, NO_CANARY, COVER):
        here.policy, here.switches = policy, Switches(stacks=policy.stacks.enabled)
        here.run()
        here.run()
        assert here.writes == 0
        assert here.store.carry_overs() == {}


def test_a_replaced_picture_is_still_noticed_behind_a_cover(stacked):
    here = stacked(policy=COVER, primary=1, count=20)
    here.run()
    here.person(here.members[0], "append_description", "\nSeen from the garden.")
    here.settle()
    here.run()
    new = another(here, 99)
    here.sql("UPDATE astrophotography_images SET immich_id = ? WHERE id = ?", new, here.image_id)
    here.run()
    (offer,) = here.store.carry_overs([new])[new]
    assert (offer.from_asset, offer.state) == (here.members[0], "offered")
    assert "Seen from the garden." in offer.kept.prose


def test_the_primary_asset_in_the_trash_is_no_cover(stacked):
    here = stacked(policy=COVER, primary=1)
    here.person(here.members[0], "trash")
    here.run()
    assert [written(here, asset) for asset in everywhere(here)] == [True, False, False]


def test_a_member_in_the_archive_is_written_and_one_in_the_trash_is_not(stacked):
    here = stacked()
    here.person(here.members[0], "archive")
    here.person(here.members[1], "trash")
    here.settle()
    here.run()
    assert [written(here, asset) for asset in everywhere(here)] == [True, True, False]


# Unknown is not empty


def test_without_the_permission_nothing_is_let_go_and_nothing_new_is_written(stacked):
    here = stacked(count=20, members=1)
    here.run()
    here.members.append(another(here, 7))
    stack(here)
    here.sql("UPDATE astrophotography_images SET title = 'Another title' WHERE id = ?", here.image_id)
    here.settings.scopes = NO_STACK_READ
    report = here.run()
    assert report.error is None
    assert [one.get("lacking") for one in report.run.summary if one.code == "run_stacks_unknown"] == [
        ("stack.read",)
    ]
    assert "Another title" in text(here, here.linked)
    assert "Another title" not in text(here, here.members[0])
    assert not written(here, here.members[1])
    assert here.store.record(here.members[0]).linked
    assert here.look().rules.missing["stacks"] == ("stack.read",)
    here.run()
    assert here.writes == 0
    here.settings.scopes = frozenset({"all"})
    here.run()
    assert all("Another title" in text(here, asset) for asset in everywhere(here))


def test_without_the_permission_a_known_cover_is_not_exchanged_for_the_linked_asset(stacked):
    here = stacked(policy=COVER, primary=1, count=20)
    here.run()
    here.settings.scopes = NO_STACK_READ
    here.sql("UPDATE astrophotography_images SET title = 'Another title' WHERE id = ?", here.image_id)
    here.run()
    assert here.writes == 0
    assert not written(here, here.linked)
    assert here.store.record(here.members[0]).linked


def test_a_server_that_fails_at_the_listing_ends_the_pass_and_lets_nothing_go(stacked):
    here = stacked()
    here.run()
    before = here.shown()
    known = here.store.records()
    answers = here.application

    async def failing(scope, receive, send):
        if scope["type"] == "http" and scope["raw_path"] == b"/api/stacks":
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})
            return
        await answers(scope, receive, send)

    here.line._application = failing
    with pytest.raises(Exception, match="500"):
        here.run()
    here.line._application = answers
    assert here.shown() == before
    assert here.store.records().keys() == known.keys()
    here.run()
    assert here.writes == 0
    assert here.store.record(here.members[0]).linked


# Taken back


@pytest.mark.parametrize("unkind", ["none", REAL])
def test_an_image_is_taken_back_with_all_members_of_its_stack(stacked, unkind):
    here = stacked(unkind=unkind)
    before = {asset: here.shown()[asset]["description"] for asset in everywhere(here)}
    here.run()
    here.take_back(asset_id=here.linked)
    assert {asset: text(here, asset) for asset in everywhere(here)} == before
    here.run()
    assert here.writes == 0


def test_only_the_last_run_of_an_image_is_taken_back_of_its_members(stacked):
    here = stacked(members=1)
    here.run()
    here.members.append(another(here, 7))
    stack(here)
    here.run()
    here.take_back(asset_id=here.linked)
    assert [written(here, asset) for asset in everywhere(here)] == [True, True, False]
    here.take_back(asset_id=here.linked)
    assert [written(here, asset) for asset in everywhere(here)] == [False, False, False]


def test_an_image_is_taken_back_from_its_cover(stacked):
    here = stacked(policy=COVER, primary=1)
    here.run()
    here.take_back(asset_id=here.linked)
    assert not any(written(here, asset) for asset in everywhere(here))


def test_all_since_a_moment_is_taken_back_of_the_members_too(stacked):
    here = stacked()
    at = here.clock.now()
    here.run()
    here.take_back(asset_id=here.linked, to=at)
    assert not any(written(here, asset) for asset in everywhere(here))


@pytest.mark.parametrize("what", ["run", "everything"])
def test_a_run_and_everything_are_taken_back_to_the_letter(stacked, what):
    here = stacked()
    here.person(here.members[0], "set_description", "Mine.")
    before = here.shown()
    here.run()
    if what == "run":
        here.undo("run-1")
    else:
        here.take_back(everything=True)
    after = here.shown()
    assert {key: (one["description"], one["tags"]) for key, one in after.items()} == {
        key: (one["description"], one["tags"]) for key, one in before.items()
    }
    here.run()
    assert here.writes == 0


# Kills, and a store that is lost


@pytest.mark.parametrize("within", [0.05, 0.3, 1.0, 3.0])
def test_who_is_killed_goes_on_and_lets_nobody_go(stacked, within):
    here = stacked(unkind="settling,lost_updates", count=6)
    here.run(within=within)
    here.clock.seconds += 60
    here.settings.scopes = NO_STACK_READ
    here.run()
    assert here.store.carry_overs() == {}
    assert all(record.linked for record in here.store.records().values())
    here.settings.scopes = frozenset({"all"})
    here.run()
    here.run()
    assert here.writes == 0
    assert all(written(here, asset) for asset in everywhere(here))
    assert all(text(here, asset).count(START) == 1 for asset in everywhere(here))


def test_after_a_lost_store_members_are_owned_again(stacked):
    here = stacked()
    here.run()
    lose_store(here)
    here.run(full=True)
    assert here.writes == 0
    assert all(here.store.record(asset).applied.block for asset in everywhere(here))
    here.take_back(everything=True)
    assert not any(written(here, asset) for asset in everywhere(here))


@pytest.mark.parametrize("seed", range(several(2, 4)))
def test_an_unkind_server_loses_nothing_of_a_stack(stacked, seed):
    here = stacked(unkind="all", seed=seed, policy=replace(ALL, merge=MergePolicy()))
    here.person(here.members[0], "set_description", "Mine.")
    for _ in range(4):
        here.run()
        here.clock.seconds += 120
    assert "Mine." in text(here, here.members[0])
    assert all(START in text(here, asset) for asset in everywhere(here))
