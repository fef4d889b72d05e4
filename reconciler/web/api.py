"""``/api/v1``: what is, what happened, what would happen, and asking for a look now."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.routing import Route

from reconciler.engine.preparing import Wishes
from reconciler.web import inputs, shapes
from reconciler.web.answers import JsonResponse, tagged
from reconciler.web.openapi import document
from reconciler.web.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.engine.control import Control, RunState
    from reconciler.engine.control import Request as Wish
    from reconciler.engine.passes import Prepared
    from reconciler.web.lookup import Lookups
    from reconciler.web.panel import Panel

_HISTORY = 50


class Api:
    """The handlers; see ``openapi`` for what they take and give."""

    def __init__(self, panel: Panel, lookups: Lookups) -> None:
        self._panel, self._control, self._history = panel, panel.control, panel.history
        self._lookups = lookups

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/api/v1/status", self.status),
            Route("/api/v1/images", self.images),
            Route("/api/v1/images/{image_id:int}", self.image),
            Route("/api/v1/images/{image_id:int}/reconcile", self.reconcile_image, methods=["POST"]),
            Route("/api/v1/runs", self.runs),
            Route("/api/v1/runs/{run_id}", self.run),
            Route("/api/v1/plan", self.plan),
            Route("/api/v1/reconcile", self.reconcile, methods=["POST"]),
            Route("/api/v1/stop", self.stop, methods=["POST"]),
            Route("/api/v1/pause", self.pause, methods=["POST"]),
            Route("/api/v1/resume", self.resume, methods=["POST"]),
            Route("/api/v1/openapi.json", self.openapi),
        ]

    async def status(self, request: Request) -> Response:
        """Show the daemon's state."""
        return tagged(request, shapes.snapshot(self._control.snapshot()))

    async def images(self, request: Request) -> Response:
        """List managed images by title."""
        limit = inputs.whole(request.query_params, "limit", 50, 1, 500)
        text, status, after = inputs.search_text(request), inputs.status(request), inputs.after(request)
        _, among = await self._lookups.among(
            inputs.name(request, "target"), inputs.name(request, "equipment")
        )
        crossed = inputs.crossed(request)
        found = await asyncio.to_thread(
            self._history.search, text, status, limit + 1, after, among, crossed=crossed
        )
        page = found[:limit]
        more = inputs.cursor(page[-1].title, page[-1].asset_id) if len(found) > limit else None
        return tagged(request, {"items": [shapes.record(one) for one in page], "next": more})

    async def image(self, request: Request) -> Response:
        """Show one image from all sides; Immich is asked."""
        found = await self._control.view(request.path_params["image_id"])
        if found is None:
            raise _no_image()
        asset_id = found.image.asset_id
        history = (
            await asyncio.to_thread(self._history.journal_of, None, asset_id, _HISTORY) if asset_id else []
        )
        return tagged(request, shapes.view(found, history))

    async def runs(self, request: Request) -> Response:
        """List runs, newest first."""
        limit = inputs.whole(request.query_params, "limit", 50, 1, 500)
        before = request.query_params.get("before") or None
        found = await asyncio.to_thread(self._history.runs, limit + 1, before)
        page = found[:limit]
        more = page[-1].run_id if len(found) > limit else None
        return tagged(request, {"items": [shapes.run(one) for one in page], "next": more})

    async def run(self, request: Request) -> Response:
        """Show one run and what it replaced."""
        run_id = request.path_params["run_id"]
        limit = inputs.whole(request.query_params, "limit", 100, 1, 1000)
        before = inputs.whole(request.query_params, "before", 0, 0, inputs.MAX_ID) or None
        state = self._control.run_state(run_id)
        found = await asyncio.to_thread(self._history.run, run_id)
        if state is None and found is None:
            raise ProblemError(404, "There is no such run, or it was forgotten.")
        journal = await asyncio.to_thread(self._history.journal_of, run_id, None, limit + 1, before)
        page = journal[:limit]
        return tagged(
            request,
            {
                "run_id": run_id,
                "run": None if found is None else shapes.run(found),
                "state": None if state is None else shapes.run_state(state),
                "changes": [shapes.entry(one) for one in page],
                "next": page[-1].entry_id if len(journal) > limit else None,
            },
        )

    async def plan(self, request: Request) -> Response:
        """Show what a pass would do, now or under other settings; nothing is written."""
        limit = inputs.whole(request.query_params, "limit", 500, 1, 5000)
        wished = inputs.wished_switches(request.query_params)
        prepared = await previewed(self._panel, wished)
        return tagged(request, shapes.prepared(prepared, limit))

    async def reconcile(self, request: Request) -> Response:
        """Look at all images, or some, now."""
        return await self._asked(request, inputs.wish(await inputs.body(request)))

    async def reconcile_image(self, request: Request) -> Response:
        """Look at one image now."""
        image_id = request.path_params["image_id"]
        wish = inputs.wish(await inputs.body(request), frozenset({image_id}))
        linked_image(self._panel, image_id)
        return await self._asked(request, wish)

    async def _asked(self, request: Request, wish: Wish) -> Response:
        patience = inputs.seconds_to_wait(request)
        return await run_answer(self._control, self._control.request(wish), patience)

    async def stop(self, _: Request) -> Response:
        """Stop the pass that runs."""
        return JsonResponse({"stopped": self._control.stop_run()})

    async def pause(self, _: Request) -> Response:
        """Start no pass by itself any more."""
        self._control.pause()
        return JsonResponse({"paused": True})

    async def resume(self, _: Request) -> Response:
        """Undo pause."""
        self._control.resume()
        return JsonResponse({"paused": False})

    async def openapi(self, request: Request) -> Response:
        """Describe all this."""
        return tagged(request, document())


async def previewed(panel: Panel, wished: Mapping[str, bool]) -> Prepared:
    """Plan all images, with some switches set otherwise if any are named; nothing is written."""
    async with panel.planning:
        prepared = await panel.control.preview()
        switches = replace(prepared.rules.switches, **wished)
        if switches != prepared.rules.switches:
            prepared = await panel.control.preview(Wishes(prepared.rules.policy, switches))
    return prepared


async def run_answer(control: Control, run_id: str, patience: float) -> JsonResponse:
    """Answer with a requested run's state, after waiting for its end for at most ``patience`` seconds."""
    state = await control.wait(run_id, patience) if patience else control.run_state(run_id)
    where = f"/api/v1/runs/{run_id}"
    shown: shapes.Shape = {"run_id": run_id, "url": where, "state": "queued"}
    if state is not None:
        shown = shapes.run_state(state)
    return JsonResponse(shown, 200 if is_over(state) else 202, headers={"location": where})


def is_over(state: RunState | None) -> bool:
    """Tell whether a run came to its end."""
    return state is not None and state.state in {"done", "failed", "stopped"}


def linked_image(panel: Panel, image_id: int) -> CatalogueImage | None:
    """Give the catalogue's image; ``None`` before the catalogue was read first.

    Raises:
        ProblemError: there is none, or it is not linked to an asset.
    """
    catalogue = panel.control.catalogue()
    if catalogue is None:
        return None
    found = catalogue.image(image_id)
    if found is None:
        raise _no_image()
    if found.asset_id is None:
        raise ProblemError(
            409,
            "This image is not linked to an asset of Immich.",
            remedy="Import it in Skymmich from Immich, then try again.",
        )
    return found


def _no_image() -> ProblemError:
    return ProblemError(404, "Skymmich's catalogue has no image with this id.")
