"""When an asset is taken for one at whose file Immich fails: others that were written after it have moved long ago."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.asset import ObservedAsset
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.plan import AssetPlan
from reconciler.core.records import AssetRecord
from reconciler.core.writes.asset_write import AssetWrite
from reconciler.engine.polling.schedule import OVERTAKERS, PollSchedule, Situation
from reconciler.engine.polling.server_clock import ServerClock
from reconciler.engine.polling.timing import Timing

T0 = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)


def write_sent(at, turn, **more):
    seen = ObservedAsset("a", "me", T0, "", tags=frozenset())
    plan = AssetPlan(1, "a", "M 31", seen, Desired(), description="text")
    more = {"answered_at": at, **more}
    return replace(AssetWrite.begin(plan, AssetRecord("a", 1)), state="sent", sent_at=at, turn=turn, **more)


@pytest.fixture
def schedule():
    return PollSchedule(Timing(), ServerClock())


def moved(schedule, *, sent, seen, turn, **more):
    write = write_sent(sent, turn, moved_at=seen, first_moved_at=seen, **more)
    schedule.moved(write)
    schedule.digested(write)


def test_two_that_were_sent_well_after_it_and_moved_long_ago_overtake_it(schedule):
    ours = write_sent(100.0, 1)
    for turn in (2, 3):
        moved(schedule, sent=101.1, seen=101.3, turn=turn)
    assert not schedule.overtaken(ours, 104.2)  # it may be at it
    assert schedule.overtaken(ours, 104.4)


def test_one_alone_does_not_for_a_person_may_have_moved_it(schedule):
    moved(schedule, sent=101.1, seen=101.3, turn=2)
    assert not schedule.overtaken(write_sent(100.0, 1), 1000.0)


def test_a_few_that_were_sent_beside_it_do_not_for_they_are_worked_on_at_the_same_time(schedule):
    for turn in range(2, 2 + OVERTAKERS - 1):
        moved(schedule, sent=100.2, seen=100.5, turn=turn)
    assert not schedule.overtaken(write_sent(100.0, 1), 1000.0)


def test_more_than_are_worked_on_at_the_same_time_do_once_they_have_moved_long_ago(schedule):
    ours = write_sent(100.0, 1)
    for turn in range(2, 2 + OVERTAKERS):
        moved(schedule, sent=100.2, seen=100.5 + turn / 100, turn=turn)
    assert not schedule.overtaken(ours, 103.5)
    assert schedule.overtaken(ours, 103.7)


def test_those_of_calls_at_the_same_time_do_not_for_they_may_have_come_first(schedule):
    """A call about many assets takes its time, and another one may reach Immich before it, whatever its number."""
    for turn in range(2, 100):
        moved(schedule, sent=100.0, seen=100.5, turn=turn)
    assert not schedule.overtaken(write_sent(100.0, 1, answered_at=100.9), 1000.0)


def test_those_that_were_sent_before_it_tell_nothing_however_many_and_however_long_ago(schedule):
    for turn in range(1, 100):
        moved(schedule, sent=90.0, seen=100.5, turn=turn)
    assert not schedule.overtaken(write_sent(100.0, 100), 10_000.0)


def test_an_earlier_run_s_is_overtaken_by_two_of_this_if_it_was_sent_well_before(schedule):
    for turn in (1, 2):
        moved(schedule, sent=100.2, seen=100.4, turn=turn)
    assert not schedule.overtaken(write_sent(100.0, 0, adopted=True), 1000.0)
    assert schedule.overtaken(write_sent(100.0, 0, adopted=True, sent_for=60.0), 1000.0)


def test_an_earlier_run_s_that_moves_overtakes_nobody(schedule):
    """When it was sent is not known so well: it may have been before ours."""
    for _ in range(20):
        moved(schedule, sent=110.0, seen=110.2, turn=0, adopted=True)
    assert not schedule.overtaken(write_sent(100.0, 1), 1000.0)


def test_a_server_that_takes_longer_over_all_gets_longer_for_each(schedule):
    ours = write_sent(100.0, 1)
    for turn in range(2, 40):
        moved(schedule, sent=102.0, seen=122.0, turn=turn)
    assert not schedule.overtaken(ours, 126.0)
    assert schedule.overtaken(ours, 122.1 + schedule.longest)


@pytest.mark.parametrize(
    ("verified", "progress", "next_look"), [(150, 114.0, 116.05), (150, 104.0, 117.1), (50, 114.0, 117.1)]
)
def test_the_last_are_looked_for_steadily_where_many_were_verified_and_the_server_goes_on(
    schedule, verified, progress, next_look
):
    for turn in range(verified):
        moved(schedule, sent=50.0, seen=50.1, turn=turn)
    schedule.progressed(progress)
    schedule.looked(["timeline"], 115.0)
    last = [write_sent(100.0, verified + more) for more in range(3)]
    assert not schedule.is_due(Situation(next_look - 0.01, last, hurried=False))
    assert schedule.is_due(Situation(next_look + 0.01, last, hurried=False))
