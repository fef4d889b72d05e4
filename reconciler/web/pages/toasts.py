"""The answer to a click: a short message that stays until it is dismissed, and tells what came of it.

With JavaScript it appears where it is read, and is exchanged for the outcome once the run has ended. Without,
the browser is sent back to a page with the message on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from reconciler.web.pages.toast import toast_of
from reconciler.web.redirects import redirect

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.service.api import Control
    from reconciler.web.pages.renderer import Pages

_AT_ONCE: Final = 0.6
"""Seconds that a page with JavaScript waits for an outcome before it asks again."""
_BRIEFLY: Final = 2.0
"""Seconds that a page without it waits; it loads itself anew while a run goes on."""


class Toasts:
    """Answers clicks, and tells an open page what became of them."""

    def __init__(self, control: Control, pages: Pages) -> None:
        self._control, self._pages = control, pages

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [Route("/toast", self.later)]

    async def later(self, request: Request) -> Response:
        """Give the outcome in place of the first answer, once there is one."""
        query = request.query_params
        toast = toast_of(self._control, query.get("said", ""), query.get("run", ""))
        if toast is None or toast.said:
            return Response(status_code=204)  # nothing is exchanged yet, and nothing read out twice
        answer = self._pages.page(request, "_toast.html", {"toast": toast})
        answer.headers["hx-trigger"] = "run-over"  # what shows one image is drawn anew
        return answer

    async def answer(
        self, request: Request, said: str, *, run: str = "", back: str = "/", fragment: str = ""
    ) -> Response:
        """Say it on the spot, or on the page ``back``, with the outcome of ``run`` if it ends quickly."""
        live = request.headers.get("hx-request") == "true"
        if run:
            await self._control.wait(run, _AT_ONCE if live else _BRIEFLY)
        if live:
            return self._pages.page(request, "_toast.html", {"toast": toast_of(self._control, said, run)})
        return redirect(back, fragment, said=said, **({"run": run} if run else {}))
