"""Edits that may have crossed with a write: what was read and written then, and a person saying they looked.

By a click on the image's page or on the overview, or ``POST /api/v1/images/{id}/seen`` and ``/api/v1/seen``.
Each names the moment up to which was shown: what is noticed later is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.routing import Route

from reconciler.core.fields import BY_NAME
from reconciler.models.requests import LookedAt
from reconciler.models.status import Seen
from reconciler.web import params
from reconciler.web.api.operations import operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import JsonResponse
from reconciler.web.api.validation import valid
from reconciler.web.redirects import redirect

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.records import Crossing, JournalEntry
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookups

_PARTS = {"block": "description", "prose": "description"}
"""Fields that are one in Immich and in the journal."""


@dataclass(frozen=True, slots=True)
class Sides:
    """One field, as it was read before the write, as it was written, and as it is now."""

    field: str
    read: object
    written: object
    now: object = None
    is_as_written: bool = False
    is_known: bool = False
    """Whether ``now`` is known: Immich could be asked."""


def sides(
    crossing: Crossing, entries: Iterable[JournalEntry], observed: ObservedAsset | None
) -> tuple[Sides, ...]:
    """Return what a person has to compare, of the newest crossing; empty if the journal has it no longer.

    Args:
        crossing: see there.
        entries: of the image and the crossing's run, the newest first.
        observed: the asset as it is now; ``None``: not known.
    """
    written = {_PARTS.get(field, field) for field in crossing.fields}
    newest: dict[str, JournalEntry] = {}
    for entry in entries:
        if entry.field in written:
            newest.setdefault(entry.field, entry)
    listed = sorted(newest.values(), key=lambda entry: entry.field != "description")
    return tuple(_sides(entry, observed) for entry in listed)


def _sides(entry: JournalEntry, observed: ObservedAsset | None) -> Sides:
    """Compare one value; both sides of the journal are as Immich keeps them."""
    known = Sides(entry.field, entry.before, entry.after)
    if observed is None or entry.field == "albums" or (entry.field == "tags" and observed.tags is None):
        return known
    now: object = observed.description
    same = now == entry.after
    if entry.field == "tags":
        now = sorted(observed.known_tags)
        same = isinstance(entry.after, list) and now == sorted(entry.after)
    elif value := BY_NAME.get(entry.field):
        now, after = value.of(observed), value.read(entry.after)
        same = after is not None and value.same(after, value.of(observed))
    return replace(known, now=now, is_as_written=same, is_known=True)


class Crossings:
    """The handlers."""

    def __init__(self, panel: Panel, lookups: Lookups) -> None:
        self._panel, self._lookups = panel, lookups

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/images/{image_id:int}/seen", self.clicked, methods=["POST"]),
            Route("/actions/seen", self.clicked_all, methods=["POST"]),
            *routes_of(self),
        ]

    async def clicked(self, request: Request) -> Response:
        """Take an image as looked at, and show it again."""
        image_id = request.path_params["image_id"]
        many = await self._looked_at(_of_form(await params.form(request)), await self._assets(image_id))
        said = "seen" if many else "unseen"
        return redirect(f"/images/{image_id}", "main", said=said)

    async def clicked_all(self, request: Request) -> Response:
        """Take all images as looked at, and go on where the button was."""
        form = await params.form(request)
        many = await self._looked_at(_of_form(form))
        back = params.local(form.get("back", ""), "/").partition("?")[0]
        said = "seen" if many else "unseen"
        return redirect(back, "main", said=said)

    @operation("POST", "/api/v1/images/{image_id:int}/seen", Seen, body=LookedAt)
    async def seen(self, request: Request) -> Response:
        """Take an image as looked at."""
        found = valid(LookedAt, await params.body(request))
        asset_ids = await self._assets(request.path_params["image_id"])
        return JsonResponse(Seen(images=await self._looked_at(found, asset_ids)))

    @operation("POST", "/api/v1/seen", Seen, name="seenAll", body=LookedAt)
    async def seen_all(self, request: Request) -> Response:
        """Take all images as looked at."""
        return JsonResponse(Seen(images=await self._looked_at(valid(LookedAt, await params.body(request)))))

    async def _looked_at(self, found: LookedAt, asset_ids: Collection[str] | None = None) -> int:
        until = found.until or self._panel.now()
        return await self._panel.control.looked_at(until, asset_ids if asset_ids is None else list(asset_ids))

    async def _assets(self, image_id: int) -> tuple[str, ...]:
        image = (await self._lookups.latest()).image(image_id)
        if image is None or image.asset_id is None:
            raise ProblemError(404, "Skymmich's catalogue has no such image that is linked to Immich.")
        return self._panel.control.assets_of(image_id) or (image.asset_id,)


def _of_form(form: Mapping[str, str]) -> LookedAt:
    return valid(LookedAt, {name: form[name] for name in LookedAt.model_fields if name in form})
