"""A worker's process: takes tasks from the queue until it is stopped, and those of workers that died.

It needs the database; without it nothing is written and nothing taken, and it waits until that is back.
"""

from __future__ import annotations

import asyncio
import signal
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import procrastinate
import psycopg
import structlog
from procrastinate import exceptions, jobs

from reconciler.errors import LeaseHeldError, LeaseLostError, ReconcilerError, StateError, StateTooNewError
from reconciler.fleet import process, tasks
from reconciler.fleet.ceiling import Ceiling, ServerBusyError
from reconciler.fleet.configured import Configured
from reconciler.fleet.health import Health, health_server
from reconciler.fleet.overhearing import overhearing
from reconciler.fleet.standing import NotAtWorkError, PausedError, Standings
from reconciler.fleet.statuses import Told
from reconciler.fleet.tasks import Task
from reconciler.fleet.visit import Outcome, Visits
from reconciler.immich.client import SystemClock
from reconciler.messages.voice import told
from reconciler.rendering.renderer import SafeRenderer
from state.lease import PAGE
from state.postgres import installations
from state.postgres.place import PostgresPlace
from state.postgres.places import Places
from state.postgres.statuses import statuses

if TYPE_CHECKING:
    from reconciler.config import Config
    from reconciler.fleet.health import Result

HEARTBEAT_S: Final = 4.0
STALLED_S: Final = 12.0
"""After so many seconds without a heartbeat a worker's tasks are taken from it."""
BUSY_S: Final = 5.0
"""Seconds until an installation is visited again that another process writes for."""
LEFT_S: Final = 1.0
"""Seconds for which an installation that was left to its pages is at no worker's disposal."""
GRACE_S: Final = 20.0
"""Seconds for what is in flight, after the signal to stop."""
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


def run(config: Config, concurrency: int) -> int:
    """Run a worker until it is stopped; gives the exit code.

    Args:
        config: the fleet's.
        concurrency: installations that are visited at the same time.

    Raises:
        ConfigurationError: it names no folder of installations, or no PostgreSQL database.
    """
    return process.run(config, _Worker(config, Configured(config), concurrency).run())


class _Worker:
    def __init__(self, config: Config, configured: Configured, concurrency: int) -> None:
        self._config, self._concurrency = config, concurrency
        self._address, self._look = configured.address, config.fleet.look_seconds
        self._every = min(self._look, 60.0)
        """Seconds between two schedulings; what failed of what a person asked is tried again after them."""
        self._renderer, self._clock = SafeRenderer(), SystemClock()
        database = PostgresPlace(self._address)
        self._places, self._statuses = Places(database), Told(database, self._clock)
        self._standings = Standings(
            configured,
            self._clock,
            self._renderer,
            right=config.fleet.right_seconds,
            fresh_for=3 * self._look + 15,
        )
        ceiling = Ceiling(self._places, config.fleet.requests_per_server)
        self._visits = Visits(self._standings, ceiling, self._clock, told=self._statuses.visited)
        self._stop = asyncio.Event()
        self._failure: ReconcilerError | None = None
        self._told: dict[str, str] = {}
        """What was last said of an installation that cannot be visited."""
        self.health = Health(concurrency, lambda: statuses(self._address, expected=True))

    async def run(self) -> int:
        """Work until a signal says to stop, or a newer version took over."""
        loop = asyncio.get_running_loop()
        # What blocks, such as reading a catalogue, must not keep the renewal of a right waiting.
        loop.set_default_executor(ThreadPoolExecutor(4 * self._concurrency + 8, "worker"))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        status = self._config.status
        with self._renderer:
            async with health_server(self.health, status.host, status.port, status.shown_token) as url:
                _LOGGER.info("ready", health=url, concurrency=self._concurrency)
                while not self._stop.is_set():
                    try:
                        await self._serve()
                    except process.DATABASE_ERRORS as error:
                        self.health.connected = False
                        await process.wait_for_database(error, self._stop)
                await self._standings.aclose()
                await asyncio.to_thread(self._places.close)
                await asyncio.to_thread(self._statuses.close)
        if self._failure is not None:
            raise self._failure
        _LOGGER.info("stopped")
        return 0

    async def _serve(self) -> None:
        """Take tasks for as long as the database is there."""
        await asyncio.to_thread(tasks.make_tables, self._address)
        app = tasks.app_at(self._address)
        self._register(app)
        async with app.open_async():
            self.health.connected = True
            work = asyncio.create_task(
                app.run_worker_async(
                    queues=[tasks.QUEUE, tasks.SCHEDULE],
                    concurrency=self._concurrency + 1,  # scheduling waits for nobody
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=GRACE_S,
                    update_heartbeat_interval=HEARTBEAT_S,
                    stalled_worker_timeout=STALLED_S,
                    fetch_job_polling_interval=2.0,
                    delete_jobs="always",
                )
            )
            rescue = asyncio.create_task(self._rescue(app))
            stop = asyncio.create_task(self._stop.wait())
            await asyncio.wait({work, rescue, stop}, return_when=asyncio.FIRST_COMPLETED)
            self.health.connected = self._stop.is_set()
            if self._stop.is_set():
                _LOGGER.info("stopping: what is in flight is finished and recorded")
                self.health.draining = True
                self._visits.stop()
            for task in (rescue, stop, work):
                task.cancel()
            ended = await asyncio.gather(work, rescue, stop, return_exceptions=True)
            self.health.connected = False
            for error in ended:
                if isinstance(error, Exception) and not self._stop.is_set():
                    raise error

    def _register(self, app: procrastinate.App) -> None:
        def task(kind: str) -> None:
            async def visit(**arguments: object) -> None:
                await self._visit(app, Task.of(kind, arguments))

            app.task(name=kind, queue=tasks.QUEUE)(visit)

        for kind in tasks.PRIORITIES:
            task(kind)
        seconds = f" */{int(self._look)}" if self._look < 60 else ""

        @app.periodic(cron=f"* * * * *{seconds}")
        @app.task(name="schedule", queue=tasks.SCHEDULE, queueing_lock="schedule", priority=20)
        async def schedule(timestamp: int) -> None:
            await self._schedule(app, timestamp)

    async def _schedule(self, app: procrastinate.App, moment: int) -> None:
        """Put what is due into the queue, spread over the interval."""
        known = await asyncio.to_thread(installations.installations, self._address)
        for one in known:
            if one.paused_at is not None:
                continue
            turn = zlib.crc32(one.name.encode())
            if (moment + turn) % max(self._look, 1.0) < self._every:
                await tasks.put(app, Task("look", one.name), in_seconds=turn % max(1, int(self._every)))
            for kind in ("audit", "tidy"):
                if tasks.due_today(one.name, kind, moment, self._every):
                    await tasks.put(app, Task(kind, one.name))
        self.health.count_installations(len(known))

    async def _visit(self, app: procrastinate.App, task: Task) -> None:
        """Carry a task out; an installation that cannot be visited costs only itself.

        What a person asked for stays in the queue until it is done, or never can be.
        """
        name, again = task.installation, None
        with self.health.visiting(task.kind) as visit:
            try:
                outcome = await self._attended(app, task)
            except StateTooNewError as error:
                visit.result, again = "newer", BUSY_S
                self._failure = error
                self._stop.set()
            except LeaseLostError as error:
                visit.result, again = "lost", BUSY_S
                _LOGGER.warning("right lost", installation=name, error=error.message)
            except NotAtWorkError as error:
                visit.result = "left"
                again = self._every if isinstance(error, PausedError) and task.is_persons else None
                await self._standings.forget(name)
            except (LeaseHeldError, ServerBusyError) as error:
                visit.result, again = "busy", self._busy_for(error)
            except ReconcilerError as error:
                visit.result, again = await self._failed(task, error)
            except BaseException:  # the worker ends before the visit could, or nobody expected it
                if task.is_persons:
                    await asyncio.shield(self._later(app, task, BUSY_S))
                raise
            else:
                self._told.pop(name, None)
                await self._after(app, task, outcome)
            if again is not None:
                await self._later(app, task, again)

    async def _failed(self, task: Task, error: ReconcilerError) -> tuple[Result, float | None]:
        """Tell why a visit failed; return its result, and the seconds until it is tried again, if it is."""
        name = task.installation
        if isinstance(error, StateError) and await self._standings.is_removed(name):  # amid the visit
            await self._standings.forget(name)
            return "left", None
        self._tell(name, error)
        await self._statuses.failed(name, error)
        return "failed", BUSY_S if task.is_persons or isinstance(error, StateError) else None

    def _busy_for(self, error: ReconcilerError) -> float:
        """Return the seconds until it is tried again; where its pages are open, wishes are heard there."""
        return self._every if isinstance(error, LeaseHeldError) and error.by == PAGE else BUSY_S

    async def _after(self, app: procrastinate.App, task: Task, outcome: Outcome) -> None:
        """Put into the queue what is still to be done after a visit, and what is due soon."""
        if outcome.broken_off:
            await self._later(app, task, BUSY_S)
            if outcome.is_left:  # else this worker's next task would have the right first
                await asyncio.sleep(LEFT_S)
        elif task.is_persons and not outcome.is_done:
            await self._later(app, task, self._every)
        if outcome.due is not None and outcome.due < self._look:
            await self._later(app, Task("look", task.installation), outcome.due)

    async def _attended(self, app: procrastinate.App, task: Task) -> Outcome:
        """Visit, and do within the same visit what a person asks for meanwhile: before what goes on."""
        if task.kind == tasks.LEAVE:  # nobody visits it: there is nothing to leave
            return Outcome(is_done=True, broken_off=False)
        if task.kind == "tidy":
            await self._visits.tidy(task.installation)
            return Outcome(is_done=True, broken_off=False)
        kinds = (*tasks.BY_PERSON, tasks.LEAVE)
        async with overhearing(app, self._visits, task.installation, kinds):
            return await self._visits.visit(task.installation, task.request)

    async def _later(self, app: procrastinate.App, task: Task, seconds: float) -> None:
        with suppress(exceptions.ConnectorException, psycopg.Error):
            await tasks.put(app, task, in_seconds=max(seconds, 1.0))

    def _tell(self, name: str, error: ReconcilerError) -> None:
        if self._told.get(name) != error.message:
            self._told[name] = error.message
            _LOGGER.error("not visited", installation=name, error=told(error, "daemon"))

    async def _rescue(self, app: procrastinate.App) -> None:
        """Put back into the queue what workers had that died, or are cut off."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
                await _put_back(app, job)


async def _put_back(app: procrastinate.App, job: jobs.Job) -> None:
    _LOGGER.warning("taken from a worker that is gone", task=job.task_name, **_installation(job))
    try:
        await app.job_manager.retry_job(job)
    except exceptions.ConnectorException:
        # The same waits in the queue already, or another worker was faster.
        with suppress(exceptions.ConnectorException):
            await app.job_manager.finish_job(job, jobs.Status.FAILED, delete_job=True)


def _installation(job: jobs.Job) -> dict[str, Any]:
    return {"installation": job.task_kwargs.get("installation")}
