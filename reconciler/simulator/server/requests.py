"""A request as handlers see it, the answer they give, and the routes' table entries."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from reconciler.simulator.server.problems import ApiError
from reconciler.simulator.server.responses import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.simulator.server.state import State

JSON_TYPE = "application/json; charset=utf-8"
MOST_BODY = 10 * 1024 * 1024
"""Bytes of JSON that the server reads; more is a 500."""


@dataclass(slots=True)
class Request:
    """What came in, its body parsed."""

    method: str
    path: tuple[str, ...]
    """Segments after ``/api``."""
    headers: Mapping[str, str]
    """Names in lower case."""
    query: Mapping[str, str]
    raw: bytes
    body: dict[str, object]
    """Empty where a server up to 2.x would not have read one: another content type, an array."""


@dataclass(slots=True)
class Answer:
    """What goes out."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds of work before the answer is sent."""
    drawn: Callable[[], bytes] | None = None
    """Makes the body, where that takes a while: in a thread of its own."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path."""

    handler: Callable[[State, Request], Answer]
    permission: str | None = None
    """The scope that the key needs; ``None``: any key."""
    public: bool = False
    """Answers without a key, and in maintenance mode."""
    since: tuple[int, int, int] = (0, 0, 0)
    has_body: bool = True
    """Whether it reads a JSON body, in a method that has one."""


def answer(value: object, status: int = 200, *, delay: float = 0.0) -> Answer:
    """Answer with JSON."""
    return Answer(status, dumps(value).encode(), delay=delay)


def nothing() -> Answer:
    """Answer 204."""
    return Answer(204)


def parse_query(raw: bytes) -> dict[str, str]:
    """Read a query string; of repeated names the last counts."""
    return dict(parse_qsl(raw.decode("latin-1"))) if raw else {}


def parse_body(raw: bytes, content_type: str) -> dict[str, object] | None:
    """Read a JSON body; ``None`` for anything but an object under the right content type.

    Raises:
        ApiError: it is not JSON (400), or over 10 MB (500).
    """
    if not raw or not content_type.startswith("application/json"):
        return None
    if len(raw) > MOST_BODY:
        raise ApiError(500, "Internal server error")
    try:
        value = json.loads(raw.decode("utf-8", "replace"), parse_constant=_no_constant)
    except ValueError as error:
        raise ApiError(400, f"Unexpected token in JSON: {error}") from error
    return value if isinstance(value, dict) else None


def _no_constant(name: str) -> object:
    raise ValueError(name)
