"""Changing the four metadata switches in Skymmich, through its API. The only place that writes to Skymmich.

Skymmich replaces a settings object as a whole: a partial one would erase Immich's address and key. So the
object is read, the switches to change are set in it, and all of it is sent back, the key as the mask that
Skymmich showed, which it takes as "unchanged"; then it is read again and compared. Measured against 0.9.2.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx

from reconciler.bounded import ACCEPT_ENCODING, BoundError, CutShortError, read_body, read_exact_json
from reconciler.core.policy import SWITCHES, Switches
from reconciler.errors import CatalogueError
from reconciler.http_way import Trust, Way
from reconciler.skymmich.address import split
from reconciler.skymmich.settings import MASK

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATIENCE = 15.0
_TOTAL = 30.0
"""Seconds for a whole answer: each byte that drips would start the patience anew."""
_MOST = 1 << 20
_HEADERS = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": ACCEPT_ENCODING,
}
_DEFAULTS = Switches(enabled=False)
"""Of an installation that never saved them."""
Json = dict[str, object]


class SkymmichSettings:
    """Skymmich's settings at its web address.

    Args:
        url: of Skymmich, without a path.
        way: whom to trust, and a proxy.

    Raises:
        ConfigurationError: the certificates that were named are not usable.
    """

    where = "Skymmich"

    def __init__(self, url: str, way: Way | None = None) -> None:
        address, self._login = split(url)
        self._address = f"{address}/api/admin/settings"
        self._turn = asyncio.Lock()
        self._way = way or Way()
        self._trust = Trust(self._way, self._address)

    async def write(self, changes: Mapping[str, bool]) -> Switches:
        """Set some switches, named as in ``Switches``; the others stay. Gives what reads back.

        Raises:
            CatalogueError: Skymmich did not take them, or not as they were sent.
        """
        tls = self._trust.context()
        # A redirect is not followed: it would turn a POST into a GET, and look like success.
        async with (
            self._turn,
            httpx.AsyncClient(
                headers=_HEADERS,
                auth=self._login,
                timeout=_PATIENCE,
                follow_redirects=False,
                trust_env=False,
                verify=tls or False,
                proxy=self._way.through(tls),
            ) as http,
        ):
            return await self._write(http, changes)

    async def _write(self, http: httpx.AsyncClient, changes: Mapping[str, bool]) -> Switches:
        before = _immich(await self._call(http, None))
        set_now = {name: changes[field] for name, field in SWITCHES.items() if field in changes}
        if all(before.get(name) is on for name, on in set_now.items()):
            return _switches(before)
        wanted = {**before, **set_now}
        key = before.get("apiKey")
        if isinstance(key, str) and key and not key.startswith(MASK):
            raise CatalogueError(
                "Skymmich shows Immich's API key unmasked, so its settings are not sent back.",
                remedy="Change the switches in Skymmich itself, under Admin → Immich.",
            )
        await self._call(http, {"immich": wanted})
        after = _immich(await self._call(http, None))
        lost = sorted(name for name, value in wanted.items() if after.get(name) != value)
        if lost:
            raise CatalogueError(
                f"Skymmich took the settings, but reads back other values for {', '.join(lost)}.",
                remedy="Look at Admin → Immich in Skymmich, above all at Immich's address and key.",
            )
        return _switches(after)

    async def _call(self, http: httpx.AsyncClient, body: Json | None) -> object:
        """Read the settings, or send some."""
        data = None if body is None else json.dumps(body).encode()
        method, doing = ("GET", "read") if body is None else ("POST", "sent")
        request = http.build_request(method, self._address, content=data)
        try:
            async with asyncio.timeout(_TOTAL):
                answer = await http.send(request, stream=True)
                content = await read_body(answer, _MOST)
            if not answer.is_success:
                raise CatalogueError(
                    f"Skymmich answered {answer.status_code} when its settings were {doing}.",
                    remedy="Look into Skymmich's log; nothing else was changed.",
                )
            return read_exact_json(content) if content.strip() else None
        except (BoundError, CutShortError) as error:
            raise CatalogueError(
                f"Skymmich's answer when its settings were {doing} {error}.",
                remedy="Check that [skymmich] url is Skymmich's own address.",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            reason = str(error) or "no answer came in time"
            raise CatalogueError(
                f"Skymmich's settings cannot be reached: {reason}.",
                remedy="Check [skymmich] url, and that Skymmich runs.",
            ) from error


def _immich(settings: object) -> Json:
    found = settings.get("immich") if isinstance(settings, dict) else None
    if not isinstance(found, dict):
        raise CatalogueError(
            "Skymmich's settings do not look as expected: there is no “immich” in them.",
            remedy="Check that [skymmich] url is Skymmich's own address.",
        )
    return dict(found)


def _switches(found: Json) -> Switches:
    """Return what is set; what is neither true nor false is unknown, and so nothing is written by it."""
    return Switches(
        **{field: found.get(name, getattr(_DEFAULTS, field)) is True for name, field in SWITCHES.items()}
    )
