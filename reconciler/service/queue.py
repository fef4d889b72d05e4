"""The work queue: what is to be looked at next, a person's wishes first.

Pure bookkeeping: ``now`` is monotonic seconds and a parameter, chance is injected, nothing waits. Work of
the same kind folds into one, image by image. Images whose attempts fail wait longer each time; work that only
says "look at all" leaves those alone until their time has come.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.service.api import Request

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from reconciler.core.records import Trigger


@dataclass(frozen=True, slots=True)
class Work:
    """A pass that is to be run."""

    run_id: str
    request: Request
    due: float
    """Monotonic seconds before which it is not taken."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between the attempts at one image: doubling, spread by chance so that not all come at once."""

    first: float = 15.0
    most: float = 3600.0
    spread: float = 0.25

    def delay(self, attempts: int, random: Random) -> float:
        """Return the wait after so many failed attempts in a row."""
        plain = min(self.most, self.first * 2.0 ** min(attempts - 1, 32))
        return plain * random.uniform(1 - self.spread, 1 + self.spread)


class WorkQueue:
    """What waits to be run."""

    def __init__(self, random: Random, *, backoff: Backoff | None = None) -> None:
        self._random = random
        self._backoff = backoff or Backoff()
        self._works: list[Work] = []
        self._failing: dict[int, tuple[int, float]] = {}
        """Image id → failed attempts in a row, and when the next one is due."""
        self._held_until = float("-inf")

    def __len__(self) -> int:
        return len(self._works)

    def add(self, request: Request, run_id: str, now: float, *, delay: float = 0.0) -> Work:
        """Enqueue, and give the work that will do it: an earlier one if the request folds into it.

        Args:
            request: what to look at.
            run_id: for new work.
            now: monotonic seconds.
            delay: to wait for more of the kind after the first; what folds in later does not prolong it.
        """
        for index, known in enumerate(self._works):
            if (folded := _fold(known.request, request)) is not None:
                work = replace(known, request=folded, due=min(known.due, now + delay))
                self._works[index] = work
                return work
        work = Work(run_id, request, now + delay)
        self._works.append(work)
        return work

    def take(self, now: float, new_id: str, *, background: bool = True) -> Work | None:
        """Take what is to be run now; ``None`` if nothing is.

        Args:
            now: monotonic seconds.
            new_id: the run's id if this is the next attempt at images that failed.
            background: false: only what a person asked for.
        """
        due = [
            work
            for work in self._works
            if work.request.by_person or (background and max(work.due, self._held_until) <= now)
        ]
        if due:
            first = min(due, key=lambda work: (not work.request.by_person, work.request.image_ids is None))
            self._works.remove(first)
            return first
        if background and self._held_until <= now and (again := self._due_again(now)):
            return Work(new_id, Request(again, by_person=False, trigger="retry"), now)
        return None

    def next_due(self, *, background: bool = True) -> float | None:
        """Return when ``take`` will give something, as far as it is known now."""
        times = [float("-inf") for work in self._works if work.request.by_person]
        if background:
            times += [max(work.due, self._held_until) for work in self._works if not work.request.by_person]
            times += [max(due, self._held_until) for _, due in self._failing.values()]
        return min(times, default=None)

    def hold(self, until: float) -> None:
        """Let no background work out before ``until``: the server is being left alone."""
        self._held_until = until

    @property
    def person_waits(self) -> bool:
        """Whether anything that a person asked for is waiting."""
        return any(work.request.by_person for work in self._works)

    @property
    def person_waits_for_all(self) -> bool:
        """Whether a run over all images that a person asked for is waiting."""
        return any(is_of_all(work.request) for work in self._works)

    def failed(self, image_ids: Iterable[int], now: float) -> None:
        """Note a failed attempt at each of these images."""
        for image_id in image_ids:
            attempts = self._failing.get(image_id, (0, 0.0))[0] + 1
            self._failing[image_id] = (attempts, now + self._backoff.delay(attempts, self._random))

    def forget(self, image_ids: Iterable[int]) -> None:
        """Forget failed attempts: these images went well, changed, or are gone."""
        for image_id in image_ids:
            self._failing.pop(image_id, None)

    def waiting(self, now: float) -> frozenset[int]:
        """Return the images whose next attempt is not due yet."""
        return frozenset(image_id for image_id, (_, due) in self._failing.items() if due > now)

    @property
    def failing(self) -> frozenset[int]:
        """All images whose last attempt failed."""
        return frozenset(self._failing)

    def _due_again(self, now: float) -> frozenset[int]:
        return frozenset(image_id for image_id, (_, due) in self._failing.items() if due <= now)


def is_of_all(request: Request) -> bool:
    """Return whether a person asked for all images, to be compared and written."""
    return request.by_person and request.image_ids is None and request.undo is None


_CAUSES: Final[frozenset[Trigger]] = frozenset({"decision", "settings", "template", "reload", "redo"})
"""What changes what is to be written: such a run is named by it, whatever else it looks at."""


def _weight(request: Request) -> tuple[bool, bool]:
    """Return how much a request says of why a pass is run: by the heavier one a folded one is named."""
    return request.trigger in _CAUSES, request.full


def _fold(known: Request, new: Request) -> Request | None:
    """Return one request that does both, if there is one that does no more than both.

    ========================= =============== ======================================================
    waiting                   new             folded
    ========================= =============== ======================================================
    all                       all             all; full, or with hints, if one is; named by the heavier
    some images               some images     both
    all                       some images     not: who wants some images need not wait for all
    some images               all             the same
    other force, undo …       anything        not; the same undo: once
    ========================= =============== ======================================================
    """
    kind, other = (
        (one.by_person, one.force, one.approved, one.undo, one.again, one.first) for one in (known, new)
    )
    if kind != other:
        return None
    if known.undo is not None:
        return known
    if known.image_ids is None and new.image_ids is None:
        louder = new if _weight(new) > _weight(known) else known
        return replace(louder, full=known.full or new.full, hints=known.hints or new.hints)
    if known.image_ids is not None and new.image_ids is not None:
        return replace(known, image_ids=known.image_ids | new.image_ids, full=known.full or new.full)
    return None
