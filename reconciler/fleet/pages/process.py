"""The process that serves the pages of many installations, until it is stopped."""

from __future__ import annotations

import asyncio
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psycopg
import structlog
from procrastinate import exceptions

from reconciler.fleet import process, tasks
from reconciler.fleet.configured import Configured
from reconciler.fleet.pages.doors import Doors
from reconciler.fleet.pages.openings import MOST
from reconciler.fleet.pages.site import site_of
from reconciler.web.access.connections import Limits
from reconciler.web.server import listen_on, server_of

if TYPE_CHECKING:
    import procrastinate

    from reconciler.config import Config

_LIMITS: Final = Limits(all=800)
_FILES: Final = 8192
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


def run(config: Config) -> int:
    """Serve the pages until the process is stopped; gives the exit code.

    Args:
        config: the fleet's.

    Raises:
        ConfigurationError: it names no folder of installations or no PostgreSQL database, or the pages would
            be open beyond this machine.
    """
    configured = Configured(config)
    return process.run(config, _serve(config, configured, Doors(config, configured)))


async def _serve(config: Config, configured: Configured, doors: Doors) -> int:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    # What blocks, such as reading a catalogue, must not keep the renewal of a right waiting.
    loop.set_default_executor(ThreadPoolExecutor(4 * MOST + 32, "pages"))
    _allow_files()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    queue = tasks.app_at(configured.address)
    listener = listen_on(config.status.host, config.status.port)
    try:
        if await _opened(queue, configured.address, stop):
            async with site_of(config, configured, doors, queue) as site:
                server = server_of(site.router, _LIMITS)
                await server.start(listener)
                port = listener.getsockname()[1]
                _LOGGER.info("ready", page=f"http://{doors.domain}:{port}", host=config.status.host)
                await stop.wait()
                _LOGGER.info("stopping: what is in flight is finished and recorded")
                await asyncio.gather(site.openings.aclose(), server.stop())
    finally:
        listener.close()
        with suppress(exceptions.ConnectorException, psycopg.Error):
            await queue.close_async()
    _LOGGER.info("stopped")
    return 0


def _allow_files() -> None:
    """Let this process have as many files and connections open as it may: each installation has a dozen."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _FILES) if most > 0 else _FILES, most))


async def _opened(queue: procrastinate.App, address: str, stop: asyncio.Event) -> bool:
    """Open the queue, as soon as the database is there; ``False``: it was to stop first."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(tasks.make_tables, address)
            await queue.open_async()
        except process.DATABASE_ERRORS as error:
            await process.wait_for_database(error, stop)
        else:
            return True
    return False
