"""The simulated Immich as an ASGI application: routing, keys, scopes, maintenance, and broken answers.

What a request means is in the routes' modules; this one decides whether it gets there, and how its answer
comes back. ``/_simulator`` is the way in for tests, and knows no key and no unkindness.
"""

from __future__ import annotations

import asyncio
import random
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Literal

from reconciler.simulator.server import control, routes
from reconciler.simulator.server.problems import V3, ApiError, ValidationError
from reconciler.simulator.server.requests import (
    Answer,
    Request,
    Route,
    parse_body,
    parse_query,
)
from reconciler.simulator.server.responses import dumps
from reconciler.simulator.server.state import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from reconciler.simulator.server.unkindness import Settings

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_SKEW_S = 97.0
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PAGE = b"<!doctype html><title>Immich</title><p>The web app lives here.</p>"
Trouble = Literal["busy", "dropped", "slow"]


class Application:
    """One simulated server."""

    def __init__(
        self,
        settings: Settings,
        api_key: str,
        hang_up: Callable[[object], None],
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Make it.

        Args:
            settings: its switches.
            api_key: the one key that is accepted.
            hang_up: breaks the connection of a client's address (``scope["client"]``) without an answer.
            clock: seconds since 1970, never backwards; by default the real time.
        """
        self.settings = settings
        self.api_key = api_key
        self.state = State(settings)
        self._hang_up = hang_up
        self._random = random.Random(f"http:{settings.seed}")  # noqa: S311 - a simulation
        epoch = time.time() - time.monotonic()
        self._clock = clock or (lambda: time.monotonic() + epoch)

    def now(self) -> float:
        """Return the server's own clock, in seconds since 1970; it never runs backwards."""
        skew = _SKEW_S if self.settings.on("clock_skew") else 0.0
        return self._clock() - skew

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        raw = await _read(receive)
        path = scope["raw_path"].decode("latin-1")
        self.state.advance(self.now())
        if path.startswith("/_simulator"):
            await _send(send, self._controlled(scope["method"], path, raw))
            return
        method = scope["method"]
        found = routes.find(method, path[4:], self.settings.version) if path.startswith("/api/") else None
        self.state.book.request(method, found[1] if found else "(web)")
        trouble = self._trouble(path)
        before = self._random.random() < 0.5
        if self.settings.down or (trouble == "dropped" and before):
            await self._drop(scope, "dropped_before")
            return
        if trouble == "busy" and before:
            self.state.book.fault("busy_before")
            result = self._overloaded((503, 503, 429))
        else:
            result = self._answered(scope, path, raw, found)
            if trouble == "busy":
                self.state.book.fault("busy_after")
                result = self._overloaded((503,))  # a 429 is a refusal: nothing was done
        if trouble == "slow":
            self.state.book.fault("slow")
            result.delay += self._random.uniform(0.1, 1.0)
        if result.delay:
            await asyncio.sleep(result.delay)
        if trouble == "dropped":
            await self._drop(scope, "dropped_after")
            return
        if result.drawn is not None:
            result.body = await asyncio.to_thread(result.drawn)
        proxy = self.settings.proxy_ahead if self.settings.on("proxy_clock") else 0.0
        result.headers["date"] = formatdate(self.now() + self.settings.clock_ahead + proxy, usegmt=True)
        await _send(send, result)

    def _answered(self, scope: Scope, path: str, raw: bytes, found: routes.Found | None) -> Answer:
        """Answer as the server does when all is well with it."""
        if found is None:
            if self.settings.maintenance and self.settings.version >= V3:
                return Answer(302, b"", "text/html; charset=utf-8", {"location": "/maintenance"})
            return Answer(200, _PAGE, "text/html; charset=utf-8")
        correlation = f"{self._random.getrandbits(32):08x}"
        method = scope["method"]
        route, template, parts = found
        try:
            result = self._handled(scope, path, raw, route, parts)
        except ApiError as error:
            result = Answer(error.status, dumps(error.body(self.settings.version, correlation)).encode())
            if method != "GET" and not template.startswith("/search") and error.status < 500:
                self.state.book.fault("rejected", request=f"{method} {template}", message=error.message)
        header = "x-immich-cid" if self.settings.version < V3 else "x-correlation-id"
        result.headers[header] = correlation
        return result

    def _handled(
        self, scope: Scope, path: str, raw: bytes, route: Route | None, parts: tuple[str, ...]
    ) -> Answer:
        """Do what stands before a handler, in the server's order, then call it.

        Raises:
            ApiError: one of the steps, or the handler, refuses.
        """
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"]
        if route is None or (self.settings.maintenance and not route.public):
            raise ApiError(404, f"Cannot {method} {path}")
        body = parse_body(raw, headers.get("content-type", ""))
        query = parse_query(scope["query_string"])
        if not route.public:
            self._check_key(headers, query)
            granted = self.settings.scopes
            if route.permission and route.permission not in granted and "all" not in granted:
                raise ApiError(403, f"Missing required permission: {route.permission}")
        if body is None and self.settings.version >= V3 and route.has_body and method in _WITH_BODY:
            raise ValidationError([("", "Invalid input: expected object")])
        return route.handler(self.state, Request(method, parts, headers, query, raw, body or {}))

    def _check_key(self, headers: dict[str, str], query: dict[str, str]) -> None:
        key = headers.get("x-api-key") or query.get("apiKey")
        if key == self.api_key:
            return
        if key:
            raise ApiError(401, "Invalid API key")
        raise ApiError(401, "Invalid user token" if "authorization" in headers else "Authentication required")

    def _controlled(self, method: str, path: str, raw: bytes) -> Answer:
        try:
            return control.handle(
                self.state, method, path.partition("?")[0], parse_body(raw, "application/json") or {}
            )
        except ApiError as error:
            return Answer(error.status, dumps({"message": error.message}).encode())

    def _trouble(self, path: str) -> Trouble | None:
        """Draw whether something goes wrong with this request. Pictures are always served."""
        drawn = self._random.random()
        settings = self.settings
        if path.partition("?")[0].endswith("/thumbnail"):
            return None
        if drawn < settings.failures:
            return "busy" if settings.on("busy") else None
        if drawn < settings.failures + 0.01:
            return "dropped" if settings.on("dropped") else None
        if drawn < settings.failures + 0.02:
            return "slow" if settings.on("slow") else None
        return None

    def _overloaded(self, statuses: tuple[int, ...]) -> Answer:
        """A proxy's word that there is too much to do; with and without a wish when to come back."""
        status = self._random.choice(statuses)
        wish = self._random.choice(("0", "1", None))
        result = Answer(status, b"upstream is busy", "text/plain")
        if wish is not None:
            result.headers["retry-after"] = wish
        return result

    async def _drop(self, scope: Scope, kind: str) -> None:
        self.state.book.fault(kind)
        self._hang_up(scope["client"])
        await asyncio.sleep(0)


async def _read(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def _send(send: Send, result: Answer) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in result.headers.items()]
    if result.status != 204:
        headers.append((b"content-type", result.content_type.encode("latin-1")))
        headers.append((b"content-length", str(len(result.body)).encode()))
    await send({"type": "http.response.start", "status": result.status, "headers": headers})
    await send({"type": "http.response.body", "body": result.body})
