"""What the processes of a fleet begin and end with, and how they wait for the database."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg
import structlog
from procrastinate import exceptions

from reconciler import logging as logs
from reconciler.errors import ReconcilerError, StateError
from reconciler.messages.voice import remedy_of, told

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from reconciler.config import Config

DATABASE_ERRORS: Final = (exceptions.ConnectorException, psycopg.Error, StateError)
"""What the queue and the state raise while the database is away."""
_AGAIN_S: Final = 3.0
"""Seconds until the database is tried again."""
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


def run(config: Config, work: Coroutine[Any, Any, int]) -> int:
    """Run a process of the fleet; gives the exit code.

    Args:
        config: the fleet's.
        work: gives the exit code at its end.
    """
    logs.configure(json={"json": True, "console": False}.get(config.log.format), level=config.log.level)
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    for secret in config.secrets():
        logs.register_secret(secret)
    try:
        return asyncio.run(work)
    except ReconcilerError as error:
        _LOGGER.critical("ended", error=error.message, remedy=remedy_of(error, "command"))
        return error.exit_code


async def wait_for_database(error: Exception, stop: asyncio.Event) -> None:
    """Say that the database is away, and wait a moment, or until the process is to stop."""
    text = told(error, "daemon") if isinstance(error, StateError) else "the database is gone"
    _LOGGER.warning("waiting for the database", error=text)
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), _AGAIN_S)
