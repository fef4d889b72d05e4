"""Logging in with the token, and out: only where one is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.routing import Route

from reconciler.web import params
from reconciler.web.access.policy import peer_of
from reconciler.web.access.session import LIFETIME
from reconciler.web.api.problems import ProblemError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.web.access.policy import Access
    from reconciler.web.ports import Rendering


class Login:
    """The handlers.

    Args:
        access: the rules.
        pages: renders the form.
    """

    def __init__(self, access: Access, pages: Rendering) -> None:
        self._access, self._pages = access, pages

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/login", self.login, methods=["GET", "POST"]),
            Route("/logout", self.logout, methods=["POST"]),
        ]

    async def login(self, request: Request) -> Response:
        """Show the form, or take it."""
        access = self._access
        back = params.local(request.query_params.get("next", ""), "/")
        if access.is_open:
            return RedirectResponse(back, status_code=303)
        if not access.tokens:
            raise ProblemError(
                403,
                "Only users whom the reverse proxy names may see this, and you are none of them.",
                remedy="Log in there as another one. Who may is set in [status] users.",
            )
        wrong = ""
        status = 200
        if request.method == "POST":
            try:
                form = await params.form(request)
                if await access.is_token(form.get("token", "").strip(), peer_of(request)):
                    return self._opened(request, back)
                wrong, status = "That is not the token.", 403
            except ProblemError as error:
                wrong, status = f"{error.detail} {error.remedy}".strip(), error.status_code
        return self._pages.page(request, "login.html", {"wrong": wrong, "next": back}, status)

    def _opened(self, request: Request, back: str) -> Response:
        access = self._access
        cookie = access.session.issue()
        if not access.session.is_kept:
            back = str(URL(back).include_query_params(said="unkept"))
        answer = RedirectResponse(back, status_code=303)
        forwarded = request.headers.get("x-forwarded-proto", "") if peer_of(request) in access.proxies else ""
        answer.set_cookie(
            access.session.cookie,
            cookie,
            max_age=LIFETIME,
            httponly=True,
            samesite="strict",
            domain=access.cookie_domain or None,
            secure=(forwarded or request.url.scheme) == "https",
        )
        return answer

    async def logout(self, request: Request) -> Response:
        """End the session, in every window and for every copy of its cookie."""
        answer = RedirectResponse("/login?said=logout", status_code=303)
        for one in self._access.each():
            one.session.end(request.cookies.get(one.session.cookie, ""))
            answer.delete_cookie(one.session.cookie, domain=one.cookie_domain or None)
        return answer
