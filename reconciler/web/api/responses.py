"""Values as JSON answers, with an ETag where a page asks again and again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from starlette.responses import Response

from reconciler.models.base import json_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request


def dumps(value: object) -> str:
    """Write JSON in ASCII, so that any text survives, halves of an emoji included."""
    return json.dumps(value, default=json_form, allow_nan=False, separators=(",", ":"))


class JsonResponse(Response):
    """An answer in JSON."""

    media_type = "application/json"

    def __init__(
        self,
        content: object,
        status_code: int = 200,
        *,
        media_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(dumps(content), status_code, headers=headers, media_type=media_type)


def etag_of(content: object) -> str:
    """Return the ETag that ``tagged`` sends with this content."""
    return _etag(dumps(content).encode())


def tagged(request: Request, content: object) -> Response:
    """Answer with JSON and its ETag, or 304 when the asker has just that."""
    body = dumps(content).encode()
    return tagged_bytes(request, body, "application/json", {"cache-control": "no-cache"})


def tagged_bytes(request: Request, body: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Answer with these bytes and their ETag, or 304 when the asker has just them."""
    etag = _etag(body)
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    both = {"etag": etag, **headers}
    if etag in known:
        return Response(status_code=304, headers=both)
    return Response(body, media_type=media_type, headers=both)


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'
