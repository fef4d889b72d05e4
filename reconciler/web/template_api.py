"""``/api/v1/template``: the block's template, tried and changed by programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from reconciler.errors import TemplateError
from reconciler.web import inputs, shapes
from reconciler.web.answers import JsonResponse, etag_of, tagged
from reconciler.web.problems import ProblemError, problem
from reconciler.web.trial import checked_text, message_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.web.trial import Trial


class TemplateApi:
    """The handlers. A template that fails is a 422 that has the line in it."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/api/v1/template", self.show, methods=["GET"]),
            Route("/api/v1/template", _explained(self.change), methods=["PUT"]),
            Route("/api/v1/template/preview", _explained(self.preview), methods=["POST"]),
            Route("/api/v1/template/plan", _explained(self.plan), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the template in force, where it comes from, and earlier ones."""
        return tagged(request, self._shown())

    async def change(self, request: Request) -> Response:
        """Let a text hold from the next pass on, or with ``null`` the configured one again.

        With ``If-Match`` only if nobody has changed it since it was shown.
        """
        found = await _body(request, {"text", "approve"})
        approved = found.get("approve", "")
        if not isinstance(approved, str) or len(approved) > inputs.MAX_HASH:
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

    async def preview(self, request: Request) -> Response:
        """Show what a text renders for an image, by default the first one; nothing is changed."""
        found = await _body(request, {"text", "image_id"})
        text, image = _text(found), await self._image(found.get("image_id"))
        return JsonResponse(
            {
                "image_id": None if image is None else image.image_id,
                "title": "" if image is None else image.title,
                "rendered": None if image is None else await self._trial.render(text, image),
            }
        )

    async def plan(self, request: Request) -> Response:
        """Show what a text would change in all images; nothing is written."""
        limit = inputs.whole(request.query_params, "limit", 500, 1, 5000)
        text, image = _text(await _body(request, {"text"})), await self._image(None)
        if image is not None:
            await self._trial.render(text, image)
        return JsonResponse(shapes.prepared(await self._trial.plan(text), limit))

    def _shown(self) -> shapes.Shape:
        keeper = self._trial.keeper
        return {
            "text": keeper.text(),
            "origin": keeper.origin(),
            "configured": keeper.configured(),
            "versions": [{"at": one.at, "text": one.text} for one in keeper.versions()],
        }

    async def _image(self, image_id: object) -> CatalogueImage | None:
        lookup, linked = await self._trial.choices()
        if image_id is None:
            return next(iter(linked), None)
        if not isinstance(image_id, int) or isinstance(image_id, bool):
            raise ProblemError(400, "“image_id” must be a whole number.")
        if (found := lookup.image(image_id)) is None:
            raise ProblemError(404, "Skymmich's catalogue has no image with this id.")
        return found


def _explained(
    handler: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Answer with the place of a template's error."""

    async def explained(request: Request) -> Response:
        try:
            return await handler(request)
        except TemplateError as error:
            return problem(422, message_of(error), remedy=error.remedy, more={"line": error.line})

    return explained


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
