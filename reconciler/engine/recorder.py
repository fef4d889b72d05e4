"""What a pass leaves in the store: where each asset stands, and what the next pass begins from."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from reconciler.core.reasons import reason
from reconciler.core.records import Run, RunCounts
from reconciler.core.store_keys import ARCHIVED, CHECKED_AT, FULL_LOOK_AT, RULES, WATERMARK
from reconciler.engine.conflicts import keep_decisions
from reconciler.engine.hints import Seen
from reconciler.engine.identity import KnownImmich
from reconciler.engine.outcomes import finished, outcome_of, summarise, told_albums, told_renames
from reconciler.engine.passes import Report
from reconciler.engine.schema import remember
from reconciler.engine.stack_watch import keep_stacking

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from reconciler.core.ports import Clock, Target
    from reconciler.core.records import AssetStatus
    from reconciler.core.store_port import Store
    from reconciler.engine.item import Item
    from reconciler.engine.job import Job
    from reconciler.engine.losses import LossCount
    from reconciler.engine.outcomes import Ended
    from reconciler.engine.passes import Outcome, Prepared
    from reconciler.engine.planner.planner import Planner

RECORDED: Final = 200
"""Assets that are recorded in one commit: whoever else writes to the store waits for no more."""


def _standing(stood: int, told: Mapping[AssetStatus, int], kept: Mapping[str, int]) -> Counter[AssetStatus]:
    """Count by state the images that stand: those in sync, taken back, and left out.

    Args:
        stood: how many.
        told: the images beside them, by state.
        kept: all of the store, by state.
    """
    found: Counter[AssetStatus] = Counter()
    left_alone: tuple[AssetStatus, ...] = ("undone", "left_out")
    for status in left_alone:
        found[status] = min(max(0, kept.get(status, 0) - told.get(status, 0)), stood - found.total())
    found["in_sync"] = stood - found.total()
    return +found


class Recorder:
    """Records what became of a pass.

    Args:
        store: where it is kept.
        clock: time.
        target: its address names the Immich that was met.
        planner: is told what was looked at.
    """

    def __init__(self, store: Store, clock: Clock, target: Target, planner: Planner) -> None:
        self._store, self._clock, self._target, self._planner = store, clock, target, planner

    async def record(self, items: list[Item], part: Prepared, jobs: list[Job], ended: Ended) -> None:
        """Record where each asset of a slice stands, some at a time: each is whole by itself."""
        by_id = {job.item.asset_id: job for job in jobs}
        now = self._clock.now()
        for start in range(0, len(items), RECORDED):
            several = items[start : start + RECORDED]
            outcomes = await asyncio.to_thread(self._record_some, several, part, by_id, now, ended)
            ended.take(several, by_id, outcomes)
        ended.jobs += len(jobs)

    def _record_some(
        self,
        items: list[Item],
        prepared: Prepared,
        jobs: Mapping[str, Job],
        now: datetime,
        ended: Ended,
    ) -> list[Outcome]:
        records, outcomes = [], []
        for item in items:
            job = jobs.get(item.asset_id)
            record = finished(item, job, prepared, now, ended.error)
            if job is not None or record != prepared.records.get(item.asset_id):
                records.append(record)
            outcomes.append(outcome_of(item, job, record))
        gone = [item.asset_id for item in items if item.adopted and item.status == "unknown_asset"]
        with self._store.transaction():
            self._store.save_records(records)
            ended.losses.unlinked(records, prepared.records)
            for item in items:
                job = jobs.get(item.asset_id)
                if plan := job.write.plan if job else item.plan:
                    keep_decisions(self._store, prepared.records.get(item.asset_id), plan)
            self._store.clear_pending(gone)
        return outcomes

    def unlink(self, asset_ids: list[str], losses: LossCount, restacked: AbstractSet[str]) -> None:
        """Record of assets that they left the catalogue."""
        with self._store.transaction():
            losses.left(asset_id for asset_id in asset_ids if asset_id not in restacked)
            self._store.save_records(
                replace(
                    record.to_look_at(),
                    linked=False,
                    status="unlinked",
                    reasons=(reason("left_stack" if record.asset_id in restacked else "left_catalogue"),),
                )
                for record in self._store.records_of(asset_ids).values()
                if record.linked
            )

    def learn_owner(self, prepared: Prepared, ended: Ended) -> None:
        """Keep what the writes of a key that may not ask whose it is have told of its owner."""
        if prepared.server.user_id is not None:
            return
        known = KnownImmich.at(self._store, prepared.server, self._target.address)
        written, refused = ended.written - {""}, ended.refused - {""}
        known.learn(written, refused - written).keep(self._store)

    def note_archived(self, prepared: Prepared, ended: Ended) -> None:
        """Remember which managed assets are archived: only while there are any, looks search the archive."""
        before = ARCHIVED.read(self._store)
        archived = sorted((set(before or ()) - ended.shown) | ended.archived)
        whole = prepared.images >= len(prepared.catalogue.linked())
        if archived != before and (before is not None or whole):
            ARCHIVED.write(self._store, archived)

    def note_immich(self, prepared: Prepared) -> None:
        """Remember whose Immich this is."""
        if prepared.immich is not None:
            prepared.immich.keep(self._store)

    def note_look(self, prepared: Prepared, met: Mapping[str, str] = MappingProxyType({})) -> None:
        """Note that all images were looked at, from when on the next look asks, and which tags were met."""
        # Images that a shrunken catalogue hides are not looked at: what moves meanwhile is looked up later.
        if prepared.observed_from and not prepared.verdict.shrunk:
            WATERMARK.write(self._store, prepared.observed_from)
            if prepared.look is not None:
                self._planner.noted(prepared.look)
        if not prepared.verdict.shrunk:
            if prepared.seen is not None or met:
                (prepared.seen or Seen()).keep(self._store, met)
            if prepared.seen is not None:
                self._planner.trash.ids.clear()
        if not prepared.verdict.tripped and prepared.rules_before != prepared.rules_digest:
            RULES.write(self._store, prepared.rules_digest)
        remember(prepared.catalogue, self._store)
        if not prepared.verdict.shrunk:
            keep_stacking(self._store, prepared.stacking)
        now = self._clock.now()
        CHECKED_AT.write(self._store, now)
        if prepared.full:
            FULL_LOOK_AT.write(self._store, now)

    def settle(self, prepared: Prepared) -> None:
        """Take note that what Immich's records tell was taken up, where it was told of all."""
        taken = prepared.taken
        if taken is not None and taken.standpoint.floor is not None and not taken.missed:
            self._planner.ownership.settle(taken.standpoint)

    def close(self, prepared: Prepared, run: Run, ended: Ended, *, stopped: bool) -> Report:
        """Return the report of a pass that has ended; one over all images is noted as a look."""
        outcomes, error, total = ended.outcomes, ended.error, prepared.items.tally.jobs
        counts = Counter(outcome.status for outcome in outcomes)
        if prepared.stood:
            counts += _standing(prepared.stood, counts, self._store.counts_by_status())
        changed = Counter(field for outcome in outcomes for field in outcome.changed)
        whole = prepared.images >= len(prepared.catalogue.linked())
        if whole and not error and not stopped:
            self.note_look(prepared, ended.tags)
            self.settle(prepared)
        closed = replace(
            run,
            finished_at=self._clock.now(),
            outcome="stopped" if stopped else "failed" if error else "succeeded",
            summary=summarise(
                outcomes,
                prepared.verdict,
                error,
                stood=prepared.stood,
                failed=ended.failed,
                stopped_at=(total - ended.unreached, total) if stopped else None,
                renames=[
                    *told_renames(ended.renamed, ended.deleted),
                    *told_albums(ended.albums_made, ended.albums_deleted),
                ],
            ),
            counts=RunCounts(
                images=prepared.images,
                changed=sum(1 for outcome in outcomes if outcome.changed),
                failed=ended.failed,
                statuses=counts,
                wrote=changed,
                found=ended.found,
            ),
        )
        if prepared.taken is not None and prepared.taken.adopted:
            adopted = reason("run_adopted", count=prepared.taken.adopted)
            closed = replace(closed, summary=(*closed.summary, adopted))
        if lacking := prepared.rules.missing.get("stacks"):
            unknown = reason("run_stacks_unknown", lacking=lacking)
            closed = replace(closed, summary=(*closed.summary, unknown))
        return Report(closed, tuple(outcomes), prepared.verdict, prepared.stale, error)
