"""``/api/v1/events``: what happens, as server-sent events, for pages that are open."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from reconciler.messages import runs
from reconciler.messages.headlines import sentence
from reconciler.messages.reasons import joined_reasons
from reconciler.models.status import Status
from reconciler.redaction import redact
from reconciler.web.api.operations import Answer, operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import dumps
from reconciler.web.pages.attention import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.routing import Route
    from starlette.types import Receive, Scope, Send

    from reconciler.service.api import Update
    from reconciler.web.context import Panel

HEARTBEAT = 10.0
"""Seconds of silence after which a ``beat`` is sent. Proxies close what is silent, and a page takes silence
for a daemon that is gone (``app.js``): an event, because a script never sees a comment."""
MAX_STREAMS = 64


class Events:
    """The stream's handler; counts who listens."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self.listening = 0

    def routes(self) -> list[Route]:
        """List the address."""
        return routes_of(self)

    @operation("GET", "/api/v1/events", {200: Answer("Events", media_type="text/event-stream")})
    async def events(self, request: Request) -> Response:
        """Stream: first the state, then each update, and beats with the daemon's time."""
        if self.listening >= MAX_STREAMS:
            raise ProblemError(503, "Too many pages listen already.", headers={"retry-after": "30"})
        return Response() if request.method == "HEAD" else _Stream(self, self._panel, request)


class _Stream(Response):
    """An answer that goes on until the page is closed, or the server stops."""

    media_type = "text/event-stream"

    def __init__(self, owner: Events, panel: Panel, request: Request) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._owner, self._panel = owner, panel
        # Who came with a cookie listens for as long as its session is open.
        self._request = request
        self._began_in_session = panel.access.in_session(request)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's form
        """Send until there is nobody to send to."""
        self._owner.listening += 1
        ends = {
            asyncio.ensure_future(self._panel.closing.wait()),
            asyncio.ensure_future(_hung_up(receive)),
        }
        telling = asyncio.ensure_future(self._tell(send))
        everything: set[asyncio.Future[Any]] = {telling, *ends}
        try:
            await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._owner.listening -= 1
            for task in everything:
                task.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await telling
        await send({"type": "http.response.body", "body": b""})

    async def _tell(self, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async with self._panel.control.subscribe() as updates:
            snapshot = self._panel.control.snapshot()
            state = {**dict(Status.of(snapshot)), "needs": digest(snapshot)}
            await send(_piece("retry: 3000\n" + told("state", state) + self._beat()))
            upcoming: asyncio.Future[Update] = asyncio.ensure_future(anext(updates))
            try:
                while True:
                    # A task of its own outlives a heartbeat: to cancel it would end the subscription.
                    done, _ = await asyncio.wait({upcoming}, timeout=HEARTBEAT)
                    if self._is_over():
                        return
                    if not done:
                        await send(_piece(self._beat()))
                        continue
                    update = upcoming.result()
                    await send(_piece(told(update.name, self._in_words(update))))
                    upcoming = asyncio.ensure_future(anext(updates))
            except StopAsyncIteration:
                return
            finally:
                upcoming.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await upcoming

    def _in_words(self, update: Update) -> Mapping[str, object]:
        """Return what a update tells, with words for its values."""
        if update.name == "state":
            snapshot = self._panel.control.snapshot()
            return {"headline": redact(sentence(snapshot.headline)), **update.data, "needs": digest(snapshot)}
        data = {**update.data}
        if isinstance(summary := data.get("summary"), tuple):
            data |= {"summary": redact(runs.summary(summary))}
        if isinstance(error := data.get("error"), tuple):
            data |= {"error": redact(joined_reasons(error, "daemon"))}
        return data

    def _is_over(self) -> bool:
        return self._began_in_session and not self._panel.access.in_session(self._request)

    def _beat(self) -> str:
        return told("beat", {"now": self._panel.now()})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _piece(text: str) -> dict[str, object]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}


def told(name: str, data: object) -> str:
    """Write one event."""
    return f"event: {name}\ndata: {dumps(data)}\n\n"
