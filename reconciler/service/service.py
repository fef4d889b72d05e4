"""The service: the one owner of passes, and what the daemon's faces ask and are shown.

It takes work from the queue, runs one pass at a time, draws from each end what comes next, and tells its
listeners. It knows no library, no schedule and no HTTP: whoever runs it calls ``tick`` when work is due
(``serve`` does), and enqueues. Triggers only say "look now": losing one costs a minute, never correctness.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import nullcontext
from typing import TYPE_CHECKING

from reconciler.core.reasons import codes, of_error, reason
from reconciler.engine.approvals import begin_moment
from reconciler.engine.events import Listener, ignore
from reconciler.engine.undo_wish import unfinished
from reconciler.errors import ImmichTemporaryError, LeaseHeldError, ReconcilerError
from reconciler.service.announcements import Announcer
from reconciler.service.api import Control, Request, RunState, Snapshot
from reconciler.service.beginning import begun_by
from reconciler.service.decisions import Decisions
from reconciler.service.event_bus import EventBus
from reconciler.service.pause import Pause
from reconciler.service.queue import Work, WorkQueue, is_of_all
from reconciler.service.run_registry import Ended, RunRegistry
from reconciler.service.runner import PassRunner
from reconciler.service.status import Health

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from random import Random

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.permission import Beginner
    from reconciler.core.policy import Switches
    from reconciler.core.ports import Clock, Renderer, Wording
    from reconciler.core.reasons import Reason
    from reconciler.core.records import Trigger
    from reconciler.engine.passes import Report
    from reconciler.engine.polling.timing import Timing
    from reconciler.errors import StateError
    from reconciler.service.api import Update
    from reconciler.service.environment import Installation, ServiceStore

LONGEST_HOLD = 60.0
"""Seconds for which Immich is left alone at most: a proxy may name a day as its ``Retry-After``."""


class Service(Decisions):
    """The running daemon without its schedule.

    Args:
        installation: what the configuration leads to.
        store: open for writing; this process holds its lease.
        clock: time, injected.
        random: for backoff and run ids, injected.
        fresh_for: seconds for which a look at everything counts; about three intervals.
        listen: takes the engine's events; for the log.
        timing: of passes.
        renderer: of users' templates; without, there is only the built-in one.
    """

    def __init__(  # noqa: PLR0913 - each is one thing the service is given, by name
        self,
        installation: Installation,
        store: ServiceStore,
        clock: Clock,
        *,
        random: Random,
        fresh_for: float = 195.0,
        listen: Listener = ignore,
        timing: Timing | None = None,
        renderer: Renderer | None = None,
        words: Wording = codes,
    ) -> None:
        self._store, self._clock, self._random = store, clock, random
        self._queue = WorkQueue(random)
        self._runs = RunRegistry()
        self._bus = EventBus()
        self.health = Health(clock, store, fresh_for)
        self._announcer = Announcer(self._bus, self._runs, listen)
        parts = (installation, store, clock, self.health, self._announcer.heard)
        self._runner = PassRunner(*parts, timing, renderer, words=words)
        self.upcoming: Callable[[], Mapping[str, datetime]] = dict
        """Name of the job → when it runs next; set by whoever schedules."""
        self.passes: Counter[str] = Counter()
        """Passes by result: ``succeeded``, ``failed``, ``stopped``, ``quiet``, ``unexpected``."""
        self._pause = Pause(store, clock)
        self._forbidden = self._storeless = self._stopping = self._stop_run = False
        self._wake = asyncio.Event()
        for wish in unfinished(store):  # the end of the process before broke it off
            self.enqueue(Request(undo=wish, trigger="undo"))
        self._pass: asyncio.Task[bool] | None = None

    # What faces ask: see ``Control``

    def snapshot(self) -> Snapshot:
        """Look at everything."""
        return self.health.snapshot(
            self._runner.installation,
            upcoming=self.upcoming(),
            paused=self._pause.on,
            queue_depth=len(self._queue),
            current=(current := self._runs.current),
            asked=self._queue.person_waits_for_all or (current is not None and is_of_all(current.request)),
        )

    def catalogue(self) -> Catalogue | None:
        """Return the catalogue as last read; ``None`` before the first reading."""
        return self._runner.catalogue.latest

    def request(self, request: Request) -> str:
        """Enqueue a pass; gives the run's id at once."""
        return self.enqueue(request, delay=request.delay)

    def begin(self, by: Beginner, *, first: int = 0) -> str:
        """Let writing begin, with so many images or with all, and enqueue the pass; gives its run's id."""
        wish = begun_by(self._store, self._runner.permission, by, self._clock.now(), first)
        self.health.permitted(self._runner.permission)
        run_id = self.enqueue(wish)
        self._tell_state()  # with the run on its way: an open page says so at once
        return run_id

    def run_state(self, run_id: str) -> RunState | None:
        """Return a run that was requested since the start; ``None`` if unknown."""
        return self._runs.get(run_id)

    async def wait(self, run_id: str, patience: float) -> RunState | None:
        """Wait for a run to end, at most ``patience`` seconds; gives its state then."""
        return await self._runs.wait(run_id, patience)

    def stop_run(self) -> bool:
        """Stop the pass that runs: what is in flight finishes. False when none runs."""
        self._stop_run = self._runs.current is not None
        if self._stop_run:
            self._runs.stopping()
            self._runner.stop_reading()
            self._tell_state()
        return self._stop_run

    async def read_switches(self) -> Switches:
        """Read the switches again, from where they live; the snapshot has them from now on.

        A master switch found turned off ends the pass that runs, as ``stop_run`` does.

        Raises:
            CatalogueError: the catalogue was never read, and cannot be.
        """
        enabled, switches = self.health.enabled, await self._runner.read_switches()
        if enabled and not switches.enabled:
            self.stop_run()
        self._tell_state()
        return switches

    def pause(self) -> None:
        """Start no pass by itself any more, nor after a restart; a person's requests still run."""
        self._set_paused(paused=True)

    def resume(self) -> None:
        """Undo ``pause``."""
        self._set_paused(paused=False)

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Update]]:
        """Listen to updates until the context is left. A slow listener loses the oldest, never blocks."""
        return self._bus.subscribe()

    # What the daemon says

    def enqueue(self, request: Request, *, delay: float = 0.0) -> str:
        """Enqueue a pass, to be taken after ``delay`` seconds unless a person asks for it."""
        work = self._queue.add(request, self._new_id(), self._clock.monotonic(), delay=delay)
        self._runs.queued(work.run_id, work.request)
        self._wake.set()
        return work.run_id

    async def look_at_catalogue(
        self, *, delay: float, trigger: Trigger = "catalogue", image_id: int | None = None
    ) -> bool:
        """Enqueue a look if the catalogue moved since the last; ``image_id``: what an event named."""
        if trigger == "event":
            self._runner.catalogue.hint(image_id)
        if not await self._runner.catalogue.moved():
            return False
        self.enqueue(Request(by_person=False, trigger=trigger), delay=delay)
        return True

    def exchange(self, installation: Installation, *, fresh_for: float) -> None:
        """Take another installation from the next pass on, and look at everything with it."""
        self._runner.exchange(installation)
        self.health.fresh_for = fresh_for
        self.enqueue(Request(by_person=False, trigger="reload"))

    @property
    def wished_for(self) -> tuple[RunState, ...]:
        """The runs that persons asked for and that have not ended."""
        return self._runs.wished_for

    @property
    def busy(self) -> bool:
        """Whether a pass runs just now."""
        return self._runs.current is not None

    def forbid(self, why: Reason | None) -> None:
        """Write nothing any more: another process may; ``None``: allowed again."""
        self._forbidden = why is not None
        if why is not None:
            self.health.put("Writer", "False", "HeldElsewhere", why)
        else:
            self.health.put("Writer", "True", "Held", reason("right_held"))
        self._wake.set()

    @property
    def is_forbidden(self) -> bool:
        """Whether it writes nothing, because another process may."""
        return self._forbidden

    def suspend(self, error: StateError) -> None:
        """Do nothing any more: the store is gone, and what is not recorded must not be written."""
        self._storeless = True
        self.health.failed(error)
        self._wake.set()
        self._tell_state()

    def take_up(self) -> None:
        """Go on with a store that is there again, or another one: everything is looked at.

        Raises:
            StateError: it cannot be written.
        """
        self._pause.set(on=self._pause.on)
        begin_moment(self._store)
        self._storeless = False
        self.health.put("StoreWritable", "True", "TakenUp", reason("store_taken_up"))
        self.enqueue(Request(full=True, by_person=False, trigger="store"))
        self._tell_state()

    # Running

    def next_due(self) -> float | None:
        """Return when ``tick`` will have something to do, in monotonic seconds, as far as it is known now."""
        if self._stopping or self._forbidden or self._storeless:
            return None
        return self._queue.next_due(background=not self._pause.on)

    async def tick(self) -> bool:
        """Run the next pass if one is due; tells whether one was."""
        if self._stopping or self._forbidden or self._storeless:
            return False
        if self._pause.reread():
            self._tell_state()
        work = self._queue.take(self._clock.monotonic(), self._new_id(), background=not self._pause.on)
        if work is None:
            return False
        self._runner.runs.settle()
        self._stop_run = False
        self._runs.started(work.run_id, work.request)
        try:
            report = await self._runner.carry_out(
                work.request, work.run_id, self._queue, lambda: self._must_end(work)
            )
        except ReconcilerError as error:
            self._failed(work, error)
        except asyncio.CancelledError:
            self._end("stopped", error=reason("daemon_stopped"))
            raise
        except Exception as error:  # noqa: BLE001  the outermost edge: a pass that breaks costs only itself
            self._broke(work, error)
        else:
            self._done(work, report)
        self._tell_state()
        return True

    async def serve(self, turn: Callable[[], AbstractAsyncContextManager[object]] = nullcontext) -> None:
        """Run passes as they fall due, until ``stop``; ``turn`` is entered for each."""
        while not self._stopping:
            self._wake.clear()
            self._pass = asyncio.create_task(self._tick_in(turn))
            try:
                if await self._pass:
                    continue
            except asyncio.CancelledError:
                if self._pass.cancelled():
                    return  # ``stop`` lost patience
                raise
            due = self.next_due()
            try:
                async with asyncio.timeout(None if due is None else max(0.0, due - self._clock.monotonic())):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _tick_in(self, turn: Callable[[], AbstractAsyncContextManager[object]]) -> bool:
        due = self.next_due()
        async with turn() if due is not None and due <= self._clock.monotonic() else nullcontext():
            return await self.tick()

    async def stop(self, patience: float) -> bool:
        """Send nothing new, let the calls in flight finish and be recorded, for at most so many seconds.

        Returns:
            whether all ended in time. If not, the store tells the next start what may have been sent.
        """
        self._stopping = True
        self._wake.set()
        self._bus.close()
        task = self._pass
        if task is None or task.done():
            return True
        if not self._runner.writing:
            task.cancel()  # it only reads: nothing is lost
        done, _ = await asyncio.wait({task}, timeout=patience)
        if not done:
            task.cancel()
            await asyncio.wait({task}, timeout=1.0)
        return bool(done)

    def _must_end(self, work: Work) -> bool:
        """Return whether the pass is to end early: it stops, or a person wants something else first."""
        yields = not (work.request.by_person or self._runner.by_person) and self._queue.person_waits
        return self._stopping or self._stop_run or self._forbidden or self._storeless or yields

    def _done(self, work: Work, report: Report | None) -> None:
        if report is None and self._runner.stopped:
            self.passes["stopped"] += 1
            self._end("stopped", error=reason("stopped_reading"))
            return
        if report is None:
            self._hold(None)
            self.passes["quiet"] += 1
            self._end("done")
            if not work.request.by_person:
                self._runs.forget(work.run_id)
            return
        self._hold(report.error)
        self.passes[report.run.outcome] += 1
        if self.health.permission.standing != "begun":  # what would be written is another by now
            self.enqueue(Request(by_person=False, trigger=work.request.trigger))
        if report.run.outcome == "stopped":
            if not (self._stop_run or self._stopping):
                self.enqueue(work.request)  # it only made room for a person's wish
            self._end("stopped", report)
            return
        if not isinstance(report.error, ImmichTemporaryError):
            self._learn(report)
        self._end("failed" if report.error else "done", report)

    def _learn(self, report: Report) -> None:
        """Let images that failed wait, each time longer; an outage is none of theirs."""
        bad = report.unfinished
        self._queue.failed(sorted(bad - self._runner.later), self._clock.monotonic())
        self._queue.forget(outcome.image_id for outcome in report.outcomes if outcome.image_id not in bad)

    def _failed(self, work: Work, error: ReconcilerError) -> None:
        news = self.health.failed(error)
        self.passes["failed"] += 1
        self._hold(error)
        if isinstance(error, LeaseHeldError):
            self.forbid(of_error(error))
        self._announcer.failed(work, error, news=news)
        self._end("failed", error=of_error(error))

    def _broke(self, work: Work, error: Exception) -> None:
        self.passes["unexpected"] += 1
        self.health.broke(error)
        self._announcer.broke(work, error)
        self._end("failed", error=reason("pass_broke"))

    def _end(self, state: Ended, report: Report | None = None, error: Reason | None = None) -> None:
        if report is not None and report.error is not None:
            error = of_error(report.error)
        ended = self._runs.ended(state, report=report, error=() if error is None else (error,))
        self._runner.writing = False
        if ended is not None and (report is not None or error or ended.request.by_person):
            self._announcer.run(ended)

    def _hold(self, error: ReconcilerError | None) -> None:
        """Leave Immich alone for as long as its circuit says: one probe a minute, and no other request."""
        wait = min((isinstance(error, ImmichTemporaryError) and error.retry_after) or 0.0, LONGEST_HOLD)
        self._queue.hold(self._clock.monotonic() + wait)
        if wait and self._runner.installation.circuit_open_since is not None:
            self.enqueue(Request(by_person=False, trigger="probe"))

    def _tell_state(self) -> None:
        self._announcer.state(self.snapshot())

    def _set_paused(self, *, paused: bool) -> None:
        self._pause.set(on=paused)
        self._wake.set()
        self._tell_state()

    def _new_id(self) -> str:
        return f"{self._random.getrandbits(48):012x}"


if TYPE_CHECKING:
    _fulfils: type[Control] = Service
