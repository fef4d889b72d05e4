"""Sending a chunk of writes: in as few calls as there are distinct values, recorded before and after."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.batch import add_batches, field_batches
from reconciler.core.records import JournalEntry, JournalField
from reconciler.engine.ports import FieldWrite, WriteOutcome
from reconciler.errors import ImmichTemporaryError, MissingPermissionError, ReconcilerError, WriteInDoubtError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from reconciler.engine.jobs import Job
    from reconciler.engine.ports import Clock, Store, Target


class Sender:
    """Writes to Immich for the conductor, one step of many assets at a time.

    After ``send`` every job is either ``sent`` (accepted, or in doubt), still ``ready`` (the server did not
    take it: try again), or ``done`` with ``failed`` set (refused).
    """

    def __init__(self, target: Target, store: Store, clock: Clock, run_id: str) -> None:
        self._target, self._store, self._clock, self._run_id = target, store, clock, run_id
        self._tag_ids: dict[str, str] = {}
        self.refused: ReconcilerError | None = None
        """Set when the key may not write at all: nothing more is sent."""
        self._trouble: ImmichTemporaryError | None = None

    def take_trouble(self) -> ImmichTemporaryError | None:
        """Give the temporary error of the last sending, if there was one, once."""
        trouble, self._trouble = self._trouble, None
        return trouble

    async def send(self, jobs: Sequence[Job], tag_paths: Iterable[str]) -> None:
        """Send the next step of each job.

        Args:
            jobs: ready jobs, none twice.
            tag_paths: all tags the pass will need, created together the first time one is needed.
        """
        if any(job.step != "fields" for job in jobs):
            await self._learn_tags(tag_paths, fresh=any(job.attempt > 1 for job in jobs))
        with self._store.transaction():
            now = self._clock.now()
            self._store.save_pending([replace(job.intend(self._run_id), intended_at=now) for job in jobs])
            self._store.journal([entry for job in jobs for entry in self._entries(job)])
        by_id = {job.plan.asset_id: job for job in jobs}
        for job in jobs:
            job.sent_at = self._clock.monotonic()
        calls: list[Awaitable[None]] = [
            self._call(
                self._target.write_fields(batch.asset_ids, FieldWrite(batch.description, batch.coordinates)),
                [by_id[asset_id] for asset_id in batch.asset_ids],
            )
            for batch in field_batches(job.plan for job in jobs if job.step == "fields")
        ]
        for batch in add_batches(job.plan for job in jobs if job.step == "add_tags"):
            ids = [self._tag_ids[path] for path in batch.tags if path in self._tag_ids]
            group = [by_id[asset_id] for asset_id in batch.asset_ids]
            calls.append(self._call(self._target.add_tags(batch.asset_ids, ids), group))
        for tag, group in _by_tag(job for job in jobs if job.step == "remove_tags").items():
            tag_id = self._tag_ids.get(tag, "")
            calls.append(self._call(self._target.remove_tag([j.plan.asset_id for j in group], tag_id), group))
        await asyncio.gather(*calls)
        with self._store.transaction():
            self._store.mark_sent([job.plan.asset_id for job in jobs if job.state in {"sent", "moved"}])
            unsent = [job for job in jobs if job.state in {"ready", "done"}]
            self._store.clear_pending([job.plan.asset_id for job in unsent])
        for job in unsent:
            job.pending = None

    async def _call(self, writing: Awaitable[WriteOutcome], jobs: Sequence[Job]) -> None:
        try:
            outcome = await writing
        except WriteInDoubtError as error:
            # It may have arrived: whoever sends it again could lose both. It is watched like a sent one.
            self._trouble = error
            outcome = WriteOutcome(frozenset(job.plan.asset_id for job in jobs))
            for job in jobs:
                job.doubtful = job.plan.asset_id not in error.accepted
        except ImmichTemporaryError as error:
            self._trouble = error
            return
        except MissingPermissionError as error:
            self.refused = error
            _fail(jobs, error)
            return
        except ReconcilerError as error:
            _fail(jobs, error)
            return
        for job in jobs:
            asset_id = job.plan.asset_id
            if asset_id in outcome.rejected:
                job.state, job.status, job.failed = "done", "failed", outcome.rejected[asset_id]
            elif asset_id in outcome.sent:
                job.state = "sent"
                if asset_id in outcome.unchanged:
                    # Nothing was queued, so nothing will move: it is read right away.
                    job.state, job.moved_at = "moved", -math.inf

    async def _learn_tags(self, paths: Iterable[str], *, fresh: bool) -> None:
        if fresh or not self._tag_ids:
            self._tag_ids = dict(await self._target.tag_ids())
        if missing := sorted(set(paths) - self._tag_ids.keys()):
            made: Mapping[str, str] = await self._target.ensure_tags(missing)
            self._tag_ids.update(made)

    def _entries(self, job: Job) -> list[JournalEntry]:
        seen, pending = job.observed, job.pending
        found = []
        if pending and pending.description is not None:
            found.append(self._entry(job, "description", seen.description, pending.description))
        if pending and pending.coordinates is not None:
            was, place = seen.coordinates, pending.coordinates
            before = None if was is None else [was.latitude, was.longitude]
            found.append(self._entry(job, "coordinates", before, [place.latitude, place.longitude]))
        if pending and pending.tags:
            live = seen.tags or frozenset()
            after = live | pending.tags if pending.step == "add_tags" else live - pending.tags
            found.append(self._entry(job, "tags", sorted(live), sorted(after)))
        return found

    def _entry(self, job: Job, which: JournalField, before: object, after: object) -> JournalEntry:
        return JournalEntry(
            self._run_id, job.plan.asset_id, job.plan.image_id, which, before, after, self._clock.now()
        )


def _by_tag(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.removals[0], []).append(job)
    return groups


def _fail(jobs: Iterable[Job], error: ReconcilerError) -> None:
    for job in jobs:
        job.state, job.status = "done", "failed"
        job.failed = " ".join(part for part in (error.message, error.remedy) if part)
