"""Connections to the page: how long a request may take to arrive, and who gives way when there are too many.

uvicorn closes what is idle between two requests, and nothing that is half-way through one; and it counts
connections that never asked anything against those that do. Not for what may be asked: see ``middleware``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn import Config
    from uvicorn.server import ServerState

_UNASKED = (h11.IDLE, h11.SEND_BODY)
"""States of the client in which nothing is being answered: no whole request is there."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stranger may take up."""

    head: float = 10.0
    """Seconds for a request's head, from the connection's begin or the head's first byte."""
    body: float = 20.0
    """Seconds for its body, however steadily it drips."""
    stalled: float = 30.0
    """Seconds for which an answer may wait to be taken."""
    waiting: int = 128
    """Connections that have no whole request; beyond, the oldest one of whoever has most gives way."""
    all: int = 384
    """Connections at all: below, file descriptors stay for the daemon's work (systemd allows 1024)."""


class Connection(H11Protocol):
    """One connection, with deadlines that no further byte puts off.

    Args:
        limits: see there.
        config, server_state, app_state, _loop: uvicorn's.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        limits: Limits,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = limits
        self._since = self.loop.time()
        """When it last asked something whole, or connected."""
        self._phase: object = None
        self._deadline: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    @property
    def gives_way(self) -> bool:
        """Whether nothing is lost when it is closed: it asks nothing, or does not take the answer."""
        waits = self._stalled is not None or self.conn.their_state in _UNASKED
        return waits and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._await_the_rest()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take what came; what is missing still has to come within its time."""
        super().data_received(data)
        if self.conn.their_state not in _UNASKED:
            self._since = self.loop.time()
        self._await_the_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines."""
        self._await_nothing()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give the client some time to take what is answered."""
        super().pause_writing()
        self._stalled = self.loop.call_later(self._limits.stalled, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on answering."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _await_the_rest(self) -> None:
        """Set the deadline of what is missing of a request; one that is set already stays."""
        phase = self.conn.their_state
        if phase is self._phase:
            return
        self._await_nothing()
        if phase in _UNASKED and not self.transport.is_closing():
            patience = self._limits.head if phase is h11.IDLE else self._limits.body
            self._phase = phase
            self._deadline = self.loop.call_later(patience, self.transport.abort)

    def _await_nothing(self) -> None:
        self._phase = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _make_room(self) -> None:
        """When too many wait, close the oldest one of the address that has most of them."""
        waiting = [one for one in self.connections if isinstance(one, Connection) and one.gives_way]
        if len(waiting) <= self._limits.waiting:
            return
        ((crowd, _),) = Counter(one.address for one in waiting).most_common(1)
        oldest = min((one for one in waiting if one.address == crowd), key=lambda one: one._since)  # noqa: SLF001  its own class
        oldest.transport.abort()

    @property
    def address(self) -> str:
        """The address that it came from."""
        return self.client[0] if self.client else ""
