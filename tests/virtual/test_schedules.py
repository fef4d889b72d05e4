"""Random schedules of people, a server that is unkind, and kills: what has to hold whatever happens when."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from reconciler.engine.events import Progress
from tests.thorough import several

ANXIOUS = "settling,lost_updates,early_updated_at,unstable_paging,slow_tagging,clock_skew"
NAMED = {"in_sync", "conflict", "not_writable", "not_sticking", "unknown_asset", "undone"}
SHOWN_SOON = 0.012
"""Seconds between a reading's answer and the write that is made from it: one way there, one back, and the store."""


class People:
    """Someone who does something in Immich now and then, and what has to be there in the end."""

    def __init__(self, here, seed, every, most=1000):
        self.here, self.random, self.every, self.most = here, Random(seed), every, most
        self.ids = sorted(here.state.assets)
        self.words, self.tags, self.edits = [], [], []

    async def work(self):
        while len(self.edits) < self.most:
            await asyncio.sleep(self.random.expovariate(1 / self.every))
            self.act(self.random.choice(self.ids))

    def act(self, asset_id):
        asset = self.here.state.assets.get(asset_id)
        if asset is None:
            return
        number = len(self.edits)
        self.edits.append((self.here.clock.seconds, asset_id))
        if self.random.random() < 0.7:
            word = f"word-{number}."
            self.here.person(asset_id, "append_description", f"\n\n{word}")
            self.words.append((self.here.clock.seconds, asset_id, word))
        else:
            self.here.person(asset_id, "add_tag", f"mine/{number}")
            self.tags.append((asset_id, f"mine/{number}"))


class Window:
    """Notes for each text that is written which reading it was made from, and how old that was."""

    def __init__(self, here):
        self.read, self.written, self.here = {}, [], here
        here.line.meanwhile = self.note

    def note(self, moment, method, path):
        asset_id = path.rpartition("/")[2]
        if not path.startswith("/api/assets/") or len(asset_id) != 36:
            return
        if method == "GET" and moment == "before":
            self.read[asset_id] = self.here.clock.seconds
        elif method in {"PUT", "PATCH"} and moment == "before":
            self.written.append((self.read[asset_id], self.here.clock.seconds, asset_id))

    def explains(self, at, asset_id):
        """Tell whether an edit fell between the reading and the arrival of a write of ours."""
        return any(read <= at <= wrote for read, wrote, of in self.written if of == asset_id)


def end_well(here, *, passes=4, crowded=False):
    """Let passes follow until nothing is left.

    Where it is crowded, a person's move can look just like that of our own write: what that costs is mended.
    """
    for _ in range(passes):
        here.settle()
        here.run(by_person=False)
        if not here.store.pending() and here.writes == 0:
            break
    here.settle()
    here.run()
    here.run()
    assert here.writes == 0
    assert not here.store.pending()
    assert here.statuses().keys() <= NAMED, here.statuses()
    assert all(one.reasons for one in here.store.records().values() if one.status != "in_sync")
    assert crowded or here.faults["overlaps"] == here.faults["lost"] == 0, here.state.book.examples


@pytest.mark.parametrize("seed", range(several(3, 4)))
def test_whatever_people_do_when_everything_settles_and_no_reading_is_old(world, no_two_at_once, seed):
    here = world(
        count=24,
        unkind=ANXIOUS,
        seed=seed,
        drain=[20.0, 60.0, 200.0][seed % 3],
        ahead=[0.0, 300.0, -90.0][seed % 3],
    )
    window, people = Window(here), People(here, seed, every=0.4)
    here.run(beside=people.work)
    assert len(people.edits) > 5
    assert all(wrote - read < 2 * SHOWN_SOON for read, wrote, _ in window.written)
    end_well(here)


def test_of_300_random_edits_each_lost_word_is_one_that_the_window_explains_and_is_told(world):
    here = world(copies=4, unkind=ANXIOUS, drain=28.0)
    window, people = Window(here), People(here, 7, every=0.05, most=300)
    here.run(beside=people.work)
    end_well(here, crowded=True)
    assert here.faults["overlaps"] <= 3
    assert len(people.edits) == 300
    shown, told = here.shown(), here.told("asset.crossed")
    lost = [
        (at, asset_id, word)
        for at, asset_id, word in people.words
        if word not in shown[asset_id]["description"]
        and "person's description" not in shown[asset_id]["lost"]
    ]
    unexplained = [one for one in lost if not window.explains(*one[:2])]
    assert unexplained == []
    assert {asset_id for _, asset_id, _ in lost} <= told.keys()
    assert len(lost) <= 3
    gone = [
        (asset_id, tag)
        for asset_id, tag in people.tags
        if tag not in shown[asset_id]["tags"] and "person's tags" not in shown[asset_id]["lost"]
    ]
    assert gone == []


@pytest.mark.parametrize("seed", several((0, 1, 4), range(6)))
def test_killed_at_any_moment_the_next_passes_come_to_the_same_end(world, no_two_at_once, seed):
    chance = Random(seed)
    undisturbed = world(count=12, unkind="settling,lost_updates", drain=40.0)
    undisturbed.run()
    end, needed = undisturbed.shown(), undisturbed.seconds
    here = world(count=12, unkind="settling,lost_updates", drain=40.0)
    for _ in range(3):
        here.run(within=chance.uniform(0.0, needed))
    end_well(here)
    for asset_id, shown in here.shown().items():
        assert (shown["description"], shown["tags"]) == (end[asset_id]["description"], end[asset_id]["tags"])


@pytest.mark.parametrize("seed", several((0, 1), range(3)))
def test_kills_people_and_all_unkindness_together_end_in_named_states(world, no_two_at_once, seed):
    chance = Random(seed)
    here = world(count=25, unkind="all", seed=seed, version=["2.7.5", "3.1.0", "2.7.5"][seed])
    people = People(here, seed, every=1.5, most=6)
    for _ in range(2):
        here.run(within=chance.uniform(0.5, 6.0), beside=people.work)
    for _ in range(5):
        here.settle()
        here.run(by_person=False)
    here.settle()
    here.run()
    here.run()
    assert here.statuses().keys() <= NAMED | {"pending"}
    assert all(one.reasons for one in here.store.records().values() if one.status != "in_sync")
    assert here.faults["overlaps"] == here.faults["lost"] == 0, here.state.book.examples


def test_progress_counts_an_image_once_however_many_waiting_ones_a_person_touches(world):
    here = world(copies=2, unkind="settling", drain=10.0)
    here.run(beside=People(here, 3, every=0.2).work)
    told = [one for one in here.events if isinstance(one, Progress) and one.phase == "writing"]
    assert len(told) > 3
    assert here.told("asset.touched")
    assert all(0 <= one.done <= one.total and one.done + one.waiting <= one.total for one in told)


def test_how_far_the_reading_of_immich_and_the_planning_are_is_told_with_counts(world):
    here = world(copies=4)
    images = len(here.shown())
    here.run()
    here.run(full=True)
    for phase in ("reading", "planning"):
        told = [one for one in here.events if isinstance(one, Progress) and one.phase == phase]
        counted = [(one.done, one.total) for one in told if one.done]
        assert len(counted) > images / 128, phase
        assert all(0 < done <= total <= images for done, total in counted), counted
        assert max(done for done, _ in counted) > images / 2
