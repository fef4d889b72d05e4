"""Leaving an image out, or a field of it: a click on its page, or ``POST /api/v1/images/{id}/leave-out``.

Taking it in again is the same, as ``take-in``. Neither takes anything away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from reconciler.core.catalogue import WRITTEN_PARTS
from reconciler.core.plan.left_out import switched_by, why_left_out
from reconciler.messages.translation import say
from reconciler.messages.vocabulary import FIELD_TITLES
from reconciler.models.requests import Parts, Waiting
from reconciler.web import params
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.routes import ASKED, decided_by, linked_image, run_answer
from reconciler.web.api.validation import valid
from reconciler.web.redirects import redirect

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.catalogue import WrittenPart
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord
    from reconciler.web.context import Panel

_PATIENTLY: Final = 20.0
"""Seconds that a page waits for the outcome."""


_FIELD_OF: Final[Mapping[WrittenPart, str]] = {"dates": "taken_at"}
"""A part that is called otherwise as a field."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field of an image, and what leaves it out."""

    name: WrittenPart
    title: str
    switched: Reason | None = None
    """By a person, here."""
    marked: Reason | None = None
    """By the catalogue or the configuration: no switch here ends that."""


def left_out_of(plan: AssetPlan | None, record: AssetRecord | None) -> tuple[Part, ...]:
    """Return the fields of an image with what leaves each out, as far as anything does."""
    marks = plan.marks if plan is not None else record.marks if record is not None else ()
    switched = {one.field: switched_by(one) for one in record.left_out} if record is not None else {}
    marked = why_left_out(marks, ())
    return tuple(
        Part(name, say(FIELD_TITLES[_FIELD_OF.get(name, name)]), switched.get(name), marked.get(name))
        for name in WRITTEN_PARTS
    )


def marks_told(parts: Iterable[Part]) -> dict[Reason, list[str]]:
    """Return why catalogue and configuration leave fields out, each reason with the fields' titles."""
    found: dict[Reason, list[str]] = {}
    for one in parts:
        if one.marked is not None:
            found.setdefault(one.marked, []).append(one.title)
    return found


class LeavingOut:
    """The handlers."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/images/{image_id:int}/leave-out", self.clicked, methods=["POST"]),
            *routes_of(self),
        ]

    async def clicked(self, request: Request) -> Response:
        """Leave out, or take in, what the form names, wait for the outcome, and show the image again."""
        image_id = request.path_params["image_id"]
        form = await params.form(request)
        named = form.get("field", "")
        asked = valid(Parts, {"fields": [named] if named else list(WRITTEN_PARTS)})
        into = form.get("take") == "in"
        by = decided_by(self._panel, request, "page")
        run_id = await (self._in(image_id, asked.fields) if into else self._out(image_id, asked.fields, by))
        await self._panel.control.wait(run_id, _PATIENTLY)
        back = params.local(form.get("back", ""), f"/images/{image_id}")
        if back.partition("?")[0] != f"/images/{image_id}":
            back = f"/images/{image_id}"
        return redirect(back, "leave-out", run=run_id, said="taken_in" if into else "left_out")

    @operation(
        "POST",
        "/api/v1/images/{image_id:int}/leave-out",
        ASKED,
        name="leaveOut",
        query=Waiting,
        body=Parts,
    )
    async def leave_out(self, request: Request) -> Response:
        """Leave an image out, or fields of it: it is observed, and never written."""
        image_id, patience = request.path_params["image_id"], params.seconds_to_wait(request)
        asked = valid(Parts, await params.body(request))
        run_id = await self._out(image_id, asked.fields, decided_by(self._panel, request, "api"))
        return await run_answer(self._panel.control, run_id, patience)

    @operation(
        "POST",
        "/api/v1/images/{image_id:int}/take-in",
        ASKED,
        name="takeIn",
        query=Waiting,
        body=Parts,
    )
    async def take_in(self, request: Request) -> Response:
        """Take an image in again, or fields of it."""
        image_id, patience = request.path_params["image_id"], params.seconds_to_wait(request)
        asked = valid(Parts, await params.body(request))
        run_id = await self._in(image_id, asked.fields)
        return await run_answer(self._panel.control, run_id, patience)

    async def _out(self, image_id: int, fields: Collection[WrittenPart], by: str) -> str:
        linked_image(self._panel, image_id)
        return _known(await self._panel.control.leave_out(image_id, fields, by=by))

    async def _in(self, image_id: int, fields: Collection[WrittenPart]) -> str:
        linked_image(self._panel, image_id)
        return _known(await self._panel.control.take_in(image_id, fields))


def _known(run_id: str | None) -> str:
    if run_id is None:
        raise ProblemError(404, "Skymmich's catalogue has no such image that is linked to Immich.")
    return run_id
