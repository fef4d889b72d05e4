"""Which installations there are, by host name: asked every few seconds, for all requests together."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

import structlog

from reconciler.errors import StateError
from state.postgres import installations

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.ports import Clock

_HOLDS_S: Final = 5.0
_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


class KnownInstallations:
    """The installations by host name.

    Args:
        address: the database's.
        host_of: gives an installation's host name.
        clock: time.
    """

    def __init__(self, address: str, host_of: Callable[[str], str], clock: Clock) -> None:
        self._address, self._host_of, self._clock = address, host_of, clock
        self._names: dict[str, str] = {}
        self._error: StateError | None = None
        """Why it could not be asked, the last time."""
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    async def name_at(self, host: str) -> str | None:
        """Return the installation that has a host name; one that is known costs no wait.

        Raises:
            StateError: the database cannot be asked, and it is not known.
        """
        asking = self._ask()
        if host not in self._names and asking is not None:
            await asyncio.shield(asking)
        if host not in self._names and self._error is not None:
            raise self._error
        return self._names.get(host)

    async def is_reachable(self) -> bool:
        """Return whether the database answered, within the last few seconds."""
        if (asking := self._ask()) is not None:
            await asyncio.shield(asking)
        return self._error is None

    def _ask(self) -> asyncio.Task[None] | None:
        """Have the database asked, if that was too long ago; gives the task, while it goes on."""
        if self._asking is not None and not self._asking.done():
            return self._asking
        if self._clock.monotonic() < self._asked_at + _HOLDS_S:
            return None
        self._asking = asyncio.create_task(self._asked())
        return self._asking

    async def _asked(self) -> None:
        try:
            found = await asyncio.to_thread(installations.installations, self._address)
        except StateError as error:
            if self._error is None:
                _LOGGER.warning("the installations cannot be listed", error=error.message)
            self._error = error
        else:
            self._error = None
            hosts = Counter(self._host_of(one.name) for one in found)
            # Two names that differ in capitals only would share one: neither gets it.
            names = {self._host_of(one.name): one.name for one in found}
            self._names = {host: name for host, name in names.items() if hosts[host] == 1}
        self._asked_at = self._clock.monotonic()
