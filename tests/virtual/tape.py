"""What went over the line, with its answers: for tests that hold it against a document."""

from __future__ import annotations

from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    """Below ``/api``, without the query."""
    query: str
    sent: bytes
    status: int
    answer: bytes


class Tape(httpx.AsyncBaseTransport):
    """Lies between the program and a line, and keeps what passes."""

    def __init__(self, line):
        self._line = line
        self.exchanges = []

    async def handle_async_request(self, request):
        response = await self._line.handle_async_request(request)
        path, _, query = request.url.raw_path.decode().partition("?")
        answer = await response.aread()
        self.exchanges.append(
            Exchange(
                request.method,
                path.removeprefix("/api"),
                query,
                request.content,
                response.status_code,
                answer,
            )
        )
        return response

    def __getattr__(self, name):
        return getattr(self._line, name)

    def __setattr__(self, name, value):
        if name in {"_line", "exchanges"}:
            super().__setattr__(name, value)
        else:
            setattr(self._line, name, value)
