"""Reading single assets in the middle of a pass, and what follows from it for their jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.asset import too_much_unknown
from reconciler.engine.observing import check_age, differ
from reconciler.engine.verifying import disturbed
from reconciler.errors import (
    AssetIncompleteError,
    AssetUnknownError,
    ImmichAnswerError,
    ImmichRejectedError,
    ImmichTemporaryError,
    ImmichUnreachableError,
    MaintenanceError,
    UnfamiliarServerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan import AssetPlan
    from reconciler.engine.jobs import Job
    from reconciler.engine.pace import Pace
    from reconciler.engine.ports import Clock, Target
    from reconciler.engine.settling import Settling

MOST_YIELDS = 12
"""Times in a pass that an asset is left to somebody else who is at work on it."""
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
        self._timing, self._replan = pace.timing, replan
        self._reads = self._incomplete = 0

    async def merge_anew(self, job: Job, row: ObservedAsset | None = None) -> None:
        """Merge an asset anew before it is written: a person's newest words are in it.

        Args:
            job: what is to be written.
            row: what a look has just shown of it, if it did.

        Raises:
            ImmichError: Immich could not be asked; the job stays as it was.
        """
        seen = await self._read(job)
        if seen is None:
            return
        before = job.observed
        # A move to the archive or the trash shows in the date at once, and is digested all the same.
        told_early = (seen.visibility, seen.is_trashed) != (before.visibility, before.is_trashed)
        unmoved = seen.updated_at <= before.updated_at
        being_digested = told_early or (unmoved and disturbed(job, seen))
        if row is not None and seen.updated_at <= row.updated_at:
            being_digested |= differ(seen, row)
        job.take(self._replan(job, seen))
        if being_digested:
            self._give_way(job, self._timing.grace)
        elif seen.updated_at > before.updated_at:
            self._let_settle(job, seen)

    async def verify(self, job: Job) -> None:
        """Look after an asset that was written and is not shown by any listing, or not with its tags.

        Raises:
            ImmichError: Immich could not be asked; the job stays as it was.
        """
        seen = await self._read(job)
        if seen is None:
            return
        asked, now = job.asked_at, self._clock.monotonic()
        if job.state == "moved":
            self._settling.moved_again(job, seen, now)
        elif job.state == "sent" and self._settling.moved(job, seen, now):
            self._pace.moved(job, now)
        if job.state == "moved":
            if asked - job.moved_at >= self._timing.recheck:
                self.judge(job, seen)
        elif self._settling.rests(job, seen, now):
            self.judge(job, seen)
        elif self._settling.never_arrived(job, seen, now):
            job.take(self._replan(job, job.observed))

    def judge(self, job: Job, seen: ObservedAsset) -> None:
        """Go on with an asset whose write has settled, as this reading shows it."""
        self._pace.progressed(self._clock.monotonic())
        others = self._settling.judge(job, seen)
        job.take(self._replan(job, job.observed))
        if others:
            self._give_way(job, self._timing.grace)

    def expect_edit(self, job: Job) -> None:
        """Let an asset be on which somebody was at work when the pass began."""
        self._give_way(job, self._timing.grace)

    def wait(self, job: Job, row: ObservedAsset | None, now: float) -> None:
        """Let an asset that a person works on be, until it has been quiet for long enough.

        Each edit, theirs and ours, moves the date when it is digested; how many are to come is not known.
        """
        if row is not None and (job.moved_to is None or row.updated_at > job.moved_to):
            job.moved_at, job.moved_to = now, row.updated_at
        elif now - job.moved_at > job.quiet:
            job.state = "ready"

    def _let_settle(self, job: Job, seen: ObservedAsset) -> None:
        """Wait for a person's edit as for a write of ours: it has settled a second after the asset moved."""
        now = self._clock.monotonic()
        self._settling.dates.saw(seen.updated_at, now)
        age = job.asked_at - self._settling.dates.ours(seen.updated_at, now)
        if age < self._timing.recheck:
            self._give_way(job, self._timing.recheck)

    def _give_way(self, job: Job, quiet: float) -> None:
        job.yields += 1
        if job.yields > MOST_YIELDS:
            job.fail("somebody kept changing it while it was to be written; the next pass goes on")
        elif job.state == "ready":
            job.state, job.moved_at, job.quiet = "yielding", self._clock.monotonic(), quiet
            job.moved_to = job.observed.updated_at

    async def _read(self, job: Job) -> ObservedAsset | None:
        """Read one asset; one that is gone, or that can not be read, ends its job."""
        job.asked_at = self._clock.monotonic()
        self._reads += 1
        try:
            seen = await self._target.asset(job.plan.asset_id)
            # A write of ours moves the date on, and so does a person's: it never goes back in a pass.
            check_age(seen, job.observed.updated_at)
        except AssetUnknownError as error:
            job.fail(error.message, "unknown_asset")
            self._settling.forget(job)
        except (ImmichUnreachableError, MaintenanceError):
            raise
        except (ImmichRejectedError, ImmichAnswerError) as error:
            job.fail(error.message)
            if isinstance(error, AssetIncompleteError):
                self._note_incomplete(error)
        except ImmichTemporaryError as error:
            job.troubles += 1
            if job.troubles < _TROUBLES:
                raise
            job.fail(error.message)
        else:
            job.troubles = 0
            return seen
        return None

    def _note_incomplete(self, error: AssetIncompleteError) -> None:
        """Stop for a server that leaves much unknown in the midst of a pass.

        Raises:
            UnfamiliarServerError: it does.
        """
        self._incomplete += not error.unextracted
        if self._incomplete and too_much_unknown(self._incomplete, self._reads):
            raise UnfamiliarServerError(
                error.fields, route=error.route, version=error.version, count=self._incomplete, of=self._reads
            ) from error
