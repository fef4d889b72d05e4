"""One request to Immich as a value, and how long to wait for its answer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    ``write`` is whether it must not be repeated blindly: true for what makes an asset settle, false for reads
    and for upserts that touch no asset.
    """

    method: str
    route: str
    """Template below ``/api``, for example ``/assets/{id}``; also the label in the metrics."""
    body: bytes | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """For the template; checked by the caller to be UUIDs."""
    write: bool = False
    permission: str = ""
    """The scope it needs, for the error when the server does not name it."""
    bulk: bool = False
    """Works through many assets before it answers (10 ms each), so it gets more time."""
    fresh: float = math.inf
    """Seconds for which it may be put off because the server asks for it. A text is made from a reading: sent
    much later, it would take a person's newest words with it."""
    each: Callable[[object], object] | None = None
    """What is kept of each element of an answer that is a long list: a list of these comes back."""
    query: str = ""
    """Of the address, without the question mark; made of constants only."""

    @property
    def name(self) -> str:
        """For people: ``PUT /api/assets/{id}``."""
        return f"{self.method} /api{self.route}"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds, and how often to try."""

    connect: float = 5.0
    read: float = 30.0
    bulk: float = 120.0
    total: float = 4.0
    """Times so long may a whole answer take: each byte that drips starts ``read`` or ``bulk`` anew."""
    attempts: int = 4
    backoff: float = 0.5
    """Ceiling of the first random wait; it doubles each time."""
    backoff_cap: float = 20.0
    retry_after_cap: float = 60.0
    """A server that asks for more is waited for this long; then the call fails with its wish in the error."""
    circuit_threshold: int = 5
    probe_interval: float = 60.0
