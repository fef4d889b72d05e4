"""Reading single assets in the middle of a pass, and planning anew what that asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.asset import too_much_unknown
from reconciler.core.reasons import of_error
from reconciler.engine.observe import check_age
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
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.ports import Clock, Target
    from reconciler.core.writes.asset_write import Next
    from reconciler.engine.job import Job
    from reconciler.engine.polling.schedule import PollSchedule
    from reconciler.engine.polling.window import WriteWindow
    from reconciler.engine.settlement import Settlement

_TROUBLES = 3
"""Failed readings of one asset after which it is left to the next pass: its trouble costs only itself."""


class Refresher:
    """Reads assets again for the executor.

    Args:
        target: Immich.
        clock: time.
        settling: keeps how the writes stand.
        window: is told of progress.
        schedule: learns from it how long Immich takes, and knows what Immich has been at.
        replan: merges an asset anew from a fresh reading.
    """

    def __init__(
        self,
        target: Target,
        clock: Clock,
        settling: Settlement,
        window: WriteWindow,
        schedule: PollSchedule,
        replan: Callable[[Job, ObservedAsset], AssetPlan],
    ) -> None:
        self._target, self._clock, self._settling, self._window = target, clock, settling, window
        self._schedule, self._replan = schedule, replan
        self._reads = self._incomplete = 0

    async def read(self, job: Job, row: ObservedAsset | None = None) -> None:
        """Read an asset: before it is written, so that a person's newest words are in it, or after.

        Args:
            job: the asset.
            row: what a look has just shown of it, if that is why.

        Raises:
            ImmichError: Immich could not be asked; the job stays as it was.
        """
        asked = self._clock.monotonic()
        seen = await self._read(job, asked, row)
        if seen is None:
            return
        self.take(job, seen, asked, row)

    def take(self, job: Job, seen: ObservedAsset, asked: float, row: ObservedAsset | None = None) -> None:
        """Use what a reading, or as good as that, has shown."""
        now, terms = self._clock.monotonic(), self._settling.terms
        overtaken = self._schedule.overtaken(job.write, now)
        sight = self._settling.sight(job, seen, asked, now, overtaken=overtaken)
        self.follow(job, job.write.on_read(seen, sight, terms, row))

    def look(self, job: Job, row: ObservedAsset | None, asked: float) -> bool:
        """Use what a look has shown of an asset; true if it has to be read by itself."""
        sight = self._settling.sight(job, row, asked, self._clock.monotonic())
        return self.follow(job, job.write.on_seen(row, sight, self._settling.terms))

    def follow(self, job: Job, following: Next) -> bool:
        """Do what an event asks for; true if the asset has to be read by itself."""
        before, now = job.write, self._clock.monotonic()
        todo = self._settling.advance(job, following)
        if before.state == "sent" and job.write.moved_to is not before.moved_to:
            self._progressed(now)
            self._schedule.moved(job.write)
        if before.pending is not None and job.write.pending is None:
            self._progressed(now)
            # A move that nobody else can have made: a person's goes past Immich's queue.
            if before.state == "moved" and not (job.write.quiet or before.crossed):
                self._schedule.digested(before)
        if todo == "plan":
            job.write = job.write.on_planned(self._replan(job, job.write.observed), now)
        return todo == "read"

    def _progressed(self, now: float) -> None:
        self._window.progressed(now)
        self._schedule.progressed(now)

    async def _read(self, job: Job, asked: float, row: ObservedAsset | None) -> ObservedAsset | None:
        """Read one asset; one that is gone, or that cannot be read, ends its job."""
        job.write = job.write.on_asked(asked)
        self._reads += 1
        try:
            seen = await self._target.asset(job.asset_id)
            # A write of ours moves the date on, and so does a person's: it never goes back in a pass.
            check_age(seen, max(one.updated_at for one in (job.write.observed, row) if one is not None))
        except AssetUnknownError as error:
            self._settling.advance(job, (job.write.on_gone(of_error(error, remedy=False)), "nothing"))
        except (ImmichUnreachableError, MaintenanceError):
            raise
        except (ImmichRejectedError, ImmichAnswerError) as error:
            job.write = job.write.on_refused(of_error(error, remedy=False))
            if isinstance(error, AssetIncompleteError):
                self._note_incomplete(error)
        except ImmichTemporaryError as error:
            job.write = job.write.on_trouble()
            if job.write.troubles < _TROUBLES:
                raise
            job.write = job.write.on_refused(of_error(error, remedy=False))
        else:
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
