"""What is looked at next: order, folding, debounce, backoff. No clock but the numbers given."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from reconciler.service.api import Request
from reconciler.service.queue import Backoff, WorkQueue

LOOK = Request(by_person=False, trigger="immich")
AUDIT = Request(full=True, by_person=False, trigger="audit")


def images(*ids, **more):
    return Request(frozenset(ids), **more)


@pytest.fixture
def queue():
    return WorkQueue(Random(1))


def test_an_empty_queue_gives_nothing_and_knows_no_time(queue):
    assert queue.take(0.0, "x") is None
    assert queue.next_due() is None


def test_a_person_goes_before_the_background_and_images_before_everything(queue):
    queue.add(LOOK, "look", 0.0)
    queue.add(Request(full=True), "all", 1.0)
    queue.add(images(5), "five", 2.0)
    assert [queue.take(3.0, "x").run_id for _ in range(3)] == ["five", "all", "look"]


def test_a_wish_for_the_same_images_folds_into_the_one_that_waits(queue):
    queue.add(images(1, 2), "first", 0.0)
    assert queue.add(images(2, 3), "second", 0.1).run_id == "first"
    assert len(queue) == 1
    assert queue.take(0.2, "x").request.image_ids == {1, 2, 3}


def test_a_full_audit_takes_a_look_in_and_a_look_is_raised_to_an_audit(queue):
    queue.add(AUDIT, "audit", 0.0)
    assert queue.add(LOOK, "look", 0.0).run_id == "audit"
    assert queue.take(0.0, "x").request == AUDIT
    queue.add(LOOK, "look", 0.0)
    queue.add(AUDIT, "audit", 0.0)
    taken = queue.take(0.0, "x")
    assert (taken.run_id, taken.request.full, taken.request.trigger) == ("look", True, "audit")


@pytest.mark.parametrize("cause", ["settings", "template", "reload"])
@pytest.mark.parametrize("first", [True, False])
def test_work_is_named_by_what_changed_and_not_by_the_look_that_it_folded_into(queue, cause, first):
    changed = Request(by_person=False, trigger=cause)
    for request in (changed, AUDIT) if first else (AUDIT, changed):
        queue.add(request, "one", 0.0)
    taken = queue.take(0.0, "x").request
    assert (taken.trigger, taken.full) == (cause, True)


def test_who_wants_some_images_does_not_wait_for_all_of_them(queue):
    queue.add(Request(full=True), "all", 0.0)
    assert queue.add(images(1), "one", 0.0).run_id == "one"
    assert queue.add(Request(), "all again", 0.0).run_id == "all"
    assert queue.take(0.0, "x").run_id == "one"


@pytest.mark.parametrize("more", [{"force": True}, {"approved": "abc"}, {"by_person": False}])
def test_force_approval_and_background_never_fold_into_something_else(queue, more):
    queue.add(images(1), "plain", 0.0)
    assert queue.add(images(1, **more), "other", 0.0).run_id == "other"


def test_what_comes_while_it_waits_does_not_prolong_the_wait(queue):
    queue.add(LOOK, "look", 10.0, delay=3.0)
    queue.add(LOOK, "again", 12.0, delay=3.0)
    assert queue.take(12.9, "x") is None
    assert queue.next_due() == 13.0
    assert queue.take(13.0, "x").run_id == "look"


def test_a_person_need_not_wait_for_the_debounce(queue):
    queue.add(Request(), "now", 0.0, delay=3.0)
    assert queue.take(0.0, "x").run_id == "now"


def test_while_a_server_is_left_alone_only_persons_get_through(queue):
    queue.add(LOOK, "look", 0.0)
    queue.hold(60.0)
    assert queue.take(30.0, "x") is None
    assert queue.next_due() == 60.0
    queue.add(images(1), "person", 30.0)
    assert queue.take(30.0, "x").run_id == "person"
    assert queue.take(60.0, "x").run_id == "look"


def test_a_paused_queue_gives_only_what_a_person_wants(queue):
    queue.add(LOOK, "look", 0.0)
    queue.failed([7], 0.0)
    assert queue.take(9999.0, "x", background=False) is None
    assert queue.next_due(background=False) is None
    queue.add(images(1), "person", 0.0)
    assert queue.take(0.0, "x", background=False).run_id == "person"


def test_an_image_that_fails_waits_longer_each_time_up_to_an_hour(queue):
    waits = []
    for _ in range(14):
        queue.failed([7], 0.0)
        assert queue.waiting(0.0) == {7}
        waits.append(queue.next_due())
    assert 11 <= waits[0] <= 19
    assert all(1.1 < later / sooner < 3.4 for sooner, later in pairwise(waits[:8]))
    assert 2700 <= waits[-1] <= 4500


def test_images_that_failed_together_do_not_come_back_all_at_once(queue):
    queue.failed(range(100), 0.0)
    queue.add(LOOK, "look", 0.0)
    assert queue.take(0.0, "x").run_id == "look"
    assert 20 < len(queue.waiting(15.0)) < 80


def test_images_whose_time_has_come_are_one_background_work(queue):
    queue.failed([7, 8], 0.0)
    taken = queue.take(100.0, "again")
    assert taken.run_id == "again"
    assert taken.request == Request(frozenset({7, 8}), by_person=False, trigger="retry")


def test_an_image_that_went_well_starts_again_from_the_shortest_wait(queue):
    for _ in range(6):
        queue.failed([7], 0.0)
    queue.forget([7])
    assert queue.failing == frozenset()
    queue.failed([7], 0.0)
    assert queue.next_due() < 20


def test_the_same_seed_gives_the_same_waits():
    assert [Backoff().delay(n, Random(4)) for n in range(1, 9)] == [
        Backoff().delay(n, Random(4)) for n in range(1, 9)
    ]
