"""Settling and verifying: when a write has settled, what of it was kept, and what follows for the asset."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.engine.jobs import (
    FLIPPED,
    MOST_ATTEMPTS,
    READ_ONLY,
    Job,
    diagnose,
    kept,
    owned_after,
    unsticking,
    with_unsticking,
)

if TYPE_CHECKING:
    from reconciler.core.asset import ObservedAsset
    from reconciler.core.description import Markers
    from reconciler.core.records import Unsticking
    from reconciler.engine.ports import Clock, Store

_UNSEEN_LOOKS = 2
"""Looks without the asset after which it is read by itself: listings skip rows."""


class Settling:
    """Follows the writes that were sent.

    Args:
        store: where what stuck is recorded.
        clock: time.
        server_version: remembered with what did not stick.
        markers: the block's lines.
        recheck: seconds, see ``Timing.recheck``.
    """

    def __init__(
        self, store: Store, clock: Clock, server_version: str, markers: Markers, recheck: float
    ) -> None:
        self._store, self._clock, self._server = store, clock, server_version
        self._markers, self._recheck = markers, recheck

    def moved(self, job: Job, seen: ObservedAsset, now: float) -> bool:
        """Note a first sight of a sent asset; true if it has moved past its write."""
        if job.pending is None or seen.updated_at <= job.pending.before_updated_at:
            return False
        job.state, job.moved_at, job.looks = "moved", now, 0
        return True

    def seen_again(self, job: Job, row: ObservedAsset | None, now: float) -> bool:
        """Use a later look on an asset that moved; true once it was judged by it."""
        if now - job.moved_at < self._recheck or job.pending is None or job.pending.tags:
            return False  # a listing does not show tags: see must_read
        if row is None:
            job.looks += 1
            return False
        self.judge(job, row)
        return True

    def must_read(self, job: Job, now: float) -> bool:
        """Tell whether an asset has to be read by itself to be judged."""
        if job.state != "moved" or now - job.moved_at < self._recheck:
            return False
        return bool(job.pending and job.pending.tags) or job.looks >= _UNSEEN_LOOKS

    def judge(self, job: Job, seen: ObservedAsset) -> None:
        """Verify a settled write: record what stuck, decide on what did not.

        Afterwards the job is ``ready``: for its next step, or with ``retry`` set to be planned anew.
        """
        pending = job.pending
        if pending is None:
            return
        result = kept(pending, seen, self._markers)
        diagnoses = {which: diagnose(which, job, seen) for which in sorted(result.lost)}
        entries: list[Unsticking] = [
            unsticking(which, job, seen, self._server, diagnosis)
            for which, diagnosis in diagnoses.items()
            if job.attempt >= MOST_ATTEMPTS or diagnosis == FLIPPED
        ]
        if result.fields:
            job.verified.add(pending.step)
        elif READ_ONLY in diagnoses.values():
            job.reverted.add(pending.step)
        job.changed |= result.fields
        record = replace(
            job.record,
            applied=owned_after(job.record.applied, pending, result),
            seen_updated_at=seen.updated_at,
            changed_at=self._clock.now() if result.fields else job.record.changed_at,
        )
        job.record = with_unsticking(record, entries)
        # A listing shows no tags: those of the last reading are right where only fields were written.
        job.observed = seen if seen.tags is not None else replace(seen, tags=job.observed.tags)
        job.retry = bool(result.lost) or job.adopted
        job.attempt = job.attempt + 1 if len(result.lost) > len(entries) else 1
        del job.steps[0]
        if pending.step == "remove_tags":
            job.removals = job.removals[1:]
        job.pending, job.doubtful, job.state = None, False, "ready"
        with self._store.transaction():
            self._store.clear_pending([pending.asset_id])
            self._store.save_records([replace(job.record, status="pending", fingerprint="")])

    def never_arrived(self, job: Job, seen: ObservedAsset) -> bool:
        """Tell of a doubtful write, read by itself and not moved, whether it never reached the server."""
        if job.pending is None or not job.doubtful or not kept(job.pending, seen, self._markers).lost:
            return False
        self.forget(job)
        job.observed, job.retry, job.state = seen, True, "ready"
        return True

    def forget(self, job: Job) -> None:
        """Drop a pending write that will not be waited for."""
        if job.pending is not None:
            self._store.clear_pending([job.pending.asset_id])
            job.pending = None
