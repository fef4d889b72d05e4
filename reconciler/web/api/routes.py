"""``/api/v1``: what is, what happened, what would happen, and asking for a look now."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.engine.planner.wishes import Wishes
from reconciler.models.images import Change, Image, Images, ImageView
from reconciler.models.plans import Plan
from reconciler.models.requests import (
    ImagesQuery,
    ImageWish,
    PlanQuery,
    RunQuery,
    RunsQuery,
    Waiting,
    Wish,
)
from reconciler.models.runs import Run, Runs, RunState, RunView, run_url
from reconciler.models.status import Paused, Status, Stopped
from reconciler.web import params
from reconciler.web.api.operations import Answer, operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import JsonResponse, tagged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.engine.passes import Prepared
    from reconciler.service.api import Control
    from reconciler.service.api import Request as Look
    from reconciler.service.api import RunState as CoreRunState
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookups

_HISTORY = 50
_LONGEST_NAME = 100
"""Characters of a user's name that are kept."""
ASKED = {
    200: Answer("Ended", RunState, location=True),
    202: Answer("Queued or going on", RunState, location=True),
}
"""How a run that was asked for is told of."""


class Api:
    """The handlers; see ``openapi`` for what they take and give."""

    def __init__(self, panel: Panel, lookups: Lookups) -> None:
        self._panel, self._control, self._history = panel, panel.control, panel.history
        self._lookups = lookups

    def routes(self) -> list[Route]:
        """List the addresses."""
        return routes_of(self)

    @operation("GET", "/api/v1/status", Status)
    async def status(self, request: Request) -> Response:
        """Show the daemon's state."""
        return tagged(request, Status.of(self._control.snapshot()))

    @operation("GET", "/api/v1/images", Images, query=ImagesQuery)
    async def images(self, request: Request) -> Response:
        """List managed images by title."""
        limit = params.number(request, ImagesQuery, "limit")
        text, status, after = params.search_text(request), params.status(request), params.after(request)
        _, among = await self._lookups.among(
            params.name(request, "target"), params.name(request, "equipment")
        )
        crossed = params.crossed(request)
        found = await asyncio.to_thread(
            self._history.search, text, status, limit + 1, after, among, crossed=crossed
        )
        page = found[:limit]
        more = params.cursor(page[-1].title, page[-1].asset_id) if len(found) > limit else None
        return tagged(request, Images(items=[Image.of(one) for one in page], next=more))

    @operation("GET", "/api/v1/images/{image_id:int}", ImageView)
    async def image(self, request: Request) -> Response:
        """Show one image from all sides; Immich is asked."""
        found = await self._control.view(request.path_params["image_id"])
        if found is None:
            raise _no_image()
        asset_id = found.image.asset_id
        history = (
            await asyncio.to_thread(self._history.journal_of, None, asset_id, _HISTORY) if asset_id else []
        )
        return tagged(request, ImageView.of(found, history))

    @operation("GET", "/api/v1/runs", Runs, query=RunsQuery)
    async def runs(self, request: Request) -> Response:
        """List runs, newest first."""
        limit = params.number(request, RunsQuery, "limit")
        before = request.query_params.get("before") or None
        found = await asyncio.to_thread(self._history.runs, limit + 1, before)
        page = found[:limit]
        more = page[-1].run_id if len(found) > limit else None
        return tagged(request, Runs(items=[Run.of(one) for one in page], next=more))

    @operation("GET", "/api/v1/runs/{run_id}", RunView, query=RunQuery)
    async def run(self, request: Request) -> Response:
        """Show one run and what it replaced."""
        run_id = request.path_params["run_id"]
        limit = params.number(request, RunQuery, "limit")
        before = params.number(request, RunQuery, "before") or None
        state = self._control.run_state(run_id)
        found = await asyncio.to_thread(self._history.run, run_id)
        if state is None and found is None:
            raise ProblemError(404, "There is no such run, or it was forgotten.")
        journal = await asyncio.to_thread(self._history.journal_of, run_id, None, limit + 1, before)
        page = journal[:limit]
        return tagged(
            request,
            RunView(
                run_id=run_id,
                run=None if found is None else Run.of(found),
                state=None if state is None else RunState.of(state),
                changes=[Change.of(one) for one in page],
                next=page[-1].entry_id if len(journal) > limit else None,
            ),
        )

    @operation("GET", "/api/v1/plan", Plan, query=PlanQuery)
    async def plan(self, request: Request) -> Response:
        """Show what a run would do, now or under other settings; nothing is written."""
        limit = params.number(request, PlanQuery, "limit")
        wished = params.wished_switches(request.query_params)
        prepared = await previewed(self._panel, wished)
        shown = await asyncio.to_thread(Plan.of, prepared, self._panel.now(), limit)
        return tagged(request, shown)

    @operation("POST", "/api/v1/reconcile", ASKED, query=Waiting, body=Wish)
    async def reconcile(self, request: Request) -> Response:
        """Look at all images, or some, now."""
        return await self._asked(request, params.wish(await params.body(request)))

    @operation(
        "POST",
        "/api/v1/images/{image_id:int}/reconcile",
        ASKED,
        name="reconcileImage",
        query=Waiting,
        body=ImageWish,
    )
    async def reconcile_image(self, request: Request) -> Response:
        """Look at one image now."""
        image_id = request.path_params["image_id"]
        wish = params.wish(await params.body(request), frozenset({image_id}))
        linked_image(self._panel, image_id)
        return await self._asked(request, wish)

    async def _asked(self, request: Request, wish: Look) -> Response:
        patience = params.seconds_to_wait(request)
        return await run_answer(self._control, self._control.request(wish), patience)

    @operation("POST", "/api/v1/stop", Stopped)
    async def stop(self, _: Request) -> Response:
        """Stop the run that is in progress."""
        return JsonResponse(Stopped(stopped=self._control.stop_run()))

    @operation("POST", "/api/v1/pause", Paused)
    async def pause(self, _: Request) -> Response:
        """Start no run by itself any more."""
        self._control.pause()
        return JsonResponse(Paused(paused=True))

    @operation("POST", "/api/v1/resume", Paused)
    async def resume(self, _: Request) -> Response:
        """Undo pause."""
        self._control.resume()
        return JsonResponse(Paused(paused=False))


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
    where = run_url(run_id)
    queued = RunState(run_id=run_id, state="queued", url=where)
    shown = queued if state is None else RunState.of(state)
    return JsonResponse(shown, 200 if is_over(state) else 202, headers={"location": where})


def is_over(state: CoreRunState | None) -> bool:
    """Return whether a run came to its end."""
    return state is not None and state.state in {"done", "failed", "stopped"}


def linked_image(panel: Panel, image_id: int) -> CatalogueImage | None:
    """Return the catalogue's image; ``None`` before the catalogue was read first.

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


def decided_by(panel: Panel, request: Request, face: str) -> str:
    """Return who decides: the user's name, cut to what is kept of one, or else the face."""
    return panel.access.user(request)[:_LONGEST_NAME] or face
