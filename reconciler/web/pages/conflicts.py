"""Deciding a conflict: a click on the image's page, or ``POST /api/v1/images/{id}/resolve``.

Both name what the person was shown, so that a decision is never taken for values that nobody looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from reconciler.errors import DecisionError
from reconciler.models.requests import Choice, Waiting
from reconciler.web import params
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.routes import ASKED, linked_image, run_answer
from reconciler.web.api.validation import valid
from reconciler.web.redirects import redirect

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.web.context import Panel

REOPEN: Final = "ask"
"""What a form says for taking a decision back; the API has ``null``."""
_PATIENTLY = 20.0
"""Seconds that a page waits for the outcome."""


class Decisions:
    """The handlers."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/images/{image_id:int}/resolve", self.clicked, methods=["POST"]),
            *routes_of(self),
        ]

    async def clicked(self, request: Request) -> Response:
        """Decide as the form says, wait for the outcome, and show the image again."""
        image_id = request.path_params["image_id"]
        form = await params.form(request)
        reopen = form.get("keep") == REOPEN
        made = {
            "keep": None if reopen else form.get("keep", ""),
            "field": form.get("field") or None,
            "shown": form.get("shown", ""),
        }
        back = params.local(form.get("back", ""), f"/images/{image_id}")
        if back.partition("?")[0] != f"/images/{image_id}":
            back = f"/images/{image_id}"
        try:
            run_id = await self._decide(image_id, valid(Choice, made))
        except DecisionError:
            # Both sides are shown as they are now; nothing was decided.
            return redirect(back, "sides-title", said="moved")
        await self._panel.control.wait(run_id, _PATIENTLY)
        said = "reopened" if reopen else "again" if form.get("again") == "yes" else "decided"
        return redirect(back, f"state-{image_id}", run=run_id, said=said)

    @operation("POST", "/api/v1/images/{image_id:int}/resolve", ASKED, query=Waiting, body=Choice)
    async def resolve(self, request: Request) -> Response:
        """Decide as the body says; the answer is the run's state, as ``reconcile``'s is."""
        image_id = request.path_params["image_id"]
        patience = params.seconds_to_wait(request)
        run_id = await self._decide(image_id, valid(Choice, await params.body(request)))
        return await run_answer(self._panel.control, run_id, patience)

    async def _decide(self, image_id: int, choice: Choice) -> str:
        if choice.shown and choice.field is None:
            raise ProblemError(400, "“shown” is of one “field”: name it.")
        linked_image(self._panel, image_id)
        run_id = await self._panel.control.resolve(
            image_id, choice.keep, field=choice.field, shown=choice.shown
        )
        if run_id is None:
            raise ProblemError(404, "Skymmich's catalogue has no such image that is linked to Immich.")
        return run_id
