"""The schedule: which job runs when. What the jobs do is in ``triggers``.

No job overlaps itself, and one that is late runs once, however often it was missed. APScheduler reckons with
the wall clock; ``Every`` and ``realign`` see to it that a clock that jumps neither stops a job nor makes it
catch up on what it missed.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from reconciler.app.local_time import local_zone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from reconciler.config.sections import ScheduleSection

    Job = Callable[[], Awaitable[None]]

CATALOGUE: Final = "catalogue"
IMMICH: Final = "immich"
AUDIT: Final = "audit"
HOUSEKEEPING: Final = "housekeeping"
HEARTBEAT: Final = "heartbeat"
WATCHDOG: Final = "watchdog"
_SHOWN: Final = (CATALOGUE, IMMICH, AUDIT, HOUSEKEEPING)


class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires at an interval from the last time, or from now if that would be past, or too far ahead."""

    def __init__(self, seconds: float) -> None:
        self._interval = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the next time; APScheduler's name."""
        latest = now + self._interval
        following = (previous_fire_time or now) + self._interval
        return following if now < following <= latest else latest


class Scheduler:
    """Runs jobs in the event loop.

    Args:
        jobs: by name; see the constants of this module.
        watchdog: seconds between signs of life, if they are awaited.
    """

    def __init__(self, jobs: Mapping[str, Job], watchdog: float | None) -> None:
        self._jobs, self._watchdog = jobs, watchdog
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # A job that is late runs once, at whatever time.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def start(self, schedule: ScheduleSection) -> None:
        """Start all jobs."""
        for name, trigger in self._triggers(schedule).items():
            self._scheduler.add_job(_run, trigger, args=[self._jobs[name]], id=name)
        self._scheduler.start()

    def reschedule(self, schedule: ScheduleSection) -> None:
        """Go by another schedule from now on."""
        for name, trigger in self._triggers(schedule).items():
            self._scheduler.reschedule_job(name, trigger=trigger)

    def realign(self) -> None:
        """Reckon all times anew: the clock jumped. What is overdue runs first."""
        now = datetime.now(UTC)
        for job in self._scheduler.get_jobs():
            if job.next_run_time > now:
                self._scheduler.reschedule_job(job.id, trigger=job.trigger)
        self._scheduler.wakeup()

    def next_looks(self) -> Mapping[str, datetime]:
        """Return the next time of each job that people care about, UTC."""
        found = {}
        for name in _SHOWN:
            job = self._scheduler.get_job(name)
            if job is not None and job.next_run_time is not None:
                found[name] = job.next_run_time.astimezone(UTC)
        return found

    def stop(self) -> None:
        """Start nothing more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _triggers(self, schedule: ScheduleSection) -> dict[str, BaseTrigger]:
        found = {
            CATALOGUE: Every(schedule.catalogue_seconds),
            IMMICH: Every(schedule.immich_seconds),
            AUDIT: _cron(schedule.audit_cron, schedule.audit_jitter_seconds),
            HOUSEKEEPING: _cron(schedule.housekeeping_cron, 0.0),
            HEARTBEAT: Every(schedule.heartbeat_seconds),
        }
        if self._watchdog is not None:
            # A third: one sign of life may be late, and the next still comes in time.
            found[WATCHDOG] = Every(self._watchdog / 3)
        return found


async def _run(job: Job) -> None:
    """Run a job; one that is cancelled as the daemon stops ends quietly: APScheduler would log a failure."""
    with suppress(asyncio.CancelledError):
        await job()


def _cron(line: str, jitter: float) -> BaseTrigger:
    minute, hour, day, month, weekday = line.split()
    return CronTrigger(
        minute=minute,
        hour=hour,
        day=day,
        month=month,
        day_of_week=weekday,
        timezone=local_zone(),
        jitter=round(jitter) or None,
    )
