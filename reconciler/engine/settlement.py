"""Keeps how the writes that were sent stand, and records what was verified."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.writes.sight import Sight
from reconciler.engine.polling.server_clock import ServerClock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.ports import Clock
    from reconciler.core.records import AssetRecord, Crossing, PendingWrite
    from reconciler.core.store_port import Store
    from reconciler.core.writes.asset_write import AssetWrite, Next, Todo
    from reconciler.core.writes.sight import Terms
    from reconciler.engine.job import Job

_SET_BACK = 4
"""Dates in a row from before their writes: it is the clock, not persons."""
ABREAST = 8
"""Assets that Immich digests side by side, so that so many may overtake each other."""


class Settlement:
    """Follows the writes that were sent; what it learns is in the store after ``flush``.

    Args:
        store: where what stuck is recorded.
        clock: time.
        terms: by what writes are judged.
    """

    def __init__(self, store: Store, clock: Clock, terms: Terms) -> None:
        self._store, self._clock, self.terms = store, clock, terms
        self._records: dict[str, AssetRecord] = {}
        self._over: set[str] = set()
        self._crossings: dict[str, Crossing] = {}
        self._sent: set[str] = set()
        self._pending: dict[str, PendingWrite] = {}
        self.dates = ServerClock()
        self._anothers, self._oldest = 0, math.inf

    def flush(self) -> None:
        """Record what was learnt since the last time, in one commit."""
        if self._records or self._over or self._sent or self._pending:
            with self._store.transaction():
                self._store.save_pending(self._pending.values())
                self._store.mark_sent(sorted(self._sent))
                self._store.clear_pending(sorted(self._over))
                self._store.save_records(self._records.values())
                self._store.note_crossings(self._crossings)
            self._records, self._over, self._crossings, self._sent = {}, set(), {}, set()
            self._pending = {}

    def flush_before(self, asset_ids: Iterable[str]) -> None:
        """Record what was learnt, if that is of one of these assets, which are to be written once more."""
        if any(asset_id in self._over for asset_id in asset_ids):
            self.flush()

    def sent(self, accepted: Iterable[str], refused: Iterable[str]) -> None:
        """Note of intended writes that they were accepted, or perhaps, or were surely not."""
        self._sent |= set(accepted)
        self._over |= set(refused)

    def sight(
        self, job: Job, seen: ObservedAsset | None, asked: float, now: float, *, overtaken: bool = False
    ) -> Sight:
        """Say what an answer that came by ``now`` means for an asset, by Immich's clock and ours."""
        moved_at, anothers = now, False
        if seen is not None and seen.updated_at > _known(job.write):
            self.dates.saw(seen.updated_at, now)
            moved_at = self.dates.ours(seen.updated_at, now)
            if job.write.state == "sent":
                early = moved_at < job.write.sent_at and not job.write.adopted
                anothers = early and self._is_anothers()
                self._anothers = self._anothers if anothers else 0
        queued = job.write.state == "yielding" and self._oldest <= job.write.first_moved_at
        return Sight(asked, now, moved_at, self._clock.now(), anothers, overtaken, queued)

    def _is_anothers(self) -> bool:
        """Believe a date from before the write; not many in a row: then their clock was set back."""
        self._anothers += 1
        if self._anothers < _SET_BACK:
            return True
        self.dates.forget()
        return False

    def advance(self, job: Job, following: Next) -> Todo:
        """Let an asset's write be its successor; what is over is recorded with the next ``flush``."""
        before, (job.write, todo) = job.write, following
        if job.write.pending is not None and job.write.pending is not before.pending:
            self.waits_anew(job)
        if before.pending is not None and job.write.pending is None:
            self._over.add(job.asset_id)
            self._sent.discard(job.asset_id)
            self._pending.pop(job.asset_id, None)
            if job.write.crossing is not None and job.write.crossing is not before.crossing:
                self._crossings[job.asset_id] = job.write.crossing
            if job.write.record is not before.record:
                self._records[job.asset_id] = replace(job.write.record.to_look_at(), status="pending")
        return todo

    def waits_anew(self, job: Job) -> None:
        """Keep from which date on an asset's write is waited for now: the next pass has to know, too."""
        if (pending := job.write.pending) is not None:
            self._pending[job.asset_id] = replace(pending, sent=pending.sent or not job.write.adopted)

    def hold_back(self, active: Iterable[Job], now: float) -> None:
        """Doubt the moves that came out of turn, and note since when Immich is behind.

        Immich digests in the order in which it is sent. An asset that moves long before those that were sent
        earlier was moved by somebody else, and our write of it is still under way: its wait begins anew.
        """
        jobs = list(active)
        listed = {"timeline", "archive"}
        sent = [
            write
            for write in (job.write for job in jobs)
            if write.state == "sent"
            and not (write.doubtful or write.dying)
            and write.observed.visibility in listed
        ]
        self._oldest = min((write.sent_at for write in sent), default=math.inf)
        behind = sorted(write.turn for write in sent)
        for job in jobs:
            if job.write.state == "moved" and bisect_left(behind, job.write.turn) > ABREAST:
                job.write = job.write.held_back(now, self.terms)


def _known(write: AssetWrite) -> datetime:
    """Return the date of an asset that is no news."""
    if write.state == "sent" and write.pending is not None:
        return write.pending.before_updated_at
    if write.state in {"moved", "yielding"} and write.moved_to is not None:
        return write.moved_to
    return write.observed.updated_at
