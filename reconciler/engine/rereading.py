"""Reading single assets in the middle of a pass, and what follows from it for their jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engine.verifying import disturbed
from reconciler.errors import (
    AssetUnknownError,
    ImmichRejectedError,
    ImmichTemporaryError,
    ImmichUnreachableError,
    MaintenanceError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan import AssetPlan
    from reconciler.engine.jobs import Job
    from reconciler.engine.pace import Pace
    from reconciler.engine.ports import Clock, Target
    from reconciler.engine.settling import Settling

_TROUBLES = 3
"""Failed readings of one asset after which it is left to the next pass: its trouble costs only itself."""


class Rereader:
    """Reads assets again for the conductor.

    Args:
        target: Immich.
        clock: time.
        settling: judges what was read.
        pace: is told of progress.
        replan: merges an asset anew from a fresh reading.
    """

    def __init__(
        self,
        target: Target,
        clock: Clock,
        settling: Settling,
        pace: Pace,
        replan: Callable[[Job, ObservedAsset], AssetPlan],
    ) -> None:
        self._target, self._clock, self._settling, self._pace = target, clock, settling, pace
        self._replan = replan

    async def merge_anew(self, job: Job) -> None:
        """Merge an asset anew before it is written: a person's newest words are in it.

        Raises:
            ImmichError: Immich could not be asked; the job stays as it was.
        """
        seen = await self._read(job)
        if seen is None:
            return
        being_digested = seen.updated_at <= job.observed.updated_at and disturbed(job, seen)
        job.take(self._replan(job, seen))
        self._give_way(job, being_digested)

    async def verify(self, job: Job) -> None:
        """Look after an asset that was written and is not shown by any listing, or not with its tags.

        Raises:
            ImmichError: Immich could not be asked; the job stays as it was.
        """
        seen = await self._read(job)
        if seen is None:
            return
        now = self._clock.monotonic()
        if job.state == "sent" and self._settling.moved(job, seen, now):
            self._pace.progressed(now)
        elif job.state == "moved" or self._settling.rests(job, seen, now):
            self._pace.progressed(now)
            self.judge(job, seen)
        elif self._settling.never_arrived(job, seen):
            job.take(self._replan(job, job.observed))

    def judge(self, job: Job, seen: ObservedAsset) -> None:
        """Go on with an asset whose write has settled, as this reading shows it."""
        others = self._settling.judge(job, seen)
        job.take(self._replan(job, job.observed))
        self._give_way(job, others)

    def wait(self, job: Job, row: ObservedAsset | None, now: float, quiet: float) -> None:
        """Let an asset that a person works on be, until it has been quiet for so many seconds.

        Each edit, theirs and ours, moves the date when it is digested; how many are to come is not known.
        """
        if row is not None and (job.moved_to is None or row.updated_at > job.moved_to):
            job.moved_at, job.moved_to = now, row.updated_at
        elif now - job.moved_at > quiet:
            job.state = "ready"

    def _give_way(self, job: Job, being_digested: bool) -> None:  # noqa: FBT001 - private, one meaning
        if being_digested and job.state == "ready":
            job.state, job.moved_at = "yielding", self._clock.monotonic()
            job.moved_to = job.observed.updated_at

    async def _read(self, job: Job) -> ObservedAsset | None:
        """Read one asset; one that is gone, or that can not be read, ends its job."""
        job.asked_at = self._clock.monotonic()
        try:
            seen = await self._target.asset(job.plan.asset_id)
        except AssetUnknownError as error:
            job.fail(error.message, "unknown_asset")
            self._settling.forget(job)
        except (ImmichUnreachableError, MaintenanceError):
            raise
        except ImmichRejectedError as error:
            job.fail(error.message)
        except ImmichTemporaryError as error:
            job.troubles += 1
            if job.troubles < _TROUBLES:
                raise
            job.fail(error.message)
        else:
            job.troubles = 0
            return seen
        return None
