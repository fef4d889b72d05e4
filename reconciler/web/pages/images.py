"""The grid of images, and each image from all sides."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.routing import Route

from reconciler.core.policy import SWITCHES
from reconciler.errors import ReconcilerError
from reconciler.messages.proposals import ACTIONS
from reconciler.messages.translation import say
from reconciler.messages.vocabulary import FIELD_TITLES
from reconciler.models.requests import MAX_ID, MAX_IMAGES
from reconciler.web import params
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.routes import is_over
from reconciler.web.finding.finder import Finder
from reconciler.web.finding.query import Query
from reconciler.web.finding.texts import target_of
from reconciler.web.pages.availability import no_action, no_undo
from reconciler.web.pages.carrying_over import offers_of
from reconciler.web.pages.changed_since import token
from reconciler.web.pages.crossings import sides
from reconciler.web.pages.leaving_out import left_out_of, marks_told
from reconciler.web.pages.sky_overlay import overlay_of
from reconciler.web.pages.three_sides import shown

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.plan.plan import Decision
    from reconciler.core.records import AssetRecord, Crossing
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Outcome
    from reconciler.service.api import ImageView, RunState
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookup, Lookups
    from reconciler.web.pages.carrying_over import Offer
    from reconciler.web.pages.crossings import Sides
    from reconciler.web.pages.renderer import Pages

PAGES = {"cards": 24, "list": 60}
"""Images a page, by density."""
_DENSITY = "density"
_HISTORY = 20
_YEAR = 365 * 86400


@dataclass(frozen=True, slots=True)
class Member:
    """Another asset of the same stack."""

    item: Item
    address: str
    is_main: bool


class ImagePages:
    """The handlers."""

    def __init__(self, panel: Panel, pages: Pages, lookups: Lookups) -> None:
        self._panel, self._pages, self._lookups = panel, pages, lookups
        self._finder = Finder(panel.history, lookups)

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/images", self.images),
            Route("/images/{image_id:int}", self.image),
            Route("/images/{image_id:int}/state", self.state),
        ]

    async def images(self, request: Request) -> Response:
        """Show a page of the list."""
        query = Query.of(request)
        wished = request.query_params.get(_DENSITY, "")
        density = wished if wished in PAGES else _density(request)
        size = PAGES[density]
        found = await self._finder.find(query)
        number = min(params.whole(request.query_params, "page", 1, 1, MAX_ID), pages_of(found.total, size))
        ids = found.page((number - 1) * size, size)
        records = await asyncio.to_thread(self._panel.history.records_of, ids)
        page = [records[asset_id] for asset_id in ids if asset_id in records]
        snapshot = self._panel.control.snapshot()
        values = {
            "records": page,
            "query": query,
            "found": found,
            "density": density,
            "page": number,
            "first": (number - 1) * size + 1,
            "pages": shown_pages(number, pages_of(found.total, size)),
            "lookup": found.lookup,
            "snapshot": snapshot,
            "actions": [
                # Which images will be chosen is not known: what can be done with some of them is offered.
                (name, say(label), no_undo(snapshot) or no_action(snapshot, name, ()))
                for name, label in ACTIONS.items()
            ],
            "targets": {record.asset_id: _target(found.lookup, record) for record in page},
            **self._outcome(request),
        }
        answer = self._pages.page(request, "images.html", values)
        if wished in PAGES:
            answer.set_cookie(_DENSITY, wished, max_age=_YEAR, path="/images", httponly=True, samesite="lax")
        return answer

    async def warm(self) -> None:
        """Make lists and searches ready once the first pass is over: who comes first does not wait."""
        control = self._panel.control
        async with control.subscribe() as updates:
            if control.catalogue() is None:
                async for update in updates:
                    if update.name == "state" and control.catalogue() is not None:
                        break
        with suppress(ReconcilerError):  # a store or a catalogue in trouble is told elsewhere
            await self._finder.warm()

    async def matching(self, request: Request) -> frozenset[int]:
        """Return the images that the query's filter lets through, at most one more than may be chosen."""
        found = await self._finder.find(Query.of(request))
        assets = found.page(0, MAX_IMAGES + 1)
        ids = {asset_id: found.lookup.id_of(asset_id) for asset_id in assets}
        # Other members of stacks are in no catalogue, but their images are.
        members = [asset_id for asset_id, image_id in ids.items() if image_id is None]
        records = await asyncio.to_thread(self._panel.history.records_of, members)
        linked = {record.image_id for record in records.values() if record.linked}
        return frozenset(image_id for image_id in ids.values() if image_id is not None) | linked

    async def image(self, request: Request) -> Response:
        """Show one image from all sides; Immich is asked."""
        image_id = request.path_params["image_id"]
        view = await self._panel.control.view(image_id, request.query_params.get("asset", "").lower())
        if view is None:
            raise ProblemError(404, "Skymmich's catalogue has no image with this id.")
        asset_id = view.image.asset_id
        entries = (
            await asyncio.to_thread(self._panel.history.journal_of, None, asset_id, _HISTORY)
            if asset_id
            else []
        )
        query = Query.of(request)
        beside = (await self._finder.find(query)).beside(asset_id) if asset_id else None
        crossing = view.record.crossing if view.record else None
        observed = view.plan.observed if view.plan else None
        values = {
            "view": view,
            "members": self._members(view),
            "query": query,
            "beside": beside,
            "list_page": (max(beside.number, 1) - 1) // PAGES[_density(request)] + 1 if beside else 1,
            "sky": overlay_of(view.image, (observed.width, observed.height) if observed else None),
            "crossing": crossing,
            "compared": await self._compared(view, crossing) if crossing else (),
            "image": view.image,
            "record": view.record,
            "plan": view.plan,
            "sides_of": [
                shown(decision, view.plan) for decision in sorted(view.plan.decisions, key=_is_settled)
            ]
            if view.plan
            else (),
            "switched_off": self._switched_off() if view.plan else (),
            "offers": await self._offers(asset_id),
            "left_out": (parts := left_out_of(view.plan, view.record)),
            "marks": marks_told(parts),
            "can_switch": self._panel.settings is not None,
            "target": target_of(view.image),
            "entries": entries,
            "shown_token": token(view.record),
            "snapshot": self._panel.control.snapshot(),
            "skymmich_url": self._panel.skymmich_url,
            **self._outcome(request),
        }
        return self._pages.page(request, "image.html", values)

    def _members(self, view: ImageView) -> list[Member]:
        """Return the other assets of its stack for which the image stands, each with its page."""
        image_id = view.image.image_id
        main = next(iter(self._panel.control.assets_of(image_id)), None)
        return [
            Member(
                one,
                f"/images/{image_id}" + ("" if one.asset_id == main else f"?asset={one.asset_id}"),
                is_main=one.asset_id == main,
            )
            for one in view.members
        ]

    async def _offers(self, asset_id: str | None) -> list[Offer]:
        """Return what is, or was, offered from assets that this one replaced."""
        if asset_id is None:
            return []
        found = await asyncio.to_thread(self._panel.history.carry_overs, [asset_id])
        return offers_of(found.get(asset_id, ()))

    def _switched_off(self) -> list[tuple[str, str]]:
        """Return the fields that are switched off: the switch's name in Skymmich, and the field's title."""
        switches = self._panel.control.snapshot().switches
        if switches is None:
            return []
        return [
            (name, say(FIELD_TITLES[ours]))
            for name, ours in SWITCHES.items()
            if ours in FIELD_TITLES and not getattr(switches, ours)
        ]

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
        main = next(iter(self._panel.control.assets_of(image_id)), image.asset_id)
        record = await asyncio.to_thread(self._panel.history.record, main)
        values = {
            "image_id": image_id,
            "record": record,
            "snapshot": self._panel.control.snapshot(),
            "back": Query.of(request).address(f"/images/{image_id}"),
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


def pages_of(total: int, size: int) -> int:
    """Return how many pages there are; at least one."""
    return max(1, -(-total // size))


def shown_pages(number: int, last: int) -> list[int]:
    """Return the numbers of pages that are offered: the first, the last, and those around; 0 is a gap."""
    near = sorted({1, last, *range(max(1, number - 1), min(last, number + 1) + 1)})
    shown: list[int] = []
    for one in near:
        if shown and one - shown[-1] == 2:
            shown.append(one - 1)
        elif shown and one - shown[-1] > 2:
            shown.append(0)
        shown.append(one)
    return shown


def _density(request: Request) -> str:
    kept = request.cookies.get(_DENSITY, "")
    return kept if kept in PAGES else "cards"


def _is_settled(decision: Decision) -> bool:
    """Return whether a field needs no look: what differs is shown first."""
    return decision.case in {"in_sync", "resolved", "not_ours", "switched_off"}


def _target(lookup: Lookup, record: AssetRecord) -> str:
    image: CatalogueImage | None = lookup.image_of(record.asset_id)
    if image is None and record.linked:  # another member of a stack
        image = lookup.image(record.image_id)
    return target_of(image) if image else ""


def _outcome_of(state: RunState | None, image_id: int) -> Outcome | None:
    if state is None or state.report is None:
        return None
    return next((one for one in state.report.outcomes if one.image_id == image_id), None)
