"""Skymmich's own events, where its web address is known: a hint to look at once instead of in a few seconds.

Nothing depends on it: few changes are told there at all (a plate solve by hand, a scheduled import), so the
catalogue is watched anyway.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from reconciler import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random

    from reconciler.http_way import Way

_NEWS = frozenset({"plate-solving-update", "immich-sync-complete"})
_FIRST, _MOST = 1.0, 300.0
"""Seconds between attempts to connect: doubling."""
_STEADY = 30.0
"""A connection that lasted so long was a good one."""
_LONGEST = 1 << 20


async def listen(
    url: str, hint: Callable[[int | None], Awaitable[None]], random: Random, way: Way | None = None
) -> None:
    """Listen until cancelled, connecting again whenever the connection is lost.

    Args:
        url: Skymmich's web address.
        hint: called for each event that may have changed the catalogue, with the image that it names.
        random: spreads the attempts.
        way: whom to trust, and a proxy; its certificates were found usable.
    """
    loop = asyncio.get_running_loop()
    options = _options(url, way)
    wait = _FIRST
    while True:
        began = loop.time()
        try:
            async with connect(
                events_url(url),
                max_size=_LONGEST,
                user_agent_header=f"skymmich-reconciler/{__version__}",
                **options,
            ) as socket:
                async for message in socket:
                    if is_news(message):
                        await hint(image_of(message))
        except (OSError, WebSocketException, ValueError):
            pass  # it is a hint: whether Skymmich answers is not this program's concern
        wait = _FIRST if loop.time() - began > _STEADY else wait
        await asyncio.sleep(random.uniform(wait / 2, wait))
        wait = min(_MOST, wait * 2)


def _options(url: str, way: Way | None) -> dict[str, Any]:
    """Return what ``connect`` has to know of the way."""
    proxy = way.proxy if way else ""
    options: dict[str, Any] = {"proxy": proxy or None}
    if way and way.ca_file:
        tls = way.trusting(ssl.create_default_context())
        options |= {"ssl": tls} if url.lower().startswith("https:") else {}
        options |= {"proxy_ssl": tls} if proxy.lower().startswith("https:") else {}
    return options


def events_url(url: str) -> str:
    """Return the address of Skymmich's events: ``http://host/base`` → ``ws://host/base/ws``."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/ws", "", ""))


def image_of(message: str | bytes) -> int | None:
    """Return the image that a frame names: few do."""
    try:
        image_id = json.loads(message)["data"]["imageId"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    return image_id if isinstance(image_id, int) and not isinstance(image_id, bool) else None


def is_news(message: str | bytes) -> bool:
    """Return whether a frame says that the catalogue may have changed; anything odd is none."""
    try:
        frame = json.loads(message)
    except (ValueError, RecursionError):
        return False
    event = frame.get("event") if isinstance(frame, dict) else None
    return isinstance(event, str) and event in _NEWS
