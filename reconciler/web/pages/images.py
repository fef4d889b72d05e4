"""The grid of images, and each image from all sides."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.routing import Route

from reconciler.messages.proposals import ACTIONS
from reconciler.messages.translation import say
from reconciler.models.requests import MAX_ID, MAX_IMAGES
from reconciler.web import params
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.routes import is_over
from reconciler.web.image_index import target_of
from reconciler.web.pages.crossings import filter_of, sides
from reconciler.web.pages.sky_overlay import overlay_of
from reconciler.web.tones import CROSSED

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.plan.plan import Decision
    from reconciler.core.records import AssetRecord, Crossing
    from reconciler.engine.passes import Outcome
    from reconciler.service.api import ImageView, RunState
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookup, Lookups
    from reconciler.web.pages.crossings import Sides
    from reconciler.web.pages.renderer import Pages

PAGE = 24
_HISTORY = 20


class ImagePages:
    """The handlers."""

    def __init__(self, panel: Panel, pages: Pages, lookups: Lookups) -> None:
        self._panel, self._pages, self._lookups = panel, pages, lookups

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/images", self.images),
            Route("/images/{image_id:int}", self.image),
            Route("/images/{image_id:int}/state", self.state),
        ]

    async def images(self, request: Request) -> Response:
        """Show a page of the grid."""
        query = request.query_params
        text, (status, crossed) = params.search_text(request), filter_of(request)
        target, equipment = params.name(request, "target"), params.name(request, "equipment")
        lookup, found = await self._found(request, PAGE + 1, params.after(request))
        page = found[:PAGE]
        state = CROSSED if crossed else status or ""
        chosen = {"q": text, "status": state, "target": target, "equipment": equipment}
        chosen = {name: value for name, value in chosen.items() if value}
        further = ""
        if len(found) > PAGE:
            last = params.cursor(page[-1].title, page[-1].asset_id)
            further = "/images?" + urlencode({**chosen, "after": last})
        values = {
            "records": page,
            "chosen": chosen,
            "next": further,
            "after": query.get("after", ""),
            "lookup": lookup,
            "snapshot": self._panel.control.snapshot(),
            "actions": [(name, say(label)) for name, label in ACTIONS.items() if name != "take_over"],
            "targets": {record.asset_id: _target(lookup, record) for record in page},
            **self._outcome(request),
        }
        return self._pages.page(request, "images.html", values)

    async def matching(self, request: Request) -> frozenset[int]:
        """Return the images that the query's filter lets through, at most one more than may be chosen."""
        _, found = await self._found(request, MAX_IMAGES + 1, None)
        return frozenset(record.image_id for record in found)

    async def _found(
        self, request: Request, limit: int, after: tuple[str, str] | None
    ) -> tuple[Lookup, list[AssetRecord]]:
        text, (status, crossed) = params.search_text(request), filter_of(request)
        target, equipment = params.name(request, "target"), params.name(request, "equipment")
        lookup, among = await self._lookups.among(target, equipment)
        search = self._panel.history.search
        found = await asyncio.to_thread(search, text, status, limit, after, among, crossed=crossed)
        return lookup, found

    async def image(self, request: Request) -> Response:
        """Show one image from all sides; Immich is asked."""
        image_id = request.path_params["image_id"]
        view = await self._panel.control.view(image_id)
        if view is None:
            raise ProblemError(404, "Skymmich's catalogue has no image with this id.")
        asset_id = view.image.asset_id
        entries = (
            await asyncio.to_thread(self._panel.history.journal_of, None, asset_id, _HISTORY)
            if asset_id
            else []
        )
        crossing = view.record.crossing if view.record else None
        observed = view.plan.observed if view.plan else None
        values = {
            "view": view,
            "sky": overlay_of(view.image, (observed.width, observed.height) if observed else None),
            "crossing": crossing,
            "compared": await self._compared(view, crossing) if crossing else (),
            "image": view.image,
            "record": view.record,
            "plan": view.plan,
            "decisions": sorted(view.plan.decisions, key=_is_settled) if view.plan else (),
            "target": target_of(view.image),
            "entries": entries,
            "snapshot": self._panel.control.snapshot(),
            "skymmich_url": self._panel.skymmich_url,
            **self._outcome(request),
        }
        return self._pages.page(request, "image.html", values)

    async def _compared(self, view: ImageView, crossing: Crossing) -> tuple[Sides, ...]:
        """Return what was read and written when an edit may have crossed, and what Immich shows now."""
        entries = await asyncio.to_thread(
            self._panel.history.journal_of, crossing.run_id, view.image.asset_id, _HISTORY
        )
        return sides(crossing, entries, view.plan.observed if view.plan else None)

    async def state(self, request: Request) -> Response:
        """Show an image's state, and what became of a sync that was asked for: a part of a page."""
        return await self.state_part(request, request.path_params["image_id"])

    async def state_part(self, request: Request, image_id: int) -> Response:
        """Render the part ``state``."""
        image = (await self._lookups.latest()).image(image_id)
        if image is None or image.asset_id is None:
            raise ProblemError(404, "Skymmich's catalogue has no such image that is linked to Immich.")
        record = await asyncio.to_thread(self._panel.history.record, image.asset_id)
        values = {
            "image_id": image_id,
            "record": record,
            "snapshot": self._panel.control.snapshot(),
            "back": f"/images/{image_id}",
            **self._outcome(request),
        }
        return self._pages.page(request, "_state.html", values)

    def _outcome(self, request: Request) -> dict[str, object]:
        """Return what became of the sync that the address names."""
        state = self._panel.control.run_state(request.query_params.get("run", ""))
        image_id = request.path_params.get("image_id")
        if image_id is None:
            image_id = params.whole(request.query_params, "image", -1, 0, MAX_ID)
        return {
            "asked": state,
            "asked_image": image_id if state else None,
            "over": is_over(state),
            "outcome": _outcome_of(state, image_id),
        }


def _is_settled(decision: Decision) -> bool:
    """Return whether a field needs no look: what differs is shown first."""
    return decision.case in {"in_sync", "resolved", "not_ours", "switched_off"}


def _target(lookup: Lookup, record: AssetRecord) -> str:
    image: CatalogueImage | None = lookup.image_of(record.asset_id)
    return target_of(image) if image else ""


def _outcome_of(state: RunState | None, image_id: int) -> Outcome | None:
    if state is None or state.report is None:
        return None
    return next((one for one in state.report.outcomes if one.image_id == image_id), None)
