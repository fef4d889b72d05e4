"""The list of all installations, each with its headline; operators ask workers for something there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, generate_latest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from reconciler.fleet import tasks
from reconciler.fleet.health import URGENT, Installations
from reconciler.fleet.pages.place import well
from reconciler.fleet.pages.renderer import OuterPages
from reconciler.fleet.tasks import Task
from reconciler.web.access.login import Login
from reconciler.web.access.middleware import guarded
from reconciler.web.api.problems import ProblemError
from reconciler.web.context import utc_now
from reconciler.web.error_handlers import Refusals
from state.postgres import installations
from state.postgres.statuses import NEVER_VISITED, statuses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import procrastinate
    from starlette.applications import Starlette
    from starlette.requests import Request

    from reconciler.fleet.pages.doors import Doors
    from reconciler.fleet.pages.known import KnownInstallations
    from reconciler.web.static_files import StaticFiles
    from state.postgres.statuses import InstallationStatus

MOST: Final = 200
"""Installations that a page lists."""
_URGENCY: Final = {**URGENT, "unknown": len(URGENT)}


@dataclass(frozen=True, slots=True)
class Row:
    """One installation, as it is listed."""

    name: str
    host: str
    """Of its pages."""
    level: str
    text: str
    images: int
    in_sync: int
    visited_at: datetime | None
    """When a worker, or somebody's page, was last there; ``None``: never."""
    paused_at: datetime | None


class Listing:
    """The handlers.

    Args:
        address: the database's.
        doors: who may see what.
        queue: open; takes what the operator asks for.
        static: the stylesheet and the icons.
        known: tells whether the database answers.
    """

    def __init__(
        self,
        address: str,
        doors: Doors,
        queue: procrastinate.App,
        static: StaticFiles,
        known: KnownInstallations,
    ) -> None:
        self._address, self._doors, self._queue, self._static = address, doors, queue, static
        self._known = known
        self._pages = OuterPages(doors.operator)
        self._registry = CollectorRegistry()
        self._registry.register(Installations(lambda: statuses(address, expected=True)))

    def app(self) -> Starlette:
        """Make the application of the list's host name."""
        routes = (
            Route("/", self.page),
            Route("/api/v1/installations", self.document),
            Route("/installations/{name}/{what}", self.ask, methods=["POST"]),
            Route("/metrics", self.metrics),
            *Login(self._doors.operator, self._pages).routes(),
            *self._static.routes(),
            Route("/livez", well),
            Route("/readyz", self.readyz),
        )
        return guarded(routes, self._doors.listing, Refusals(self._pages).answer)

    async def page(self, request: Request) -> Response:
        """Show the installations that the asker may see, those that need somebody first."""
        operator, rows = await self._rows(request)
        sought = request.query_params.get("q", "").strip()[:100]
        found = [row for row in rows if sought.casefold() in row.name.casefold()]
        values = {
            "rows": found[:MOST],
            "more": max(0, len(found) - MOST),
            "all": len(rows),
            "sought": sought,
            "operator": operator,
            "port": _port(request),
            "asked": request.query_params.get("asked", ""),
        }
        return self._pages.page(request, "installations.html", values)

    async def document(self, request: Request) -> Response:
        """Tell the same to programs."""
        _, rows = await self._rows(request)
        listed = [
            {
                "name": row.name, "host": row.host, "level": row.level, "text": row.text,
                "images": row.images, "in_sync": row.in_sync,
                "visited_at": row.visited_at and row.visited_at.isoformat(),
                "paused_at": row.paused_at and row.paused_at.isoformat(),
            }
            for row in rows
        ]  # fmt: skip
        return JSONResponse({"installations": listed})

    async def ask(self, request: Request) -> Response:
        """Put an operator's wish into the queue, or an installation in or out of work.

        Raises:
            ProblemError: the asker is no operator, or there is no such installation or wish.
        """
        if not await self._is_operator(request):
            raise ProblemError(403, "Only an operator may do this.")
        name, what = request.path_params["name"], request.path_params["what"]
        known = {one.name for one in await asyncio.to_thread(installations.installations, self._address)}
        if name not in known or what not in ("sync", "pause", "resume"):
            raise ProblemError(404, "There is no such installation.")
        if what == "sync":
            await tasks.put_now(self._queue, Task("sync", name))
        else:
            at = utc_now() if what == "pause" else None
            await asyncio.to_thread(installations.pause, self._address, name, at)
        return RedirectResponse(f"/?asked={what}", status_code=303)

    async def metrics(self, request: Request) -> Response:
        """Tell Prometheus how the installations stand."""
        if not await self._is_operator(request):
            raise ProblemError(403, "Only an operator may see this.")
        text = await asyncio.to_thread(generate_latest, self._registry)
        return Response(text, media_type="text/plain; version=0.0.4")

    async def readyz(self, _: Request) -> Response:
        """Tell whether the database answers."""
        if await self._known.is_reachable():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("the database cannot be reached\n", 503)

    async def _rows(self, request: Request) -> tuple[bool, list[Row]]:
        """Return whether the asker is an operator, and the installations that they may see."""
        operator = await self._is_operator(request)
        user = self._doors.listing.named(request)
        if not operator and not user:
            raise ProblemError(403, "Only users whom the reverse proxy names may see this.")
        rows = await asyncio.to_thread(self._read)
        if not operator:
            mine = set(await asyncio.to_thread(self._doors.open_to, user, [row.name for row in rows]))
            rows = [row for row in rows if row.name in mine]
        return operator, rows

    async def _is_operator(self, request: Request) -> bool:
        rules = self._doors.operator
        return rules.knows(request) or await rules.has_bearer(request)

    def _read(self) -> list[Row]:
        found = statuses(self._address)
        rows = [self._row(one, found) for one in installations.installations(self._address)]
        return sorted(rows, key=lambda row: (_URGENCY.get(row.level, len(_URGENCY)), row.name.casefold()))

    def _row(self, one: installations.Installation, found: Mapping[str, InstallationStatus]) -> Row:
        status = found.get(one.name)
        counts = {} if status is None else status.by_status or {}
        level, text = ("unknown", NEVER_VISITED) if status is None else (status.level, status.text)
        return Row(
            one.name,
            self._doors.host_of(one.name),
            level if one.paused_at is None else "off",
            text,
            sum(counts.values()),
            counts.get("in_sync", 0),
            None if status is None else status.visited_at,
            one.paused_at,
        )


def _port(request: Request) -> str:
    """Return the port by which this was asked for, with its colon; empty for the usual one."""
    host = request.headers.get("host", "")
    port = host.rpartition(":")[2]
    return f":{port}" if port.isdigit() and not host.endswith("]") else ""
