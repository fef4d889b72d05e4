"""The first hour: what was found, what would be written and what not, and the buttons that begin it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from reconciler.models.requests import MAX_FIRST
from reconciler.web import params
from reconciler.web.api.beginning import begin_now
from reconciler.web.redirects import redirect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.records import AssetRecord
    from reconciler.service.api import Snapshot
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookup
    from reconciler.web.ports import Check

FIRST: Final = 5
"""Images that are begun with, where the guard sends no canary ahead."""
_PATIENTLY: Final = 20.0
"""Seconds that a page without JavaScript waits for the first images."""
_PATIENCE: Final = 2.5
"""Seconds that the page waits for the doctor; what takes longer is there when it is loaded again."""
_FRESH_S: Final = 60.0
_SHOWN: Final = frozenset({"catalogue", "skymmich", "immich"})
"""The doctor's sections that say what was found."""


class Beginning:
    """The handlers, and what the overview shows until it has begun."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._asked_at = float("-inf")
        self._checks: tuple[Check, ...] = ()
        self._asking: asyncio.Task[tuple[Check, ...]] | None = None

    def routes(self) -> list[Route]:
        """List the address."""
        return [Route("/actions/begin", self.begin, methods=["POST"])]

    async def begin(self, request: Request) -> Response:
        """Let writing begin, with some images or with all."""
        form = await params.form(request)
        count = params.whole(form, "count", 0, 0, MAX_FIRST)
        run_id = begin_now(self._panel.control, "page", count)
        if request.headers.get("hx-request") == "true":
            return Response(status_code=204)
        if not form.get("leave"):  # who comes from another page watches it on the overview
            await self._panel.control.wait(run_id, _PATIENTLY)
        said = "begun_first" if count else "begun"
        return redirect("/", said=said)

    async def values(self, snapshot: Snapshot, lookup: Lookup) -> dict[str, object]:
        """Return what the page shows."""
        begun = snapshot.permission.begun
        checks = await self._found()
        tried = _tried(begun.first or () if begun else (), lookup)
        return {
            "foreseen": snapshot.foreseen,
            "tried": tried,
            "records": await asyncio.to_thread(self._records, tried),
            "first": self.size(),
            "checks": [one for one in checks if one.section in _SHOWN],
        }

    def _records(self, tried: Iterable[CatalogueImage]) -> dict[int, AssetRecord]:
        """Return what is on record of the images that were begun with, by the image's id."""
        found = self._panel.history.records_of([one.asset_id for one in tried if one.asset_id])
        return {record.image_id: record for record in found.values()}

    def size(self) -> int:
        """Return how many images are begun with, where not with all."""
        keeper = self._panel.template
        return (keeper.policy().guard.canary if keeper is not None else 0) or FIRST

    async def _found(self) -> tuple[Check, ...]:
        """Run the doctor's checks, not again within a minute; what they found before, while they run."""
        if self._panel.doctor is None:
            return ()
        now = asyncio.get_running_loop().time()
        asking = self._asking
        if asking is None and now - self._asked_at > _FRESH_S:
            asking = self._asking = asyncio.ensure_future(self._ask())
        if asking is not None:
            done, _ = await asyncio.wait({asking}, timeout=_PATIENCE)
            if done and self._asking is asking:  # of several pages that waited, one takes it
                self._asking, self._asked_at = None, now
                self._checks = asking.result()
        return self._checks

    async def _ask(self) -> tuple[Check, ...]:
        assert self._panel.doctor is not None  # noqa: S101 - asked by the caller
        async with self._panel.planning:
            return await self._panel.doctor()


def _tried(image_ids: Iterable[int], lookup: Lookup) -> list[CatalogueImage]:
    found = (lookup.image(image_id) for image_id in sorted(image_ids))
    return [image for image in found if image is not None]
