"""What the scheduled jobs do. Those that look only enqueue; the service decides when, and what it costs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.app.housekeeping import tidy
from reconciler.core.reasons import of_error, reason
from reconciler.daemon import scheduler as names
from reconciler.engine.events import Event
from reconciler.errors import LeaseHeldError, StateError, StateGoneError
from reconciler.messages.headlines import sentence
from reconciler.messages.voice import told
from reconciler.service.api import Request
from state.daily import copy_daily

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.config.sections import ScheduleSection
    from reconciler.core.ports import Clock
    from reconciler.daemon.heartbeat import Pulse
    from reconciler.daemon.notify import Notifier
    from reconciler.daemon.scheduler import Job
    from reconciler.engine.events import Listener
    from reconciler.service.service import Service
    from state.lease import Lease
    from state.store import StateStore


class Triggers:
    """The jobs.

    Args:
        service: takes the work.
        store: is tidied up.
        lease: this process's right to write; held when this is made.
        clock: time.
        schedule: for the debounce, and for how long the journal is kept; may be exchanged.
        listen: takes events for the log.
        backups: daily copies of the store that are kept.
    """

    def __init__(
        self,
        service: Service,
        store: StateStore,
        lease: Lease,
        clock: Clock,
        schedule: ScheduleSection,
        listen: Listener,
        *,
        backups: int = 0,
    ) -> None:
        self.schedule, self._backups = schedule, backups
        self._service, self._store, self._lease = service, store, lease
        self._clock, self._listen = clock, listen
        self._lost = False
        self._hinted_at = float("-inf")
        self._one_renewal = asyncio.Lock()

    def jobs(self, notifier: Notifier, pulse: Pulse) -> Mapping[str, Job]:
        """Return the jobs by name."""

        async def heartbeat() -> None:
            await self.renew()
            notifier.status(sentence(self._service.snapshot().headline))

        async def watchdog() -> None:
            if pulse.is_fresh:
                notifier.watchdog()

        return {
            names.CATALOGUE: self.catalogue,
            names.IMMICH: self.immich,
            names.AUDIT: self.audit,
            names.HOUSEKEEPING: self.housekeeping,
            names.HEARTBEAT: heartbeat,
            names.WATCHDOG: watchdog,
        }

    async def catalogue(self) -> None:
        """Look whether the catalogue moved, and wait a moment for more of the same edit."""
        await self._service.look_at_catalogue(delay=self.schedule.debounce_seconds)

    async def hint(self, image_id: int | None = None) -> None:
        """Skymmich said that something happened (to this image): look now, and not in a few seconds."""
        await self._service.look_at_catalogue(
            delay=self.schedule.debounce_seconds, trigger="event", image_id=image_id
        )

    async def immich(self) -> None:
        """Look what moved in Immich since the last look."""
        # Half an interval early rather than a whole one late.
        early, now = self.schedule.immich_seconds / 2, self._clock.monotonic()
        due = 0 < self.schedule.hints_seconds <= now - self._hinted_at + early
        self._hinted_at = now if due else self._hinted_at
        self._service.enqueue(Request(by_person=False, trigger="immich", hints=due))

    async def audit(self) -> None:
        """Compare everything: some changes in Immich leave no trace that a look would find."""
        self._service.enqueue(Request(full=True, by_person=False, trigger="audit"))

    def force(self) -> None:
        """Reconcile everything, hashes ignored: a person's wish."""
        self._service.enqueue(Request(full=True, trigger="signal"))

    async def housekeeping(self) -> None:
        """Forget old journal entries and runs, tidy up the store's file, and copy it."""
        now, days = self._clock.now(), self.schedule.journal_days
        try:
            pruned = await asyncio.to_thread(tidy, self._store, now, days)
        except StateError as error:
            self._store_failed(error)
            return
        details = {"journal_entries": pruned.journal, "runs": pruned.runs}
        self._listen(Event("store.tidied", "info", details=details))
        await self.back_up()

    async def back_up(self, *, only_if_missed: bool = False) -> None:
        """Make today's copy of the store, unless there is one; see ``state.daily``."""
        if (file := self._store.file) is None:
            return  # PostgreSQL's own backups have it
        try:
            self._store.require()
            made = await asyncio.to_thread(
                copy_daily, file, self._clock.now(), self._backups, only_if_missed=only_if_missed
            )
        except StateError as error:
            # The store itself may be well: passes go on, and the doctor tells how old the newest copy is.
            self._listen(Event("store.not_copied", "error", details={"error": told(error, "daemon")}))
            return
        if made is not None:
            details = {"path": str(made.path), "bytes": made.size}
            self._listen(Event("store.copied", "info", details=details))

    async def renew(self) -> None:
        """Hold the right to write for another while, or stop writing because another process took it."""
        async with self._one_renewal:
            await self._renew()

    async def renew_anew(self) -> None:
        """Take the right to write in a store that was not there, or is another one now."""
        # One after the other: a renewal that began before would say of this store what holds of the former.
        async with self._one_renewal:
            self._lost = True
            self._service.forbid(reason("right_taken_anew"))
            await self._renew()

    async def _renew(self) -> None:
        if self._lost and self._service.busy:
            return  # a pass that began under the former right must not go on under a new one: it is ending
        try:
            if self._lost:
                await asyncio.to_thread(self._lease.acquire, "daemon", self.lease_time())
                await asyncio.to_thread(self._store.mark_interrupted, alone=True)
            else:
                await asyncio.to_thread(self._lease.renew)
        except LeaseHeldError as error:
            if not self._lost:
                self._listen(Event("lease.lost", "error", details={"error": error.message}))
            self._lost = True
            self._service.forbid(of_error(error))
        except StateError as error:
            self._store_failed(error)
        else:
            if self._lost:
                self._listen(Event("lease.regained", "info"))
                self._service.forbid(None)
                self._service.enqueue(Request(by_person=False, trigger="lease"))
            self._lost = False

    def _store_failed(self, error: StateError) -> None:
        # Of one that is gone the keeper tells, and of what it finds in its place.
        if not isinstance(error, StateGoneError) and self._service.health.failed(error):
            self._listen(Event("store.failed", "error", details={"error": told(error, "daemon")}))

    def lease_time(self) -> timedelta:
        """Return how long the right to write outlives a process that hangs: three heartbeats."""
        return timedelta(seconds=max(3 * self.schedule.heartbeat_seconds, 15.0))
