"""Settling: when a write has settled, what was kept of it, and what follows for the asset."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.records import Crossing
from reconciler.engine.jobs import MOST_ATTEMPTS, UNSEEN_LOOKS, Job
from reconciler.engine.serverclock import ServerClock
from reconciler.engine.verifying import (
    CROSSED,
    FLIPPED,
    OTHER,
    READ_ONLY,
    diagnose,
    disturbed,
    edited_after,
    kept,
    owned_after,
    unsticking,
    with_unsticking,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.description import Markers
    from reconciler.core.records import AssetRecord, Unsticking
    from reconciler.engine.pace import Timing
    from reconciler.engine.ports import Clock, Store

_MOST_WAITS = 3
"""Times the grace for which an asset that others move, too, is waited for."""
_SET_BACK = 4
"""Dates in a row from before their writes: it is the clock, not persons."""
_ABREAST = 8
"""Assets that Immich digests side by side, so that so many may overtake each other."""


class Settling:
    """Follows the writes that were sent; what it decides is in the store after ``flush``.

    Args:
        store: where what stuck is recorded.
        clock: time.
        server_version: remembered with what did not stick.
        markers: the block's lines.
        timing: see there.
    """

    def __init__(
        self, store: Store, clock: Clock, server_version: str, markers: Markers, timing: Timing
    ) -> None:
        self._store, self._clock, self._server = store, clock, server_version
        self._markers, self._timing = markers, timing
        self._records: dict[str, AssetRecord] = {}
        self._over: set[str] = set()
        self._crossings: dict[str, Crossing] = {}
        self.dates = ServerClock()
        self._anothers = 0

    def flush(self) -> None:
        """Record what was decided since the last time, in one commit."""
        if self._records or self._over:
            with self._store.transaction():
                self._store.clear_pending(sorted(self._over))
                self._store.save_records(self._records.values())
                self._store.note_crossings(self._crossings)
            self._records, self._over, self._crossings = {}, set(), {}

    def moved(self, job: Job, seen: ObservedAsset, now: float) -> bool:
        """Note a sight of a sent asset, in an answer that has come by now; true if its write moved it.

        A date that was there before the write was sent is another's, and ours is still to come.
        """
        if job.pending is None or seen.updated_at <= (job.moved_before or job.pending.before_updated_at):
            return False
        self.dates.saw(seen.updated_at, now)
        moved_at = self.dates.ours(seen.updated_at, now)
        if moved_at < job.sent_at and not job.adopted and self._is_anothers():
            job.moved_before, job.crossed = seen.updated_at, True
            return False
        self._anothers = 0
        job.state, job.moved_at, job.first_moved_at, job.looks = "moved", moved_at, now, 0
        job.moved_to = seen.updated_at
        return True

    def _is_anothers(self) -> bool:
        """Believe a date from before the write; not many in a row: then their clock was set back."""
        self._anothers += 1
        if self._anothers < _SET_BACK:
            return True
        self.dates.forget()
        return False

    def moved_again(self, job: Job, seen: ObservedAsset, now: float) -> None:
        """Let the wait of a moved asset begin anew where it has moved once more: two were at work on it."""
        if job.moved_to is None or seen.updated_at <= job.moved_to:
            return
        job.moved_to, job.crossed = seen.updated_at, True
        self.dates.saw(seen.updated_at, now)
        if now - job.first_moved_at < _MOST_WAITS * self._timing.grace:
            job.moved_at = max(job.moved_at, self.dates.ours(seen.updated_at, now))

    def hold_back(self, active: Iterable[Job], now: float) -> None:
        """Doubt the moves that came out of turn.

        Immich digests in the order in which it is sent. An asset that moves long before those that were sent
        earlier was moved by somebody else, and our write of it is still under way: its wait begins anew.
        """
        jobs = list(active)
        listed = {"timeline", "archive"}
        behind = sorted(
            job.turn
            for job in jobs
            if job.state == "sent" and not job.doubtful and job.observed.visibility in listed
        )
        for job in jobs:
            early = job.state == "moved" and bisect_left(behind, job.turn) > _ABREAST
            if early and now - job.first_moved_at < _MOST_WAITS * self._timing.grace:
                job.moved_at = max(job.moved_at, now)

    def seen_again(self, job: Job, row: ObservedAsset | None, now: float) -> bool:
        """Use a look, asked for at ``now``, on an asset that moved; true once it can be judged by it."""
        if now - job.moved_at < self._timing.recheck or job.pending is None or job.pending.tags:
            return False  # a listing does not show tags: it is read by itself
        if row is None:
            job.looks += 1
        elif kept(job.pending, row, self._markers).lost:
            job.looks = UNSEEN_LOOKS  # why, a reading tells better: its tags show whether a person was there
        else:
            return True
        return False

    def judge(self, job: Job, seen: ObservedAsset) -> bool:
        """Verify a settled write: record what stuck, decide on what did not.

        Afterwards the job has to be planned anew from ``job.observed``, for its next step or its end. True if
        somebody else is at work on the asset: it shows neither what was written nor what was there before.
        """
        pending = job.pending
        if pending is None:
            return False
        result = kept(pending, seen, self._markers)
        diagnoses = {which: diagnose(which, job, seen) for which in sorted(result.lost)}
        entries: list[Unsticking] = []
        # A write that may never have arrived, or met a person's, says nothing about what Immich keeps.
        others = disturbed(job, seen)
        telling = not job.doubtful and not others and not job.crossed
        if telling:
            entries = [
                unsticking(which, job, seen, self._server, diagnosis)
                for which, diagnosis in diagnoses.items()
                if job.attempt >= MOST_ATTEMPTS or diagnosis in job.proven | {FLIPPED}
            ]
            # What two tries of its tags have shown needs not two more of its description.
            job.proven |= {entry.diagnosis for entry in entries} & {READ_ONLY}
            job.attempt = job.attempt + 1 if len(result.lost) > len(entries) else 1
        # A sign that Immich turns says nothing about the words that were written with it.
        if job.crossed and not others and all(diagnosis == FLIPPED for diagnosis in diagnoses.values()):
            job.remark, job.untold = CROSSED, True
            crossing = Crossing(self._clock.now(), result.fields, pending.run_id)
            self._crossings[pending.asset_id] = crossing
        # Verified is every field of the write. A sign that Immich turns is no fault of the write.
        if result.fields and all(diagnosis == FLIPPED for diagnosis in diagnoses.values()):
            job.verified.add(pending.step)
        elif READ_ONLY in diagnoses.values() and telling:
            job.reverted.add(pending.step)
        job.changed |= result.fields
        owned = owned_after(job.record.applied, pending, result)
        if result.lost:
            edited = edited_after(pending, job.observed, seen, self._markers)
            owned = owned_after(owned, pending, edited)
        record = replace(
            job.record,
            applied=owned,
            seen_updated_at=seen.updated_at,
            changed_at=self._clock.now() if result.fields else job.record.changed_at,
        )
        job.record = with_unsticking(record, entries)
        # A listing shows no tags: those of the last reading are right where only fields were written.
        job.observed = seen if seen.tags is not None else replace(seen, tags=job.observed.tags)
        self.forget(job)
        self._records[pending.asset_id] = replace(job.record, status="pending", fingerprint="")
        return others or OTHER in diagnoses.values()

    def rests(self, job: Job, seen: ObservedAsset, now: float) -> bool:
        """Tell of a write that is all there though its asset has not moved for long, that it has settled.

        So it is where a person had just entered the same, or where Immich could not read the file again.
        """
        if job.pending is None or now - job.sent_at < 6 * self._timing.grace:
            return False
        return not kept(job.pending, seen, self._markers).lost

    def never_arrived(self, job: Job, seen: ObservedAsset, now: float) -> bool:
        """Tell of a doubtful write, read by itself and not moved, whether it never reached the server.

        A proxy may hand it on long after it gave up waiting. Once true the job has to be planned anew from
        ``job.observed``.
        """
        if job.pending is None or not job.doubtful or now - job.sent_at < self._timing.grace:
            return False
        if not kept(job.pending, seen, self._markers).lost:
            return False
        self.forget(job)
        job.observed = seen
        return True

    def forget(self, job: Job) -> None:
        """Drop a pending write that will not be waited for any more."""
        if job.pending is not None:
            self._over.add(job.pending.asset_id)
            job.pending = None
