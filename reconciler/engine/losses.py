"""Counting what passes take away, for the guard: when it is carried out, and whoever is killed meanwhile.

What a person approved, or asked for by force, counts for nothing: they have seen the numbers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.core.records import RecentLosses

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.policy import GuardPolicy
    from reconciler.core.ports import Clock
    from reconciler.core.records import AssetRecord
    from reconciler.core.store_port import Store
    from reconciler.engine.job import Job
    from reconciler.engine.passes import Prepared, Selection


def window_start(policy: GuardPolicy, now: datetime) -> datetime:
    """Return since when losses count together with what is lost now."""
    return now - timedelta(hours=policy.window_hours)


def lost_before(store: Store, prepared: Prepared, held: Mapping[str, str], now: datetime) -> RecentLosses:
    """Return what was lost within the guard's window; not asked for where nothing is lost now."""
    if not (prepared.items.tally.losses.harm or held or prepared.left):
        return RecentLosses()
    return store.losses(window_start(prepared.rules.policy.guard, now))


class LossCount:
    """Counts what one pass takes away.

    Args:
        store: where it is kept.
        clock: time.
        prepared: the pass.
        selection: what was asked for.
    """

    def __init__(self, store: Store, clock: Clock, prepared: Prepared, selection: Selection) -> None:
        self._store, self._clock, self._policy = store, clock, prepared.rules.policy.guard
        approved = bool(prepared.verdict.hash) and not prepared.verdict.tripped
        self._counts = not (approved or selection.force)

    def intended(self, jobs: Sequence[Job], records: Mapping[str, AssetRecord]) -> None:
        """Count the assets from which the next write takes something, in the commit that records it."""
        if not self._counts:
            return
        losing = {
            job.asset_id: _before(job, records.get(job.asset_id)) for job in jobs if job.write.plan.takes_away
        }
        if losing:
            now = self._clock.now()
            self._store.note_losses("values", losing, now, window_start(self._policy, now))

    def unlinked(self, records: Iterable[AssetRecord], before: Mapping[str, AssetRecord]) -> None:
        """Count those of the records that say anew that their image left the catalogue; likewise."""
        gone = [one.asset_id for one in records if not one.linked]
        self.left(asset_id for asset_id in gone if asset_id in before and before[asset_id].linked)

    def left(self, asset_ids: Iterable[str]) -> None:
        """Count the assets whose images left the catalogue, in the commit that takes note of it."""
        leaving = dict.fromkeys(asset_ids, "") if self._counts else {}
        if leaving:
            now = self._clock.now()
            self._store.note_losses("left", leaving, now, window_start(self._policy, now))


def _before(job: Job, record: AssetRecord | None) -> str:
    """Return the fingerprint at which the loss is made good; none where the catalogue did not change."""
    known = record.fingerprint if record else ""
    return known if known != job.item.fingerprint else ""
