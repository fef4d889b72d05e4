"""A visit: a worker takes an installation's right to write, lets its service do what is due, gives it back.

The service is the daemon's own. What it remembers between looks stays with the worker for as long as no other
process took the right in between; otherwise, as after a restart, everything begins from the store.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final

import structlog

from reconciler import logging as logs
from reconciler.app.housekeeping import tidy
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
    from collections.abc import AsyncIterator, Awaitable, Callable

    from reconciler.config import Config
    from reconciler.core.ports import Clock
    from reconciler.fleet.ceiling import Ceiling
    from reconciler.fleet.configured import Configured
    from reconciler.rendering.renderer import SafeRenderer
    from reconciler.service.api import Request, Snapshot

LINGER: Final = 3.0
"""Seconds for which a visit waits for what is due next, rather than come back for it."""
KEPT: Final = 200
"""Installations whose services stay in memory between visits."""
_AT_WORK: Final = (
    "SELECT version_num || coalesce((SELECT CASE WHEN paused_at IS NULL THEN '' ELSE ' paused' END "
    "FROM installations WHERE name = ?), ' removed') FROM alembic_version"
)
_FOR_GOOD: Final = frozenset({"UndoError", "ObservingError", "NotBegunError"})
"""Errors of a run that it would meet again, however often it is tried."""
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


class NotAtWorkError(ReconcilerError):
    """An installation was removed since its task was put into the queue."""


class PausedError(NotAtWorkError):
    """It was paused."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a visit."""

    due: float | None = None
    """Seconds until more is due, if that is known."""
    is_done: bool = False
    """Whether what was asked for is done, or never can be."""
    broken_off: bool = True
    """Whether the worker ends, or the right was lost."""


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

    async def aclose(self) -> None:
        """Close what is open."""
        await self.installed.aclose()
        await asyncio.to_thread(self.store.close)


class Visits:
    """Visits of one worker. An installation is visited once at a time: who calls sees to that.

    Args:
        configured: finds configurations.
        ceiling: of requests for each server.
        clock: time.
        renderer: of users' templates.
        right: how long the right to write outlives this worker.
        fresh_for: seconds for which a look counts.
        told: is told how a visit leaves an installation, by its name.
    """

    def __init__(
        self,
        configured: Configured,
        ceiling: Ceiling,
        clock: Clock,
        renderer: SafeRenderer,
        *,
        right: float,
        fresh_for: float,
        told: Callable[[str, Snapshot], Awaitable[None]],
    ) -> None:
        self._told = told
        self._configured, self._ceiling = configured, ceiling
        self._clock, self._renderer = clock, renderer
        self._right, self._fresh_for = timedelta(seconds=right), fresh_for
        self._kept: dict[str, Standing] = {}
        self._at_work: set[str] = set()
        self._stopping = False

    async def visit(self, name: str, request: Request) -> Outcome:
        """Let an installation's service do what is asked and what is due.

        Raises:
            LeaseHeldError: another process has the right to write.
            ServerBusyError: as many requests are under way at its server as may be.
            PausedError, NotAtWorkError: it is paused, or was removed.
            StateTooNewError: a newer version brought the tables up to date: this one is to end.
            ReconcilerError: the installation cannot be visited.
        """
        if self._ends():
            return Outcome()
        async with self._alone(name) as standing, AsyncExitStack() as at_server:
            server = standing.installed.immich_url or _named(standing.config)
            await at_server.enter_async_context(self._ceiling.below(server, standing.config.immich.in_flight))
            async with self._by_right(standing) as service:
                run_id = service.enqueue(request)
                due = await self._work(standing, service)
                if standing.service is not service or service.is_forbidden:
                    standing.service = None
                    return Outcome()  # the right was lost: who has it now tells how it is
                await at_server.aclose()
                await self._told(name, service.snapshot())
                if standing.noticing is not None and not self._ends():
                    await standing.noticing.look()
                done = _is_done(service, run_id)
                return Outcome(due, done, broken_off=self._ends() and not done)

    def wish(self, name: str, request: Request) -> str | None:
        """Ask an installation's service for more, if it is at work here; gives the run's id, else ``None``.

        What a person asks for goes before the pass that is under way, as in a daemon.
        """
        standing = self._kept.get(name)
        if standing is None or standing.service is None or not standing.takes_wishes or self._ends():
            return None
        return standing.service.enqueue(request)

    def is_done(self, name: str, run_id: str) -> bool:
        """Return whether a run is done that was wished for here, or never can be."""
        standing = self._kept.get(name)
        return standing is not None and standing.service is not None and _is_done(standing.service, run_id)

    async def tidy(self, name: str) -> None:
        """Forget an installation's old history.

        Raises:
            LeaseHeldError, PausedError, NotAtWorkError, StateTooNewError, ReconcilerError: as ``visit``.
        """
        async with self._alone(name) as standing:
            days = standing.config.schedule.journal_days
            await asyncio.to_thread(tidy, standing.store, self._clock.now(), days)

    @asynccontextmanager
    async def _alone(self, name: str) -> AsyncIterator[Standing]:
        """Yield what stands of an installation; it is at nobody else's disposal in this process meanwhile."""
        if name in self._at_work:
            # Its task was given out once more, as if this worker were gone.
            raise LeaseHeldError(f"{name} is visited by this worker already.")
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

    def stop(self) -> None:
        """Begin nothing new: what is in flight finishes and is recorded."""
        self._stopping = True
        for standing in self._kept.values():
            if standing.service is not None:
                standing.service.stop_run()

    def _ends(self) -> bool:
        """Return whether to begin nothing more. Asked anew after each await: the signal may have come."""
        return self._stopping

    async def aclose(self) -> None:
        """Close everything."""
        for standing in self._kept.values():
            await standing.aclose()
        self._kept.clear()

    async def _work(self, standing: Standing, service: Service) -> float | None:
        """Work until nothing is due for a while; gives the seconds until then, if that is known."""
        standing.takes_wishes = True
        try:
            while not self._ends():
                if await service.tick():
                    continue
                due = service.next_due()
                wait = None if due is None else max(0.0, due - self._clock.monotonic())
                if wait is None or wait > LINGER:
                    return wait
                await asyncio.sleep(wait)
            return None
        finally:
            standing.takes_wishes = False

    @asynccontextmanager
    async def _by_right(self, standing: Standing) -> AsyncIterator[Service]:
        """Hold the right to write within, and renew it."""
        await asyncio.to_thread(standing.lease.acquire, "worker", self._right)
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
            told = await asyncio.to_thread(known.store.database.single, _AT_WORK, name)
        except StateError:
            # It may have been removed, and made anew: what is known of it is no more.
            await self._kept.pop(name).aclose()
            raise
        found, _, why = str(told).partition(" ")
        if why == "paused":
            raise PausedError(f"{name} is paused.")
        if why:
            raise NotAtWorkError(f"{name} was removed.")
        if found != HEAD:
            raise StateTooNewError(
                f"A newer version brought the state store up to date (its schema is {found!r}, this one's "
                f"{HEAD!r}). Nothing more is taken by this worker.",
                remedy="Install that version here, too.",
            )
        idle = [each for each in self._kept if each not in self._at_work]
        for old in idle[: max(0, len(self._kept) - KEPT)]:
            await self._kept.pop(old).aclose()
        return known

    def _opened(self, name: str, stamp: tuple[object, ...]) -> Standing:
        if not exists(PostgresPlace(self._configured.address, name)):
            raise NotAtWorkError(f"There is no installation {name}.")
        config = self._configured.load(name)
        for secret in config.secrets():
            logs.register_secret(secret)
        store = StateStore.open(place_of(config))
        try:
            return Standing(
                name, stamp, config, store, Installed(config, store), Lease(store, self._clock.now)
            )
        except ReconcilerError:
            store.close()
            raise


def _named(config: Config) -> str:
    return config.immich.url.get_secret_value() if config.immich.url else ""


def _is_done(service: Service, run_id: str) -> bool:
    state = service.run_state(run_id)
    if state is None or state.state == "done":
        return True
    kinds = {dict(one.params).get("kind") for one in state.error}
    return state.state == "failed" and bool(kinds & _FOR_GOOD)
