"""Hands each request to the place whose host name it names: the list's, or an installation's.

A host name for each, and not a folder: to a browser they are different origins, so neither a session's cookie
nor a script of the one reaches another one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.requests import Request

from reconciler.errors import ReconcilerError
from reconciler.fleet.pages.place import place_of
from reconciler.fleet.pages.renderer import OuterPages
from reconciler.web.access.policy import host_of
from reconciler.web.error_handlers import Refusals
from state.postgres import installations

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reconciler.core.ports import Clock
    from reconciler.fleet.pages.doors import Doors
    from reconciler.fleet.pages.openings import Openings
    from reconciler.web.access.policy import Access
    from reconciler.web.static_files import StaticFiles

_KNOWN_S: Final = 5.0
"""Seconds for which the names of the installations are not asked for again."""


class Router:
    """The ASGI application in front of all.

    Args:
        listing: answers for the list's host name, and refuses every other one that is no installation's.
        address: the database's.
        doors: who may see what.
        openings: the installations' pages.
        static: the stylesheet and the icons.
        clock: time.
    """

    def __init__(
        self,
        listing: ASGIApp,
        address: str,
        doors: Doors,
        openings: Openings,
        static: StaticFiles,
        clock: Clock,
    ) -> None:
        self._listing, self._address, self._doors = listing, address, doors
        self._openings, self._static, self._clock = openings, static, clock
        self._names: dict[str, str] = {}
        """Installations by host name."""
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()
        self._places: dict[str, tuple[Access, Starlette]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        host = host_of(f"//{Headers(scope=scope).get('host', '')}")
        place: ASGIApp = self._listing
        if host.endswith(f".{self._doors.domain}"):
            try:
                place = await self._place(host) or self._listing
            except ReconcilerError as error:
                # It cannot be told who may see it: nobody does.
                answer = await Refusals(OuterPages(self._doors.listing)).answer(Request(scope), error)
                await answer(scope, receive, send)
                return
        await place(scope, receive, send)

    async def _place(self, host: str) -> Starlette | None:
        name = await self._name(host)
        if name is None:
            return None
        access = await asyncio.to_thread(self._doors.of, name)
        known = self._places.get(name)
        if known is None or known[0] is not access:
            known = self._places[name] = access, place_of(name, access, self._openings, self._static)
        return known[1]

    async def _name(self, host: str) -> str | None:
        """Return the installation that has a host name."""
        async with self._asking:
            if self._clock.monotonic() >= self._asked_at + _KNOWN_S:
                found = await asyncio.to_thread(installations.installations, self._address)
                hosts = [self._doors.host_of(one.name) for one in found]
                # Two names that differ in capitals only would share one: neither gets it.
                self._names = {
                    self._doors.host_of(one.name): one.name
                    for one in found
                    if hosts.count(self._doors.host_of(one.name)) == 1
                }
                self._asked_at = self._clock.monotonic()
        return self._names.get(host)
