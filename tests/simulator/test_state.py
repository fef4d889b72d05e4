"""The state machine under a clock that the test moves."""

from __future__ import annotations

from uuid import UUID

import pytest

from reconciler.simulator.initial_assets import Photo, fill
from reconciler.simulator.server.model import Asset, Exif
from reconciler.simulator.server.state import USER_ID, State
from reconciler.simulator.server.unkindness import Settings

START = 1_700_000_000.0


def make(*unkind: str, assets: int = 1, **options: object) -> State:
    state = State(Settings(unkind=frozenset(unkind), **options))
    state.advance(START)
    for number in range(assets):
        asset_id = str(UUID(int=number, version=4))
        now = state.milliseconds
        state.add(Asset(asset_id, USER_ID, "a.jpg", created=now, added=now, updated=now))
    return state


def describe(state: State, asset: Asset, text: str, actor: str = "client") -> None:
    state.write(asset, Exif(description=text), ("description",), actor)


def tag(state: State, asset: Asset, path: str, actor: str = "client") -> None:
    new = state.tags.upsert(USER_ID, path, state.milliseconds)
    assert new is not None
    state.write_tags(asset, [new], (), actor)


def only(state: State) -> Asset:
    return next(iter(state.assets.values()))


def test_a_write_is_visible_at_once_and_moves_updated_at_only_after_the_queues() -> None:
    state = make("settling")
    asset = only(state)
    before = asset.updated
    state.advance(START + 1)
    describe(state, asset, "M 31")
    state.advance(START + 1.01)
    assert (asset.exif.description, asset.updated, asset.jobs) == ("M 31", before, 1)
    state.advance(START + 3)
    assert (asset.exif.description, asset.jobs) == ("M 31", 0)
    assert before + 1000 < asset.updated < before + 2000


def test_the_median_write_settles_in_about_80_ms_and_a_few_take_far_longer() -> None:
    state = make("settling", assets=400, drain=100_000.0)
    for asset in state.assets.values():
        describe(state, asset, "M 31")
    state.advance(START + 60)
    took = sorted(asset.updated - START * 1000 for asset in state.assets.values())
    assert 60 <= took[200] <= 110
    assert took[-1] > 250


def test_queues_drain_at_their_rate() -> None:
    state = make(assets=100, drain=20.0)
    for asset in state.assets.values():
        describe(state, asset, "M 31")
    state.advance(START + 2.5)
    settled = sum(asset.jobs == 0 for asset in state.assets.values())
    assert 45 <= settled <= 50
    state.advance(START + 6)
    assert state.queues.waiting == 0


def test_paused_queues_stand_still_and_go_on_where_they_were() -> None:
    state = make("settling")
    state.settings.paused = True
    describe(state, only(state), "M 31")
    state.advance(START + 100)
    assert only(state).jobs == 1
    state.settings.paused = False
    state.advance(START + 101)
    state.advance(START + 103)
    assert only(state).jobs == 0


def test_a_paused_queue_lets_a_job_end_that_it_had_begun() -> None:
    state = make("settling", "early_updated_at", assets=200)
    before = {asset_id: asset.updated for asset_id, asset in state.assets.items()}
    for asset in state.assets.values():
        describe(state, asset, "M 31")
    for _ in range(200):
        state.advance(state.now + 0.01)
        begun = [one for one in state.assets.values() if one.jobs and one.updated > before[one.asset_id]]
        if begun:
            break
    state.settings.paused = True
    waiting = sum(asset.jobs for asset in state.assets.values()) - len(begun)
    state.advance(state.now + 100)
    assert [asset.jobs for asset in begun] == [0] * len(begun)
    assert sum(asset.jobs for asset in state.assets.values()) == waiting > 0
    state.settings.paused = False
    state.advance(state.now + 0.01)
    state.advance(state.now + 100)
    assert state.queues.waiting == 0


def test_two_close_writes_lose_one_for_ever_in_the_share_that_is_set() -> None:
    state = make("lost_updates", assets=400, loss=0.5)
    for asset in state.assets.values():
        describe(state, asset, "first")
        describe(state, asset, "second")
    state.advance(START + 60)
    reverted = sum(asset.exif.description == "first" for asset in state.assets.values())
    assert 160 <= reverted <= 240
    assert state.book.faults["lost"] == reverted
    assert state.book.faults["overlaps"] == 400
    for asset in state.assets.values():
        tag(state, asset, "later")
    state.advance(START + 120)
    assert sum(asset.exif.description == "first" for asset in state.assets.values()) == reverted


def test_tagging_right_after_a_description_loses_tags_and_some_descriptions() -> None:
    state = make("lost_updates", assets=400)
    for asset in state.assets.values():
        describe(state, asset, "M 31")
        tag(state, asset, "Galaxy")
    state.advance(START + 60)
    untagged = sum(not asset.tags for asset in state.assets.values())
    undescribed = sum(not asset.exif.description for asset in state.assets.values())
    assert untagged > 100
    assert undescribed > 20
    assert untagged + undescribed == state.book.faults["lost"]


def test_writes_that_wait_for_settling_lose_nothing() -> None:
    state = make("lost_updates", "settling", assets=100)
    for asset in state.assets.values():
        describe(state, asset, "M 31")
    state.advance(START + 30)
    for asset in state.assets.values():
        tag(state, asset, "Galaxy")
    state.advance(START + 60)
    assert all(asset.exif.description == "M 31" and asset.tags for asset in state.assets.values())
    assert state.book.faults["lost"] == state.book.faults["overlaps"] == 0


def test_without_lost_updates_close_writes_are_kept_but_counted() -> None:
    state = make()
    describe(state, only(state), "first")
    describe(state, only(state), "second")
    tag(state, only(state), "Galaxy")
    state.advance(START + 60)
    assert only(state).exif.description == "second"
    assert only(state).tags
    assert state.book.faults["overlaps"] == 2


def test_of_a_persons_write_and_ours_either_is_lost_and_counted_by_whose_it_was() -> None:
    state = make("lost_updates", assets=400, loss=1.0)
    for number, asset in enumerate(state.assets.values()):
        if number % 2:
            describe(state, asset, "ours")
            describe(state, asset, "a person's", "person")
        else:
            describe(state, asset, "a person's", "person")
            tag(state, asset, "Galaxy")
    state.advance(START + 60)
    texts = [asset.exif.description for asset in state.assets.values()]
    assert texts[1::2] == ["ours"] * 200  # of the same field the later is lost
    wordless, untagged = texts[::2].count(None), sum(not asset.tags for asset in state.assets.values()) - 200
    assert 30 <= wordless <= 70
    assert wordless + untagged == 200
    faults = state.book.faults
    assert (faults["persons_lost"], faults["lost_to_person"]) == (200 + wordless, untagged)
    assert faults["overlaps"] == faults["lost"] == faults["persons_own"] == 0
    assert sum(asset.lost["person", "description"] for asset in state.assets.values()) == 200 + wordless


def test_a_field_that_both_have_written_is_lost_to_both() -> None:
    state = make("lost_updates", assets=400)
    for asset in state.assets.values():
        state.settings.loss = 0.0
        tag(state, asset, "mine", "person")
        tag(state, asset, "Galaxy")
        state.settings.loss = 1.0
        describe(state, asset, "a person's", "person")
    state.advance(START + 60)
    bare = [asset for asset in state.assets.values() if not asset.tags]
    assert 60 <= len(bare) <= 140
    assert all(asset.lost["person", "tags"] == asset.lost["client", "tags"] == 1 for asset in bare)
    assert not any(asset.lost["person", "tags"] for asset in state.assets.values() if asset.tags)


def test_a_persons_two_close_writes_lose_one_without_any_client() -> None:
    state = make("lost_updates", loss=1.0)
    describe(state, only(state), "first", "person")
    describe(state, only(state), "second", "person")
    state.advance(START + 60)
    assert only(state).exif.description == "first"
    assert state.book.faults["persons_own"] == 1


def test_a_read_only_asset_shows_the_value_and_then_reverts() -> None:
    state = make("read_only")
    asset = only(state)
    asset.read_only = True
    describe(state, asset, "M 31")
    tag(state, asset, "Galaxy")
    assert asset.exif.description == "M 31"
    state.advance(START + 60)
    assert (asset.exif.description or "", asset.tags) == ("", set())
    assert state.book.faults["reverted"] == 2


def test_updated_at_is_sometimes_visible_before_the_values_are_final() -> None:
    state = make("early_updated_at", "round_trip", assets=300, drain=100_000.0)
    for asset in state.assets.values():
        describe(state, asset, " M 31 ")
    state.advance(START + 0.01)
    early = [asset for asset in state.assets.values() if asset.exif.description == " M 31 "]
    assert 3 <= len(early) <= 30
    assert all(asset.updated > START * 1000 and asset.jobs for asset in early)
    state.advance(START + 1)
    assert {asset.exif.description for asset in state.assets.values()} == {"M 31"}


def test_the_round_trip_rewrites_tags_into_new_ones_and_leaves_the_old_empty() -> None:
    state = make("round_trip")
    tag(state, only(state), "1.50")
    state.advance(START + 60)
    assert state.tags.values(only(state)) == ("1.5",)
    old = state.tags.find(USER_ID, "1.50")
    assert old is not None
    assert not old.assets


def test_embedded_coordinates_come_back_when_0_0_is_written() -> None:
    state = make("round_trip")
    asset = only(state)
    asset.embedded.coordinates = (48.1, 11.5)
    state.write(asset, Exif(coordinates=(0.0, 0.0)), ("coordinates",), "client")
    assert asset.exif.coordinates == (0.0, 0.0)
    state.advance(START + 60)
    assert asset.exif.coordinates == (48.1, 11.5)


def test_a_deleted_tag_comes_back_with_the_next_extraction_under_a_new_id() -> None:
    state = make()
    asset = only(state)
    tag(state, asset, "Astro/Galaxy")
    state.advance(START + 1)
    old = state.tags.find(USER_ID, "Astro/Galaxy")
    assert old is not None
    state.tags.delete(old, state.assets)
    assert not asset.tags
    describe(state, asset, "M 31")
    state.advance(START + 2)
    assert state.tags.values(asset) == ("Astro/Galaxy",)
    assert old.tag_id not in asset.tags


@pytest.mark.parametrize("since", [0, 1, 2])
def test_what_changed_since_a_moment_is_found_inclusively(since: int) -> None:
    state = make(assets=50)
    assets = list(state.assets.values())
    for number, asset in enumerate(assets[:3]):
        state.advance(START + 10 + number)
        state.touch(asset)
    found = {asset.asset_id for asset in state.changed_since(assets[since].updated)}
    assert found == {asset.asset_id for asset in assets[since:3]}


def test_the_log_of_changes_does_not_grow_without_end() -> None:
    state = make(assets=5)
    for second in range(3000):
        state.advance(START + second)
        state.touch(only(state))
    assert len(state._changes) < 1100
    assert len(list(state.changed_since(0))) == 5


def test_on_3_1_an_extraction_that_dies_leaves_value_and_date_as_they_are():
    photos = [Photo(f"00000000-0000-4000-8000-{n:012}", f"{n}.jpg", n) for n in range(30)]
    for version, moves in (((3, 1, 0), False), ((2, 7, 5), True)):
        state = State(Settings(unkind=frozenset({"settling", "dying_extraction"}), version=version))
        fill(state, photos)
        dying = next(asset for asset in state.assets.values() if asset.dying)
        before = dying.updated
        state.write(dying, Exif(description="kept"), ("description",), "client")
        state.advance(60.0)
        assert (dying.exif.description, dying.sidecar.description, dying.jobs) == ("kept", "kept", 0)
        assert (dying.updated > before) is moves
