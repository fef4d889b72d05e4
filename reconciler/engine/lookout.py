"""When to look at what is under way: seldom enough to cost little, soon enough that nobody waits for it.

A look is one search for any number of assets; a reading is one request for one asset, and tells more. What
is sent is looked at once when it should have settled, and then ever more rarely; only while other assets wait
for room it is looked at steadily.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from reconciler.engine.jobs import UNSEEN_LOOKS
from reconciler.engine.watcher import LISTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.asset import Visibility
    from reconciler.engine.jobs import Job
    from reconciler.engine.pace import Timing
    from reconciler.engine.serverclock import ServerClock

_ALONE = 2
"""So few assets are read by themselves: a look would cost as much and tell less."""
_FEW = 16
_MORE_RARELY = 1.6


class Scene:
    """What is under way, as one turn finds it.

    Args:
        now: monotonic seconds.
        jobs: sent, moved, or yielding; without those that may not go on yet.
        hurried: whether others wait until Immich has digested some.
    """

    def __init__(self, now: float, jobs: Sequence[Job], *, hurried: bool) -> None:
        self.now, self.jobs, self.hurried = now, jobs, hurried
        self.many = sum(job.state == "sent" for job in jobs) > _FEW
        self.watched = self._watched()

    def _watched(self) -> frozenset[Visibility]:
        """Give the visibilities to look at; of the others there are so few that they are read."""
        counts = Counter(job.observed.visibility for job in self.jobs if not _in_doubt(job))
        yielding = {job.observed.visibility for job in self.jobs if job.state == "yielding"}
        return frozenset(
            visibility
            for visibility in LISTED
            if counts[visibility] > _ALONE
            or visibility in yielding
            or (visibility == "timeline" and self.hurried)
        )


class Lookout:
    """Decides on looks and readings. Times are monotonic seconds.

    Args:
        timing: see there.
        dates: tell how long ago an asset moved.
    """

    def __init__(self, timing: Timing, dates: ServerClock) -> None:
        self._timing, self._dates = timing, dates
        self._mean, self._deviation = timing.look / 4, 0.0
        self._looks: dict[Visibility, float] = {}
        self._progress_at = -math.inf

    def looked(self, visibilities: Iterable[Visibility], now: float) -> None:
        """Note a look at assets of these visibilities."""
        self._looks.update(dict.fromkeys(visibilities, now))

    def progressed(self, now: float) -> None:
        """Note that something settled."""
        self._progress_at = now

    def moved(self, job: Job) -> None:
        """Learn from a write that was digested how long that takes, as far as it shows."""
        error = max(job.moved_at - job.sent_at, 0.0) - self._mean
        self._mean += error / 8
        self._deviation += (abs(error) - self._deviation) / 4

    def is_fresh(self, job: Job, now: float) -> bool:
        """Tell whether what is known of an asset is of this moment, so that it may be written."""
        return now - self._checked(job) <= self._timing.look / 2

    def is_due(self, scene: Scene) -> bool:
        """Tell whether to look now."""
        return self._look_at(scene) <= scene.now

    def is_read(self, job: Job, scene: Scene) -> bool:
        """Tell whether readings of its own, and no looks, tell how it stands."""
        if job.observed.visibility not in scene.watched or _in_doubt(job):
            return True
        needs_more = bool(job.pending and job.pending.tags) or job.looks >= UNSEEN_LOOKS
        return job.state == "moved" and needs_more  # a listing does not show tags

    def must_read(self, job: Job, scene: Scene) -> bool:
        """Tell whether to read this asset by itself now."""
        due = self.is_read(job, scene) and self._due_at(job, scene) <= scene.now
        return due or self._overdue(job, scene)

    def pause(self, scene: Scene) -> float:
        """Give the seconds until there is something to look at or to read."""
        times = [self._look_at(scene), self._read_at(scene)]
        return min(max(min(times) - scene.now, self._timing.look / 8), self._timing.look)

    def _look_at(self, scene: Scene) -> float:
        times = [self._due_at(job, scene) for job in scene.jobs if not self.is_read(job, scene)]
        looked = max(self._looks.values(), default=-math.inf)
        return max(self._together(times), looked + self._timing.look * (1 if scene.many else 0.5))

    def _read_at(self, scene: Scene) -> float:
        return self._together([self._due_at(job, scene) for job in scene.jobs if self.is_read(job, scene)])

    def _together(self, times: list[float]) -> float:
        """Give the first of these times, put off a little so that those soon after share the turn."""
        latest = min(times, default=math.inf) + self._timing.look / 4
        return max((time for time in times if time <= latest), default=math.inf)

    def _due_at(self, job: Job, scene: Scene) -> float:
        if job.state == "yielding":
            return job.moved_at + job.quiet
        if job.state == "moved":
            due = job.moved_at + self._timing.recheck
            return due if due > job.asked_at else job.asked_at + self._timing.look / 2  # that reading failed
        return self._check_at(job, scene)

    def _check_at(self, job: Job, scene: Scene) -> float:
        """Tell when a sent asset is worth a look: at first when it should have settled."""
        look, alone = self._timing.look, self.is_read(job, scene)
        checked = job.asked_at if alone else self._checked(job)
        first = job.sent_at + self._mean
        if _in_doubt(job) or not (scene.hurried or not self._dates.known):
            first += 2 * self._deviation + self._timing.recheck
        if checked < first:
            return first
        if _in_doubt(job):  # it is not there: it never arrived, or a proxy still has it
            over = job.sent_at + self._timing.grace
            return over if checked < over else checked + self._timing.grace
        if scene.hurried and not alone:
            return checked + look * (1 if scene.now - self._progress_at < 10 else 3)
        return min(job.sent_at + _MORE_RARELY * (checked - job.sent_at), checked + 3 * look)

    def _checked(self, job: Job) -> float:
        return max(self._looks.get(job.observed.visibility, -math.inf), job.asked_at)

    def _overdue(self, job: Job, scene: Scene) -> bool:
        """Tell whether a sent asset is to be read though looks should show it, for they have not for long.

        A few stragglers cost little to read; while many wait, it is the server that is slow.
        """
        if job.state != "sent":
            return False
        progress = -math.inf if job.adopted else self._progress_at
        waited = scene.now - max(job.sent_at, job.asked_at, progress)
        return waited > self._timing.grace * (3 if scene.many and not job.adopted else 1)


def _in_doubt(job: Job) -> bool:
    """Tell whether a write's answer was lost: a reading shows at once whether it arrived."""
    return job.doubtful and not job.adopted
