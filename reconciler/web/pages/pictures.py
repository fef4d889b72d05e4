"""``/thumbnails/{asset_id}``: pictures fetched from Immich by the daemon, so that the key never leaves it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from importlib import resources
from typing import TYPE_CHECKING, Literal, cast

from starlette.responses import Response
from starlette.routing import Route

from reconciler.errors import ImmichAnswerError, ImmichError, ImmichTemporaryError
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import tagged_bytes

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookups

MAX_BYTES = 24 << 20
"""Of pictures kept in memory."""
_FRESH = "private, max-age=3600"
_MISSING = (resources.files("reconciler.web") / "static" / "no-picture.svg").read_bytes()


class Pictures:
    """The handler, and the pictures that were asked for lately."""

    def __init__(self, panel: Panel, lookups: Lookups) -> None:
        self._panel, self._lookups = panel, lookups
        self._kept: OrderedDict[tuple[str, str], tuple[bytes, str]] = OrderedDict()
        self._size = 0

    def routes(self) -> list[Route]:
        """List the address."""
        return [Route("/thumbnails/{asset_id}", self.thumbnail)]

    async def thumbnail(self, request: Request) -> Response:
        """Answer with an image's picture, or with a drawing of none."""
        asset_id = request.path_params["asset_id"].lower()
        size = request.query_params.get("size", "thumbnail")
        if size not in {"thumbnail", "preview"}:
            raise ProblemError(400, "“size” must be thumbnail or preview.")
        if not await self._is_shown(asset_id):
            raise ProblemError(404, "Skymmich's catalogue has no such image.")
        picture = self._kept.get((asset_id, size))
        if picture is None:
            try:
                picture = await self._fetch(asset_id, cast("Literal['thumbnail', 'preview']", size))
            except ImmichAnswerError:
                return _none(passing=False)  # too large: asked again soon, it would be so again
            except ImmichError as error:
                return _none(passing=isinstance(error, ImmichTemporaryError))
        else:
            self._kept.move_to_end((asset_id, size))
        return tagged_bytes(request, picture[0], picture[1], {"cache-control": _FRESH})

    async def _is_shown(self, asset_id: str) -> bool:
        """Return whether an asset belongs to an image; until the catalogue is read, the store tells."""
        if (await self._lookups.latest()).id_of(asset_id) is not None:
            return True
        if self._panel.control.catalogue() is not None:
            return False
        return await asyncio.to_thread(self._panel.history.record, asset_id) is not None

    async def _fetch(self, asset_id: str, size: Literal["thumbnail", "preview"]) -> tuple[bytes, str]:
        if self._panel.thumbnails is None:
            raise ImmichError("This page has no pictures.")
        content, content_type, _ = await self._panel.thumbnails.thumbnail(asset_id, size)
        if len(content) <= MAX_BYTES // 8:
            if (before := self._kept.pop((asset_id, size), None)) is not None:
                self._size -= len(before[0])
            self._kept[asset_id, size] = content, content_type
            self._size += len(content)
            while self._size > MAX_BYTES:
                _, (oldest, _) = self._kept.popitem(last=False)
                self._size -= len(oldest)
        return content, content_type


def _none(*, passing: bool) -> Response:
    """Draw that there is no picture: asked again soon if that may pass."""
    headers = {"cache-control": f"private, max-age={15 if passing else 600}"}
    return Response(_MISSING, media_type="image/svg+xml", headers=headers)
