"""Sending a chunk of writes: in as few calls as there are distinct values, recorded before and after."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from reconciler.core.batch import add_batches, field_batches
from reconciler.core.records import JournalEntry, JournalField, WriteStep
from reconciler.engine.ports import FieldWrite, WriteOutcome
from reconciler.errors import (
    ImmichRejectedError,
    MissingPermissionError,
    ReconcilerError,
    WriteInDoubtError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping, Sequence

    from reconciler.engine.jobs import Job
    from reconciler.engine.ports import Clock, Store, Target

_FIELDS: frozenset[WriteStep] = frozenset({"fields"})
_TAGS: frozenset[WriteStep] = frozenset({"add_tags", "remove_tags"})


class Sender:
    """Writes to Immich for the conductor, one step of many assets at a time.

    After ``send`` every job is either ``sent`` (accepted, or in doubt), ``moved`` (nothing was to be done),
    still ``ready`` (the server did not take it: try again), or ``done`` with ``failed`` set (refused).

    Args:
        target: Immich.
        store: where intentions and the journal go.
        clock: time.
        run_id: of this pass.
        tag_paths: all tags that the pass is known to add: made together, the first time one is needed.
    """

    def __init__(
        self, target: Target, store: Store, clock: Clock, run_id: str, tag_paths: frozenset[str]
    ) -> None:
        self._target, self._store, self._clock, self._run_id = target, store, clock, run_id
        self._tag_paths = tag_paths
        self._tag_ids: dict[str, str] = {}
        self._denied: dict[frozenset[WriteStep], MissingPermissionError] = {}
        self._turns = count(1)

    async def send(self, jobs: Sequence[Job]) -> None:
        """Send the next step of each job: ready jobs, none twice.

        Raises:
            ImmichTemporaryError: of some; the others were sent all the same.
            ImmichError: the tags could not be looked up; no tag was sent.
        """
        for steps, error in self._denied.items():
            for job in jobs:
                if job.step in steps:
                    job.leave_out(steps, _words(error))
        jobs = [job for job in jobs if job.state == "ready"]
        if tagging := [job for job in jobs if job.step != "fields"]:
            try:
                await self._learn_tags(tagging)
            except MissingPermissionError as error:
                self._deny(tagging, error)
                jobs = [job for job in jobs if job.step == "fields"]
        if not jobs:
            return
        with self._store.transaction():
            now = self._clock.now()
            self._store.save_pending([replace(job.intend(self._run_id), intended_at=now) for job in jobs])
            self._store.journal([entry for job in jobs for entry in self._entries(job)])
        outcomes = await asyncio.gather(*self._calls(jobs), return_exceptions=True)
        with self._store.transaction():
            self._store.mark_sent([job.plan.asset_id for job in jobs if job.state in {"sent", "moved"}])
            unsent = [job for job in jobs if job.state in {"ready", "done"}]
            self._store.clear_pending([job.plan.asset_id for job in unsent])
        for job in unsent:
            job.pending = None
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _calls(self, jobs: Sequence[Job]) -> list[Awaitable[None]]:
        """Divide the jobs into calls, each asset in just one."""
        by_id = {job.plan.asset_id: job for job in jobs}
        calls: list[Awaitable[None]] = []
        for fields in field_batches(job.plan for job in jobs if job.step == "fields"):
            write = FieldWrite(fields.description, fields.coordinates)
            group = [by_id[asset_id] for asset_id in fields.asset_ids]
            calls.append(self._call(self._target.write_fields(fields.asset_ids, write), group))
        for tags in add_batches(job.plan for job in jobs if job.step == "add_tags"):
            ids = [self._tag_ids[path] for path in tags.tags if path in self._tag_ids]
            group = [by_id[asset_id] for asset_id in tags.asset_ids]
            calls.append(self._call(self._target.add_tags(tags.asset_ids, ids), group))
        for tag, group in _by_tag(job for job in jobs if job.step == "remove_tags").items():
            names = [job.plan.asset_id for job in group]
            calls.append(self._call(self._target.remove_tag(names, self._tag_ids.get(tag, "")), group))
        return calls

    async def _call(self, writing: Awaitable[WriteOutcome], jobs: Sequence[Job]) -> None:
        """Make one call, and note on each of its jobs what became of it.

        Raises:
            ImmichTemporaryError: after that is noted.
        """
        for job in jobs:
            job.turn, job.sent_at = next(self._turns), self._clock.monotonic()
        try:
            _note(await writing, jobs)
        except WriteInDoubtError as error:
            # It may have arrived: whoever sends it again could lose both. It is watched like a sent one.
            asked = frozenset(job.plan.asset_id for job in jobs)
            _note(WriteOutcome(asked - error.rejected.keys(), error.rejected), jobs)
            for job in jobs:
                job.doubtful = job.plan.asset_id not in error.accepted
            raise
        except MissingPermissionError as error:
            self._deny(jobs, error)
        except ImmichRejectedError as error:
            for job in jobs:
                job.fail(_words(error))

    def _deny(self, jobs: Iterable[Job], error: MissingPermissionError) -> None:
        """Give up a kind of write that the key does not allow; the other kind goes on."""
        for job in jobs:
            steps = _FIELDS if job.step == "fields" else _TAGS
            self._denied[steps] = error
            job.leave_out(steps, _words(error))

    async def _learn_tags(self, jobs: Sequence[Job]) -> None:
        if not self._tag_ids or any(job.attempt > 1 for job in jobs):
            self._tag_ids = dict(await self._target.tag_ids())
        adding = {tag for job in jobs if job.step == "add_tags" for tag in job.plan.add_tags}
        if adding and (missing := adding - self._tag_ids.keys()):
            missing |= self._tag_paths - self._tag_ids.keys()
            made: Mapping[str, str] = await self._target.ensure_tags(sorted(missing))
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
            live = seen.known_tags
            after = live | pending.tags if pending.step == "add_tags" else live - pending.tags
            found.append(self._entry(job, "tags", sorted(live), sorted(after)))
        return found

    def _entry(self, job: Job, which: JournalField, before: object, after: object) -> JournalEntry:
        return JournalEntry(
            self._run_id, job.plan.asset_id, job.plan.image_id, which, before, after, self._clock.now()
        )


def _note(outcome: WriteOutcome, jobs: Sequence[Job]) -> None:
    for job in jobs:
        asset_id = job.plan.asset_id
        if asset_id in outcome.rejected:
            job.fail(outcome.rejected[asset_id], "not_writable" if asset_id in outcome.foreign else "failed")
        elif asset_id in outcome.sent:
            job.state = "sent"
            date = outcome.dates.get(asset_id)
            if date is not None and date > job.observed.updated_at:
                # The answer shows the date from before the write: it moved between our reading and the write.
                job.moved_before, job.crossed = date, True
            job.writes[job.steps[0]] += 1
            if asset_id in outcome.unchanged:
                # Nothing was queued, so nothing will move: it is read right away.
                job.state, job.moved_to = "moved", None
                job.moved_at = job.first_moved_at = -math.inf


def _by_tag(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.removals[0], []).append(job)
    return groups


def _words(error: ReconcilerError) -> str:
    return " ".join(part for part in (error.message, error.remedy) if part)
