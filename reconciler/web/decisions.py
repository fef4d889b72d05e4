"""Deciding a conflict: a click on the image's page, or ``POST /api/v1/images/{id}/resolve``.

Both name what the person was shown, so that a decision is never taken for values that nobody looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args
from urllib.parse import urlencode

from starlette.responses import RedirectResponse
from starlette.routing import Route

from reconciler.core.records import Field
from reconciler.core.resolution import Keep
from reconciler.errors import DecisionError
from reconciler.models.asked import Choice, Waiting
from reconciler.web import inputs
from reconciler.web.api import ASKED, linked_image, run_answer
from reconciler.web.operations import operation, routes_of
from reconciler.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.web.panel import Panel

REOPEN: Final = "ask"
"""What a form says for taking a decision back; the API has ``null``."""
_FIELDS: Final = get_args(Field)
_KEEPS: Final = get_args(Keep)
_MOST = 64
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
        form: dict[str, object] = dict(await inputs.form(request))
        reopen = form.get("keep") == REOPEN
        try:
            run_id = await self._decide(image_id, {**form, "keep": None if reopen else form.get("keep", "")})
        except DecisionError:
            # Both sides are shown as they are now; nothing was decided.
            return RedirectResponse(f"/images/{image_id}?said=moved#sides-title", status_code=303)
        await self._panel.control.wait(run_id, _PATIENTLY)
        said = "reopened" if reopen else "again" if form.get("again") == "yes" else "decided"
        query = {"run": run_id, "said": said}
        where = f"/images/{image_id}?{urlencode(query)}#state-{image_id}"
        return RedirectResponse(where, status_code=303)

    @operation("POST", "/api/v1/images/{image_id:int}/resolve", ASKED, query=Waiting, body=Choice)
    async def resolve(self, request: Request) -> Response:
        """Decide as the body says; the answer is the run's state, as ``reconcile``'s is."""
        image_id = request.path_params["image_id"]
        patience = inputs.seconds_to_wait(request)
        found = await inputs.body(request)
        if unknown := set(found) - {"field", "keep", "shown"}:
            raise ProblemError(400, f"There is no “{min(unknown)[:50]}” here.")
        if "keep" not in found:
            raise ProblemError(400, f"“keep” must be one of {', '.join(_KEEPS)}, or null to be asked again.")
        run_id = await self._decide(image_id, found)
        return await run_answer(self._panel.control, run_id, patience)

    async def _decide(self, image_id: int, found: Mapping[str, object]) -> str:
        keep, field, shown = found.get("keep"), found.get("field") or None, found.get("shown") or ""
        if keep is not None and keep not in _KEEPS:
            raise ProblemError(400, f"“keep” must be one of {', '.join(_KEEPS)}.")
        if field is not None and field not in _FIELDS:
            raise ProblemError(400, f"“field” must be one of {', '.join(_FIELDS)}.")
        if not isinstance(shown, str) or len(shown) > _MOST:
            raise ProblemError(400, "“shown” must be what the image's decision names so.")
        if shown and field is None:
            raise ProblemError(400, "“shown” is of one “field”: name it.")
        linked_image(self._panel, image_id)
        run_id = await self._panel.control.resolve(
            image_id, cast("Keep | None", keep), field=cast("Field | None", field), shown=shown
        )
        if run_id is None:
            raise ProblemError(404, "Skymmich's catalogue has no such image that is linked to Immich.")
        return run_id
