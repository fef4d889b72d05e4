"""An asset that never moves: Immich fails at reading its file, or its queue has not come to it. Both directions."""

from __future__ import annotations

import pytest

from reconciler.core.writes.asset_write import UNCONFIRMED
from reconciler.simulator.server.queues import Queues
from tests.virtual.test_promises import assert_nothing_lost

DYING = {"unkind": "settling,lost_updates,dying_extraction", "version": "3.1.0"}


def reasons(here):
    return {
        one
        for record in here.store.records().values()
        if record.status == "pending"
        for one in record.reasons
    }


def only(here, number, **what):
    """Let just the n-th asset be so; give its image's and its own id."""
    image_id, odd = here.images()[number]
    for asset in here.state.assets.values():
        for name, value in what.items():
            setattr(asset, name, value and asset.asset_id == odd)
    return image_id, odd


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_of_three_whose_extraction_dies_is_judged_in_the_same_pass(world, number):
    here = world(count=3, **DYING)
    only(here, number, dying=True)
    here.run()
    assert here.faults["died"] == 2
    assert here.statuses() == {"in_sync": 3}
    assert here.seconds < 20
    assert_nothing_lost(here)


def test_a_lone_one_whose_extraction_dies_is_judged_once_others_were_written_after_it(world):
    here = world(count=3, **DYING)
    image_id, odd = only(here, 1, dying=True)
    here.run(image_ids=frozenset({image_id}))
    assert reasons(here) == {UNCONFIRMED}
    here.clock.seconds += 60
    here.run(by_person=False)
    assert here.statuses() == {"in_sync": 3}
    assert set(here.shown()[odd]["tags"]) == here.store.records()[odd].applied.tags
    assert here.seconds < 20
    assert_nothing_lost(here)
    here.run(by_person=False)
    assert here.requests["GET /assets/{id}"] == here.writes == 0


def test_a_lone_one_is_not_judged_by_what_only_looks_like_a_queue_that_goes_on(world):
    """Somebody moves another asset to the archive: its date moves at once, past the queues that stand still."""
    here = world(count=3, unkind="settling,read_only", paused=True)
    image_id, odd = only(here, 0, read_only=True)
    here.run(image_ids=frozenset({image_id}))
    assert reasons(here) == {UNCONFIRMED}
    here.clock.seconds += 3600
    other, acted = here.images()[1][1], []

    def archive(moment, method, path):
        if (moment, method, path.endswith(other)) == ("after", "PUT", True) and not acted:
            acted.append(True)
            here.person(other, "archive")

    here.line.meanwhile = archive
    here.run(by_person=False)
    assert acted
    assert here.store.records()[odd].status == "pending"
    here.settings.paused = False
    for _ in range(3):
        here.settle()
        here.run()
    assert here.store.records()[odd].status == "not_sticking"


@pytest.mark.parametrize("away", ["trash", "archive"])
@pytest.mark.parametrize("when", ["between passes", "in the midst of a pass"])
def test_who_moves_an_image_away_while_the_queue_stands_still_lets_no_second_write_meet_the_first(
    world, away, when
):
    """The date moves at once, there and back: it tells nothing of the write that waits in the queue."""
    here = world(count=3, unkind="settling,lost_updates", paused=True)
    image_id, odd = here.images()[0]
    asset, acted = here.state.assets[odd], []
    here.run(image_ids=frozenset({image_id}))
    assert reasons(here) == {UNCONFIRMED}
    here.clock.seconds += 60

    def move(*_):
        if not acted:
            acted.append(here.person(odd, away))

    if when == "between passes":
        move()
    else:
        here.line.meanwhile = move
    for _ in range(2):
        here.run(by_person=False, image_ids=frozenset({image_id}))
        assert asset.client_jobs == 1
        assert here.store.pending().keys() == {odd}
    here.person(odd, away, value=False)
    here.run(by_person=False, image_ids=frozenset({image_id}))
    assert asset.client_jobs == 1
    here.settings.paused = False
    here.settle()
    here.run()
    assert here.statuses() == {"in_sync": 3}
    assert here.faults["overlaps"] == here.faults["lost"] == 0


def test_a_queue_that_is_paused_after_neighbours_written_earlier_moved_tells_nothing_of_the_last(world):
    here = world(count=12, unkind="settling,read_only", drain=200.0)
    here.run()
    assert here.statuses() == {"in_sync": 12}
    here.sql("UPDATE astrophotography_images SET description = 'Another text.'")
    written = []

    def pause(moment, method, path):
        if (moment, method) == ("before", "PUT") and path.rpartition("/")[2] in here.state.assets:
            written.append(path.rpartition("/")[2])
            if len(written) == 12:
                here.settle()
                here.state.assets[written[-1]].read_only = here.settings.paused = True

    here.line.meanwhile = pause
    for _ in range(4):
        here.run(by_person=False)
        assert here.statuses() == {"in_sync": 11, "pending": 1}
    assert here.store.records()[written[-1]].reasons == (UNCONFIRMED,)
    here.settings.paused = False
    here.settle()
    here.run()
    here.run()
    assert here.statuses() == {"in_sync": 11, "not_sticking": 1}


@pytest.mark.parametrize("stage", ["sidecar", "extraction"])
def test_a_file_that_takes_immich_longer_than_its_neighbours_is_not_taken_for_one_it_fails_at(
    world, monkeypatch, stage
):
    """What was written after it moves before it does: Immich works on several side by side."""
    here = world(count=24, unkind="settling,lost_updates", drain=200.0)
    _, odd = here.images()[2]
    usual = Queues._own_time

    def own_time(queues, job):
        return 2.5 if (job.asset.asset_id, job.stage) == (odd, stage) else usual(queues, job)

    monkeypatch.setattr(Queues, "_own_time", own_time)
    here.run()
    assert here.statuses() == {"in_sync": 24}
    assert_nothing_lost(here)


def test_while_the_queue_stands_still_others_written_later_do_not_tell_of_a_lone_one(world):
    here = world(count=6, unkind="settling,read_only", paused=True)
    image_id, odd = only(here, 0, read_only=True)
    here.run(image_ids=frozenset({image_id}))
    for _ in range(3):
        here.clock.seconds += 600
        here.run(by_person=False)
        assert "in_sync" not in here.statuses()
    assert here.store.records()[odd].reasons == (UNCONFIRMED,)
