"""The doctor's checks as a page, beside what the daemon knows of itself, and as JSON."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from starlette.routing import Route

from reconciler.models.status import Findings
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import JsonResponse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookups
    from reconciler.web.pages.renderer import Pages
    from reconciler.web.ports import Check

_MOST_ROUTES = 20


class DoctorPages:
    """The handlers. The checks ask Immich, so they run when asked for; an open page asks by itself."""

    def __init__(self, panel: Panel, pages: Pages, lookups: Lookups) -> None:
        self._panel, self._pages, self._lookups = panel, pages, lookups

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/doctor", self.doctor),
            Route("/doctor/checks", self.checks),
            *routes_of(self),
        ]

    async def doctor(self, request: Request) -> Response:
        """Show the daemon's conditions, and with ``run`` all checks."""
        run = self._panel.doctor is not None and "run" in request.query_params
        requests = sorted(self._panel.requests().items(), key=lambda one: -one[1])
        values = {
            "snapshot": self._panel.control.snapshot(),
            "requests": requests[:_MOST_ROUTES],
            "passes": dict(self._panel.passes()),
            "messenger": self._panel.messenger,
            "lookup": await self._lookups.latest(),
            **(_shown(await self._found()) if run else {"checks": None}),
        }
        return self._pages.page(request, "doctor.html", values)

    async def checks(self, request: Request) -> Response:
        """Run the checks: a part of the page."""
        return self._pages.page(request, "_checks.html", _shown(await self._found()))

    @operation("GET", "/api/v1/doctor", Findings, name="doctor")
    async def findings(self, _: Request) -> Response:
        """Run the checks."""
        found = await self._found()
        return JsonResponse(Findings.of(found))

    async def _found(self) -> tuple[Check, ...]:
        if self._panel.doctor is None:
            raise ProblemError(404, "There is no doctor here.", remedy="Run: skymmich-reconciler doctor")
        async with self._panel.planning:
            return await self._panel.doctor()


def _shown(found: tuple[Check, ...]) -> dict[str, object]:
    groups = groupby(found, key=lambda one: one.title)
    return {
        "checks": [(title, list(ones)) for title, ones in groups],
        "problems": _count(found, "problem"),
        "warnings": _count(found, "warning"),
    }


def _count(found: tuple[Check, ...], level: str) -> int:
    return sum(one.level == level for one in found)
