"""Sending a chunk of writes: in as few calls as there are distinct values, recorded before and after."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from reconciler.core.ports import WriteOutcome
from reconciler.core.reasons import of_error
from reconciler.core.writes.batches import add_batches, field_batches
from reconciler.core.writes.journal import entries_of, former_of
from reconciler.core.writes.leaving_out import on_left_out
from reconciler.errors import (
    ImmichRejectedError,
    MissingPermissionError,
    WriteInDoubtError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.ports import Clock, Target
    from reconciler.core.records import AssetStatus, JournalEntry, PendingWrite, WriteStep
    from reconciler.core.store_port import Store
    from reconciler.engine.job import Job
    from reconciler.engine.own_tags import OwnTags
    from reconciler.engine.settlement import Settlement

    Writing = Callable[[], Awaitable[WriteOutcome]]

_FIELDS: frozenset[WriteStep] = frozenset({"fields"})
_TAGS: frozenset[WriteStep] = frozenset({"add_tags", "remove_tags"})
VALID = timedelta(seconds=5)
"""For which a recorded intention may be carried out: whoever slept, or was held up, records it anew."""
_TAG_CALLS = 2
"""At a time: Immich takes its time over each, and half of the line is for readings and their writes."""


def ignore_intentions(jobs: Sequence[Job]) -> None:
    """Do nothing with what is intended."""


class Sender:
    """Writes to Immich for the executor, one step of many assets at a time.

    After ``send`` every job is either ``sent`` (accepted, or in doubt), ``moved`` (nothing was to be done),
    still ``ready`` (the server did not take it: try again), or ``done`` with ``failed`` set (refused).

    Args:
        target: Immich.
        store: where intentions and the journal go.
        settling: is told what was accepted.
        clock: time.
        run_id: of this pass.
        tags: know the ids of those that are added and removed.
        intended: is told of each intention, in the commit that records it.
    """

    def __init__(
        self,
        target: Target,
        store: Store,
        settling: Settlement,
        clock: Clock,
        run_id: str,
        *,
        tags: OwnTags,
        intended: Callable[[Sequence[Job]], None] = ignore_intentions,
    ) -> None:
        self._told = intended
        self._target, self._store, self._settling = target, store, settling
        self._clock, self._run_id, self._tags = clock, run_id, tags
        self._denied: dict[frozenset[WriteStep], MissingPermissionError] = {}
        self._intended: dict[str, tuple[PendingWrite, list[JournalEntry]]] = {}
        self._turns = count(1)
        self._tag_calls = asyncio.Semaphore(_TAG_CALLS)

    def intend(self, jobs: Sequence[Job]) -> None:
        """Record what is to be sent once these assets were read: so nothing is waited for after the reading.

        Where the reading changes it, ``send`` records it anew; what is not sent then is ``withdraw``'s.
        """
        jobs = [job for job in jobs if job.write.state == "ready" and job.write.steps]
        if jobs:
            self._intended |= self._record(jobs)

    def withdraw(self, jobs: Iterable[Job]) -> None:
        """Forget the intentions of these assets that were not carried out."""
        ids = [job.asset_id for job in jobs if self._intended.pop(job.asset_id, None)]
        self._settling.sent((), ids)

    def _record(self, jobs: Sequence[Job]) -> dict[str, tuple[PendingWrite, list[JournalEntry]]]:
        """Record the next write of each and what it replaces, in one commit."""
        now = self._clock.now()
        made: dict[str, tuple[PendingWrite, list[JournalEntry]]] = {}
        for job in jobs:
            pending = job.write.intent(self._run_id, now)
            made[job.asset_id] = pending, self._entries(job, pending, now)
        with self._store.transaction():
            self._store.save_pending(pending for pending, _ in made.values())
            self._store.journal(entry for _, entries in made.values() for entry in entries)
            # What takes a tag's place is soon ours: only now it can be told which one it replaces.
            self._store.save_records(
                job.write.record.to_look_at() for job in jobs if job.write.plan.superseded
            )
            self._told(jobs)
            self._keep_former(jobs, made, now)
        return made

    def _keep_former(
        self, jobs: Sequence[Job], made: Mapping[str, tuple[PendingWrite, list[JournalEntry]]], now: datetime
    ) -> None:
        """Keep what is there and not ours; once a write was sent, it may be ours already."""
        markers = self._settling.terms.markers
        self._store.keep_former(
            value
            for job in jobs
            if not (job.write.plan.gives_back or "fields" in job.write.sent_steps)
            for value in former_of(
                made[job.asset_id][0],
                job.write.observed,
                job.write.plan.base,
                markers,
                now,
                prose=job.write.plan.desired.prose,
            )
        )

    def _intents(self, jobs: Sequence[Job]) -> dict[str, PendingWrite]:
        """Return the recorded intentions, recorded anew where they are old or not these."""
        known = {job.asset_id: self._intended.pop(job.asset_id, None) for job in jobs}
        missing = [job for job in jobs if not self._still_holds(job, known[job.asset_id])]
        made = self._record(missing) if missing else {}
        kept = {asset_id: one[0] for asset_id, one in known.items() if one and asset_id not in made}
        return kept | {asset_id: pending for asset_id, (pending, _) in made.items()}

    def _still_holds(self, job: Job, known: tuple[PendingWrite, list[JournalEntry]] | None) -> bool:
        if known is None or known[0].intended_at is None:
            return False
        pending, entries = known
        at = known[0].intended_at
        return (
            abs(self._clock.now() - at) < VALID
            and pending == job.write.intent(self._run_id, at)
            and entries == self._entries(job, pending, at)
        )

    async def send(self, jobs: Sequence[Job]) -> None:
        """Send the next step of each job: ready jobs, none twice.

        Raises:
            ImmichTemporaryError: of some; the others were sent all the same.
            ImmichError: the tags could not be looked up; no tag was sent.
        """
        for steps, error in self._denied.items():
            for job in jobs:
                if job.write.step in steps:
                    job.write = job.write.on_denied(steps, of_error(error))
        self._leave_out(jobs)
        jobs = [job for job in jobs if job.write.state == "ready"]
        if tagging := [job for job in jobs if job.write.step != "fields"]:
            try:
                await self._tags.learn(tagging)
            except MissingPermissionError as error:
                self._deny(tagging, error)
                jobs = [job for job in jobs if job.write.step == "fields"]
        if not jobs:
            return
        intents = self._intents(jobs)
        outcomes = await asyncio.gather(*self._calls(jobs, intents), return_exceptions=True)
        sent = {job.asset_id for job in jobs if job.write.pending is not None}
        self._settling.sent(sent, intents.keys() - sent)
        for job in (job for job in jobs if job.write.crossed and job.asset_id in sent):
            self._settling.waits_anew(job)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def _leave_out(self, jobs: Sequence[Job]) -> None:
        """Heed what people left out since the pass began: nothing of it is sent any more."""
        found = self._store.left_out_of([job.asset_id for job in jobs])
        for job in jobs:
            out, write = found.get(job.asset_id, ()), job.write
            # An undo is a person's wish, too.
            if write.state == "ready" and not write.plan.gives_back and out != write.record.left_out:
                job.write = on_left_out(write, out, self._clock.monotonic())

    def _calls(self, jobs: Sequence[Job], intents: Mapping[str, PendingWrite]) -> list[Awaitable[None]]:
        """Divide the jobs into calls, each asset in just one."""
        by_id = {job.asset_id: job for job in jobs}
        calls: list[Awaitable[None]] = []
        for fields in field_batches(job.write.plan for job in jobs if job.write.step == "fields"):
            group = [by_id[asset_id] for asset_id in fields.asset_ids]
            calls.append(
                self._call(partial(self._target.write_fields, fields.asset_ids, fields.write), group, intents)
            )
        for tags in add_batches(job.write.plan for job in jobs if job.write.step == "add_tags"):
            ids = [self._tags.ids[path] for path in tags.tags if path in self._tags.ids]
            group = [by_id[asset_id] for asset_id in tags.asset_ids]
            adding = partial(self._target.add_tags, tags.asset_ids, ids)
            calls.append(self._in_turn(adding, group, intents))
        for tag, group in _by_tag(job for job in jobs if job.write.step == "remove_tags").items():
            names = [job.asset_id for job in group]
            removing = partial(self._target.remove_tag, names, self._tags.ids.get(tag, ""))
            calls.append(self._in_turn(removing, group, intents))
        return calls

    async def _in_turn(
        self, writing: Writing, jobs: Sequence[Job], intents: Mapping[str, PendingWrite]
    ) -> None:
        async with self._tag_calls:
            await self._call(writing, jobs, intents)

    async def _call(self, writing: Writing, jobs: Sequence[Job], intents: Mapping[str, PendingWrite]) -> None:
        """Make one call, and note on each of its jobs what became of it.

        Raises:
            ImmichTemporaryError: after that is noted.
        """
        turns, at = {job.asset_id: next(self._turns) for job in jobs}, self._clock.monotonic()
        doubtful = frozenset[str]()

        def note(outcome: WriteOutcome) -> None:
            for job in jobs:
                asset_id = job.asset_id
                if asset_id in outcome.rejected:
                    status: AssetStatus = "not_writable" if asset_id in outcome.foreign else "failed"
                    why = of_error(outcome.rejected[asset_id], remedy=False)
                    job.write = job.write.on_refused(why, status)
                elif asset_id in outcome.sent:
                    job.write = job.write.on_sent(
                        intents[asset_id], at, turns[asset_id], answered=self._clock.monotonic(),
                        doubtful=asset_id in doubtful, unchanged=asset_id in outcome.unchanged,
                        before=outcome.dates.get(asset_id),
                    )  # fmt: skip

        try:
            note(await writing())
        except WriteInDoubtError as error:
            # It may have arrived: whoever sends it again could lose both. It is watched like a sent one.
            asked = frozenset(job.asset_id for job in jobs)
            doubtful = asked - error.accepted
            note(WriteOutcome(asked - error.rejected.keys(), error.rejected))
            raise
        except MissingPermissionError as error:
            self._deny(jobs, error)
        except ImmichRejectedError as error:
            for job in jobs:
                job.write = job.write.on_refused(of_error(error))

    def _deny(self, jobs: Iterable[Job], error: MissingPermissionError) -> None:
        """Give up a kind of write that the key does not allow; the other kind goes on."""
        for job in jobs:
            steps = _FIELDS if job.write.step == "fields" else _TAGS
            self._denied[steps] = error
            job.write = job.write.on_denied(steps, of_error(error))

    def _entries(self, job: Job, pending: PendingWrite, at: datetime) -> list[JournalEntry]:
        plan = job.write.plan
        owned = job.write.was_ours if plan.gives_back else plan.base
        markers = self._settling.terms.markers
        return entries_of(pending, job.write.observed, owned, markers, at, carries=plan.carries)


def sent_for(pending: PendingWrite, now: datetime) -> float:
    """Return for how many seconds an earlier run's write has been on its way, at least."""
    if pending.intended_at is None:
        return 0.0
    return max(0.0, (now - pending.intended_at - VALID).total_seconds())


def _by_tag(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.write.removals[0], []).append(job)
    return groups
