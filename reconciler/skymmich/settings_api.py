"""Changing the four metadata switches in Skymmich, through its API. The only place that writes to Skymmich.

Skymmich replaces a settings object as a whole: a partial one would erase Immich's address and key. So the
object is read, the switches to change are set in it, and all of it is sent back, the key as the mask that
Skymmich showed, which it takes as "unchanged"; then it is read again and compared. Measured against 0.9.2.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from reconciler.core.policy import SWITCHES, Switches
from reconciler.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse

_PATIENCE = 15.0
_MOST = 1 << 20
_MASK = "••••"
_DEFAULTS = Switches(enabled=False)
"""Of an installation that never saved them."""
Json = dict[str, object]


class SkymmichSettings:
    """Skymmich's settings at its web address.

    Args:
        url: of Skymmich, without a path.
    """

    where = "Skymmich"

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2]
        self._address = f"{parts.scheme}://{host}{parts.path.rstrip('/')}/api/admin/settings"
        self._headers = {"content-type": "application/json", "accept": "application/json"}
        if parts.username:  # for a proxy in front of Skymmich, which itself has no login
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["authorization"] = f"Basic {b64encode(login).decode()}"
        self._opener = build_opener(_Straight)
        self._turn = asyncio.Lock()

    async def write(self, changes: Mapping[str, bool]) -> Switches:
        """Set some switches, named as in ``Switches``; the others stay. Gives what reads back.

        Raises:
            CatalogueError: Skymmich did not take them, or not as they were sent.
        """
        async with self._turn:
            return await asyncio.to_thread(self._write, changes)

    def _write(self, changes: Mapping[str, bool]) -> Switches:
        before = _immich(self._call(None))
        set_now = {name: changes[field] for name, field in SWITCHES.items() if field in changes}
        if all(before.get(name) is on for name, on in set_now.items()):
            return _switches(before)
        wanted = {**before, **set_now}
        key = before.get("apiKey")
        if isinstance(key, str) and key and not key.startswith(_MASK):
            raise CatalogueError(
                "Skymmich shows Immich's API key unmasked, so its settings are not sent back.",
                remedy="Change the switches in Skymmich itself, under Admin → Immich.",
            )
        self._call({"immich": wanted})
        after = _immich(self._call(None))
        lost = sorted(name for name, value in wanted.items() if after.get(name) != value)
        if lost:
            raise CatalogueError(
                f"Skymmich took the settings, but reads back other values for {', '.join(lost)}.",
                remedy="Look at Admin → Immich in Skymmich, above all at Immich's address and key.",
            )
        return _switches(after)

    def _call(self, body: Json | None) -> object:
        """Read the settings, or send some."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._address, data, self._headers)  # noqa: S310  the configuration admits only http and https
        try:
            with self._opener.open(request, timeout=_PATIENCE) as answer:
                return _read(answer)
        except HTTPError as error:
            with error:
                doing = "read" if body is None else "sent"
                raise CatalogueError(
                    f"Skymmich answered {error.code} when its settings were {doing}.",
                    remedy="Look into Skymmich's log; nothing else was changed.",
                ) from error
        except (URLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise CatalogueError(
                f"Skymmich's settings can not be reached: {reason}.",
                remedy="Check [skymmich] url, and that Skymmich runs.",
            ) from error


class _Straight(HTTPRedirectHandler):
    """Follows no redirect: it would turn a POST into a GET, and look like success."""

    def redirect_request(self, *_: object) -> None:
        return None


def _read(answer: HTTPResponse) -> object:
    content = answer.read(_MOST)
    return json.loads(content) if content.strip() else None


def _immich(settings: object) -> Json:
    found = settings.get("immich") if isinstance(settings, dict) else None
    if not isinstance(found, dict):
        raise CatalogueError(
            "Skymmich's settings do not look as expected: there is no “immich” in them.",
            remedy="Check that [skymmich] url is Skymmich's own address.",
        )
    return dict(found)


def _switches(found: Json) -> Switches:
    return Switches(
        **{field: bool(found.get(name, getattr(_DEFAULTS, field))) for name, field in SWITCHES.items()}
    )
