"""What a process has of an installation: its configuration, its store, its service, and the right to write.

The service is the daemon's own. What it remembers between looks stays in memory for as long as no other
process took the right in between; otherwise, as after a restart, everything begins from the store.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final

import structlog

from reconciler.app.local_time import local_zone
from reconciler.app.noticing import Noticing
from reconciler.app.store_place import place_of
from reconciler.app.wiring import Installed, listener
from reconciler.core.reasons import of_error
from reconciler.errors import LeaseHeldError, LeaseLostError, ReconcilerError, StateError, StateTooNewError
from reconciler.messages.reasons import sentence
from reconciler.service.service import Service
from state.lease import Lease
from state.migrations import HEAD
from state.postgres.opening import exists
from state.postgres.place import PostgresPlace
from state.store import StateStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from reconciler.config import Config
    from reconciler.core.ports import Clock
    from reconciler.fleet.configured import Configured
    from reconciler.rendering.renderer import SafeRenderer

KEPT: Final = 200
"""Installations whose services stay in memory between visits."""
_AT_WORK: Final = (
    "SELECT version_num || coalesce((SELECT CASE WHEN paused_at IS NULL THEN '' ELSE ' paused' END "
    "FROM installations WHERE name = ?), ' removed') FROM alembic_version"
)
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


class NotAtWorkError(ReconcilerError):
    """An installation was removed since its task was put into the queue."""


class PausedError(NotAtWorkError):
    """It was paused."""


@dataclass(slots=True)
class Standing:
    """What stays in memory of an installation between two visits."""

    name: str
    stamp: tuple[object, ...]
    config: Config
    store: StateStore
    installed: Installed
    lease: Lease
    service: Service | None = None
    """``None``: another process had the right since."""
    noticing: Noticing | None = None
    """Tells people what needs them, as the service finds it."""
    term: int = -1
    """Counts the takings of the right up to this worker's last one."""
    takes_wishes: bool = False
    """Whether its service is at work, and does what else is asked of it before the visit ends."""
    is_left: bool = False
    """Whether the visit is to end, because a person opened the installation's pages."""

    async def aclose(self) -> None:
        """Close what is open."""
        await self.installed.aclose()
        await asyncio.to_thread(self.store.close)


class Standings:
    """The installations that one process has at its disposal.

    Args:
        configured: finds configurations.
        clock: time.
        renderer: of users' templates.
        right: seconds for which the right to write outlives this process.
        fresh_for: seconds for which a look counts.
        what: this process is, as it is shown to others.
    """

    def __init__(
        self,
        configured: Configured,
        clock: Clock,
        renderer: SafeRenderer,
        *,
        right: float,
        fresh_for: float,
        what: str = "worker",
    ) -> None:
        self._configured, self._clock, self._renderer = configured, clock, renderer
        self._right, self._fresh_for, self._what = timedelta(seconds=right), fresh_for, what
        self._kept: dict[str, Standing] = {}
        self._at_work: set[str] = set()

    def get(self, name: str) -> Standing | None:
        """Return what is kept of an installation, if anything is."""
        return self._kept.get(name)

    def __iter__(self) -> Iterator[Standing]:
        return iter(list(self._kept.values()))

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[Standing]:
        """Yield what stands of an installation; it is at nobody else's disposal in this process meanwhile."""
        if name in self._at_work:
            # Its task was given out once more, as if this worker were gone.
            raise LeaseHeldError(f"{name} is at work in this process already.")
        self._at_work.add(name)
        with structlog.contextvars.bound_contextvars(installation=name):
            try:
                yield await self._standing(name)
            finally:
                self._at_work.discard(name)

    async def forget(self, name: str) -> None:
        """Close what is open of an installation that is visited no more."""
        if name not in self._at_work and (known := self._kept.pop(name, None)) is not None:
            await known.aclose()

    async def aclose(self) -> None:
        """Close everything."""
        for standing in self._kept.values():
            await standing.aclose()
        self._kept.clear()

    @asynccontextmanager
    async def by_right(self, standing: Standing) -> AsyncIterator[Service]:
        """Hold the right to write within, and renew it."""
        await asyncio.to_thread(standing.lease.acquire, self._what, self._right)
        try:
            service = await asyncio.to_thread(self._begun, standing)
            keeper = asyncio.create_task(self._keep(standing, service))
            try:
                yield service
            finally:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)
        finally:
            # Where the database cannot be reached it ends by itself.
            with suppress(StateError):
                await asyncio.to_thread(standing.lease.release)

    def _begun(self, standing: Standing) -> Service:
        """Return the service: as it was left, if nobody else had the right since."""
        fence = standing.store.fence
        term = -1 if fence is None else fence.term
        if standing.service is None or term != standing.term + 1:
            standing.store.mark_interrupted(alone=True)
            standing.service = Service(
                standing.installed,
                standing.store,
                self._clock,
                random=Random(),  # noqa: S311  jitter and names of runs
                fresh_for=self._fresh_for,
                listen=listener(),
                renderer=self._renderer,
                words=sentence,
            )
            # What was told is in the store: another worker may have told it since.
            standing.noticing = Noticing(
                standing.service,
                standing.store,
                self._clock,
                zone=local_zone(),
                section=standing.config.notices,
                listen=listener(),
                anew=False,
            )
        standing.term = term
        standing.service.forbid(None)
        return standing.service

    async def _keep(self, standing: Standing, service: Service) -> None:
        """Renew the right; let the service write nothing any more once it is lost."""
        while True:
            await asyncio.sleep(self._right.total_seconds() / 4)
            try:
                await asyncio.to_thread(standing.lease.renew)
            except LeaseLostError as error:
                standing.service = None
                service.forbid(of_error(error))
                _LOGGER.warning("right lost", installation=standing.name, error=error.message)
                return
            except StateError as error:
                _LOGGER.warning("right not renewed", installation=standing.name, error=error.message)

    async def _standing(self, name: str) -> Standing:
        stamp = await asyncio.to_thread(self._configured.stamp, name)
        known = self._kept.pop(name, None)
        if known is not None and known.stamp != stamp:
            await known.aclose()
            known = None
        if known is None:
            known = await asyncio.to_thread(self._opened, name, stamp)
        self._kept[name] = known  # the last one is the one that was visited last
        try:
            await self.check(known)
        except StateError:
            # It may have been removed, and made anew: what is known of it is no more.
            await self._kept.pop(name).aclose()
            raise
        idle = [each for each in self._kept if each not in self._at_work]
        for old in idle[: max(0, len(self._kept) - KEPT)]:
            await self._kept.pop(old).aclose()
        return known

    async def check(self, standing: Standing) -> None:
        """Make sure that an installation is still to be worked for, and that this version may.

        Raises:
            PausedError, NotAtWorkError: it is paused, or was removed.
            StateTooNewError: a newer version brought the tables up to date.
            StateError: the database cannot be asked.
        """
        name = standing.name
        told = await asyncio.to_thread(standing.store.database.single, _AT_WORK, name)
        found, _, why = str(told).partition(" ")
        if why == "paused":
            raise PausedError(f"{name} is paused.", remedy=f"skymmich-reconciler installations resume {name}")
        if why:
            raise NotAtWorkError(f"{name} was removed.")
        if found != HEAD:
            raise StateTooNewError(
                f"A newer version brought the state store up to date (its schema is {found!r}, this one's "
                f"{HEAD!r}). Nothing more is taken by this {self._what}.",
                remedy="Install that version here, too.",
            )

    async def is_removed(self, name: str) -> bool:
        """Return whether an installation is there no more; ``False``, too, where the database cannot say."""
        try:
            return not await asyncio.to_thread(exists, PostgresPlace(self._configured.address, name))
        except StateError:
            return False

    async def is_as_configured(self, standing: Standing) -> bool:
        """Return whether an installation's configuration is still the one it was opened with."""
        return await asyncio.to_thread(self._configured.stamp, standing.name) == standing.stamp

    def _opened(self, name: str, stamp: tuple[object, ...]) -> Standing:
        if not exists(PostgresPlace(self._configured.address, name)):
            raise NotAtWorkError(f"There is no installation {name}.")
        config = self._configured.load(name)
        store = StateStore.open(place_of(config))
        try:
            return Standing(
                name, stamp, config, store, Installed(config, store), Lease(store, self._clock.now)
            )
        except ReconcilerError:
            store.close()
            raise
