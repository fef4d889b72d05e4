"""The canary: a few assets are written and verified before the rest, when something about the rules is new.

Each kind of write opens by itself: once the canary's fields are verified the others' fields may go, and so
with tags. If nothing of a kind stuck on any canary, the rest is not written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.reasons import codes
from reconciler.errors import ImmichError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.ports import Wording
    from reconciler.core.records import WriteStep
    from reconciler.engine.job import Job


class CanaryError(ImmichError):
    """Immich kept nothing of what the first few assets were given."""


class Canary:
    """Which jobs go first, and whether the others may follow.

    Args:
        jobs: all jobs of the pass, in order.
        size: how many go first; 0: no canary.
        words: says why Immich did not keep what they were given.
    """

    def __init__(self, jobs: Sequence[Job], size: int, words: Wording = codes) -> None:
        self._words = words
        # Those with the most kinds of writes tell most; spread over the catalogue, for libraries differ.
        rich = sorted(range(len(jobs)), key=lambda index: -len(set(jobs[index].write.steps)))
        fullest = (
            [i for i in sorted(rich) if len(set(jobs[i].write.steps)) == len(set(jobs[rich[0]].write.steps))]
            if jobs
            else []
        )
        stride = max(1, len(fullest) // size) if size else 1
        self.jobs = [jobs[index] for index in fullest[::stride][:size]] if size else []
        self._kinds: dict[WriteStep, list[Job]] = {}
        for job in self.jobs:
            for step in set(job.write.steps):
                self._kinds.setdefault(step, []).append(job)
        self._ids = {job.asset_id for job in self.jobs}
        self._is_through = False

    def lets(self, job: Job) -> bool:
        """Return whether a job's step may be sent now."""
        return self._lets(job, job.write.step)

    def lets_follow(self, job: Job) -> bool:
        """Return whether the step after the one under way may be sent: until then it is not looked after.

        Once the canary failed nothing follows any more, so what was sent is looked after at once.
        """
        return self.failed() is not None or self._lets(
            job, job.write.steps[1] if len(job.write.steps) > 1 else None
        )

    def _lets(self, job: Job, step: WriteStep | None) -> bool:
        if self._is_through or not self._ids or job.asset_id in self._ids:
            return True
        return step is None or (self._passed(step) and self.failed() is None)

    def _passed(self, step: WriteStep) -> bool:
        group = self._kinds.get(step)
        if group is None:
            # No canary has this kind; it waits until the canaries are through with theirs.
            return all(job.write.state == "done" for job in self.jobs)
        over = [_is_over(job, step) for job in group]
        tried = [step in job.write.verified | job.write.reverted or job.write.doubtful for job in group]
        # One that is read-only and has its second attempt before it, or whose write was perhaps lost on its
        # way, holds up nobody, if others kept theirs.
        kept = any(step in job.write.verified for job in group)
        return all(over) or (kept and all(done or was for done, was in zip(over, tried, strict=True)))

    @property
    def passed(self) -> bool:
        """Whether all canaries are through, and each kind of write stuck on one of them at least."""
        if not self._is_through:  # from then on nothing can change: it is asked for every asset, many times
            kinds = self._kinds.items()
            stuck = all(any(step in job.write.verified for job in group) for step, group in kinds)
            self._is_through = stuck and all(job.write.state == "done" for job in self.jobs)
        return self._is_through

    def failed(self) -> CanaryError | None:
        """Return the reason to stop, once a kind of write was seen whole on no canary that tried it.

        Whatever it was: not kept, kept otherwise, or not to be read afterwards.
        """
        if self.passed:
            return None
        for step, group in self._kinds.items():
            tried = [job for job in group if step in job.write.sent_steps]
            if len(tried) > 1 and not any(step in job.write.verified for job in group):
                if not all(_is_over(job, step) for job in group):
                    continue  # the second attempt is still to come
                what = "description and place" if step == "fields" else "tags"
                kept_not = [entry.diagnosis for job in group for entry in job.write.record.unsticking]
                why = kept_not or [job.write.failed for job in tried if job.write.failed]
                return CanaryError(
                    f"Immich kept the {what} on none of the first {len(tried)} assets; the others were not "
                    f"written. {self._words(why[:1])}",
                    remedy="Mend the cause, then: skymmich-reconciler apply",
                )
        return None


def _is_over(job: Job, step: WriteStep) -> bool:
    return job.write.state == "done" or step not in job.write.steps
