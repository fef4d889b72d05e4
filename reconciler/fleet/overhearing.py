"""Hears, while an installation is at work in this process, what is asked of it in the queue.

What waits in the queue would else wait for the end of the work. Each task stays there until its run is done.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import psycopg
import structlog
from procrastinate import exceptions

from reconciler.fleet import tasks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    import procrastinate

    from reconciler.fleet.tasks import Task
    from reconciler.service.api import Request

OVERHEARD_S: Final = 1.0
"""Seconds between two looks into the queue."""
_GONE: Final = 10
"""Looks after which a task that is done, and not found, is gone: the same may be asked for again."""
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


class Listener(Protocol):
    """Who has the installation at work."""

    def wish(self, name: str, request: Request) -> str | None:
        """Ask its service for more; gives the run's id, or ``None`` if it takes nothing now."""
        ...

    def is_done(self, name: str, run_id: str) -> bool:
        """Return whether a run is done, or never can be."""
        ...

    def leave(self, name: str) -> bool:
        """Leave the installation to its pages, which a person opened; tells whether that is heard."""
        ...


@asynccontextmanager
async def overhearing(
    app: procrastinate.App, listener: Listener, name: str, kinds: Collection[str]
) -> AsyncIterator[None]:
    """Hand what is asked of an installation to whoever has it at work, within.

    Args:
        app: open.
        listener: has it at work.
        name: the installation's.
        kinds: of the tasks that are listened to.
    """
    ear = _Ear(app, listener, name, kinds)
    listening = asyncio.create_task(ear.listen())
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        with suppress(exceptions.ConnectorException, psycopg.Error):
            await ear.cross_out()


@dataclass(slots=True)
class _Heard:
    """A wish that was handed on."""

    run_id: str
    missed: int = 0
    """Looks since it is done and was not found in the queue."""


class _Ear:
    def __init__(self, app: procrastinate.App, listener: Listener, name: str, kinds: Collection[str]) -> None:
        self._app, self._listener, self._name, self._kinds = app, listener, name, kinds
        # By what is the same of tasks: a worker that finds the installation taken puts another one there.
        self._heard: dict[str, _Heard] = {}

    async def listen(self) -> None:
        """Hand wishes on, until cancelled."""
        while True:
            await asyncio.sleep(OVERHEARD_S)
            with suppress(exceptions.ConnectorException, psycopg.Error):
                for job_id, task in (await self.cross_out()).items():
                    await self._hear(job_id, task)

    async def cross_out(self) -> dict[int, Task]:
        """Take out of the queue what is done; gives what waits there besides, by the tasks' numbers."""
        waiting = await tasks.waiting(self._app, self._name, self._kinds)
        there = {task.sameness: job_id for job_id, task in waiting.items()}
        for sameness, one in list(self._heard.items()):
            if not self._listener.is_done(self._name, one.run_id):
                continue
            if (job_id := there.get(sameness)) is not None:
                await self._delete(job_id)
                del self._heard[sameness], waiting[job_id]
            else:  # a worker has it just now, and puts it back
                one.missed += 1
                if one.missed > _GONE:
                    del self._heard[sameness]
        return waiting

    async def _hear(self, job_id: int, task: Task) -> None:
        if task.kind == tasks.LEAVE:
            if self._listener.leave(self._name):
                await self._delete(job_id)
        elif task.sameness not in self._heard and (run_id := self._listener.wish(self._name, task.request)):
            self._heard[task.sameness] = _Heard(run_id)
            _LOGGER.info("wish taken into a visit", installation=self._name, task=task.kind)

    async def _delete(self, job_id: int) -> None:
        await self._app.job_manager.cancel_job_by_id_async(job_id, delete_job=True)
