"""A pass from end to end: prepare, write, verify, record. For one image, some, or all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from reconciler.core.asset import Applied
from reconciler.core.desired.builtin import BuiltIn
from reconciler.core.fingerprint import digest
from reconciler.core.permission import Permission, settle
from reconciler.core.plan.guard import withhold
from reconciler.core.reasons import codes, reason
from reconciler.core.records import AssetRecord, Run
from reconciler.core.store_keys import (
    CANARY,
    CanaryState,
)
from reconciler.core.writes.asset_write import AssetWrite
from reconciler.engine.album_writer import leave
from reconciler.engine.approvals import spend_approval
from reconciler.engine.batches import beside, evenly
from reconciler.engine.canary import Canary, CanaryError
from reconciler.engine.carrying_over import CarryingOver
from reconciler.engine.created_tags import delete_renamed, note_renamed
from reconciler.engine.events import Event, Listener, Progress, ignore, of_the_whole
from reconciler.engine.executor import Executor, Surroundings
from reconciler.engine.job import Job
from reconciler.engine.losses import LossCount
from reconciler.engine.order import order
from reconciler.engine.outcomes import Ended
from reconciler.engine.planner.planner import Planner
from reconciler.engine.planner.selection import merge
from reconciler.engine.polling.poller import Poller
from reconciler.engine.polling.timing import Timing
from reconciler.engine.recorder import RECORDED, Recorder
from reconciler.engine.runs import Runs
from reconciler.engine.sender import sent_for
from reconciler.engine.stack_watch import begin_with
from reconciler.errors import GuardError, ImmichError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.policy import Mode
    from reconciler.core.ports import CatalogueSource, Clock, Renderer, Target, Wording
    from reconciler.core.store_port import Store
    from reconciler.engine.album_writer import AlbumWriter
    from reconciler.engine.items import Pair
    from reconciler.engine.ownership import Ownership
    from reconciler.engine.passes import Prepared, Report, Selection
    from reconciler.engine.planner.candidates import Memory
    from reconciler.engine.planner.wishes import Wishes

_SHARED: Final = 500
"""Assets whose records are written to Immich together, before the end of a pass."""
_WRITTEN: Final = 5_000
"""Images that are written, verified and recorded together: so many plans are in memory at once."""


def never() -> bool:
    """Stop never."""
    return False


class Reconciler:
    """Runs passes over one catalogue, one Immich and one store.

    The caller holds the store's lease while it applies: there is one writer. Without a renderer, there is
    only the built-in template. ``words`` says reasons within the text of an error.
    """

    def __init__(  # noqa: PLR0913 - the parts of a cycle, by name
        self,
        source: CatalogueSource,
        target: Target,
        store: Store,
        clock: Clock,
        *,
        timing: Timing | None = None,
        renderer: Renderer | None = None,
        listen: Listener = ignore,
        runs: Runs | None = None,
        mode: Mode,
        memory: Memory | None = None,
        words: Wording = codes,
    ) -> None:
        self._words, self._mode = words, mode
        self._target, self._store, self._clock = target, store, clock
        self._timing, self._listen = timing or Timing(), listen
        self._planner = Planner(
            source, target, store, clock, renderer=renderer or BuiltIn(), listen=listen, memory=memory
        )
        self._carrying = CarryingOver(target, store, clock)
        self._recorder = Recorder(store, clock, target, self._planner)
        self.runs = runs or Runs(store, clock)

    @property
    def permission(self) -> Permission:
        """What may be written now."""
        return Permission.of(self._store, self._mode)

    def album_writer(self, prepared: Prepared, run_id: str) -> AlbumWriter | None:
        """Return what writes albums; ``None`` where nobody looked at them."""
        return self._planner.album_writer(prepared, run_id)

    async def prepare(self, selection: Selection, wishes: Wishes) -> Prepared:
        """Observe and plan, and write nothing."""
        return await self._planner.prepare(selection, wishes)

    async def run(
        self,
        selection: Selection,
        wishes: Wishes,
        *,
        run_id: str,
        trigger: str,
        stop: Callable[[], bool] = never,
    ) -> Report:
        """Prepare and apply."""
        prepared = await self.prepare(selection, wishes)
        return await self.apply(prepared, selection, run_id=run_id, trigger=trigger, stop=stop)

    async def note(self, prepared: Prepared) -> None:
        """Take note of a look at all images that found nothing to do: no run is recorded."""
        with self._store.transaction():
            self._recorder.note_look(prepared)
            self._recorder.note_immich(prepared)
        await self.share(prepared)
        await self.tidy()

    async def apply(
        self,
        prepared: Prepared,
        selection: Selection,
        *,
        run_id: str,
        trigger: str,
        stop: Callable[[], bool] = never,
    ) -> Report:
        """Write a prepared pass, verify it, and record what stuck.

        Raises:
            GuardError: nobody has begun it, it only observes, the master switch is off, or what was approved
                was carried out already; nothing was written.
            AnotherInstanceError: another instance keeps this library; nothing was written.
            StateError: the store cannot be used; the run is closed when it can.
        """
        if not prepared.rules.switches.enabled:
            raise switched_off()
        if prepared.another is not None:
            raise prepared.another.error()
        permission = self.permission
        permission.require(selection.image_ids)
        run = Run(run_id, trigger, self._clock.now())
        with self.runs.open(run, lambda: self._begin(prepared, permission)) as opened:
            self._recorder.note_immich(prepared)
            ended = await self._carry_out(prepared, selection, run_id, stop)
            if isinstance(ended.error, ImmichError):
                self._planner.forget_server()
            elif ended.error is None and not stop():
                ended.deleted = await self.tidy()
            report = await asyncio.to_thread(self._recorder.close, prepared, run, ended, stopped=stop())
            opened.ended = report.run
        if report.error is None:
            await self.share(prepared)
        details = {"outcome": report.run.outcome, **report.run.counts.to_json()}
        self._listen(Event("pass.done", "info", run_id, details=details))
        return report

    async def share(self, prepared: Prepared) -> None:
        """Write to Immich which values are ours, where that changed; no pass fails for it."""
        if self.permission.standing not in {"begun", "trying"}:
            return
        await self._planner.ownership.share(prepared.server)

    @property
    def ownership(self) -> Ownership:
        """What Immich's records tell."""
        return self._planner.ownership

    async def tidy(self) -> int:
        """Delete what a renamed branch of tags left behind, if that came to its end; gives how many tags."""
        if self.permission.standing not in {"begun", "trying"}:
            return 0
        try:
            cleaned = await delete_renamed(self._target, self._store)
        except ImmichError:  # nothing depends on it: the next pass tries again
            return 0
        return len(cleaned.deleted)

    async def adopt(self, prepared: Prepared) -> int:
        """Store what a pass over all images would take up, and write nothing; gives of how many images.

        Raises:
            ObservingError: nothing may be written; nothing was taken up.
            AnotherInstanceError: another instance keeps this library; nothing was taken up.
        """
        self.permission.require_mode()
        if prepared.another is not None:
            raise prepared.another.error()
        with self._store.transaction():
            self._begin(prepared, self.permission)
        count = 0
        for pairs in prepared.items.slices(RECORDED):
            count += await asyncio.to_thread(self._adopt_some, pairs)
        self._recorder.settle(prepared)
        await self.share(prepared)
        return count

    def _adopt_some(self, pairs: list[Pair]) -> int:
        known = self._store.records_of([item.asset_id for item, _ in pairs])
        taken = [
            record
            for item, record in pairs
            if record is not None
            and record.applied != (before.applied if (before := known.get(item.asset_id)) else Applied())
        ]
        with self._store.transaction():
            self._store.save_records(taken)
        return len(taken)

    def _begin(self, prepared: Prepared, permission: Permission) -> None:
        settle(self._store, permission, self._clock.now())
        spend_approval(self._store, prepared)
        begin_with(self._store, prepared.stacking)
        if prepared.taken is not None:
            self._planner.ownership.begin(prepared.taken)

    async def _carry_out(
        self, prepared: Prepared, selection: Selection, run_id: str, stop: Callable[[], bool]
    ) -> Ended:
        """Write, verify and record slice by slice, so that what is done with can be forgotten."""
        losses = LossCount(self._store, self._clock, prepared, selection)
        unread = await self._carrying.notice(prepared)
        ended, size = Ended(losses), self._canary_size(prepared, selection)
        refused = isinstance(size, CanaryError)
        if isinstance(size, CanaryError):
            ended.error, size = size, 0
        early = prepared.items.richest(size) if size and len(prepared.items) > _WRITTEN else []
        since, canary = prepared.observed_from, None
        albums = self._planner.album_writer(prepared, run_id)
        poller = Poller(self._target, self._clock, since) if since is not None else None
        async for pairs in _slices(prepared, early):
            part = replace(prepared, records={item.asset_id: record for item, record in pairs if record})
            jobs = [] if refused else await asyncio.to_thread(self._jobs, pairs, selection)
            canary = canary or Canary(_first(jobs, early), size, self._words)
            if ended.error is None and not ended.stalled and poller is not None:
                await self._write(part, selection, run_id, jobs, canary, stop, poller=poller, ended=ended)
            if albums is None or ended.error is not None:
                leave(jobs)
            else:
                counting = partial(ended.losses.intended, records=part.records)
                await albums.write(jobs, counting, stop)
            await self._recorder.record([item for item, _ in pairs], part, jobs, ended)
            await self._carrying.finish(pairs, jobs, prepared, run_id)
            if ended.error is None:
                await self._planner.ownership.share(prepared.server, least=_SHARED)
            if poller is not None:
                poller.forget(job.asset_id for job in jobs)
        if albums is not None:
            await self._finish_albums(albums, ended)
        self._listen(Progress("done", done=ended.jobs, total=ended.jobs))
        if not prepared.verdict.shrunk:
            left = sorted(prepared.left - prepared.items.orphans() - unread)
            for start in range(0, len(left), RECORDED):
                await asyncio.to_thread(
                    self._recorder.unlink, left[start : start + RECORDED], losses, prepared.restacked
                )
        self._recorder.note_archived(prepared, ended)
        self._recorder.learn_owner(prepared, ended)
        return ended

    @staticmethod
    async def _finish_albums(albums: AlbumWriter, ended: Ended) -> None:
        try:
            await albums.finish()
        except ImmichError:  # nothing depends on it but covers, and albums that are empty
            return
        finally:
            ended.albums_made, ended.albums_deleted = len(albums.made), len(albums.deleted)

    def _jobs(self, pairs: Iterable[Pair], selection: Selection) -> list[Job]:
        now = self._clock.monotonic()
        jobs = []
        for item, known in pairs:
            plan = item.plan
            if plan is None or (plan.blocked and not item.adopted):
                continue
            record = known or AssetRecord(item.asset_id, item.image_id, item.title)
            if selection.force:  # what does not stick in this pass is not tried again within it
                record = replace(record, unsticking=(), corrections=(), taken_back=None)
            if item.adopted:
                waited = sent_for(item.adopted, self._clock.now())
                jobs.append(Job(item, AssetWrite.adopt(plan, record, item.adopted, now, waited)))
            elif plan.changes:
                jobs.append(Job(item, AssetWrite.begin(plan, record)))
        return order(jobs)

    def _canary_size(self, prepared: Prepared, selection: Selection) -> int | CanaryError:
        """Decide how many assets go first; after a canary that failed, only a person may try again."""
        key = _canary_key(prepared)
        known = CANARY.read(self._store) or CanaryState()
        state = known if known.get("key") == key else CanaryState()
        if (failed := state.get("failed")) and not selection.by_person:
            return CanaryError(str(failed), remedy="Mend the cause, then: skymmich-reconciler apply")
        return 0 if state.get("passed") else prepared.rules.policy.guard.canary

    async def _write(  # noqa: PLR0913 - a slice and its surroundings
        self,
        prepared: Prepared,
        selection: Selection,
        run_id: str,
        jobs: list[Job],
        canary: Canary,
        stop: Callable[[], bool],
        *,
        poller: Poller,
        ended: Ended,
    ) -> None:
        def replan(job: Job, seen: ObservedAsset) -> AssetPlan:
            return self._replan(job, seen, prepared, selection)

        listen = of_the_whole(self._listen, ended.jobs, prepared.items.tally.jobs)
        around = Surroundings(
            self._target, self._store, self._clock, self._timing, prepared.rules, run_id, listen, replan,
            stop, intended=lambda writing: ended.losses.intended(writing, prepared.records),
        )  # fmt: skip
        renamed = {old for job in jobs for old, _ in job.write.plan.renames}
        if renamed:
            note_renamed(self._store, renamed)
        jobs = [job for job in jobs if job.write.state != "done"]  # whose albums alone are to be written
        executor = await asyncio.to_thread(Executor, around, jobs, canary)
        if jobs and prepared.observed_from is not None:
            linked, orphans = prepared.linked, prepared.items.orphans()
            later = frozenset[str]() if len(prepared.items) <= _WRITTEN else linked | orphans
            poller.expect({job.asset_id: job.write.observed.updated_at for job in jobs}, later)
            unlooked = prepared.look is None
            await executor.run(prepared.observed_from, unlooked=unlooked, poller=poller)
        key = _canary_key(prepared)
        if isinstance(executor.error, CanaryError):
            CANARY.write(self._store, {"key": key, "failed": str(executor.error)})
        elif canary.jobs and canary.passed:
            CANARY.write(self._store, {"key": key, "passed": True})
        ended.error, ended.stalled = executor.error, executor.stalled
        ended.tags |= executor.own_tags.ids

    def _replan(self, job: Job, seen: ObservedAsset, prepared: Prepared, selection: Selection) -> AssetPlan:
        """Merge anew from a fresh reading, under the same limits as the plan that was shown."""
        plan = merge(
            job.item, job.write.plan.desired, seen, job.write.record, prepared.rules,
            force=selection.force, now=self._clock.now(),
        )  # fmt: skip
        plan = withhold(plan) if job.item.held else plan
        agreed = job.item.plan
        if selection.expected is not None and agreed and not plan.is_rest_of(agreed):
            return plan.without_writes(reason("stale_plan"))
        return plan


def switched_off() -> GuardError:
    """Return why nothing is written while the master switch is off."""
    return GuardError(
        "Metadata sync is switched off (metadataSyncEnabled); nothing was written.",
        remedy="Switch it on in Skymmich under Admin → Immich, or with "
        "skymmich-reconciler settings set metadataSyncEnabled=on.",
    )


def _first(jobs: list[Job], early: list[Pair]) -> list[Job]:
    """Return those of a slice's jobs of which some may go first."""
    first = {item.asset_id for item, _ in early}
    to_send = (job for job in jobs if job.write.state != "done")
    return [job for job in to_send if not job.write.adopted and (not early or job.asset_id in first)]


async def _slices(prepared: Prepared, early: list[Pair]) -> AsyncIterator[list[Pair]]:
    """Yield the images some at a time, some of them before all others."""
    # All of about the same size: what is verified together is cheaper the more there are.
    slices = prepared.items.slices(evenly(len(prepared.items), _WRITTEN))
    first, before = frozenset(item.asset_id for item, _ in early), early
    async for several in beside(slices):
        rest = [pair for pair in several if pair[0].asset_id not in first] if first else several
        yield [*before, *rest]
        before = []


def _canary_key(prepared: Prepared) -> str:
    """Name what a canary was sent for: these rules, on this version of the server."""
    return digest(prepared.rules_digest, prepared.server.version)
