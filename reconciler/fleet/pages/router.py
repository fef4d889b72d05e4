"""Hands each request to the place whose host name it names: the list's, or an installation's.

A host name for each, and not a folder: to a browser they are different origins, so neither a session's cookie
nor a script of the one reaches another one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog
from starlette.datastructures import Headers

from reconciler.errors import ReconcilerError
from reconciler.fleet.pages.place import broken_place, place_of, unknown_place
from reconciler.web.access.policy import host_of

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reconciler.fleet.pages.doors import Doors
    from reconciler.fleet.pages.known import KnownInstallations
    from reconciler.fleet.pages.openings import Openings
    from reconciler.web.access.policy import Access
    from reconciler.web.static_files import StaticFiles

_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler.fleet")


class Router:
    """The ASGI application in front of all.

    Args:
        listing: answers for the list's host name, and refuses every other one that is no installation's.
        known: the installations.
        doors: who may see what.
        openings: the installations' pages.
        static: the stylesheet and the icons.
    """

    def __init__(
        self,
        listing: ASGIApp,
        known: KnownInstallations,
        doors: Doors,
        openings: Openings,
        static: StaticFiles,
    ) -> None:
        self._listing, self._known, self._doors = listing, known, doors
        self._openings, self._static = openings, static
        self._places: dict[str, tuple[Access, Starlette]] = {}
        self._told: dict[str | None, str] = {}
        """What was last said in the log of an installation; ``None``: of the database."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        host = host_of(f"//{Headers(scope=scope).get('host', '')}")
        place = await self._place(host) if host.endswith(f".{self._doors.domain}") else self._listing
        await place(scope, receive, send)

    async def _place(self, host: str) -> ASGIApp:
        name = None
        try:
            name = await self._known.name_at(host)
            if name is None:
                return unknown_place(self._doors.unknown(host), self._static)
            access = await asyncio.to_thread(self._doors.of, name)
        except ReconcilerError as error:
            # Who may see it cannot be told, so nobody does, nor why that is.
            if self._told.get(name) != error.message:
                self._told[name] = error.message
                _LOGGER.warning("pages cannot be shown", installation=name, error=error.message)
            return broken_place(host, self._static)
        self._told.pop(name, None)
        known = self._places.get(name)
        if known is None or known[0] is not access:
            known = self._places[name] = access, place_of(name, access, self._openings, self._static)
        return known[1]
