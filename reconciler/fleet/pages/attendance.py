"""An attendance: while somebody looks at an installation's pages, this process works for it as its daemon.

So its pages are a daemon's, with everything on them, and there is one writer, whoever it is. A worker that is
there finishes what is in flight and leaves; workers go on once nobody looks any more.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import structlog
from procrastinate import exceptions

from reconciler.app.doctor.page import doctor_of
from reconciler.app.serving import pages_of
from reconciler.app.wiring import Present
from reconciler.errors import LeaseHeldError, ReconcilerError, StateError, StateTooNewError
from reconciler.fleet import tasks
from reconciler.fleet.ceiling import ServerBusyError
from reconciler.fleet.overhearing import overhearing
from reconciler.fleet.standing import NotAtWorkError
from reconciler.fleet.statuses import status_of
from reconciler.fleet.tasks import Task
from reconciler.fleet.visit import is_done, server_of
from reconciler.service.api import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    import procrastinate
    from starlette.applications import Starlette

    from reconciler.core.ports import Clock
    from reconciler.fleet.ceiling import Ceiling
    from reconciler.fleet.configured import Configured
    from reconciler.fleet.standing import Standing, Standings
    from reconciler.fleet.statuses import Told
    from reconciler.rendering.renderer import SafeRenderer
    from reconciler.service.service import Service
    from reconciler.web.access.policy import Access

PATIENCE_S: Final = 30.0
"""Seconds for which the right to write is waited for: longer than it outlives a worker that died."""
_ASKED_S: Final = 5.0
"""Seconds until a worker is asked once more to leave."""
_WATCHED_S: Final = 3.0
_TOLD_S: Final = 60.0
FIRST_LOOK_S: Final = 1.5
"""Seconds for which the pages wait for the first look."""
_STOP_S: Final = 7.0
"""Seconds for calls in flight at the end."""
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


@dataclass(frozen=True, slots=True)
class Parts:
    """What all attendances of a process share."""

    configured: Configured
    standings: Standings
    ceiling: Ceiling
    clock: Clock
    renderer: SafeRenderer
    statuses: Told
    queue: procrastinate.App
    """Open."""


class Attendance:
    """One installation that this process works for, for as long as ``keep`` runs.

    Args:
        name: the installation's.
        access: who may see its pages.
        parts: what all share.
    """

    def __init__(self, name: str, access: Access, parts: Parts) -> None:
        self.name, self._access, self._parts = name, access, parts
        self.app: Starlette | None = None
        """Its pages, once the right to write is had."""
        self.begun = asyncio.Event()
        """Set once the pages are there, or the attendance has ended."""
        self.error: ReconcilerError | None = None
        """Why it ended, unless nobody looks any more."""
        self.ended_at = float("inf")
        """In monotonic seconds."""
        self._end = asyncio.Event()
        self._service: Service | None = None
        self._next_look: datetime | None = None

    @property
    def is_ending(self) -> bool:
        """Whether it takes nothing new: it is to end, or the right to write was lost."""
        return self._end.is_set() or (self._service is not None and self._service.is_forbidden)

    @property
    def has_wishes(self) -> bool:
        """Whether something that a person asked for is not done yet."""
        return self._service is not None and bool(self._service.wished_for)

    def end(self) -> None:
        """Finish what is in flight, and let workers go on."""
        self._end.set()
        self.app = None

    async def keep(self) -> None:
        """Work for the installation until it is to end, or cannot go on: see ``error``."""
        try:
            async with self._parts.standings.alone(self.name) as standing, AsyncExitStack() as stack:
                service = await self._taken(standing, stack)
                if service is not None:
                    try:
                        await self._attend(standing, service)
                    finally:
                        standing.service = None  # it was stopped for good
        except ReconcilerError as error:
            self.error = error
            _LOGGER.warning("pages closed", installation=self.name, error=error.message)
        except Exception as error:
            self.error = ReconcilerError(
                f"The pages of {self.name} met an error that nobody expected.",
                remedy="The log has it. Try again; nothing that was written is lost.",
            )
            _LOGGER.critical("pages closed", installation=self.name, exc_info=error)
        finally:
            self._service, self.app, self.ended_at = None, None, self._parts.clock.monotonic()
            self.begun.set()

    # What the queue asks: see ``overhearing.Listener``

    def wish(self, _: str, request: Request) -> str | None:
        """Ask the service for more."""
        return None if self._service is None else self._service.enqueue(request)

    def is_done(self, _: str, run_id: str) -> bool:
        """Return whether a run is done, or never can be."""
        return self._service is not None and is_done(self._service, run_id)

    def leave(self, _: str) -> bool:
        """Stay: the pages that were opened are these."""
        return True

    async def _taken(self, standing: Standing, stack: AsyncExitStack) -> Service | None:
        """Wait for the right to write; ``None``: nobody looks any more.

        Raises:
            LeaseHeldError: another process keeps it.
        """
        clock = self._parts.clock
        until, asked = clock.monotonic() + PATIENCE_S, float("-inf")
        while not self._end.is_set():
            try:
                return await stack.enter_async_context(self._parts.standings.by_right(standing))
            except LeaseHeldError:
                now = clock.monotonic()
                if now >= until:
                    raise
                if now >= asked + _ASKED_S:
                    asked = now
                    await self._put(Task(tasks.LEAVE, self.name))
                await clock.sleep(0.3)
        return None

    async def _put(self, task: Task) -> None:
        try:
            await tasks.put(self._parts.queue, task)
        except (exceptions.ConnectorException, psycopg.Error) as error:
            _LOGGER.warning("the queue cannot be reached", installation=self.name, error=type(error).__name__)

    async def _attend(self, standing: Standing, service: Service) -> None:
        parts, present = self._parts, Present(standing.installed)
        app = pages_of(
            standing.config,
            service,
            present,
            standing.store,
            access=self._access,
            renderer=parts.renderer,
            passes=lambda: service.passes,
            doctor=doctor_of(
                standing.config, service, present, standing.store, parts.renderer,
                lambda: parts.configured.load(self.name),
            ),
            messenger=standing.noticing,
            installation=self.name,
        )  # fmt: skip
        service.upcoming = lambda: {} if self._next_look is None else {"immich": self._next_look}
        held = bool(await asyncio.to_thread(lambda: standing.store.counts_by_status().get("held")))
        first = service.enqueue(Request(full=held, hints=True, by_person=False, trigger="start"))
        self._service, self.app = service, app
        work = [
            asyncio.create_task(each)
            for each in (
                service.serve(lambda: self._turn(standing)), self._look(standing, service),
                self._watch(standing, service), app.state.warm(),
            )
        ]  # fmt: skip
        if standing.noticing is not None:
            work.append(asyncio.create_task(standing.noticing.keep()))
        kinds = (*tasks.BY_PERSON, "audit", tasks.LEAVE)
        try:
            async with overhearing(parts.queue, self, self.name, kinds):
                # A page that has seen nothing yet knows neither a picture nor a state.
                await service.wait(first, FIRST_LOOK_S)
                self.begun.set()
                _LOGGER.info("pages opened", installation=self.name)
                try:
                    await self._until_end(work)
                finally:
                    self.end()
                    app.state.panel.closing.set()
                    await self._finish(service)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            _LOGGER.info("pages closed", installation=self.name)

    async def _finish(self, service: Service) -> None:
        """Let what is in flight come to its end; what persons asked for, and is not done, workers do."""
        wishes = {one.run_id: one.request for one in service.wished_for}
        await service.stop(_STOP_S)
        wishes |= {one.run_id: one.request for one in service.wished_for}
        for run_id, request in wishes.items():
            state = service.run_state(run_id)
            if state is None or state.state in {"queued", "running", "stopped"}:
                await self._put(Task.of_request(self.name, request))
        if not service.is_forbidden:
            await self._parts.statuses.visited(self.name, service.snapshot())

    async def _until_end(self, work: list[asyncio.Task[None]]) -> None:
        """Wait until it is to end, or a part of the work has failed.

        Raises:
            ReconcilerError: it has.
        """
        end = asyncio.create_task(self._end.wait())
        waited = {end, *work}
        try:
            while not end.done():
                done, waited = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {end}:
                    task.result()
        finally:
            end.cancel()

    @asynccontextmanager
    async def _turn(self, standing: Standing) -> AsyncIterator[None]:
        """Keep below the server's ceiling within; waits for as long as it takes."""
        async with AsyncExitStack() as stack:
            while True:
                places = self._parts.ceiling.below(server_of(standing), standing.config.immich.in_flight)
                try:
                    await stack.enter_async_context(places)
                except ServerBusyError:
                    continue
                except StateError:  # the database is away: without it nothing is written
                    await self._parts.clock.sleep(_WATCHED_S)
                    continue
                break
            yield

    async def _look(self, standing: Standing, service: Service) -> None:
        """Have the service look at Skymmich and Immich as often as a daemon would."""
        schedule, clock = standing.config.schedule, self._parts.clock
        due = clock.monotonic() + schedule.immich_seconds
        while True:
            self._next_look = clock.now() + timedelta(seconds=max(0.0, due - clock.monotonic()))
            await clock.sleep(schedule.catalogue_seconds)
            await service.look_at_catalogue(delay=schedule.debounce_seconds)
            if clock.monotonic() >= due:
                due = clock.monotonic() + schedule.immich_seconds
                service.enqueue(Request(by_person=False, trigger="immich", hints=True))

    async def _watch(self, standing: Standing, service: Service) -> None:
        """Tell how it stands; end once it is not to be worked for, or is configured otherwise."""
        clock, standings = self._parts.clock, self._parts.standings
        told, told_at = ("", ""), float("-inf")
        while True:
            await clock.sleep(_WATCHED_S)
            try:
                await standings.check(standing)
            except (NotAtWorkError, StateTooNewError) as error:
                self.error = error
                self.end()
                return
            except StateError:
                continue  # the database is away: the right to write is lost by then, or it is back
            if standing.service is not service or not await standings.is_as_configured(standing):
                self.end()
                return
            snapshot, now = service.snapshot(), clock.monotonic()
            if snapshot.checked_at and ((new := status_of(snapshot)) != told or now >= told_at + _TOLD_S):
                told, told_at = new, now
                await self._parts.statuses.visited(self.name, snapshot)
