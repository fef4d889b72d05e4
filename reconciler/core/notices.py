"""Which notice is due: what was seen, what was told, and when the next message may go.

Pure: ``now`` is a parameter, aware and in the reader's own zone, for quiet hours are theirs. What is seen of
the daemon is ``reconciler.service.noticing``'s, the words are ``reconciler.messages.letters``', sending is
``reconciler.notices``'. A matter goes this way:

============ ==================================================== =========================================
it is        until                                                then
============ ==================================================== =========================================
waiting      it is over before its patience is                    forgotten; nobody hears of it
waiting      its patience is over                                 due
due          no quiet hours, and the last message is long ago     told, all that are due in one message
told         it is over, and has been for a while                 forgotten: it would be news again
============ ==================================================== =========================================

What is due stays due when it is over by itself: what happened in quiet hours is told after them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Occasion = Literal["attention", "guard", "conflict", "not_kept", "immich_down", "first_sync"]
"""What a notice can be of."""
OCCASIONS: Final[tuple[Occasion, ...]] = get_args(Occasion)

_MINUTE: Final = timedelta(minutes=1)
PATIENCE: Final[Mapping[Occasion, timedelta]] = {
    "attention": 10 * _MINUTE,  # much of it mends itself: a restart, a second attempt
    "guard": _MINUTE,
    "conflict": _MINUTE,
    "not_kept": _MINUTE,
    "immich_down": 60 * _MINUTE,
    "first_sync": timedelta(0),
}
"""How long something has to last before it is told."""
REMEMBERED: Final[Mapping[Occasion, timedelta]] = {
    "attention": 120 * _MINUTE,
    "guard": 10 * _MINUTE,
    "conflict": 120 * _MINUTE,
    "not_kept": 120 * _MINUTE,
    "immich_down": 10 * _MINUTE,
    "first_sync": timedelta.max,
}
"""How long something has to be over before it would be told again."""
APART: Final = 15 * _MINUTE
"""Between two messages: what happens meanwhile goes into one."""
_FIRST_RETRY: Final = 5 * _MINUTE
_LAST_RETRY: Final = 360 * _MINUTE
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d) ?[-–] ?([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, order=True)
class Matter:
    """One thing that a notice can tell of. What has the same key is the same thing."""

    occasion: Occasion
    key: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of each day in which nothing is sent; they may go over midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Quiet | None:
        """Read ``22:00-07:00``; empty: none.

        Raises:
            ValueError: it is not of that form, or begins when it ends.
        """
        if not text.strip():
            return None
        found = _HOURS.fullmatch(text.strip())
        if found is None:
            raise ValueError('it must be two times of the day, such as "22:00-07:00", or empty')
        first, second, third, fourth = (int(part) for part in found.groups())
        begin, end = time(first, second), time(third, fourth)
        if begin == end:
            raise ValueError("it begins when it ends; to be told nothing, leave out urls_file")
        return cls(begin, end)

    def covers(self, at: time) -> bool:
        """Return whether a time of the day is among them; their end is not."""
        if self.begin < self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


@dataclass(frozen=True, slots=True)
class Rules:
    """What a person wants to be told, and when not."""

    occasions: frozenset[Occasion] = frozenset(OCCASIONS)
    quiet: Quiet | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """What is known of all matters: kept by the store, so that a restart tells nothing twice."""

    waiting: Mapping[Matter, datetime] = field(default_factory=dict)
    """Since when it is so."""
    due: Mapping[Matter, datetime] = field(default_factory=dict)
    """The same, of what is to be told."""
    told: Mapping[Matter, datetime | None] = field(default_factory=dict)
    """Since when it is over; ``None``: it is still so."""
    sent_at: datetime | None = None
    """When the last message went."""
    tried_at: datetime | None = None
    """When one last failed; ``None``: none did since one went."""
    failures: int = 0
    """In a row."""
    trouble: str = ""
    """Why the last one failed, without secrets."""


def seen(book: Book, matters: Mapping[Matter, datetime], rules: Rules, now: datetime) -> Book:
    """Return the book after a look.

    Args:
        book: as it was.
        matters: all that is so, with since when as far as that is known.
        rules: what is to be told.
        now: the time.
    """
    wanted = {one: since for one, since in matters.items() if one.occasion in rules.occasions}
    waiting: dict[Matter, datetime] = {}
    due = {one: since for one, since in book.due.items() if one.occasion in rules.occasions}
    told: dict[Matter, datetime | None] = {}
    for one, over in book.told.items():
        if one in matters:
            told[one] = None
        elif over is None or over > now:
            told[one] = now
        elif now - over < REMEMBERED[one.occasion]:
            told[one] = over
    for one, found in wanted.items():
        if one in told or one in due:
            continue
        since = min(book.waiting.get(one, found), found, now)
        if now - since >= PATIENCE[one.occasion]:
            due[one] = since
        else:
            waiting[one] = since
    return replace(book, waiting=waiting, due=due, told=told)


def to_tell(book: Book, rules: Rules, now: datetime) -> tuple[Matter, ...]:
    """Return all that the message tells which may go now; empty: none may, or nothing is due."""
    if not book.due or (rules.quiet is not None and rules.quiet.covers(now.time())):
        return ()
    if book.sent_at is not None and timedelta(0) <= now - book.sent_at < APART:
        return ()
    if book.tried_at is not None and timedelta(0) <= now - book.tried_at < _pause(book.failures):
        return ()
    return tuple(sorted(book.due))


def sending(book: Book, matters: Collection[Matter], now: datetime) -> Book:
    """Return the book as it is kept before a message goes: who dies meanwhile tells nothing twice."""
    due = {one: since for one, since in book.due.items() if one not in matters}
    return replace(book, due=due, told={**book.told, **dict.fromkeys(matters)}, sent_at=now)


def sent(book: Book) -> Book:
    """Return the book after a message went."""
    return replace(book, tried_at=None, failures=0, trouble="")


def failed(book: Book, before: Book, matters: Collection[Matter], why: str, now: datetime) -> Book:
    """Return the book after a message went to nobody: what it told is due again, and waits longer each time.

    Args:
        book: as ``sending`` made it.
        before: as it was before that.
        matters: what the message told.
        why: what went wrong, without secrets.
        now: the time.
    """
    told = {one: over for one, over in book.told.items() if one not in matters}
    due = {**book.due, **{one: before.due[one] for one in matters if one in before.due}}
    return replace(
        book,
        due=due,
        told=told,
        sent_at=before.sent_at,
        tried_at=now,
        failures=book.failures + 1,
        trouble=why,
    )


def anew(book: Book) -> Book:
    """Return the book with which what failed is tried at once: a person has changed something since."""
    return replace(book, tried_at=None, failures=0)


def began_before(book: Book) -> Book:
    """Return the book of a library that was in sync before there were notices: the first sync is no news."""
    return replace(book, told={**book.told, Matter("first_sync", "first"): None})


def classes(occasion: Occasion, name: str, count: int) -> list[Matter]:
    """Return a matter for each doubling of a count: told again when there are about twice as many."""
    return [Matter(occasion, f"{name}×{2**power}") for power in range(max(count, 0).bit_length())]


def _pause(failures: int) -> timedelta:
    return min(_LAST_RETRY, _FIRST_RETRY * (1 << min(max(failures - 1, 0), 16)))
