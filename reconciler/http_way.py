"""How requests get to a server: whom to trust, and a proxy on the way.

For every room that asks one. What only Immich's way has, headers for a login in front of it, is in
``immich.connection``.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import httpx

from reconciler.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Way:
    """What a person configured of the way to Skymmich. No secret shows in its ``repr``."""

    ca_file: Path | None = None
    """Certificates (PEM) that are trusted beside the usual ones."""
    proxy: str = field(default="", repr=False)
    """An ``http://`` or ``https://`` address, perhaps with user and password in it; empty: none."""

    server: ClassVar[str] = "Skymmich"
    """Where it leads, for people."""
    section: ClassVar[str] = "skymmich"
    """Where it is configured."""

    @property
    def proxy_address(self) -> str:
        """The proxy without credentials, for people."""
        if not self.proxy:
            return ""
        url = httpx.URL(self.proxy)
        return f"{url.scheme}://{url.netloc.decode('ascii')}"

    def trusting(self, context: ssl.SSLContext) -> ssl.SSLContext:
        """Let a context trust the file's authorities, too, and return it.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        if self.ca_file is None:
            return context
        try:
            context.load_verify_locations(cafile=self.ca_file)
        except ssl.SSLError as error:
            why = "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
            raise self._unusable(why) from error
        except OSError as error:
            raise self._unusable(f"it cannot be read: {(error.strerror or 'error').lower()}") from error
        return context

    def through(self, tls: ssl.SSLContext | bool | None) -> httpx.Proxy | None:  # noqa: FBT001 - as httpx calls it
        """Return the proxy for httpx; ``tls``: whom to trust where it is reached over TLS itself."""
        if not self.proxy:
            return None
        own = tls if isinstance(tls, ssl.SSLContext) and self.proxy.lower().startswith("https:") else None
        return httpx.Proxy(self.proxy, ssl_context=own)

    def _unusable(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"The certificates for {self.server} in {self.ca_file} are not usable: {why}. Nothing was sent.",
            remedy=f"Let [{self.section}] ca_file name the certificate of the authority that signed "
            f"{self.server}'s, as PEM.",
        )


def any_secure(*addresses: str) -> bool:
    """Return whether one of them is reached over TLS, so that certificates are needed."""
    return any(one.lower().startswith("https:") for one in addresses)


class Trust:
    """Whom to trust on the way to an address, once for all requests: loading certificates takes a while.

    Args:
        way: there.
        address: of the server.

    Raises:
        ConfigurationError: the certificates that were named are not usable.
    """

    def __init__(self, way: Way, address: str) -> None:
        self._secure = any_secure(address, way.proxy)
        self._context = None if way.ca_file is None else way.trusting(ssl.create_default_context())

    def context(self) -> ssl.SSLContext | None:
        """Return it; ``None``: nothing on the way is secure, and nothing was named."""
        if self._context is None and self._secure:
            self._context = ssl.create_default_context()
        return self._context
