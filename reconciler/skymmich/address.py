"""Skymmich's web address, taken apart: what requests go to, and the login of a proxy in front of it."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit


def split(url: str) -> tuple[str, tuple[str, str] | None]:
    """Return the address without a login and without a slash at its end, fit for people; and the login.

    Skymmich itself has no login, but a proxy in front of it may.
    """
    parts = urlsplit(url.strip())
    host = parts.netloc.rpartition("@")[2]
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return f"{parts.scheme.lower()}://{host}{parts.path.rstrip('/')}", login
