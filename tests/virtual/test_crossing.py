"""Somebody saves an image at the moment of our write, in virtual time: each way in which its two moves can be seen."""

from __future__ import annotations

from itertools import pairwise

import pytest

from reconciler.core.policy import MergePolicy, Policy


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("count", "seen_by"), [(1, "/api/assets/"), (6, "/api/search/metadata")])
def test_an_asset_that_moves_twice_for_one_write_was_somebody_elses_too(world, count, seen_by, seed):
    here = world(count=count, unkind="settling", drain=200.0, seed=seed)
    odd, done = here.images()[0][1], []
    asset = here.state.assets[odd]
    here.settle()
    before = asset.updated

    def save(moment, method, path):
        if moment == "after" and method != "PUT" and asset.updated > before and not done:
            done.append(path)
            here.person(odd, "set_description", asset.exif.description)

    here.line.meanwhile = save
    here.run()
    assert done[0].startswith(seen_by)
    assert here.told("asset.crossed").keys() == {odd}
    assert here.statuses() == {"in_sync": count}
    assert here.store.crossed().count == 1
    assert here.faults["overlaps"] == 0
    here.line.meanwhile = lambda *_: None
    here.run()
    assert here.writes == 0


@pytest.mark.parametrize("taken_back", [False, True])
def test_a_tag_that_immich_loses_because_it_digests_two_edits_at_once_is_told(world, taken_back):
    """A person tags an image a moment before it is read: the reading shows the tag, and no date that it is new."""
    lost = 0
    for seed in (9, 10, 19):
        here = world(count=2, unkind="settling,lost_updates", drain=8.0, seed=seed)
        image_id, odd = here.images()[0]
        here.run()
        here.settle()
        here.settings.loss = 1.0
        here.sql("UPDATE astrophotography_images SET title = 'Another' WHERE id = ?", image_id)
        here.person(odd, "add_tag", "mine")
        if taken_back:
            here.take_back(run_id="run-1")
        else:
            here.run()
        if "mine" not in here.shown()[odd]["tags"]:
            lost += 1
            assert here.told("asset.crossed").keys() == {odd}
            assert here.store.crossed().count == 1
    assert lost > 0


@pytest.mark.parametrize("seed", range(3))
def test_an_edit_that_waits_in_immichs_queue_behind_our_writes_is_waited_for(world, seed):
    """The queue takes longer than the grace: only once ours before it are through comes a person's turn."""
    keep = Policy(merge=MergePolicy(on_drift_coordinates="keep"))
    here = world(count=6, unkind="settling,lost_updates", drain=60.0, seed=seed, policy=keep)
    here.run()
    here.settle()
    here.settings.loss, here.settings.drain = 1.0, 0.15
    odd = here.images()[-1][1]
    asset, met, pinned = here.state.assets[odd], [], []
    here.sql("UPDATE astrophotography_images SET title = title || ' II'")

    def pin(moment, method, path):
        if method == "PUT" and moment == "after" and not pinned:
            pinned.append(path)
            here.person(odd, "set_coordinates", [20.0, 30.0])
        if method == "PUT" and moment == "before" and odd in path:
            met.append(asset.jobs > asset.client_jobs)

    here.line.meanwhile = pin
    here.run()
    here.settle()
    assert pinned != []
    assert met == [False]
    assert here.shown()[odd]["latitude"] == 20.0
    assert "II" in here.shown()[odd]["description"]


def test_a_tag_that_is_taken_off_by_the_program_itself_is_no_crossing(world):
    here = world(count=2, unkind="settling")
    here.run()
    here.take_back(everything=True)
    assert not here.told("asset.crossed")
    assert here.store.crossed().count == 0


def test_a_persons_tag_that_immich_loses_and_the_program_puts_back_is_the_persons_still(world):
    put_back = 0
    for seed in range(8):
        here = world(count=2, unkind="settling,lost_updates", drain=8.0, seed=seed)
        _, odd = here.images()[0]
        here.settings.loss = 1.0
        seen = []

        def watch(moment, method, path, asset=here.state.assets[odd], seen=seen, here=here):
            if moment == "after" and method == "GET" and path.startswith("/api/assets/"):
                seen.append("Astro/astrophotography" in here.state.tags.values(asset))

        here.person(odd, "add_tag", "Astro/astrophotography")
        here.line.meanwhile = watch
        here.run()
        if (True, False) in pairwise(seen):
            put_back += 1
            assert "Astro/astrophotography" in here.shown()[odd]["tags"]
            assert "Astro/astrophotography" not in here.store.record(odd).applied.tags
            here.take_back(everything=True)
            assert here.shown()[odd]["tags"] == ["Astro/astrophotography"]
    assert put_back > 0


def test_a_tag_that_immich_drops_after_the_pass_has_ended_is_told_by_the_next(world):
    """The queue stands still: the person's edit is waited for in vain, and dropped when the queue goes on."""
    lost = 0
    for seed in range(12):
        here = world(count=2, unkind="settling,lost_updates", drain=8.0, seed=seed)
        image_id, odd = here.images()[0]
        here.run()
        here.settle()
        here.settings.loss, here.settings.paused = 1.0, True
        here.sql("UPDATE astrophotography_images SET title = 'Another' WHERE id = ?", image_id)
        here.person(odd, "add_tag", "mine")
        here.run()
        assert here.statuses()["pending"] == 1
        assert not here.told("asset.crossed")
        here.settings.paused = False
        here.settle()
        dropped = "mine" not in here.shown()[odd]["tags"]
        here.run()
        assert set(here.told("asset.crossed")) == ({odd} if dropped else set())
        assert here.store.crossed().count == dropped
        lost += dropped
    assert lost > 0
