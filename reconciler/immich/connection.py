"""How requests get to Immich: headers for a proxy in front of it, whom to trust, a proxy on the way."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from reconciler.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Connection:
    """What a person configured of the way. No secret shows in its ``repr``."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Sent with every request; the values are secrets."""
    ca_file: Path | None = None
    """Certificates (PEM) that are trusted beside the usual ones."""
    proxy: str = field(default="", repr=False)
    """An ``http://`` or ``https://`` address, perhaps with user and password in it; empty: none."""

    @property
    def proxy_address(self) -> str:
        """The proxy without credentials, for people."""
        if not self.proxy:
            return ""
        url = httpx.URL(self.proxy)
        return f"{url.scheme}://{url.netloc.decode('ascii')}"

    def tls(self) -> ssl.SSLContext | bool:
        """Return whom to trust: what httpx trusts, and the file's authorities.

        Raises:
            ConfigurationError: the file cannot be used.
        """
        if self.ca_file is None:
            return True
        context = httpx.create_ssl_context()
        try:
            context.load_verify_locations(cafile=self.ca_file)
        except ssl.SSLError as error:
            why = "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
            raise self._unusable(why) from error
        except OSError as error:
            raise self._unusable(f"it cannot be read: {(error.strerror or 'error').lower()}") from error
        return context

    def through(self, tls: ssl.SSLContext | bool) -> httpx.Proxy | None:  # noqa: FBT001 - as httpx calls it
        """Return the proxy for httpx."""
        if not self.proxy:
            return None
        own = tls if isinstance(tls, ssl.SSLContext) and self.proxy.lower().startswith("https:") else None
        return httpx.Proxy(self.proxy, ssl_context=own)

    def _unusable(self, why: str) -> ConfigurationError:
        return ConfigurationError(
            f"The certificates for Immich in {self.ca_file} are not usable: {why}. Nothing was sent.",
            remedy="Let [immich] ca_file name the certificate of the authority that signed Immich's, as PEM.",
        )
