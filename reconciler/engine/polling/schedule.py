"""When to look at what is under way: seldom enough to cost little, soon enough that nobody waits for it.

A look is one search for any number of assets; a reading is one request for one asset, and tells more. What
is sent is looked at once when it should have settled, and then ever more rarely; only while other assets wait
for room, or where so many were verified that a look more is nothing, it is looked at steadily.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter, deque
from typing import TYPE_CHECKING

from reconciler.engine.polling.poller import LISTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.asset import Visibility
    from reconciler.core.writes.asset_write import AssetWrite
    from reconciler.engine.polling.server_clock import ServerClock
    from reconciler.engine.polling.timing import Timing

OVERTAKERS = 8
"""Assets written later that are verified: Immich digests fewer side by side, so it has come to this one."""
_SURE = 2
"""So many are enough where they were sent well after this one was worked on: a single one may have been moved
by a person, in an instant and past all queues."""
SLOWEST = 1.0
"""Seconds that a single write may take while all others are quick: 0.8 s was measured on an idle server."""
_RUNS = 3 * SLOWEST
"""Seconds for which Immich may be at one asset's file, once its queue has come to it."""
_ALONE = 2
"""So few assets are read by themselves: a look would cost as much and tell less."""
_FEW = 16
"""Assets under way: more of them are looked at less often."""
_UNHURRIED = 1.5
"""Times the usual pause between looks at many, once all is sent: each has to be waited for anyway."""
_MANY = 100
"""Writes verified in a pass: after so many, a look more at its end is nothing."""
_MORE_RARELY = 1.6
"""Times the time since a write was sent, between two looks for it alone."""
_ROUND = 3
"""Times the usual pause between looks: so long the last of a round of removals is waited for."""


class Situation:
    """What is under way, as one turn finds it.

    Args:
        now: monotonic seconds.
        writes: sent, moved, or yielding; without those that may not go on yet.
        hurried: whether others wait until Immich has digested some.
    """

    def __init__(self, now: float, writes: Sequence[AssetWrite], *, hurried: bool) -> None:
        self.now, self.writes, self.hurried = now, writes, hurried
        self.many = sum(write.state == "sent" for write in writes) > _FEW
        self.in_rounds = any(write.step == "remove_tags" for write in writes)
        """Whether tags go one after the other: the next round waits for what a look shows."""
        self.removing = bool(writes) and all(write.step == "remove_tags" for write in writes)
        self.watched = self._watched()

    def _watched(self) -> frozenset[Visibility]:
        """Return the visibilities to look at; of the others there are so few that they are read."""
        counts = Counter(write.observed.visibility for write in self.writes if not _in_doubt(write))
        yielding = {write.observed.visibility for write in self.writes if write.state == "yielding"}
        return frozenset(
            visibility
            for visibility in LISTED
            if counts[visibility] > _ALONE
            or visibility in yielding
            or (visibility == "timeline" and self.hurried)
        )


class PollSchedule:
    """Decides on looks and readings. Times are monotonic seconds.

    Args:
        timing: see there.
        dates: tell how long ago an asset moved.
    """

    def __init__(self, timing: Timing, dates: ServerClock) -> None:
        self._timing, self._dates = timing, dates
        # How long Immich takes with a write, as RFC 6298 (section 2) estimates a round trip's time.
        self._mean, self._deviation = timing.look / 4, 0.0
        self._moves: deque[tuple[float, float]] = deque()
        """Of writes that were verified just now: when their move was seen, and when they were sent."""
        self._sent: list[float] = []
        """When those were sent that moved long ago."""
        self._looks: dict[Visibility, float] = {}
        self._progress_at = -math.inf

    def looked(self, visibilities: Iterable[Visibility], now: float) -> None:
        """Note a look at assets of these visibilities."""
        self._looks.update(dict.fromkeys(visibilities, now))

    def progressed(self, now: float) -> None:
        """Note that something settled."""
        self._progress_at = now

    def moved(self, write: AssetWrite) -> None:
        """Learn from a write that was digested how long that takes, as far as it shows."""
        error = max(write.moved_at - write.sent_at, 0.0) - self._mean
        self._deviation += (abs(error) - self._deviation) / 4
        self._mean += error / 8

    def digested(self, write: AssetWrite) -> None:
        """Note a write that was verified: it moved because Immich had been at it."""
        if not write.adopted:  # when an earlier run's was sent is not known so well
            self._moves.append((write.first_moved_at, write.sent_at))

    def overtaken(self, write: AssetWrite, now: float) -> bool:
        """Return whether Immich has been at this write, and is at it no more.

        Its queues go in order, several assets side by side. Where more than those were sent once ours was
        answered (calls at the same time arrive in any order) and are verified, or a few that were sent when
        ours was in the first queue no more, it has come to ours, and then ours gets as long again as a file
        may take. What was sent before ours shows nothing: the queue may have been paused in between. Where
        nothing was sent later nothing is known, however long ago.
        """
        while self._moves and self._moves[0][0] <= now - max(_RUNS, self.longest):
            insort(self._sent, self._moves.popleft()[1])
        queued = write.answered_at - write.sent_for
        begun = queued + max(SLOWEST, self._timing.recheck)
        return self._sent_since(queued) >= OVERTAKERS or self._sent_since(begun) >= _SURE

    def _sent_since(self, moment: float) -> int:
        return len(self._sent) - bisect_left(self._sent, moment)

    @property
    def _is_busy(self) -> bool:
        """Whether so many were written that a look more is nothing, and a second less is something."""
        return len(self._sent) + len(self._moves) > _MANY

    @property
    def longest(self) -> float:
        """Seconds that Immich hardly ever exceeds with a write: RFC 6298's retransmission timeout."""
        return self._mean + max(4 * self._deviation, self._timing.recheck)

    def is_fresh(self, write: AssetWrite, now: float) -> bool:
        """Return whether what is known of an asset is of this moment, so that it may be written."""
        return now - self._checked(write) <= self._timing.look / 2

    def is_due(self, situation: Situation) -> bool:
        """Return whether to look now."""
        return self._look_at(situation) <= situation.now

    def is_read(self, write: AssetWrite, situation: Situation) -> bool:
        """Return whether readings of its own, and no looks, tell how it stands."""
        if write.observed.visibility not in situation.watched or _in_doubt(write):
            return True
        return write.state == "moved" and write.needs_reading

    def must_read(self, write: AssetWrite, situation: Situation) -> bool:
        """Return whether to read this asset by itself now."""
        if write.state == "sent" and (write.dying or self.overtaken(write, situation.now)):
            return self._check_at(write, situation) <= situation.now
        due = self.is_read(write, situation) and self._due_at(write, situation) <= situation.now
        return due or self._overdue(write, situation)

    def pause(self, situation: Situation) -> float:
        """Return the seconds until there is something to look at or to read."""
        times = [self._look_at(situation), self._read_at(situation)]
        return min(max(min(times) - situation.now, self._timing.look / 8), self._timing.look)

    def _look_at(self, situation: Situation) -> float:
        times = [
            self._due_at(write, situation) for write in situation.writes if not self.is_read(write, situation)
        ]
        looked = max(self._looks.values(), default=-math.inf)
        rarely = 1 if situation.hurried or situation.in_rounds else _UNHURRIED
        soonest = looked + self._timing.look * (rarely if situation.many else 0.5)
        if (
            situation.removing and times
        ):  # the next round begins when all are through: one look for all of them
            return max(min(max(times), min(times) + _ROUND * self._timing.look), soonest)
        return max(self._together(times), soonest)

    def _read_at(self, situation: Situation) -> float:
        return self._together(
            [self._due_at(write, situation) for write in situation.writes if self.is_read(write, situation)]
        )

    def _together(self, times: list[float]) -> float:
        """Return the first of these times, put off a little so that those soon after share the turn."""
        latest = min(times, default=math.inf) + self._timing.look / 4
        return max((time for time in times if time <= latest), default=math.inf)

    def _due_at(self, write: AssetWrite, situation: Situation) -> float:
        if write.state == "yielding":
            return write.moved_at + write.quiet
        if write.state == "moved":
            due = write.moved_at + self._timing.recheck
            return (
                due if due > write.asked_at else write.asked_at + self._timing.look / 2
            )  # that reading failed
        return self._check_at(write, situation)

    def _check_at(self, write: AssetWrite, situation: Situation) -> float:
        """Return when a sent asset is worth a look: at first when it should have settled."""
        look, alone = self._timing.look, self.is_read(write, situation)
        checked = write.asked_at if alone else self._checked(write)
        first = write.sent_at + self._mean
        hurried = situation.hurried or (self._is_busy and not situation.removing)
        if _in_doubt(write) or not (hurried or not self._dates.known):
            first += 2 * self._deviation + self._timing.recheck
        if checked < first:
            return first
        if write.dying or self.overtaken(write, situation.now):  # a reading tells whether its extraction died
            return max(write.sent_at + self.longest, write.asked_at + self._timing.grace)
        if _in_doubt(write):  # it is not there: it never arrived, or a proxy still has it
            over = write.sent_at + self._timing.grace
            return over if checked < over else checked + self._timing.grace
        steady = look * (1 if situation.now - self._progress_at < 10 else 3)
        if situation.hurried and not alone:
            return checked + steady
        most = max(steady, look * _UNHURRIED) if hurried else 3 * look
        return min(write.sent_at + _MORE_RARELY * (checked - write.sent_at), checked + most)

    def _checked(self, write: AssetWrite) -> float:
        return max(self._looks.get(write.observed.visibility, -math.inf), write.asked_at)

    def _overdue(self, write: AssetWrite, situation: Situation) -> bool:
        """Return whether a sent asset is to be read though looks should show it, for they have not for long.

        A few stragglers cost little to read; while many wait, it is the server that is slow.
        """
        if write.state != "sent":
            return False
        progress = -math.inf if write.adopted else self._progress_at
        waited = situation.now - max(write.sent_at, write.asked_at, progress)
        return waited > self._timing.grace * (3 if situation.many and not write.adopted else 1)


def _in_doubt(write: AssetWrite) -> bool:
    """Return whether a write's answer was lost: a reading shows at once whether it arrived."""
    return write.doubtful and not write.adopted
