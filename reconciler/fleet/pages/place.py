"""The place of one installation: its own host name, its own rules, and its pages behind them.

Nothing is opened for a stranger: not a connection, not a catalogue, and no worker is asked to leave.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from reconciler.fleet.pages.openings import app_of
from reconciler.fleet.pages.renderer import OuterPages
from reconciler.web.access.login import Login
from reconciler.web.access.middleware import guarded
from reconciler.web.access.policy import Access
from reconciler.web.api.openapi import Description
from reconciler.web.api.problems import ProblemError
from reconciler.web.error_handlers import Refusals

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reconciler.fleet.pages.openings import Openings
    from reconciler.web.static_files import StaticFiles

SOON_S: Final = 2.5
"""Seconds after which a browser is told that the pages are being opened; it asks again by itself."""
LATER_S: Final = 40.0
"""Seconds that a program waits for them."""


def place_of(name: str, access: Access, openings: Openings, static: StaticFiles) -> Starlette:
    """Make the application of an installation's host name."""
    pages = OuterPages(access, name)
    return _application(access, pages, static, _Inner(name, access, openings, pages))


def unknown_place(access: Access, static: StaticFiles) -> Starlette:
    """Make the application of a host name that is no installation's: to strangers it looks like one."""

    async def refuse(scope: Scope, _: Receive, __: Send) -> None:
        _require_trust(scope)
        raise ProblemError(404, "There is no installation of this name.", remedy="See the list of all.")

    return _application(access, OuterPages(access), static, refuse)


def broken_place(host: str, static: StaticFiles) -> Starlette:
    """Make the application of a host name of which it cannot be told who may see it."""
    access = Access(allowed_hosts=frozenset({host}))

    async def refuse(_: Scope, __: Receive, ___: Send) -> None:
        raise ProblemError(
            503, "This cannot be shown now.", remedy="Whoever keeps this server finds the reason in its log."
        )

    return _application(access, OuterPages(access), static, refuse)


def _application(access: Access, pages: OuterPages, static: StaticFiles, inner: ASGIApp) -> Starlette:
    routes = (
        *Login(access, pages).routes(),
        *static.routes(),
        *Description().routes(),
        Route("/livez", well),
        Route("/readyz", well),
        Mount("/", inner),
    )
    return guarded(routes, access, Refusals(pages).answer)


def _require_trust(scope: Scope) -> None:
    """Make sure that the asker was let in: some addresses are answered to everybody.

    Raises:
        ProblemError: they were not.
    """
    if not scope.get("state", {}).get("trusted"):
        raise ProblemError(401, "There is nothing here for strangers.")


class _Inner:
    """The pages themselves, for who was let in."""

    def __init__(self, name: str, access: Access, openings: Openings, pages: OuterPages) -> None:
        self._name, self._access, self._openings, self._pages = name, access, openings, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open them, and hand the request on."""
        _require_trust(scope)
        request = Request(scope, receive)
        for_people = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        with self._openings.using(self._name, self._access) as attendance:
            app = await app_of(attendance, SOON_S if for_people else LATER_S)
            if app is not None:
                await app(scope, receive, send)
                return
        await self._wait(request, for_people=for_people)(scope, receive, send)

    def _wait(self, request: Request, *, for_people: bool) -> Response:
        if not for_people:
            raise ProblemError(
                503, f"The pages of {self._name} are being opened.", remedy="Ask again.",
                headers={"retry-after": "2"},
            )  # fmt: skip
        answer = self._pages.page(request, "opening.html", {}, 503)
        answer.headers["retry-after"] = "2"
        return answer


async def well(_: Request) -> Response:
    """Tell that the event loop answers."""
    return PlainTextResponse("ok\n")
