"""How requests get to Immich: headers for a proxy in front of it, whom to trust, a proxy on the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import httpx

from reconciler.http_way import Way

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Connection(Way):
    """What a person configured of the way. No secret shows in its ``repr``."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Sent with every request; the values are secrets."""

    server: ClassVar[str] = "Immich"
    section: ClassVar[str] = "immich"

    def tls(self) -> ssl.SSLContext | bool:
        """Return whom to trust: what httpx trusts, and the file's authorities.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        return True if self.ca_file is None else self.trusting(httpx.create_ssl_context())
