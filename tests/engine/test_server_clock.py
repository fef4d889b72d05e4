"""Immich's dates on our own clock: perhaps late, never early."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.polling.server_clock import ServerClock

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def at(seconds):
    return START + timedelta(seconds=seconds)


def test_before_anything_was_seen_a_date_may_be_of_this_moment():
    clock = ServerClock()
    assert not clock.known
    assert clock.ours(at(-3600), 50.0) == 50.0


def test_an_asset_that_moved_while_others_were_seen_moving_has_an_age_at_first_sight():
    clock = ServerClock()
    clock.saw(at(10), 110.2)  # their clock is 0.2 s ahead of what it might be at the least
    assert abs(clock.ours(at(8), 110.2) - 108.2) < 1e-6
    assert clock.ours(at(10.5), 110.4) == 110.4


@given(
    ahead=st.floats(-1e5, 1e5),
    sights=st.lists(st.tuples(st.floats(0, 30), st.floats(0.0, 3.0)), min_size=1, max_size=20),
)
def test_no_date_is_ever_put_too_early(ahead, sights):
    """Whatever their clock is, and however long an answer takes: an asset is never thought older than it is."""
    clock = ServerClock()
    for moved, delay in sorted(sights, key=sum):
        seen = moved + delay
        clock.saw(at(moved + ahead), seen)
        assert moved - 1e-4 <= clock.ours(at(moved + ahead), seen) <= seen
