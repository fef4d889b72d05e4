"""What a person does with one image, some, a run's, all that match a filter, or all: shown first, then done.

``GET /decide`` shows it for few images, named in the address; ``POST /decide`` for a selection of the list.
What is then confirmed names the images that were shown, and nothing that came to match since.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from starlette.routing import Route

from reconciler.engine.redo import taken_back_in
from reconciler.engine.undo_wish import UndoWish
from reconciler.errors import DecisionError, ReconcilerError
from reconciler.messages.proposals import Action
from reconciler.models.requests import MAX_ID, MAX_IMAGES, Waiting
from reconciler.models.undo import AdoptRequest
from reconciler.service.api import Request as Wish
from reconciler.web import params
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.routes import ASKED, run_answer
from reconciler.web.api.validation import valid
from reconciler.web.pages.availability import at_work, no_action, no_write
from reconciler.web.pages.proposals import (
    beside_another,
    ids_of,
    of_conflicts,
    of_pass,
    of_pause,
    of_take_over,
    of_undo,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.records import Keep, Trigger
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookups
    from reconciler.web.pages.images import ImagePages
    from reconciler.web.pages.proposals import Proposal
    from reconciler.web.pages.renderer import Pages
    from reconciler.web.pages.toasts import Toasts

_KEEPS: Final[Mapping[str, Keep]] = {"immich": "immich", "skymmich": "skymmich", "both": "both"}
_ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
_OF_ALL: Final = frozenset({"redo", "approve", "take_over", "pause", "resume"})
"""What may be asked for without naming images."""
_CHANGED: Final = (
    "Something of it changed since it was shown, so nothing was done. It stands here as it is now."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for."""

    action: Action
    image_ids: frozenset[int] | None
    """``None``: all."""
    back: str


class Deciding:
    """The handlers."""

    def __init__(
        self, panel: Panel, pages: Pages, lookups: Lookups, images: ImagePages, toasts: Toasts
    ) -> None:
        self._panel, self._pages, self._lookups = panel, pages, lookups
        self._images, self._toasts = images, toasts

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/decide", self.look, methods=["GET"]),
            Route("/decide", self.chosen, methods=["POST"]),
            Route("/decide/confirmed", self.confirmed, methods=["POST"]),
            *routes_of(self),
        ]

    async def look(self, request: Request) -> Response:
        """Show what would be done with the images that the address names."""
        query = {name: [value] for name, value in request.query_params.items()}
        return await self._show(request, await self.asked(request, query))

    async def chosen(self, request: Request) -> Response:
        """Show what would be done with the images that were chosen in the list."""
        asked = await self.asked(request, await params.form_values(request))
        if asked.image_ids is not None and not asked.image_ids:
            return await self._toasts.answer(request, "nothing_chosen", back=asked.back)
        return await self._show(request, asked)

    async def confirmed(self, request: Request) -> Response:
        """Do what was shown, and say what came of it."""
        form = await params.form_values(request)
        asked = await self.asked(request, form)
        try:
            run_id = await self.do(asked, params.last(form, "hash"), params.last(form, "shown"))
        except DecisionError:
            return await self._show(request, asked, _CHANGED)
        said = "decided_run" if asked.action in _KEEPS else "asked"
        return await self._toasts.answer(request, said, run=run_id, back=asked.back)

    @operation("POST", "/api/v1/adopt", ASKED, query=Waiting, body=AdoptRequest)
    async def adopt(self, request: Request) -> Response:
        """Take the place of another instance that keeps this library."""
        if not valid(AdoptRequest, await params.body(request)).take_over:
            raise ProblemError(
                400, "What is ours is adopted by itself. Say “take_over” to take the place of another."
            )
        patience = params.seconds_to_wait(request)
        return await run_answer(self._panel.control, await self._panel.control.take_over(), patience)

    async def do(self, asked: Asked, approved: str, shown: str, *, by: Trigger = "page") -> str:
        """Do what was shown; gives the run's id.

        Raises:
            DecisionError: something of it changed since.
        """
        control, ids = self._panel.control, asked.image_ids
        if asked.action in {"pause", "resume"}:
            raise ProblemError(400, f"It is asked for at /actions/{asked.action}.")
        if asked.action == "take_over":
            return await control.take_over()
        if asked.action == "approve":
            if not approved:
                raise ProblemError(400, "The form names nothing to approve.")
            return control.request(Wish(ids, approved=approved, trigger="decision"))
        if asked.action == "redo":
            return control.request(Wish(ids, again=True, trigger="redo"))
        assert ids is not None  # noqa: S101 - ``asked`` saw to it
        if asked.action == "undo":
            return control.request(Wish(undo=await self._undo_of(ids), trigger="undo"))
        if asked.action == "sync":
            return control.request(Wish(ids, trigger=by))
        return await control.resolve_many(ids, _KEEPS[asked.action], shown=shown)

    async def _show(self, request: Request, asked: Asked, warning: str = "") -> Response:
        proposal = await self.proposal(asked, warning)
        snapshot = self._panel.control.snapshot()
        values = {
            "proposal": proposal,
            "blocked": no_action(snapshot, asked.action, asked.image_ids),
            "snapshot": snapshot,
            "lookup": await self._lookups.latest(),
        }
        return self._pages.page(request, "proposal.html", values)

    async def proposal(self, asked: Asked, warning: str = "") -> Proposal:
        """Look what would be done."""
        async with self._panel.planning:
            return await self._proposal(asked, warning)

    async def _proposal(self, asked: Asked, warning: str) -> Proposal:
        control, action, ids = self._panel.control, asked.action, asked.image_ids
        if action in {"pause", "resume"}:
            return await self._pausing(action)
        fields = {"action": action, "back": asked.back}
        fields |= {"everything": "true"} if ids is None else {"images": ids_of(ids)}
        if action == "undo":
            undo = await control.undo_plan(await self._undo_of(ids or frozenset()))
            proposal = of_undo(undo, control.snapshot().immich_url, fields, asked.back)
            return beside_another(proposal, undo.prepared.another)
        prepared = await control.preview(image_ids=ids, again=action == "redo")
        if action == "take_over":
            return of_take_over(prepared, fields, waits=control.snapshot().permission.waits)
        if action in _KEEPS:
            found = of_conflicts(_KEEPS[action], prepared, fields, asked.back, warning)
        else:
            found = of_pass(action, prepared, ids, fields, asked.back)
        return beside_another(found, prepared.another)

    async def _pausing(self, action: Action) -> Proposal:
        """Show what would wait, or be written again: it can be done also where that cannot be told."""
        control = self._panel.control
        why = no_write(control.snapshot())
        plans: Sequence[AssetPlan] = ()
        if not why:
            try:
                plans = (await control.preview()).changes
            except ReconcilerError as error:
                why = unknown(error)
        return of_pause(action, plans, at_work(control.snapshot()), why)

    async def _undo_of(self, image_ids: frozenset[int]) -> UndoWish:
        lookup = await self._lookups.latest()
        images = [lookup.image(image_id) for image_id in sorted(image_ids)]
        return UndoWish(images=tuple((one.asset_id, "") for one in images if one and one.asset_id))

    async def asked(self, request: Request, values: Mapping[str, list[str]]) -> Asked:
        """Read what is asked for, of a query or a form.

        Raises:
            ProblemError: it is of another form, or of more images than can be shown.
        """
        named = params.last(values, "action")
        action = next((one for one in _ACTIONS if one == named), None)
        if action is None:
            raise ProblemError(400, f"“action” must be one of {', '.join(_ACTIONS)}.")
        back = params.local(params.last(values, "back"), "/")
        if params.last(values, "everything") == "true":
            if action not in _OF_ALL:
                raise ProblemError(400, "Name the images.")
            return Asked(action, None, back)
        ids = _ids([*values.get("image", ()), *",".join(values.get("images", ())).split(",")])
        if run_id := params.last(values, "run_id"):
            ids |= await asyncio.to_thread(taken_back_in, self._panel.history, run_id)
        if params.last(values, "all") == "yes":
            ids = await self._images.matching(params.asked_with(request, params.last(values, "filter")))
        if len(ids) > MAX_IMAGES:
            raise ProblemError(
                400, f"That is more than {MAX_IMAGES} images at once: choose a narrower filter."
            )
        lookup = await self._lookups.latest()
        linked = {image_id for image_id in ids if (one := lookup.image(image_id)) and one.asset_id}
        return Asked(action, frozenset(linked), back)


def _ids(texts: list[str]) -> frozenset[int]:
    """Read ids.

    Raises:
        ProblemError: one is none.
    """
    found = [text for text in texts if text]
    if not all(text.isascii() and text.isdigit() and int(text[:17]) < MAX_ID for text in found):
        raise ProblemError(400, "An image is named by its whole number.")
    return frozenset(map(int, found))
