"""How requests get to Immich: headers for a proxy in front of it, whom to trust, a proxy on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, ClassVar
from urllib.request import getproxies

import httpx

from reconciler.http_way import Way, any_secure

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Connection(Way):
    """What a person configured of the way. No secret shows in its ``repr``."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Sent with every request; the values are secrets."""

    server: ClassVar[str] = "Immich"
    section: ClassVar[str] = "immich"

    def tls(self, address: str) -> ssl.SSLContext | bool:
        """Return whom to trust on the way to an address: what httpx trusts, and the file's authorities.

        Loading the usual certificates takes a while and some memory: it is done once for all clients of a
        process, and not at all (``False``) where nothing on the way is secure. A proxy may be named by the
        environment, too.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        if self.ca_file is not None:
            return self.trusting(httpx.create_ssl_context())
        return any_secure(address, self.proxy, *getproxies().values()) and _usual()


@cache
def _usual() -> ssl.SSLContext:
    return httpx.create_ssl_context()
