"""Errors as answers: a page for people, a problem document for programs, the login for strangers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from reconciler.web.api.problems import problem, told
from reconciler.web.api.skymmich_buttons import members

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.web.ports import Rendering

_HEADINGS = {
    401: "Log in first",
    403: "Not from here",
    404: "There is nothing here",
    421: "Unknown name",
    429: "Slow down",
    502: "Immich refused",
    503: "Not now",
}


class Refusals:
    """Makes the answers.

    Args:
        pages: for those that are pages.
    """

    def __init__(self, pages: Rendering) -> None:
        self._pages = pages

    async def answer(self, request: Request, error: Exception) -> Response:
        """Answer with an error: an exception handler."""
        status, detail, remedy, headers = told(error)
        if not _is_for_people(request):
            more = members(request.url.path, detail, remedy)
            return problem(status, detail, remedy=remedy, headers=headers, more=more)
        if status == 401 and request.method in {"GET", "HEAD"}:
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            where = "/login" + (f"?{urlencode({'next': here})}" if here != "/" else "")
            return RedirectResponse(where, status_code=303)
        values = {"heading": _heading(status), "detail": detail, "remedy": remedy}
        page = self._pages.page(request, "problem.html", values, status)
        page.headers.update(headers)
        return page


def _is_for_people(request: Request) -> bool:
    asked_by_script = request.headers.get("hx-request") == "true"
    wanted = request.headers.get("accept", "")
    return "text/html" in wanted and not asked_by_script and not request.url.path.startswith("/api/")


def _heading(status: int) -> str:
    known = _HEADINGS.get(status)
    return known or (HTTPStatus(status).phrase if status < 500 else "Something went wrong")
