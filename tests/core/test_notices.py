"""Which notice is due, in virtual time: nothing twice, one message for many, quiet hours, and what fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, timezone
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from reconciler.core import notices
from reconciler.core.notices import (
    APART,
    OCCASIONS,
    PATIENCE,
    REMEMBERED,
    Book,
    Matter,
    Quiet,
    Rules,
    began_before,
    classes,
    failed,
    seen,
    sending,
    sent,
    to_tell,
)
from reconciler.core.store_keys import NOTICES

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NIGHT = Rules(quiet=Quiet(time(22), time(7)))


def conflict(name="a"):
    return Matter("conflict", name)


@dataclass
class Person:
    """Somebody who is told, on a clock of a minute's step, by a daemon that restarts whenever it is asked to."""

    rules: Rules = field(default_factory=Rules)
    now: datetime = NOON
    book: Book = field(default_factory=Book)
    got: list = field(default_factory=list)
    broken: bool = False

    def live(self, minutes, *matters, since=None):
        """Let these things be so for a while; give the messages that came."""
        began, before = since or self.now, len(self.got)
        for _ in range(minutes):
            self.now += MINUTE
            self.book = seen(self.book, dict.fromkeys(matters, began), self.rules, self.now)
            if told := to_tell(self.book, self.rules, self.now):
                kept, self.book = self.book, sending(self.book, told, self.now)
                if self.broken:
                    self.book = failed(self.book, kept, told, "Forbidden", self.now)
                else:
                    self.book = sent(self.book)
                    self.got.append((self.now, set(told)))
        return [told for _, told in self.got[before:]]

    def restart(self):
        kept = {}
        store = type(
            "Store", (), {"get": lambda _, key: kept.get(key), "put": lambda _, k, v: kept.update({k: v})}
        )()
        NOTICES.write(store, self.book)
        self.book = NOTICES.read(store)


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_what_lasts_is_told_once_after_its_patience_and_never_again_while_it_lasts(occasion):
    person, matter = Person(), Matter(occasion, "it")
    minutes = int(PATIENCE[occasion] / MINUTE)
    assert person.live(max(minutes - 1, 0), matter) == []
    assert person.live(1 + (not minutes), matter) == [{matter}]
    assert person.live(3 * 24 * 60, matter) == []


@pytest.mark.parametrize("occasion", [one for one in OCCASIONS if PATIENCE[one]])
def test_what_is_over_before_its_patience_is_told_to_nobody(occasion):
    person, matter = Person(), Matter(occasion, "it")
    short = int(PATIENCE[occasion] / MINUTE) - 1
    for _ in range(5):
        assert person.live(short, matter) == []
        assert person.live(1) == []


def test_an_outage_is_counted_from_its_begin_also_when_it_was_seen_late():
    person = Person()
    began = person.now - 59 * MINUTE
    assert person.live(1, Matter("immich_down", "immich"), since=began) == [{Matter("immich_down", "immich")}]


def test_two_outages_are_two_notices_and_one_with_a_gap_is_one():
    person, down = Person(), Matter("immich_down", "immich")
    assert len(person.live(90, down)) == 1
    assert person.live(9) == []
    assert person.live(90, down) == []
    assert person.live(11) == []
    assert len(person.live(90, down)) == 1


def test_many_things_of_many_kinds_are_one_message():
    person = Person()
    several = [conflict(str(number)) for number in range(500)] + [Matter("not_kept", "b")]
    assert person.live(60, *several) == [set(several)]


def test_what_trickles_in_is_gathered_a_quarter_of_an_hour():
    person, there = Person(), []
    for number in range(60):
        there.append(conflict(str(number)))
        person.live(1, *there)
    person.live(20, *there)
    times = [when for when, _ in person.got]
    assert all(later - earlier >= APART for earlier, later in pairwise(times))
    assert set().union(*(told for _, told in person.got)) == set(there)
    assert sum(len(told) for _, told in person.got) == len(there)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("22:00-07:00", ["22:00", "23:59", "00:00", "06:59"], ["07:00", "12:00", "21:59"]),
        ("12:30 – 14:00", ["12:30", "13:59"], ["12:29", "14:00", "00:00"]),
    ],
)
def test_quiet_hours_begin_and_end_to_the_minute_also_over_midnight(text, inside, outside):
    quiet = Quiet.parse(text)
    assert all(quiet.covers(time.fromisoformat(one)) for one in inside)
    assert not any(quiet.covers(time.fromisoformat(one)) for one in outside)


@pytest.mark.parametrize(
    "text", ["22-7", "24:00-07:00", "22:00", "22:60-07:00", "22:00-22:00", "22:00-07:00x"]
)
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="it "):
        Quiet.parse(text)


def test_no_hours_are_no_quiet():
    assert Quiet.parse(" ") is None


def test_what_happens_in_quiet_hours_is_told_at_their_end_in_one_message_also_what_is_over_by_then():
    person, down = Person(NIGHT, datetime(2026, 11, 22, 21, 59, tzinfo=UTC)), Matter("immich_down", "immich")
    assert person.live(120, conflict("a")) == []
    assert person.live(120, conflict("a"), down) == []
    assert person.live(60, conflict("a"), Matter("not_kept", "b")) == []
    assert person.live(60, conflict("a")) == []
    person.live(24 * 60, conflict("a"))
    assert person.got == [
        (datetime(2026, 11, 23, 7, 0, tzinfo=UTC), {conflict("a"), down, Matter("not_kept", "b")})
    ]


def test_quiet_hours_are_those_of_the_readers_own_clock_also_when_it_changes():
    berlin = ZoneInfo("Europe/Berlin")
    # At 01:00 UTC on 25 October 2026 clocks there go back an hour.
    end = datetime(2026, 10, 25, 7, 0, tzinfo=berlin)
    book = seen(Book(), {conflict(): end - timedelta(hours=3)}, NIGHT, end - timedelta(hours=2))
    for moment, told in ((end.astimezone(UTC) - MINUTE, ()), (end.astimezone(UTC), (conflict(),))):
        assert to_tell(book, NIGHT, moment.astimezone(berlin)) == told
    assert to_tell(book, NIGHT, end.astimezone(timezone(timedelta(hours=-5)))) == ()


@pytest.mark.parametrize("occasion", ["attention", "conflict", "not_kept", "guard"])
def test_what_comes_back_soon_is_the_same_and_what_comes_back_late_is_news(occasion):
    person, matter = Person(), Matter(occasion, "it")
    gap = int(REMEMBERED[occasion] / MINUTE)
    assert len(person.live(30, matter)) == 1
    person.live(gap)
    assert person.live(60, matter) == []
    person.live(gap + 1)
    assert len(person.live(60, matter)) == 1


def test_the_first_sync_is_done_once_for_ever():
    person, first = Person(), Matter("first_sync", "first")
    assert person.live(2, first) == [{first}]
    for _ in range(3):
        person.live(7 * 24 * 60)
        person.restart()
        assert person.live(60, first) == []


def test_a_library_that_was_in_sync_before_there_were_notices_has_no_first_sync_to_tell():
    person = Person(book=began_before(Book()))
    assert person.live(60, Matter("first_sync", "first")) == []


def test_a_restart_at_any_moment_tells_nothing_twice_and_forgets_nothing():
    random = Random(13)
    for _ in range(12):
        person, there, ever = Person(NIGHT, NOON), set(), set()
        for step in range(120):
            there = {one for one in there if random.random() > 0.02} | {
                conflict(f"{step}-{number}") for number in range(random.choice([0, 0, 0, 1, 3]))
            }
            ever |= {one for one in there if one in person.book.waiting}
            person.live(random.randrange(1, 20), *there)
            ever |= set(person.book.due) | set(person.book.told)
            if random.random() < 0.3:
                person.restart()
        person.live(25 * 60, *there)
        told = [one for _, several in person.got for one in several]
        assert len(told) == len(set(told))
        assert set(person.book.due) == set()
        assert set(told) <= ever


def test_who_dies_while_a_message_goes_has_told_it():
    person = Person()
    book = seen(Book(), {conflict(): NOON - 5 * MINUTE}, Rules(), NOON)
    person.book = sending(book, to_tell(book, Rules(), NOON), NOON)
    person.restart()
    assert person.live(60, conflict()) == []


def test_a_message_that_goes_to_nobody_is_tried_again_and_waits_longer_each_time():
    person = Person(broken=True)
    tries = []
    for _ in range(24 * 60):
        person.live(1, conflict())
        if person.book.tried_at == person.now:
            tries.append(person.now)
    waits = [(later - earlier) / MINUTE for earlier, later in pairwise(tries)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 360, 360]
    assert person.book.trouble == "Forbidden"
    person.restart()
    person.broken = False
    assert person.live(360, conflict()) == [{conflict()}]
    assert (person.book.trouble, person.book.failures, person.book.tried_at) == ("", 0, None)


def test_a_failure_gives_back_when_the_last_message_went():
    before = Book(due={conflict(): NOON}, sent_at=NOON - APART)
    book = failed(sending(before, [conflict()], NOON), before, [conflict()], "no", NOON)
    assert (book.sent_at, book.due, book.told) == (NOON - APART, {conflict(): NOON}, {})


def test_what_is_not_wanted_is_not_told_nor_once_it_is_no_longer_wanted():
    person = Person(Rules(frozenset({"guard"})))
    assert person.live(60, conflict()) == []
    person = Person(NIGHT, datetime(2026, 11, 22, 23, 0, tzinfo=UTC))
    person.live(10, conflict())
    assert person.book.due
    person.rules = Rules(frozenset({"guard"}), NIGHT.quiet)
    assert person.live(24 * 60, conflict()) == []


def test_a_clock_that_jumps_back_silences_nobody():
    person = Person()
    person.live(5, conflict("a"))
    person.now -= timedelta(days=400)
    assert person.live(5, conflict("a"), conflict("b")) == [{conflict("b")}]
    person.broken = True
    person.live(5, conflict("a"), conflict("b"), conflict("c"))
    person.live(20, conflict("a"), conflict("b"), conflict("c"))
    person.broken, person.now = False, person.now - timedelta(days=400)
    assert person.live(5, conflict("a"), conflict("b"), conflict("c")) == [{conflict("c")}]


def test_what_is_only_counted_is_told_again_when_it_doubles_and_not_when_it_shrinks():
    person = Person()
    assert len(person.live(30, *classes("guard", "held", 12))) == 1
    assert person.live(30, *classes("guard", "held", 15)) == []
    assert person.live(30, *classes("guard", "held", 9)) == []
    assert len(person.live(30, *classes("guard", "held", 5000))) == 1
    assert person.live(9, *classes("guard", "held", 1)) == []
    assert classes("guard", "held", 0) == []


def test_every_occasion_has_its_patience_and_its_memory():
    assert set(notices.PATIENCE) == set(notices.REMEMBERED) == set(OCCASIONS)
