"""``/api/v1/template``: the block's template, tried and changed by programs."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING

from reconciler.errors import TemplateError
from reconciler.models.asked import MAX_HASH, PlanLimit, TemplateChange, TemplateText, TemplateTrial
from reconciler.models.plans import Plan
from reconciler.models.status import Rendered, Template, TemplateVersion
from reconciler.web import inputs
from reconciler.web.answers import JsonResponse, etag_of, tagged
from reconciler.web.operations import Answer, operation, routes_of
from reconciler.web.problems import ProblemError, problem
from reconciler.web.trial import checked_text, message_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.web.trial import Trial


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
            return problem(422, message_of(error), remedy=error.remedy, more={"line": error.line})

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
        {200: Answer(model=Template), **_FAILING},
        name="changeTemplate",
        body=TemplateChange,
        headers={"if-match": "The ETag it had when it was read: changed only if it still has"},
    )
    @_explained
    async def change(self, request: Request) -> Response:
        """Let a text hold from the next pass on, or with ``null`` the configured one again.

        With ``If-Match`` only if nobody has changed it since it was shown.
        """
        found = await _body(request, {"text", "approve"})
        approved = found.get("approve", "")
        if not isinstance(approved, str) or len(approved) > MAX_HASH:
            raise ProblemError(400, "“approve” must be the hash that the guard named.")
        if "text" not in found:
            raise ProblemError(400, "The body must have a “text”; null is for the configured template.")
        text = None if found["text"] is None else _text(found)
        wanted = request.headers.get("if-match", "*").strip()
        if wanted not in {"*", etag_of(self._shown())}:
            raise ProblemError(
                412, "The template was changed meanwhile.", remedy="Read it again, and decide."
            )
        if text is None:
            self._trial.reset()
        else:
            await self._trial.save(text, approved=approved)
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
        found = await _body(request, {"text", "image_id"})
        text, image = _text(found), await self._image(found.get("image_id"))
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
        limit = inputs.whole(request.query_params, "limit", 500, 1, 5000)
        text, image = _text(await _body(request, {"text"})), await self._image(None)
        if image is not None:
            await self._trial.render(text, image)
        prepared = await self._trial.plan(text)
        return JsonResponse(await asyncio.to_thread(Plan.of, prepared, self._trial.now(), limit))

    def _shown(self) -> Template:
        keeper = self._trial.keeper
        return Template(
            text=keeper.text(),
            origin=keeper.origin(),
            configured=keeper.configured(),
            versions=[TemplateVersion(at=one.at, text=one.text) for one in keeper.versions()],
        )

    async def _image(self, image_id: object) -> CatalogueImage | None:
        lookup, linked = await self._trial.choices()
        if image_id is None:
            return next(iter(linked), None)
        if not isinstance(image_id, int) or isinstance(image_id, bool):
            raise ProblemError(400, "“image_id” must be a whole number.")
        if (found := lookup.image(image_id)) is None:
            raise ProblemError(404, "Skymmich's catalogue has no image with this id.")
        return found


async def _body(request: Request, known: set[str]) -> Mapping[str, object]:
    found = await inputs.body(request)
    if unknown := set(found) - known:
        raise ProblemError(400, f"There is no “{min(unknown)[:50]}” here.")
    return found


def _text(found: Mapping[str, object]) -> str:
    text = found.get("text")
    if not isinstance(text, str):
        raise ProblemError(400, "The body must have a “text”: the template.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ProblemError(400, "The “text” has half a character in it.") from None
    return checked_text(text)
