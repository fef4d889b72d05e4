"""HTTP connections for an application, in the event loop that is already running.

uvicorn's own server takes the process's signals, and wakes ten times a second to see whether it should end.
This one takes uvicorn's protocol and settings by their public names, and needs no signal and no tick.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from uvicorn.server import ServerState

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from uvicorn import Config


class HttpServer:
    """Answers on one listening socket.

    Args:
        config: uvicorn's settings, with ``lifespan="off"`` and a ``timeout_graceful_shutdown``.
        protocol: makes a connection's protocol, as uvicorn's ``H11Protocol`` is made.
    """

    def __init__(self, config: Config, protocol: Callable[..., asyncio.Protocol]) -> None:
        self._config, self._protocol = config, protocol
        self._state = ServerState()
        self._listening: asyncio.Server | None = None

    @property
    def connections(self) -> set[Any]:
        """The protocols of the open connections."""
        return cast("set[Any]", self._state.connections)

    async def start(self, listener: socket.socket) -> None:
        """Answer whoever connects from now on."""
        if not self._config.loaded:
            self._config.load()
        self._listening = await asyncio.get_running_loop().create_server(
            self._connected, sock=listener, backlog=self._config.backlog
        )

    async def stop(self) -> None:
        """Take no more requests; what is being answered may finish within the settings' time."""
        if self._listening is None:
            return
        self._listening.close()
        for connection in list(self._state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self._config.timeout_graceful_shutdown):
                while self._state.connections or self._state.tasks:  # noqa: ASYNC110  uvicorn tells nobody
                    await asyncio.sleep(0.02)
        except TimeoutError:
            for task in self._state.tasks:
                task.cancel("The server ends")

    def _connected(self) -> asyncio.Protocol:
        return self._protocol(config=self._config, server_state=self._state, app_state={})
