"""What goes over the wire to Immich, seen from the client's side: requests by route, and the window.

The window is the time between the reading that a text is made from and the moment when the text is sent: what
a person saves in between is written over. Here it begins when the answer of ``GET /assets/{id}`` comes, and
ends when a request that writes a description of that asset leaves.
"""

from __future__ import annotations

import json
import re
import statistics
import time
import urllib.error
import urllib.request
from collections import Counter

import httpx

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KEEPALIVE_EXPIRY = 4.0
"""Immich closes idle connections after 5 s."""


def is_simulator(url: str) -> bool:
    """Tell whether there is a simulated Immich at an address; a real one shows its page, or nothing, there."""
    try:
        with urllib.request.urlopen(f"{url}/_simulator/idle", timeout=60) as answer:
            return "json" in answer.headers.get("content-type", "")
    except urllib.error.HTTPError:
        return False


class Wire(httpx.AsyncBaseTransport):
    """Counts and times what goes through another transport."""

    def __init__(self, inner: httpx.AsyncBaseTransport | None = None) -> None:
        limits = httpx.Limits(keepalive_expiry=KEEPALIVE_EXPIRY)
        self._inner = inner or httpx.AsyncHTTPTransport(limits=limits)
        self._read: dict[str, float] = {}
        self.reset()

    def reset(self) -> None:
        """Begin to count anew; what was read stays known."""
        self.requests: Counter[str] = Counter()
        self.windows: list[float] = []
        self.unread = 0
        """Texts that were written without a reading of their asset since the last write."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        self.requests[f"{request.method} {UUID.sub('{id}', path)}"] += 1
        if request.method in {"PUT", "PATCH"} and path.startswith("/assets"):
            self._note_write(path, await request.aread())
        response = await self._inner.handle_async_request(request)
        if request.method == "GET" and response.is_success and (found := _asset_of(path)):
            self._read[found] = time.monotonic()
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _note_write(self, path: str, content: bytes) -> None:
        body = json.loads(content or b"{}")
        if not isinstance(body, dict) or "description" not in body:
            return
        now, one = time.monotonic(), _asset_of(path)
        for asset in [one] if one else body.get("ids", ()):
            read = self._read.pop(asset, None)
            if read is None:
                self.unread += 1
            else:
                self.windows.append(now - read)

    def counted(self) -> dict[str, int]:
        """Give the counts by route, and ``total``, ``writes``, ``reads``, as the simulator does."""
        reads = sum(
            count for name, count in self.requests.items() if name.startswith(("GET ", "POST /search/"))
        )
        total = self.requests.total()
        return {
            **dict(sorted(self.requests.items())),
            "total": total,
            "writes": total - reads,
            "reads": reads,
        }

    def window(self) -> dict[str, float]:
        """Give the window's median and 99th percentile in milliseconds, and of how many writes."""
        times = sorted(1000 * seconds for seconds in self.windows)
        if not times:
            return {"writes": 0, "unread": self.unread, "median": 0.0, "p99": 0.0, "most": 0.0}
        p99 = times[min(len(times) - 1, int(0.99 * len(times)))]
        median = statistics.median(times)
        return {"writes": len(times), "unread": self.unread, "median": median, "p99": p99, "most": times[-1]}


def _asset_of(path: str) -> str | None:
    found = re.fullmatch(rf"/assets/({UUID.pattern})", path)
    return found[1] if found else None
