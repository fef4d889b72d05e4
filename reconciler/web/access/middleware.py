"""What every request passes before it is answered (host, token, origin, size), and every answer's headers.

The rules themselves stand in ``access``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request

from reconciler.errors import ReconcilerError
from reconciler.web.access.policy import SAFE_METHODS
from reconciler.web.api.problems import ProblemError
from reconciler.web.ports import STORE_MARK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.responses import Response
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from reconciler.web.access.policy import Access

MAX_BODY = 64 * 1024
"""Bytes of a request's body."""
PUBLIC = frozenset({"/livez", "/readyz", "/login", "/api/v1/openapi.json"})
"""Open to strangers; ``/readyz`` withholds its reasons from them."""
MARKED = "/api/v1/status"
"""Tells everybody which store this daemon has: a command finds out whether it is its own."""
_HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def guarded(
    routes: Sequence[BaseRoute],
    access: Access,
    refuse: Callable[[Request, Exception], Awaitable[Response]],
) -> Starlette:
    """Make an application that answers whom the rules let in, and errors in words.

    Args:
        routes: what it answers.
        access: the rules.
        refuse: turns an error into an answer: JSON or a page.
    """
    return Starlette(
        routes=routes,
        middleware=[Middleware(Gate, access=access, refuse=refuse)],
        exception_handlers={HTTPException: refuse, ReconcilerError: refuse, Exception: refuse},
    )


class Gate:
    """The ASGI layer that lets requests in.

    Args:
        app: what answers.
        access: the rules.
        refuse: turns an error into an answer: JSON or a page.
    """

    def __init__(
        self, app: ASGIApp, access: Access, refuse: Callable[[Request, Exception], Awaitable[Response]]
    ) -> None:
        self._app, self._access, self._refuse = app, access, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        mark = self._access.mark() if scope["path"] == MARKED else ""
        adorned = _adorning(send, {STORE_MARK: mark} if mark else {})
        try:
            await self._check(scope)
        except HTTPException as error:
            answer = await self._refuse(Request(scope, receive), error)
            await answer(scope, receive, adorned)
            return
        # Who hangs up in the middle of a body is nobody's error, and nobody is there to be told.
        with suppress(ClientDisconnect):
            await self._app(scope, _limited(scope, receive), adorned)

    async def _check(self, scope: Scope) -> None:
        connection, access = HTTPConnection(scope), self._access
        access.check_host(connection.headers.get("host", ""))
        bearer = await access.has_bearer(connection)
        trusted = bearer or access.knows(connection)
        scope["state"] = {**scope.get("state", {}), "trusted": trusted}
        if not trusted and scope["path"] not in PUBLIC and not scope["path"].startswith("/static/"):
            raise ProblemError(
                401,
                "This needs the token.",
                remedy="Log in on the page, or send “Authorization: Bearer …” with the token from "
                "[status] token_file.",
                headers={"www-authenticate": 'Bearer realm="skymmich-reconciler"'},
            )
        if scope["method"] not in SAFE_METHODS:
            access.check_origin(connection, bearer=bearer)
        length = connection.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:12]) > MAX_BODY:
            raise _too_large()


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Count a body that does not say how long it is."""
    if Headers(scope=scope).get("content-length") is not None:
        return receive
    had = 0

    async def counted() -> Message:
        nonlocal had
        message = await receive()
        had += len(message.get("body", b""))
        if had > MAX_BODY:
            raise _too_large()
        return message

    return counted


def _too_large() -> ProblemError:
    return ProblemError(413, f"A request's body may have {MAX_BODY // 1024} kB.")


def _adorning(send: Send, more: Mapping[str, str]) -> Send:
    """Add the headers of every answer, and some of this one."""

    async def adorned(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in (*_HEADERS.items(), *more.items()):
                headers.setdefault(name, value)
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return adorned
