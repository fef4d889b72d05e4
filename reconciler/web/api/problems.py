"""Errors as problem documents (RFC 9457, ``application/problem+json``): what happened, and what to do.

Nothing of a server's insides stands in one; secrets are hidden as in the log.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from reconciler.errors import (
    DecisionError,
    GuardError,
    ImmichError,
    ImmichTemporaryError,
    ReconcilerError,
    UndoError,
)
from reconciler.messages.voice import remedy_of
from reconciler.redaction import redact
from reconciler.web.api.responses import JsonResponse

if TYPE_CHECKING:
    from collections.abc import Mapping


MEDIA_TYPE = "application/problem+json"


class ProblemError(HTTPException):
    """An answer that is an error.

    Args:
        status: HTTP's.
        detail: one sentence for people.
        remedy: what to do; may be empty.
        headers: further ones.
    """

    def __init__(
        self, status: int, detail: str, *, remedy: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.remedy = remedy


def problem(
    status: int,
    detail: str,
    *,
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> JsonResponse:
    """Make a problem document; ``more`` are further members."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status}
    body["detail"] = redact(detail)
    if remedy:
        body["remedy"] = redact(remedy)
    body.update(more or {})
    return JsonResponse(body, status, media_type=MEDIA_TYPE, headers=headers)


def status_of(error: ReconcilerError) -> int:
    """Return the HTTP status that tells an error of ours best."""
    if isinstance(error, GuardError | DecisionError | UndoError):
        return 409
    if isinstance(error, ImmichError) and not isinstance(error, ImmichTemporaryError):
        return 502
    return 503


def told(error: Exception) -> tuple[int, str, str, Mapping[str, str]]:
    """Return status, sentence, remedy and headers of an error, ours or HTTP's; anything else is a 500."""
    if isinstance(error, HTTPException):
        known = {404: "There is nothing here.", 405: "This address does not take that method."}
        plain = error.detail == HTTPStatus(error.status_code).phrase
        detail = known.get(error.status_code, error.detail) if plain else error.detail
        return error.status_code, detail, getattr(error, "remedy", ""), error.headers or {}
    if isinstance(error, ReconcilerError):
        return status_of(error), str(error), remedy_of(error, "daemon"), {}
    return 500, "Something went wrong in here; the log says what.", "", {}
