"""``/api/v1/selection``: what the list's selection does on the page, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from reconciler.errors import DecisionError
from reconciler.models.requests import Waiting
from reconciler.models.selection import LeftAlone, Proposed, Selection
from reconciler.models.undo import Taken
from reconciler.web import params
from reconciler.web.api.operations import Answer, operation, routes_of
from reconciler.web.api.problems import ProblemError, problem
from reconciler.web.api.routes import ASKED, run_answer
from reconciler.web.api.validation import valid

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from reconciler.web.context import Panel
    from reconciler.web.pages.decide import Asked, Deciding
    from reconciler.web.pages.proposals import Proposal

_KEEPS: Final = frozenset({"immich", "skymmich", "both"})


class SelectionApi:
    """The handler."""

    def __init__(self, panel: Panel, deciding: Deciding) -> None:
        self._panel, self._deciding = panel, deciding

    def routes(self) -> list[Route]:
        """List the address."""
        return routes_of(self)

    @operation(
        "POST",
        "/api/v1/selection",
        {**ASKED, 409: Answer("Nothing was done; “would_do” tells what would be", problem=True)},
        query=Waiting,
        body=Selection,
    )
    async def selection(self, request: Request) -> Response:
        """Sync, undo, write again, approve or decide some images, named by ids or by a filter.

        Without ``confirm`` nothing is done, and a 409 tells what would be. To confirm, send its
        ``image_ids``, so that nothing that came to match since is in it; to approve also its ``hash``, to
        decide its ``shown``.
        """
        wish = valid(Selection, await params.body(request))
        patience = params.seconds_to_wait(request)
        if (wish.image_ids is None) == (wish.filter is None):
            raise ProblemError(400, "Name the images: “image_ids”, or a “filter”.")
        values: dict[str, list[str]] = {
            "action": [wish.action],
            "image": [str(one) for one in wish.image_ids or ()],
        }
        if wish.filter is not None:
            values |= {"all": ["yes"], "filter": [urlencode(wish.filter.fields())]}
        asked = await self._deciding.asked(request, values)
        if not asked.image_ids:
            raise ProblemError(404, "None of Skymmich's images that are linked to Immich is named so.")
        if not wish.confirm:
            return await self._would_do(asked, "Nothing was done yet.")
        named = "hash" if wish.action == "approve" else "shown" if wish.action in _KEEPS else ""
        if named and not getattr(wish, named):
            raise ProblemError(400, f"Name what was seen: “{named}”, as it is told without “confirm”.")
        try:
            run_id = await self._deciding.do(asked, wish.hash, wish.shown, by="api")
        except DecisionError as error:
            return await self._would_do(asked, error.message)
        return await run_answer(self._panel.control, run_id, patience)

    async def _would_do(self, asked: Asked, why: str) -> Response:
        proposal = await self._deciding.proposal(asked)
        told = _told(proposal, asked.image_ids or frozenset())
        return problem(
            409,
            f"{why} {told.title}.",
            remedy="Look at “would_do”, and send it again with “confirm”: true and what it names.",
            more={"would_do": told.model_dump(mode="json")},
        )


def _told(found: Proposal, image_ids: frozenset[int]) -> Proposed:
    """Return what a page shows as JSON."""
    return Proposed(
        action=found.action,
        title=found.title,
        possible=found.possible,
        lines=list(found.lines),
        note=found.note,
        image_ids=sorted(image_ids),
        hash=found.fields.get("hash", ""),
        shown=found.fields.get("shown", ""),
        items=[Taken.of(plan) for plan in (*found.plans, *(plan for plan, _ in found.decided))],
        more=found.more,
        left=[
            LeftAlone(image_id=one.image_id, title=one.title, reason=one.why, url=one.url)
            for one in found.left
        ],
    )
