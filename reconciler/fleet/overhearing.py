"""Hears, while an installation is at work in this process, what is asked of it in the queue.

What waits in the queue would else wait for the end of the work. Each task stays there until its run is done.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol

import psycopg
import structlog
from procrastinate import exceptions

from reconciler.fleet import tasks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    import procrastinate

    from reconciler.service.api import Request

OVERHEARD_S: Final = 1.0
"""Seconds between two looks into the queue."""
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


class Listener(Protocol):
    """Who has the installation at work."""

    def wish(self, name: str, request: Request) -> str | None:
        """Ask its service for more; gives the run's id, or ``None`` if it takes nothing now."""
        ...

    def is_done(self, name: str, run_id: str) -> bool:
        """Return whether a run is done, or never can be."""
        ...

    def leave(self, name: str) -> None:
        """Leave the installation to its pages, which a person opened."""
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
    heard: dict[int, str] = {}
    listening = asyncio.create_task(_listen(app, listener, name, kinds, heard))
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await _cross_out(app, listener, name, heard)


async def _listen(
    app: procrastinate.App, listener: Listener, name: str, kinds: Collection[str], heard: dict[int, str]
) -> None:
    """Hand wishes on; ``heard`` gets their runs, by the tasks' numbers."""
    while True:
        await asyncio.sleep(OVERHEARD_S)
        await _cross_out(app, listener, name, heard)
        with suppress(exceptions.ConnectorException, psycopg.Error):
            for job_id, task in (await tasks.waiting(app, name, kinds)).items():
                if task.kind == tasks.LEAVE:
                    listener.leave(name)
                    await app.job_manager.cancel_job_by_id_async(job_id, delete_job=True)
                elif job_id not in heard and (run_id := listener.wish(name, task.request)):
                    heard[job_id] = run_id
                    _LOGGER.info("wish taken into a visit", installation=name, task=task.kind)


async def _cross_out(app: procrastinate.App, listener: Listener, name: str, heard: dict[int, str]) -> None:
    with suppress(exceptions.ConnectorException, psycopg.Error):
        for job_id, run_id in list(heard.items()):
            if listener.is_done(name, run_id):
                await app.job_manager.cancel_job_by_id_async(job_id, delete_job=True)
                del heard[job_id]
