"""Whether an image is still as an open page shows it: the page says so, and moves nothing under the hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from reconciler.core.fingerprint import digest
from reconciler.web.api.routes import linked_image

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.core.records import AssetRecord
    from reconciler.web.context import Panel
    from reconciler.web.pages.renderer import Pages


class ChangedSince:
    """The handler."""

    def __init__(self, panel: Panel, pages: Pages) -> None:
        self._panel, self._pages = panel, pages

    def routes(self) -> list[Route]:
        """List the address."""
        return [Route("/images/{image_id:int}/changed", self.changed)]

    async def changed(self, request: Request) -> Response:
        """Say that it changed since it had the token ``shown``; say nothing while it did not."""
        image_id = request.path_params["image_id"]
        image = linked_image(self._panel, image_id)
        record = None
        if image is not None and image.asset_id is not None:
            record = await asyncio.to_thread(self._panel.history.record, image.asset_id)
        if token(record) == request.query_params.get("shown"):
            return Response(status_code=204)
        return self._pages.page(request, "_changed.html", {"image_id": image_id})


def token(record: AssetRecord | None) -> str:
    """Return what differs once an image was written, or has another state or title."""
    if record is None:
        return ""
    written = record.changed_at.isoformat() if record.changed_at else ""
    return digest(record.status, record.title, written)
