"""The daemon's process: builds the parts, starts them in order, and ends them in order.

It is ready once configuration, store and status endpoint are; that Immich or the catalogue can be reached is
a condition that is shown and tried again, not a reason to end.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import TYPE_CHECKING, Final

import structlog

from reconciler import logging as logs
from reconciler.app.doctor.checks import changed_at_start
from reconciler.app.doctor.page import doctor_of
from reconciler.app.local_time import local_zone
from reconciler.app.noticing import Noticing
from reconciler.app.serving import web_server
from reconciler.app.source import way_to_skymmich
from reconciler.app.wiring import Installed, Present, listener, store_of
from reconciler.config import load
from reconciler.core.reasons import of_error, reason
from reconciler.core.store_keys import RUNNING, STOPPED
from reconciler.daemon.heartbeat import Pulse
from reconciler.daemon.memory import create_apart, give_back, settle_down, share_one_heap
from reconciler.daemon.notify import Notifier
from reconciler.daemon.scheduler import Scheduler
from reconciler.daemon.signals import Signals, end_within, ignore_early
from reconciler.daemon.store_watch import Keeper
from reconciler.daemon.triggers import Triggers
from reconciler.engine.approvals import begin_moment
from reconciler.engine.planner.desired import sized, try_template
from reconciler.errors import ReconcilerError, StateError
from reconciler.immich.client import SystemClock
from reconciler.messages import headlines
from reconciler.messages.reasons import sentence
from reconciler.messages.voice import remedy_of, told
from reconciler.rendering.renderer import SafeRenderer
from reconciler.service.api import Request
from reconciler.service.service import Service
from state.lease import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from pathlib import Path

    from reconciler.config import Config
    from reconciler.config.sections import ScheduleSection
    from reconciler.web.access.session import Session
    from state.store import StateStore

_PUT_THERE_S: Final = 5.0
"""Seconds in which the store's file is closed after its last commit."""
_PATIENCE, _DEADLINE = 7.0, 9.5
"""Seconds for calls in flight, and for everything, after the first signal to stop."""
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.daemon")


def run(config_path: Path | None, environ: Mapping[str, str]) -> int:
    """Run the daemon until it is stopped.

    Args:
        config_path: the file that ``--config`` names, if it does.
        environ: the process's environment.

    Returns:
        the exit code: 0 after a clean stop, 78 for a configuration that is wrong, 1 for all else.
    """
    ignore_early()
    try:
        config = load(config_path, environ)
    except ReconcilerError as error:
        sys.stderr.write(f"{told(error, 'command')}\n")
        return error.exit_code
    return serve(config, lambda: load(config_path, environ), environ)


def serve(config: Config, reload: Callable[[], Config], environ: Mapping[str, str] | None = None) -> int:
    """Run the daemon with a configuration that is loaded; ``reload`` loads it again at SIGHUP."""
    ignore_early()
    _log_by(config)
    logs.log_uncaught()
    create_apart(config)
    share_one_heap()
    try:
        return asyncio.run(_Daemon(config, reload, os.environ if environ is None else environ).run())
    except ReconcilerError as error:
        _LOGGER.critical("not started", error=error.message, remedy=remedy_of(error, "command"))
        return error.exit_code


class _Daemon:
    def __init__(self, config: Config, reload: Callable[[], Config], environ: Mapping[str, str]) -> None:
        self._config, self._load = config, reload
        self._notifier = Notifier(environ)
        self._clock, self._random = SystemClock(), Random()  # noqa: S311  jitter and names of runs
        self._listen = listener()
        self._renderer = SafeRenderer()
        self._aside: set[asyncio.Task[None]] = set()
        self._one_reload = asyncio.Lock()

    async def run(self) -> int:
        """Start, run, stop; gives the exit code."""
        with self._renderer, store_of(self._config) as store:
            for warning in store.warnings:
                _LOGGER.warning("store", warning=warning)
            installed = Installed(self._config, store)
            lease = Lease(store, self._clock.now)
            service = Service(
                installed,
                store,
                self._clock,
                random=self._random,
                fresh_for=_fresh_for(self._config.schedule),
                listen=self._listen,
                renderer=self._renderer,
                words=sentence,
            )
            triggers = Triggers(
                service, store, lease, self._clock, self._config.schedule, self._listen,
                backups=self._config.state.backups,
            )  # fmt: skip
            lease.acquire("daemon", triggers.lease_time())
            try:
                return await self._lead(service, triggers, Present(installed), store)
            finally:
                with suppress(StateError):
                    lease.release()

    async def _lead(self, service: Service, triggers: Triggers, present: Present, store: StateStore) -> int:
        """Run while this process holds the right to write."""
        self._begin(service, store)
        pulse = Pulse(self._clock, lambda: self._startled(scheduler, triggers))
        scheduler = Scheduler(triggers.jobs(self._notifier, pulse), self._notifier.watchdog_seconds)
        service.upcoming = scheduler.next_looks
        noticing = Noticing(
            service, store, self._clock, zone=local_zone(), section=self._config.notices, listen=self._listen
        )

        def reload() -> None:
            self._notifier.reloading()  # at once: systemd waits for what it knows to have begun
            task = asyncio.create_task(self._reload(service, triggers, scheduler, present, store, noticing))
            self._aside.add(task)
            task.add_done_callback(self._aside.discard)

        signals = Signals(triggers.force, reload)
        async with AsyncExitStack() as stack:
            web = web_server(
                self._config,
                service,
                present,
                store,
                renderer=self._renderer,
                passes=lambda: service.passes,
                doctor=doctor_of(self._config, service, present, store, self._renderer, self._load),
                messenger=noticing,
            )
            await stack.enter_async_context(web)
            settle_down()
            stack.push_async_callback(present.aclose)
            scheduler.start(self._config.schedule)
            stack.callback(scheduler.stop)
            _LOGGER.info("ready", page=web.url, state=store.place, config=str(self._config.file or ""))
            self._notifier.status(headlines.sentence(service.snapshot().headline))
            self._notifier.ready()
            # A machine that is off at night would never have a copy.
            self._aside.add(asyncio.create_task(triggers.back_up(only_if_missed=True)))
            tasks = self._tasks(service, triggers, pulse, store, web.session, noticing)
            failure = await _first_end(tasks, signals.stop())
            end_within(_DEADLINE, 1 if failure else 0)
            self._notifier.stopping("Stopping: calls in flight are finished and recorded")
            _LOGGER.info("stopping", signal=signals.received)
            signals.close()
            scheduler.stop()
            self._renderer.close()  # a template that runs away keeps nobody waiting
            present.stop_reading()  # nor does a catalogue that is read over the web
            clean, _ = await asyncio.gather(service.stop(_PATIENCE), web.stop())
            ending = [*tasks, *self._aside]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
        if clean and failure is None:
            web.session.keep()
            with suppress(StateError), store.transaction():
                RUNNING.forget(store)
                STOPPED.write(store, self._clock.now())
        if failure is not None:
            _LOGGER.critical("ended by an unexpected error", exc_info=failure)
            return 1
        _LOGGER.info("stopped", clean=clean)
        return 0

    def _begin(self, service: Service, store: StateStore) -> None:
        """Look at everything; all the harder if the last end was not a clean one."""
        interrupted = store.mark_interrupted(alone=True)
        unclean = bool(interrupted) or RUNNING.is_kept(store)
        if unclean:
            _LOGGER.warning("the last end was not a clean one: everything is compared", runs=interrupted)
        RUNNING.write(store, self._clock.now())
        if unclean or not _is_as_left(store):
            # It may be a backup: it knows neither what was approved and used up since, nor who logged out.
            from reconciler.web.access.session import forget_sessions  # noqa: PLC0415  only the daemon needs it

            begin_moment(store)
            forget_sessions(store)
        service.forbid(None)
        # What the guard holds is only known again, with its reasons, once it was looked at.
        full = unclean or bool(store.counts_by_status().get("held"))
        service.enqueue(Request(full=full, hints=True, by_person=False, trigger="start"))

    def _tasks(
        self,
        service: Service,
        triggers: Triggers,
        pulse: Pulse,
        store: StateStore,
        session: Session,
        noticing: Noticing,
    ) -> list[asyncio.Task[None]]:
        async def begin() -> None:
            await triggers.renew_anew()
            RUNNING.write(store, self._clock.now())
            session.keep()

        keeper = Keeper(store, service, self._clock, begin, self._listen)
        work: list[Coroutine[object, object, None]] = [
            service.serve(), pulse.beat(), self._show(service), keeper.keep(), noticing.keep(),
        ]  # fmt: skip
        if (url := self._config.skymmich_address()) is not None:
            # Only who names Skymmich's address needs the library.
            from reconciler.daemon.websocket import listen  # noqa: PLC0415  see above

            work.append(listen(url, triggers.hint, self._random, way_to_skymmich(self._config)))
        return [asyncio.create_task(each) for each in work]

    async def _show(self, service: Service) -> None:
        """Show the headline in ``systemctl status`` as soon as it changes."""
        async with service.subscribe() as updates:
            async for update in updates:
                if update.name == "run":
                    await asyncio.to_thread(give_back)
                elif update.name == "state":
                    self._notifier.status(headlines.sentence(service.snapshot().headline))
        await asyncio.Event().wait()

    def _startled(self, scheduler: Scheduler, triggers: Triggers) -> None:
        _LOGGER.warning("the clock jumped, or this process stood still: all times are calculated again")
        scheduler.realign()
        task = asyncio.ensure_future(triggers.renew())
        self._aside.add(task)  # kept, so that it comes to its end
        task.add_done_callback(self._renewed)

    def _renewed(self, task: asyncio.Task[None]) -> None:
        self._aside.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOGGER.error("the right to write was not renewed; the heartbeat tries again", exc_info=error)

    async def _reload(
        self,
        service: Service,
        triggers: Triggers,
        scheduler: Scheduler,
        present: Present,
        store: StateStore,
        noticing: Noticing,
    ) -> None:
        """Take the configuration on the disk, if all of it can be used; also its template, for all images."""
        async with self._one_reload:
            try:
                config = await asyncio.to_thread(self._load)
                installed = Installed(config, store)
                policy, known = installed.policy, service.catalogue()
                if policy.description.template is not None:
                    images = sized(known.linked() if known else (), store.record)
                    await try_template(self._renderer, policy, images)
            except ReconcilerError as error:
                _LOGGER.warning("configuration refused, the former one is kept", error=told(error, "daemon"))
                refused = reason("configuration_refused")
                service.health.put("ConfigurationCurrent", "False", "Refused", refused, of_error(error))
            else:
                self._take(config)
                triggers.schedule = config.schedule
                scheduler.reschedule(config.schedule)
                present.take(installed)
                noticing.take(config.notices)
                service.exchange(installed, fresh_for=_fresh_for(config.schedule))
                service.health.put(
                    "ConfigurationCurrent", "True", "Reloaded", reason("configuration_reloaded")
                )
                _LOGGER.info("configuration taken", config=str(config.file or ""))
            self._notifier.ready()

    def _take(self, config: Config) -> None:
        _log_by(config)
        if fixed := changed_at_start(self._config, config):
            _LOGGER.warning("changed, and taken at the next start only", sections=fixed)
        self._config = config


async def _first_end(
    tasks: list[asyncio.Task[None]], stop: Coroutine[object, object, None]
) -> BaseException | None:
    """Wait until it is to stop, or until one of the tasks, which never end, has; gives its error then."""
    waiting = asyncio.create_task(stop)
    done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in tasks:
        if task in done:
            return task.exception() or RuntimeError("a part of the daemon ended by itself")
    return None


def _fresh_for(schedule: ScheduleSection) -> float:
    """Return the seconds for which a look counts: three intervals, and what a look takes."""
    return 3 * schedule.immich_seconds + 15.0


def _is_as_left(store: StateStore) -> bool:
    """Return whether the store's file is the one of the last clean end: to put another there changes it."""
    # Of rows in PostgreSQL it cannot be told: they may come from a dump.
    if (stopped := STOPPED.read(store)) is None or store.file is None:
        return False
    try:
        return store.file.stat().st_ctime <= stopped.timestamp() + _PUT_THERE_S
    except (OSError, ValueError):
        return False


def _log_by(config: Config) -> None:
    json = {"json": True, "console": False}.get(config.log.format)
    logs.configure(json=json, level=config.log.level)
    for secret in config.secrets():
        logs.register_secret(secret)
    for warning in config.warnings:
        _LOGGER.warning("configuration", warning=warning)
