"""``/api/v1/template``: the block's template, tried and changed by programs."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING

from reconciler.errors import TemplateError
from reconciler.messages.nouns import counted
from reconciler.messages.voice import remedy_of
from reconciler.models.plans import Plan
from reconciler.models.requests import PlanLimit, TemplateChange, TemplateText, TemplateTrial
from reconciler.models.status import Foreseen, Rendered, Template, TemplateVersion
from reconciler.web import params
from reconciler.web.api.operations import Answer, operation, routes_of
from reconciler.web.api.problems import ProblemError, problem
from reconciler.web.api.responses import JsonResponse, etag_of, tagged
from reconciler.web.api.validation import valid
from reconciler.web.template_preview import checked_text, message_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.web.template_preview import Trial


_FAILING = {422: Answer("The template fails; “line” says where", problem=True)}


def _explained(
    handler: Callable[[TemplateApi, Request], Awaitable[Response]],
) -> Callable[[TemplateApi, Request], Awaitable[Response]]:
    """Answer with the place of a template's error."""

    @wraps(handler)
    async def explained(self: TemplateApi, request: Request) -> Response:
        try:
            return await handler(self, request)
        except TemplateError as error:
            return problem(
                422, message_of(error), remedy=remedy_of(error, "daemon"), more={"line": error.line}
            )

    return explained


class TemplateApi:
    """The handlers. A template that fails is a 422 that has the line in it."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def routes(self) -> list[Route]:
        """List the addresses."""
        return routes_of(self)

    @operation("GET", "/api/v1/template", Template, name="template")
    async def show(self, request: Request) -> Response:
        """Show the template in force, where it comes from, and earlier ones."""
        return tagged(request, self._shown())

    @operation(
        "PUT",
        "/api/v1/template",
        {
            200: Answer(model=Template),
            409: Answer("Nothing was changed; “would_write” tells what would be", problem=True),
            **_FAILING,
        },
        name="changeTemplate",
        body=TemplateChange,
        headers={"if-match": "The ETag it had when it was read: changed only if it still has"},
    )
    @_explained
    async def change(self, request: Request) -> Response:
        """Use a text from the next run on, or with ``null`` the configured one again.

        Without ``confirm`` nothing is changed, and a 409 tells what it would change. With ``If-Match`` only
        if nobody has changed it since it was shown.
        """
        asked = valid(TemplateChange, await params.body(request))
        text = None if asked.text is None else checked_text(asked.text)
        wanted = request.headers.get("if-match", "*").strip()
        if wanted not in {"*", etag_of(self._shown())}:
            raise ProblemError(
                412, "The template was changed meanwhile.", remedy="Read it again, and decide."
            )
        if not (asked.confirm or asked.approve):
            return await self._would_change(text)
        if text is None:
            self._trial.reset()
        else:
            await self._trial.save(text, approved=asked.approve)
        return tagged(request, self._shown())

    @operation(
        "POST",
        "/api/v1/template/preview",
        {200: Answer(model=Rendered), **_FAILING},
        name="tryTemplate",
        body=TemplateTrial,
    )
    @_explained
    async def preview(self, request: Request) -> Response:
        """Show what a text renders for an image, by default the first one; nothing is changed."""
        asked = valid(TemplateTrial, await params.body(request))
        text, image = checked_text(asked.text), await self._image(asked.image_id)
        return JsonResponse(
            Rendered(
                image_id=None if image is None else image.image_id,
                title="" if image is None else image.title,
                rendered=None if image is None else await self._trial.render(text, image),
            )
        )

    @operation(
        "POST",
        "/api/v1/template/plan",
        {200: Answer(model=Plan), **_FAILING},
        name="planTemplate",
        query=PlanLimit,
        body=TemplateText,
    )
    @_explained
    async def plan(self, request: Request) -> Response:
        """Show what a text would change in all images; nothing is written."""
        limit = params.number(request, PlanLimit, "limit")
        asked = valid(TemplateText, await params.body(request))
        text, image = checked_text(asked.text), await self._image(None)
        if image is not None:
            await self._trial.render(text, image)
        prepared = await self._trial.plan(text)
        return JsonResponse(await asyncio.to_thread(Plan.of, prepared, self._trial.now(), limit))

    async def _would_change(self, text: str | None) -> Response:
        """Tell what a text would change, before it is to hold."""
        image = await self._image(None)
        if text is not None and image is not None:
            await self._trial.render(text, image)
        foreseen = await self._trial.foresee(self._trial.with_text(text))
        return problem(
            409,
            f"Nothing was changed: {foreseen.changing} of {counted(foreseen.looked, 'image')} would be "
            f"written; {foreseen.looked} of {foreseen.images} were compared.",
            remedy="Look at “would_write”, and send it again with “confirm”: true.",
            more={"would_write": dict(Foreseen.of(foreseen))},
        )

    def _shown(self) -> Template:
        keeper = self._trial.keeper
        return Template(
            text=keeper.text(),
            origin=keeper.origin(),
            configured=keeper.configured(),
            versions=[TemplateVersion(at=one.at, text=one.text) for one in keeper.versions()],
        )

    async def _image(self, image_id: int | None) -> CatalogueImage | None:
        lookup, linked = await self._trial.choices()
        if image_id is None:
            return next(iter(linked), None)
        if (found := lookup.image(image_id)) is None:
            raise ProblemError(404, "Skymmich's catalogue has no image with this id.")
        return found
