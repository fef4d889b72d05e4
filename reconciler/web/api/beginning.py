"""``/api/v1/begin``: let a new installation write, with some images first or with all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.models.requests import Begin, Waiting
from reconciler.web import params
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.routes import ASKED, run_answer
from reconciler.web.api.validation import valid

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from reconciler.core.permission import Beginner
    from reconciler.service.api import Control
    from reconciler.web.context import Panel


class BeginApi:
    """The handler."""

    def __init__(self, panel: Panel) -> None:
        self._control = panel.control

    def routes(self) -> list[Route]:
        """List the address."""
        return routes_of(self)

    @operation("POST", "/api/v1/begin", ASKED, query=Waiting, body=Begin)
    async def begin(self, request: Request) -> Response:
        """Let writing begin: with some images, after which it waits again, or with all, for ever."""
        asked = valid(Begin, await params.body(request))
        patience = params.seconds_to_wait(request)
        run_id = begin_now(self._control, asked.by, asked.count)
        return await run_answer(self._control, run_id, patience)


def begin_now(control: Control, by: Beginner, count: int) -> str:
    """Let writing begin; gives the run's id.

    Raises:
        ProblemError: it only observes, another instance keeps the library, or metadata sync is switched
            off; nothing was begun.
    """
    snapshot = control.snapshot()
    if snapshot.permission.waits and snapshot.stands_back:
        raise ProblemError(
            409,
            "Another instance of this program keeps this library, so nothing was begun.",
            remedy="Stop the other one, or take over, and begin then.",
        )
    if snapshot.permission.waits and snapshot.switches is not None and not snapshot.switches.enabled:
        raise ProblemError(
            409,
            "Metadata sync is switched off (metadataSyncEnabled), so nothing was begun.",
            remedy="Switch it on, here or in Skymmich under Admin → Immich, and begin then.",
        )
    return control.begin(by, first=count)
