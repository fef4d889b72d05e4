"""A pass over many images, slice by slice, comes to the same as in one piece, and keeps few plans in memory."""

from __future__ import annotations

import gc
import itertools
from collections import Counter
from dataclasses import replace

import pytest

from reconciler.core.plan.plan import AssetPlan
from reconciler.core.policy import GuardPolicy, Policy
from reconciler.core.store_keys import CANARY
from reconciler.engine import items, reconcile
from reconciler.engine.events import Progress
from reconciler.engine.planner import slices as planner_slices
from reconciler.engine.polling.poller import Poller

REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,slow_tagging"
SLICE = 16


@pytest.fixture(autouse=True)
def slices(monkeypatch):
    """Sixteen images a slice, packed by four from the fifth on."""
    monkeypatch.setattr(reconcile, "_WRITTEN", SLICE)
    monkeypatch.setattr(items, "LOOSE", 4)
    monkeypatch.setattr(items, "PACK", 4)
    monkeypatch.setattr(items, "_PACES", 1)


def in_order(here):
    """Give the assets whose fields were written, in that order."""
    return [
        path.rpartition("/")[2]
        for _, method, path, _ in here.line.sent
        if method == "PUT" and path.startswith("/api/assets/")
    ]


def test_it_ends_as_in_one_piece(world, monkeypatch):
    ends = []
    for size in (SLICE, 1_000):
        monkeypatch.setattr(reconcile, "_WRITTEN", size)
        here = world(unkind=REAL, drain=60.0)
        report = here.run()
        shown = {
            asset_id: (one["description"], sorted(one["tags"]), one["latitude"])
            for asset_id, one in here.shown().items()
        }
        run = report.run
        ends.append((here.statuses(), shown, run.outcome, run.summary, run.counts, here.writes))
        assert here.faults["overlaps"] == here.faults["lost"] == 0
        here.run()
        assert here.writes == 0
    assert ends[0][:-1] == ends[1][:-1]
    assert ends[0][-1] <= 1.2 * ends[1][-1]


def test_progress_is_told_of_the_whole_pass(world):
    here = world(unkind="settling", drain=200.0)
    images = len(here.images())
    here.run()
    told = [one for one in here.events if isinstance(one, Progress) and one.phase in {"writing", "done"}]
    assert {one.total for one in told} == {images}
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert told[-1].done == images


def test_of_many_plans_those_of_a_slice_are_in_memory(world):
    here, alive, turns = world(copies=3, unkind="settling", drain=400.0), [], itertools.count()
    images = len(here.images())
    gc.collect()
    before = sum(type(one) is AssetPlan for one in gc.get_objects())

    def count(moment, method, _):
        if moment == "before" and method == "PUT" and next(turns) % 7 == 0:  # a count takes 30 ms
            alive.append(sum(type(one) is AssetPlan for one in gc.get_objects()) - before)

    here.line.meanwhile = count
    here.run()
    assert here.statuses() == {"in_sync": images}
    assert images >= 8 * SLICE
    # Of an asset under way: the plan of its item, the one of its write, and the one it is merged anew to.
    assert max(alive) <= 3 * SLICE + 16, max(alive)


def test_what_a_person_does_to_a_later_slice_while_an_earlier_one_is_written_is_seen(world):
    """Words are read before a text is written in any case; of tags only a look tells."""
    here = world(unkind="settling", drain=60.0)
    here.run()
    here.sql("UPDATE astrophotography_images SET tags = '[\"fresh\"]'")
    before = {asset_id: shown["tags"] for asset_id, shown in here.shown().items()}
    *_, (_, last) = here.images()
    gone, done = before[last][0], []

    def act(moment, method, path):
        if moment == "before" and path == "/api/tags/assets" and not done:
            done.append(True)
            here.person(last, "remove_tag", gone)
            here.settle()

    here.line.meanwhile, here.line.sent = act, []
    here.run()
    reads = [path for _, method, path, _ in here.line.sent if method == "GET" and path.endswith(last)]
    assert reads
    assert here.faults["lost"] == 0
    here.run()
    assert here.writes == 0
    shown = here.shown()[last]["tags"]
    assert any(tag.endswith("fresh") for tag in shown)
    assert gone in shown  # what is ours and was taken away is put back: it is drift


def test_what_a_look_shows_of_an_image_that_left_skymmich_is_kept_until_its_slice(world, monkeypatch):
    here = world(unkind="settling", drain=60.0)
    here.run()
    here.policy = replace(here.policy, merge=replace(here.policy.merge, orphans="release"))
    *_, (image_id, gone) = here.images()
    here.sql("UPDATE astrophotography_images SET title = title || ' again'")
    here.sql("UPDATE astrophotography_images SET immich_id = NULL WHERE id = ?", image_id)
    expect, kept, written = Poller.expect, [], set()

    def spied(poller, known, later):
        kept.append(gone in later)
        written.update(known)
        expect(poller, known, later)

    monkeypatch.setattr(Poller, "expect", spied)
    here.run()
    assert gone in written
    assert len(kept) > 2
    assert all(kept)


def test_words_that_a_person_writes_to_a_later_slice_stay(world):
    here, done = world(unkind=REAL, drain=60.0), []
    ids = [asset_id for _, asset_id in here.images()]

    def act(moment, method, path):
        if moment == "after" and method == "PUT" and path.startswith("/api/assets/") and not done:
            done.append(True)
            for asset_id in ids[-5:]:
                here.person(asset_id, "append_description", "\n\nMy words.")

    here.line.meanwhile = act
    here.run()
    assert all("My words." in here.shown()[asset_id]["description"] for asset_id in ids[-5:])
    assert here.faults["lost"] == 0


@pytest.fixture
def careful():
    return Policy(guard=GuardPolicy(canary=5))


def test_the_canary_of_all_slices_goes_before_the_first(world, careful):
    here = world(unkind="settling", drain=60.0, policy=careful)
    here.run()
    places = {asset_id: place for place, (_, asset_id) in enumerate(here.images())}
    first = [places[asset_id] for asset_id in in_order(here)[:5]]
    assert max(first) - min(first) > 2 * SLICE
    assert set(here.statuses()) == {"in_sync"}
    assert CANARY.read(here.store)["passed"] is True


def test_after_a_canary_that_fails_no_slice_is_written(world, careful):
    here = world(unkind="settling,read_only", drain=60.0, policy=careful)
    for asset in here.state.assets.values():
        asset.read_only = True
    report = here.run()
    assert "Immich kept" in report.error.message
    assert len(set(in_order(here))) == 5
    found = Counter(outcome.status for outcome in report.outcomes)
    assert sum(found.values()) == len(here.images())
    assert found["in_sync"] == 0
    assert found["failed"] >= len(here.images()) - 5
    sent = len(in_order(here))
    assert here.run(by_person=False).error is not None
    assert len(in_order(here)) == sent


def test_a_pass_that_is_stopped_between_two_slices_is_taken_up_by_the_next(world):
    here, images = world(unkind="settling", drain=60.0), 55
    report = here.run(stop=lambda: len(set(in_order(here))) > SLICE + 3)
    assert report.run.outcome == "stopped"
    found = here.statuses()
    assert sum(found.values()) == images
    assert found["in_sync"] >= SLICE - 2  # slices of the same size
    assert found["new"] >= images - 3 * SLICE
    here.run()
    assert here.statuses() == {"in_sync": images}
    assert here.faults["overlaps"] == 0


def test_the_guard_judges_all_slices_before_the_first_is_written(world, monkeypatch):
    verdicts = []
    for size in (SLICE, 1_000):
        monkeypatch.setattr(reconcile, "_WRITTEN", size)
        here = world(unkind="settling", drain=200.0)
        here.run()
        here.sql("UPDATE astrophotography_images SET tags = '[]', object_type = NULL, constellation = NULL")
        before = here.shown()
        report = here.run()
        assert report.verdict.tripped
        assert all(set(shown["tags"]) <= set(here.shown()[key]["tags"]) for key, shown in before.items())
        held = {key for key, status in here.store.held_ids().items() if status}
        assert held == report.verdict.held
        verdicts.append((report.verdict.hash, report.verdict.reasons, report.verdict.held))
        here.run(approved=report.verdict.hash)
        assert not here.store.held_ids()
    assert verdicts[0][1:] == verdicts[1][1:]


def test_the_store_is_asked_for_the_records_of_a_slice(world):
    here, asked = world(copies=3, unkind="settling", drain=400.0), []
    records_of = here.store.records_of

    def spied(asset_ids):
        asked.append(len(list(asset_ids)))
        return records_of(asset_ids)

    here.store.records_of = spied
    for _ in range(2):
        here.run()
    here.run(full=True)
    assert asked
    assert max(asked) <= planner_slices.SLICE < len(here.images())
