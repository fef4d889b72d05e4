"""Taking back and writing again: a click with a preview, or ``/api/v1/undo`` and ``/api/v1/redo``."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING

from starlette.routing import Route

from reconciler.engine.redo import taken_back_in
from reconciler.engine.undo_wish import UndoWish
from reconciler.messages.undo import texts
from reconciler.models.requests import Waiting
from reconciler.models.undo import RedoRequest, UndoPlan, UndoQuery, UndoRequest, asset_url
from reconciler.service.api import Request as Wish
from reconciler.web import params
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import tagged
from reconciler.web.api.routes import ASKED, linked_image, run_answer
from reconciler.web.api.validation import valid
from reconciler.web.pages.environment import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.engine.undo_plan import PreparedUndo
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookups
    from reconciler.web.pages.renderer import Pages
    from reconciler.web.pages.toasts import Toasts

_SHOWN = 30
_EXCEPTIONS = 200
_FORM = ("everything", "run_id", "image_id")


class TakingBack:
    """The handlers."""

    def __init__(self, panel: Panel, pages: Pages, lookups: Lookups, toasts: Toasts) -> None:
        self._panel, self._pages, self._lookups, self._toasts = panel, pages, lookups, toasts

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/undo", self.preview, methods=["GET"]),
            Route("/undo", self.undo_clicked, methods=["POST"]),
            Route("/redo", self.redo_clicked, methods=["POST"]),
            *routes_of(self),
        ]

    @operation("GET", "/api/v1/undo", UndoPlan, name="undoPlan", query=UndoQuery)
    async def plan(self, request: Request) -> Response:
        """Show what an undo would take back, and what it cannot; nothing is written."""
        found = await self._planned(request.query_params)
        address = self._panel.control.snapshot().immich_url
        return tagged(request, await asyncio.to_thread(UndoPlan.of, found, address))

    @operation("POST", "/api/v1/undo", ASKED, query=Waiting, body=UndoRequest)
    async def undo(self, request: Request) -> Response:
        """Take back everything, a run, or an image's changes."""
        wish = self._wish(valid(UndoRequest, await params.body(request)))
        patience = params.seconds_to_wait(request)
        run_id = self._panel.control.request(Wish(undo=wish, trigger="undo"))
        return await run_answer(self._panel.control, run_id, patience)

    @operation("POST", "/api/v1/redo", ASKED, query=Waiting, body=RedoRequest)
    async def redo(self, request: Request) -> Response:
        """Write again what was taken back: all of it, of a run, or of some images."""
        wish = await self._again(valid(RedoRequest, await params.body(request)))
        patience = params.seconds_to_wait(request)
        return await run_answer(self._panel.control, self._panel.control.request(wish), patience)

    async def preview(self, request: Request) -> Response:
        """Show what an undo would take back; a button on it does it."""
        found = await self._planned(request.query_params)
        plans, address = tuple(islice(found.changes, _SHOWN)), self._panel.control.snapshot().immich_url
        values = {
            "wish": {name: request.query_params.get(name, "") for name in _FORM},
            "found": found,
            "counts": found.counts,
            "texts": texts(found.steps.texts, number),
            "plans": plans,
            "left_out": found.counts["images"] - len(plans),
            "exceptions": [
                (step.item, why, asset_url(address, step.item.asset_id))
                for step, why in islice(found.left, _EXCEPTIONS)
            ],
            "more_exceptions": max(0, found.steps.left - _EXCEPTIONS),
            "lookup": await self._lookups.latest(),
            "snapshot": self._panel.control.snapshot(),
        }
        return self._pages.page(request, "undo.html", values)

    async def undo_clicked(self, request: Request) -> Response:
        """Take back what the form names."""
        form = await params.form(request)
        wish = self._wish(_of_form(form))
        run_id = self._panel.control.request(Wish(undo=wish, trigger="undo"))
        return await self._answer(request, form, run_id)

    async def redo_clicked(self, request: Request) -> Response:
        """Write again what the form names."""
        form = await params.form(request)
        asked = _of_form(form)
        images = [] if asked.image_id is None else [asked.image_id]
        wish = await self._again(
            RedoRequest(everything=asked.everything, run_id=asked.run_id, image_ids=images)
        )
        return await self._answer(request, form, self._panel.control.request(wish))

    async def _answer(self, request: Request, form: Mapping[str, str], run_id: str) -> Response:
        """Lead back to the image or the overview at once: taking twenty tags off takes half a minute."""
        image_id = form.get("image_id")
        back, fragment = (f"/images/{image_id}", f"state-{image_id}") if image_id else ("/", "sync")
        return await self._toasts.answer(request, "asked", run=run_id, back=back, fragment=fragment)

    async def _planned(self, query: Mapping[str, str]) -> PreparedUndo:
        wish = self._wish(_of_form(query))
        async with self._panel.planning:
            return await self._panel.control.undo_plan(wish)

    def _wish(self, asked: UndoRequest) -> UndoWish:
        named = [bool(asked.everything), bool(asked.run_id), asked.image_id is not None, bool(asked.asset_id)]
        if sum(named) != 1:
            raise ProblemError(400, "Name what to undo: “everything”, a “run_id”, or an “image_id”.")
        if asked.to is not None and not (named[2] or named[3]):
            raise ProblemError(400, "“to” is of one image: name its “image_id”.")
        asset_id = asked.asset_id.lower()
        if asked.image_id is not None:
            image = linked_image(self._panel, asked.image_id)
            if image is None or image.asset_id is None:
                raise ProblemError(503, "Skymmich's catalogue has not been read yet.")
            asset_id = image.asset_id
        return UndoWish(asked.everything, asked.run_id, asset_id, asked.to)

    async def _again(self, asked: RedoRequest) -> Wish:
        if sum([asked.everything, bool(asked.run_id), bool(asked.image_ids)]) != 1:
            raise ProblemError(400, "Name what to write again: “everything”, a “run_id”, or “image_ids”.")
        if asked.everything:
            return Wish(again=True, trigger="redo")
        images = frozenset(asked.image_ids)
        if asked.run_id:
            images = await asyncio.to_thread(taken_back_in, self._panel.history, asked.run_id)
            if not images:
                raise ProblemError(404, "There is no such run, or it wrote nothing, or it was forgotten.")
        return Wish(images, again=True, trigger="redo")


def _of_form(form: Mapping[str, str]) -> UndoRequest:
    image_id, to = form.get("image_id", ""), form.get("to", "")
    if image_id and not (image_id.isascii() and image_id.isdigit() and len(image_id) < 16):
        image_id = "" if image_id == "-1" else _wrong("image_id")
    everything = form.get("everything", "")
    if everything not in {"", "true", "false"}:
        _wrong("everything")
    made: dict[str, object] = {"everything": everything == "true", "run_id": form.get("run_id", "")}
    made |= {"image_id": int(image_id)} if image_id else {}
    made |= {"to": to} if to else {}
    return valid(UndoRequest, made)


def _wrong(name: str) -> str:
    raise ProblemError(400, f"“{name}” is of another form.")
