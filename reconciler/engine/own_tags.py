"""Tags by their full path: looked up, and made where they are missing, before they are put on assets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.core.writes.verification import kept
from reconciler.engine.created_tags import note_created
from reconciler.errors import ImmichError, MissingPermissionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.desired.block import Markers
    from reconciler.core.ports import Clock, Target
    from reconciler.core.store_port import Store
    from reconciler.engine.job import Job


class OwnTags:
    """The ids of the tags that a pass adds and removes.

    Args:
        target: Immich.
        store: where it is noted which tags were made here.
        paths: all tags that the pass is known to add: made together, the first time one is needed.
    """

    def __init__(self, target: Target, store: Store, paths: frozenset[str]) -> None:
        self._target, self._store, self._paths = target, store, paths
        self._task: asyncio.Task[None] | None = None
        self._error: ImmichError | None = None
        self.ids: dict[str, str] = {}
        """By full path, as far as they were asked for."""

    @property
    def at_work(self) -> bool:
        """Whether tags are being looked up and made, so that assets have to wait for them."""
        return self._task is not None and not self._task.done()

    def begin(self, jobs: Sequence[Job]) -> bool:
        """Begin to look up and make what these jobs need; return whether they have to wait for it.

        A busy Immich takes seconds to make some dozens of tags. Nothing else waits for that: texts are
        written and looked after meanwhile. It is begun once; what is missing then is learnt by ``learn``.

        Raises:
            ImmichError: what came of it earlier, once.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._task is None and jobs and not self.ids:
            self._task = asyncio.create_task(self._begun(_added(jobs)))
        return self.at_work

    def begin_early(
        self, canaries: Sequence[Job], rows: Mapping[str, ObservedAsset], markers: Markers
    ) -> None:
        """Begin while the first assets' texts are waited for, and Immich has nothing else to do.

        One of their rows has to show what was written: where Immich keeps nothing, no tag is made.
        """
        begun = self._task is not None or not self._paths
        if not begun and any(_shows(job, rows.get(job.asset_id), markers) for job in canaries):
            self._task = asyncio.create_task(self._begun(self._paths))

    async def _begun(self, adding: AbstractSet[str]) -> None:
        try:
            await self._learn(adding, anew=True)
        except MissingPermissionError:
            return  # whoever sends learns it anew, and notes there which assets it concerns
        except ImmichError as error:
            self._error = error

    async def pause(self, clock: Clock, seconds: float) -> None:
        """Wait so long, but no longer than for the tags that are being made."""
        if self._task is None or not self.at_work:
            await clock.sleep(seconds)
            return
        resting = asyncio.ensure_future(clock.sleep(seconds))
        try:
            await asyncio.wait({resting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            resting.cancel()

    async def end(self) -> None:
        """Wait for what was begun, or end it where we are cancelled: nothing is under way afterwards."""
        if self._task is None:
            return
        if (ours := asyncio.current_task()) is not None and ours.cancelling():
            self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled() and (error := self._task.exception()):
            raise error

    async def learn(self, jobs: Sequence[Job]) -> None:
        """Look up the tags of these jobs, and make those that are missing.

        Raises:
            ImmichError: they could not be looked up, or not be made.
        """
        await self._learn(_added(jobs), anew=not self.ids or any(job.write.attempt > 1 for job in jobs))

    async def _learn(self, adding: AbstractSet[str], *, anew: bool) -> None:
        if anew:
            self.ids = dict(await self._target.tag_ids())
        if adding and (missing := adding - self.ids.keys()):
            missing |= self._paths - self.ids.keys()
            note_created(self._store, missing, self.ids)
            made: Mapping[str, str] = await self._target.ensure_tags(sorted(missing))
            self.ids.update(made)


def _added(jobs: Sequence[Job]) -> frozenset[str]:
    return frozenset(tag for job in jobs if job.write.step == "add_tags" for tag in job.write.plan.add_tags)


def _shows(job: Job, row: ObservedAsset | None, markers: Markers) -> bool:
    """Return whether Immich has digested an asset's text, and shows it still."""
    pending = job.write.pending if job.write.state == "moved" else None
    if row is None or pending is None or pending.step != "fields":
        return False
    return not kept(pending, row, markers).lost
