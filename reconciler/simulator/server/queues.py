"""The two queues that every write of metadata goes through: ``sidecar``, then ``extraction``.

Nothing runs by itself: whoever looks at the state first lets the time pass (``due``), so that the machine is
the same under a test's clock as under a server's. What a job does is not known here.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.simulator.server.model import Actor, Asset
    from reconciler.simulator.server.unkindness import Settings

Stage = Literal["sidecar", "extraction", "final", "deletion"]

_SIDECAR_S = 0.030
_EXTRACTION_S = 0.050
_FAITHFUL_S = 0.002


@dataclass(slots=True)
class Job:
    """One asset's way through a queue."""

    asset: Asset
    stage: Stage
    actor: Actor
    number: int
    """The asset's how-many-th write caused it: what chance is asked about."""
    work: float = 1.0
    """How many times the queue's turn it takes, and its own time."""


@dataclass(slots=True)
class Queues:
    """What is under way, by the time (seconds) when it will be done."""

    settings: Settings
    _heap: list[tuple[float, int, Job]] = field(default_factory=list)
    _serial: int = 0
    _free_at: dict[Stage, float] = field(default_factory=dict)
    _paused_at: float | None = None

    def put(self, job: Job, now: float) -> None:
        """Queue a job: it ends when its queue has come to it, and not before its own time has passed."""
        own_time = self._own_time(job)
        start = max(now, self._free_at.get(job.stage, 0.0))
        self._free_at[job.stage] = turn = start + job.work / max(self.settings.drain, 1e-3)
        self.at(max(turn, now + own_time), job)

    def at(self, when: float, job: Job) -> None:
        """Let a job be done at a time of its own, outside the queues' turn."""
        self._serial += 1
        heapq.heappush(self._heap, (when, self._serial, job))

    def due(self, now: float) -> Iterator[tuple[float, Job]]:
        """Hand out what is done by now, in order, with the time when it was; jobs put meanwhile count too."""
        heap = self._heap
        if self.settings.paused:
            self._paused_at = now if self._paused_at is None else self._paused_at
            yield from self._running(now)
            return
        if self._paused_at is not None:
            self._shift(now - self._paused_at)
            self._paused_at = None
        while heap and heap[0][0] <= now:
            when, _, job = heapq.heappop(heap)
            yield when, job

    def _running(self, now: float) -> Iterator[tuple[float, Job]]:
        """Hand out what a paused queue had begun: BullMQ lets a running job end."""
        ended = sorted(one for one in self._heap if one[2].stage == "final" and one[0] <= now)
        if ended:
            self._heap[:] = [one for one in self._heap if one not in ended]
            heapq.heapify(self._heap)
        for when, _, job in ended:
            yield when, job

    @property
    def waiting(self) -> int:
        """How many jobs are not done."""
        return len(self._heap)

    def _own_time(self, job: Job) -> float:
        if not self.settings.on("settling"):
            return _FAITHFUL_S
        base = _SIDECAR_S if job.stage == "sidecar" else _EXTRACTION_S
        drawn = self.settings.chance("latency", job.stage, job.asset.asset_id, job.number)
        return base * job.work * (8.0 if drawn > 0.98 else 0.5 + drawn)

    def _shift(self, seconds: float) -> None:
        """Everything that had not begun ends later by the time that the queues stood still."""
        self._heap[:] = [
            (when + seconds * (job.stage != "final"), serial, job) for when, serial, job in self._heap
        ]
        heapq.heapify(self._heap)
        for stage in self._free_at:
            self._free_at[stage] += seconds
