"""The watermark over arbitrary clocks: no edit falls before it, and an idle look shows next to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.watermark import BEGINNING, OVERLAP, Look, Watermark, present, skew

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CLOCKS = st.floats(-1e7, 1e7)


@dataclass(frozen=True)
class Row:
    asset_id: str
    updated_at: datetime


def at(seconds):
    return START + timedelta(seconds=seconds)


class Immich:
    """A table of dates, stamped by a clock of its own."""

    def __init__(self, ahead, assets):
        self.ahead = ahead
        self.rows = {f"a{number}": at(ahead - 1e6 - number) for number in range(assets)}

    def edit(self, asset_id, now):
        self.rows[asset_id] = at(now + self.ahead)

    def since(self, mark):
        return [Row(asset_id, date) for asset_id, date in self.rows.items() if date >= mark]


def look(marks, immich, mark, now, ours, header):
    """Look as a pass does; gives the news, the next mark and how many rows were shown."""
    moment = present(at(now + ours), at(now + header))
    rows = immich.since(mark)
    if (again := marks.set_back(mark, moment, now)) is not None:
        rows = immich.since(again)
    news = {row.asset_id for row in rows if marks.is_news(row)}
    seen = Look({row.asset_id: row.updated_at for row in rows}, now, moment)
    after = marks.after_look(mark, seen)
    marks.noted(seen)
    return news, after, len(rows)


@given(
    ahead=CLOCKS,
    ours=CLOCKS,
    header=CLOCKS,
    odd=st.booleans(),
    minutes=st.lists(st.lists(st.tuples(st.integers(0, 9), st.floats(1, 59)), max_size=6), max_size=12),
)
def test_every_edit_is_news_for_the_next_look_whatever_the_clocks_are(ahead, ours, header, odd, minutes):
    immich, marks, now = Immich(ahead, 10), Watermark(), 0.0
    if odd:  # the clock was ten years ahead for a while
        immich.rows["odd"] = at(ahead + 10 * 365 * 86_400)
    mark = marks.after_reading(immich.rows.values(), present(at(ours), at(header)), 0.0)
    for edits in minutes:
        edited = set()
        for number, offset in sorted(edits, key=lambda one: one[1]):
            immich.edit(f"a{number}", now + offset)
            edited.add(f"a{number}")
        now += 60.0
        news, mark, _ = look(marks, immich, mark, now, ours, header)
        assert edited <= news


@given(ahead=st.floats(-600, 600), header=st.floats(-600, 600), rows=st.integers(1, 50))
def test_an_idle_look_shows_just_the_newest_row_once_it_has_rested(ahead, header, rows):
    immich, marks = Immich(ahead, rows), Watermark()
    for number in range(rows):
        immich.edit(f"a{number}", number * 0.001)
    mark, now, shown = BEGINNING, 1.0, 0
    for _ in range(25):
        now += 60.0
        _, mark, shown = look(marks, immich, mark, now, 0.0, header)
    assert shown == 1
    assert mark == max(immich.rows.values())


@given(ahead=st.floats(-600, 600), took=st.floats(0, 300), edit=st.floats(0, 1))
def test_a_mark_from_readings_is_not_after_what_changed_while_they_were_made(ahead, took, edit):
    immich = Immich(ahead, 3)
    changed = at(edit * took + ahead)
    newest = at(took + ahead)  # somebody was at work until the last moment
    mark = Watermark().after_reading([*immich.rows.values(), newest], newest, took)
    assert mark <= changed - OVERLAP + timedelta(seconds=1e-3)


def test_without_any_row_everything_that_comes_is_news():
    marks = Watermark()
    assert marks.after_reading([], START, 1.0) == BEGINNING
    assert marks.after_look(BEGINNING, Look({}, 0.0, START)) == BEGINNING
    assert marks.after_look(at(-60), Look({}, 0.0, START)) == at(-60)


def test_a_date_from_the_future_alone_moves_nothing():
    marks = Watermark()
    assert marks.after_look(at(-60), Look({"a": at(1e9)}, 0.0, START)) == at(-60)
    assert marks.after_reading([at(1e9)], START, 1.0) == BEGINNING


@pytest.mark.parametrize("back", [7.0, 30.0, 60.0, 118.0, 3600.0])
def test_after_a_clock_was_set_back_everything_since_the_last_look_is_shown(back):
    immich, marks = Immich(0.0, 5), Watermark()
    immich.edit("a0", 1.0)
    _, mark, _ = look(marks, immich, at(-100), 2.0, 0.0, 0.0)
    immich.edit("a1", 58.0)
    _, mark, _ = look(marks, immich, mark, 60.0, 0.0, 0.0)
    immich.ahead = -back
    immich.edit("a2", 65.0)
    news, mark, _ = look(marks, immich, mark, 120.0, 0.0, -back)
    assert "a2" in news
    immich.edit("a3", 125.0)
    assert "a3" in look(marks, immich, mark, 180.0, 0.0, -back)[0]


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        (0.0, -1.0, (False, False)),
        (90.0, -1.0, (True, False)),
        (-90.0, 0.0, (True, False)),
        (1.0, 90.0, (False, True)),
    ],
)
def test_a_skew_is_told_where_it_shows(header, row, told):
    found = skew(START, at(header), [Row("a", at(row))])
    assert (found.header_tells, found.rows_tell) == told
