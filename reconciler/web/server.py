"""Serves the application with uvicorn in the event loop that is already running. No signals, no threads."""

from __future__ import annotations

import asyncio
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING, Self

import uvicorn

from reconciler.errors import ConfigurationError
from reconciler.http_server import HttpServer
from reconciler.web.access.connections import Connection, Limits
from reconciler.web.access.policy import check_binding

if TYPE_CHECKING:
    from types import TracebackType

    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from reconciler.web.access.session import Session


class WebServer:
    """A server for one application.

    Args:
        app: made by ``create_app``.
        host: where to listen; beyond loopback the application's access must have a token.
        port: 0 takes a free one.
        limits: what strangers may take up.
    """

    def __init__(self, app: Starlette, host: str, port: int, limits: Limits | None = None) -> None:
        limits = self._limits = limits or Limits()
        self._panel, self._warm = app.state.panel, app.state.warm
        self.warming: asyncio.Task[None] | None = None
        """Makes lists and searches ready; ``None``: not started."""
        self._host, self._port = host, port
        self._server = server_of(app, limits)
        self.url = ""
        """Once started."""

    @property
    def session(self) -> Session:
        """Who is logged in."""
        session: Session = self._panel.access.session
        return session

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> int:
        """Listen, and return the port.

        Raises:
            ConfigurationError: beyond loopback without a token, or the port cannot be had.
        """
        check_binding(self._host, self._panel.access.token)
        listener = listen_on(self._host, self._port)
        _forget_who_vanished(listener, self._limits.stalled)
        port: int = listener.getsockname()[1]
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{shown}:{port}"
        await self._server.start(listener)
        self.warming = asyncio.create_task(self._warm())
        return port

    async def stop(self) -> None:
        """Take no more requests, end the event streams, let what is being answered finish (2 s)."""
        self._panel.closing.set()
        if self.warming is not None:
            self.warming.cancel()
            await asyncio.wait({self.warming})
        await self._server.stop()


def server_of(app: ASGIApp, limits: Limits) -> HttpServer:
    """Return a server for an application that strangers may reach, within limits; it is not listening yet."""
    return HttpServer(
        uvicorn.Config(
            app,
            http=Connection,
            lifespan="off",
            ws="none",
            log_config=None,
            # Its warnings are of what strangers send: they would fill the log with it.
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
            limit_concurrency=limits.all,
            backlog=limits.waiting,
            timeout_keep_alive=5,
            h11_max_incomplete_event_size=16 * 1024,
        ),
        partial(Connection, limits=limits),
    )


def listen_on(host: str, port: int) -> socket.socket:
    """Return a socket that is bound there; port 0 takes a free one.

    Raises:
        ConfigurationError: it cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(
            f"The status endpoint cannot listen on {host}: {error.strerror}.",
            remedy="Set [status] host to an address of this machine.",
        ) from error
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"The status endpoint cannot listen on {host}:{port}: {error.strerror}.",
            remedy="Another program, or another instance of this one, has the port: set [status] port.",
        ) from error
    return listener


def _forget_who_vanished(listener: socket.socket, seconds: float) -> None:
    """Have the kernel give up a client that acknowledges nothing any more, as a laptop that was closed.

    Each connection inherits it. Without it a stream of events to nobody lasts a quarter of an hour.
    """
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
