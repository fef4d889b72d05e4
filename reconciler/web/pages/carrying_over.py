"""Carrying a person's words over from a replaced asset: a click on the image's page, or the API.

``POST /api/v1/images/{id}/carry-over`` carries over what is offered, or leaves it; ``GET`` tells what is.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from reconciler.messages import carry_over as words
from reconciler.models.carry_over import CarryOvers, Wanted
from reconciler.models.requests import Waiting
from reconciler.web import params
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import JsonResponse
from reconciler.web.api.routes import ASKED, decided_by, linked_image, run_answer
from reconciler.web.api.validation import valid
from reconciler.web.redirects import redirect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.carry_over import CarryOver
    from reconciler.web.context import Panel

_PATIENTLY: Final = 20.0
"""Seconds that a page waits for the outcome."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What is offered, in words."""

    found: CarryOver
    whence: str
    state: str
    lines: list[tuple[str, str]]

    @property
    def is_open(self) -> bool:
        """Whether a person may decide of it."""
        return self.found.state in {"offered", "wanted"}

    @property
    def can_be_wanted(self) -> bool:
        """Whether it may be carried over, also after it was left."""
        return self.found.state in {"offered", "dismissed"}


def offers_of(found: Iterable[CarryOver]) -> list[Offer]:
    """Return what is, or was, offered, in words."""
    return [Offer(one, words.whence(one), words.state_of(one), words.kept_lines(one.kept)) for one in found]


class CarryingOver:
    """The handlers."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/images/{image_id:int}/carry-over", self.clicked, methods=["POST"]),
            *routes_of(self),
        ]

    async def clicked(self, request: Request) -> Response:
        """Carry over what is offered, or leave it, wait for the outcome, and show the image again."""
        image_id = request.path_params["image_id"]
        form = await params.form(request)
        leave = form.get("what") == "leave"
        run_id = await self._decided(request, image_id, "page", dismiss=leave)
        await self._panel.control.wait(run_id, _PATIENTLY)
        said = "carry_left" if leave else "carried_over"
        return redirect(f"/images/{image_id}", "carry-over", run=run_id, said=said)

    @operation("GET", "/api/v1/images/{image_id:int}/carry-over", CarryOvers, name="carryOvers")
    async def offered(self, request: Request) -> Response:
        """Tell what is, or was, offered to an image from assets that it replaced."""
        image_id = request.path_params["image_id"]
        image = linked_image(self._panel, image_id)
        asset_id = image.asset_id if image is not None else None
        found = await asyncio.to_thread(self._panel.history.carry_overs, [asset_id] if asset_id else [])
        return JsonResponse(CarryOvers.of(one for several in found.values() for one in several))

    @operation(
        "POST",
        "/api/v1/images/{image_id:int}/carry-over",
        ASKED,
        name="carryOver",
        query=Waiting,
        body=Wanted,
    )
    async def carry_over(self, request: Request) -> Response:
        """Carry over what is offered to an image, or leave it."""
        image_id, patience = request.path_params["image_id"], params.seconds_to_wait(request)
        asked = valid(Wanted, await params.body(request))
        run_id = await self._decided(request, image_id, "api", dismiss=asked.dismiss)
        return await run_answer(self._panel.control, run_id, patience)

    async def _decided(self, request: Request, image_id: int, face: str, *, dismiss: bool) -> str:
        linked_image(self._panel, image_id)
        by = decided_by(self._panel, request, face)
        run_id = await self._panel.control.carry_over(image_id, by=by, dismiss=dismiss)
        if run_id is None:
            raise ProblemError(404, "Skymmich's catalogue has no such image that is linked to Immich.")
        return run_id
