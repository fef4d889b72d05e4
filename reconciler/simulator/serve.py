"""Serving a simulated Immich over real HTTP, in a thread with an event loop of its own.

``serve`` is for tests and the demo; the command ``python -m reconciler.simulator`` uses it too.
"""

from __future__ import annotations

import asyncio
import random
import socket
import string
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.errors import ConfigurationError
from reconciler.http_server import HttpServer
from reconciler.simulator import initial_assets
from reconciler.simulator.server import control
from reconciler.simulator.server.app import Application
from reconciler.simulator.server.problems import ApiError
from reconciler.simulator.server.unkindness import Settings, parse_unkind, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from reconciler.simulator.server.state import State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Simulator:
    """A server that is running. Its methods are safe from any thread."""

    url: str
    """Without ``/api``."""
    api_key: str
    application: Application
    loop: asyncio.AbstractEventLoop

    @property
    def state(self) -> State:
        """Everything the server keeps. To read it while requests come in, use the methods below."""
        return self.application.state

    @property
    def settings(self) -> Settings:
        """The switches; simple ones may be set directly."""
        return self.application.settings

    def requests(self) -> dict[str, int]:
        """Count requests by ``PUT /assets/{id}``; also ``total``, ``writes`` and ``reads``."""
        return self._on_loop(self.state.book.requests_json)

    def faults(self) -> dict[str, object]:
        """Count ``lost``, ``overlaps``, ``rejected``, ``reverted`` and so on; ``examples`` has some."""
        return self._on_loop(self.state.book.faults_json)

    def reset(self) -> None:
        """Set every count to zero."""
        self._on_loop(self.state.book.reset)

    def assets(self) -> dict[str, dict[str, object]]:
        """Show what every asset has now: description, coordinates, tags, updatedAt, settled, and more."""

        def final() -> dict[str, dict[str, object]]:
            shown = control.assets(self.state, {})
            assert isinstance(shown, dict)  # noqa: S101 - what the handler says of itself
            return shown

        return self._on_loop(final)

    def person(self, asset_id: str, action: str, value: object = None) -> None:
        """Let a person act in Immich: ``set_description``, ``add_tag``, ``trash`` … (see ``control``).

        Raises:
            ConfigurationError: there is no such asset or action.
        """
        body: dict[str, object] = {"asset_id": asset_id, "action": action, "value": value}
        self._on_loop(lambda: control.person(self.state, body))

    def configure(self, **switches: object) -> None:
        """Change switches, as ``POST /_simulator/settings`` does.

        Raises:
            ConfigurationError: there is no such switch or value.
        """
        self._on_loop(lambda: control.settings(self.state, switches))

    def is_edited(self, asset_id: str) -> bool:
        """Return whether a person's edit of an asset has not settled."""
        asset = self.state.assets[asset_id]
        return self._on_loop(lambda: asset.jobs > asset.client_jobs)

    def is_idle(self) -> bool:
        """Return whether both queues are empty."""
        return self._on_loop(lambda: self.state.queues.waiting == 0)

    def wait_until_idle(self, timeout: float = 30.0) -> None:
        """Wait until both queues are empty.

        Raises:
            TimeoutError: they are not, after so many seconds.
        """
        end = time.monotonic() + timeout
        while not self.is_idle():
            if time.monotonic() > end:
                raise TimeoutError(f"{self.state.queues.waiting} jobs are waiting after {timeout} s")
            time.sleep(0.005)

    def _on_loop(self, call: Callable[[], T]) -> T:
        """Do something on the server's own thread, after letting happen what is due."""

        async def act() -> T:
            self.state.advance(self.application.now())
            return call()

        try:
            return asyncio.run_coroutine_threadsafe(act(), self.loop).result(timeout=60)
        except ApiError as error:
            raise ConfigurationError(error.message) from error


@contextmanager
def serve(  # noqa: PLR0913 - every switch of the command line, by name
    *,
    catalogue: Path | str | None = None,
    assets: Sequence[str] = (),
    seed: int = 1,
    unkind: str | Iterable[str] = "all",
    drain: float = 200.0,
    version: str = "2.7.5",
    scopes: Sequence[str] = ("all",),
    extra: int = 0,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Simulator]:
    """Run a simulated Immich as long as the context lasts.

    Args:
        catalogue: a Skymmich SQLite file; each linked image gets an asset.
        assets: ids of further assets, all of them there and writable.
        seed: of everything that is drawn by chance.
        unkind: ``all``, ``none``, or names (see ``unkindness``).
        drain: assets a second that the queues can handle.
        version: the version of Immich that is simulated.
        scopes: the API key's permissions.
        extra: how many assets there are that the catalogue does not know.
        host: the address to listen on.
        port: 0 takes a free one.

    Raises:
        ConfigurationError: a name or a version is wrong, or the port is taken.
        CatalogueError: the catalogue cannot be read.
    """
    names = unkind if isinstance(unkind, str) else (",".join(unkind) or "none")
    settings = Settings(
        seed=seed,
        unkind=parse_unkind(names),
        drain=drain,
        version=parse_version(version),
        scopes=tuple(scopes),
    )
    lines = _Lines()
    application = Application(settings, _key(seed), lines.hang_up)
    application.state.advance(application.now())
    if catalogue is not None:
        initial_assets.fill(application.state, initial_assets.photos_of_catalogue(Path(catalogue)))
    initial_assets.fill(application.state, initial_assets.photos_of_ids(assets), special=False)
    initial_assets.fill(application.state, initial_assets.extra_photos(extra, settings), special=False)
    listener = _listen(host, port)
    server = _Server(application, lines)
    thread = threading.Thread(target=server.run, args=[listener], name="simulator", daemon=True)
    thread.start()
    try:
        loop = server.wait_until_ready()
        address = listener.getsockname()
        yield Simulator(f"http://{host}:{address[1]}", application.api_key, application, loop)
    finally:
        server.stop()
        thread.join(timeout=10)
        listener.close()


class _Lines:
    """The open connections by the client's address, so that one can be broken."""

    def __init__(self) -> None:
        self._transports: dict[object, asyncio.Transport] = {}

    def hang_up(self, client: object) -> None:
        transport = self._transports.get(client)
        if transport is not None:
            transport.abort()

    def protocol(self) -> type[asyncio.Protocol]:
        """Make uvicorn's protocol, with a note of who is connected."""
        transports = self._transports

        class Noted(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
                super().connection_made(transport)
                transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self.client, None)
                super().connection_lost(exc)

        return Noted


class _Server:
    """The simulated server, silent, in an event loop of its own."""

    def __init__(self, application: Application, lines: _Lines) -> None:
        protocol = lines.protocol()
        config = uvicorn.Config(
            application,
            http=protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = HttpServer(config, protocol)
        self._ready = threading.Event()
        self._stopped: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self, listener: socket.socket) -> None:
        """Answer until ``stop``."""
        asyncio.run(self._answer(listener))

    async def _answer(self, listener: socket.socket) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        await self._server.start(listener)
        self._ready.set()
        await self._stopped.wait()
        await self._server.stop()

    def stop(self) -> None:
        if self._loop is not None and self._stopped is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)

    def wait_until_ready(self) -> asyncio.AbstractEventLoop:
        if not self._ready.wait(timeout=10) or self._loop is None:
            raise ConfigurationError("The simulator did not start within 10 s.")
        return self._loop


def _listen(host: str, port: int) -> socket.socket:
    # with the protocol named, asyncio switches Nagle's algorithm off, which else costs 40 ms an answer
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"The simulator cannot listen on {host}:{port}: {error.strerror}.",
            remedy="Choose another --port; 0 takes a free one.",
        ) from error
    return listener


def _key(seed: int) -> str:
    chance = random.Random(f"key:{seed}")  # noqa: S311 - the key of a simulation is printed anyway
    return "".join(chance.choices(string.ascii_letters + string.digits, k=43))
