"""Where a form goes on to, once it was answered."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import RedirectResponse


def redirect(path: str, fragment: str = "", **more: str) -> RedirectResponse:
    """Lead to a page of ours, with parameters more than the address has, or others of their name."""
    return RedirectResponse(address(path, fragment, **more), status_code=303)


def address(path: str, fragment: str = "", **more: str) -> str:
    """Return the address of a page of ours, with parameters more than it has, or others of their name."""
    parts = urlsplit(path)
    query = {**dict(parse_qsl(parts.query)), **more}
    return parts.path + (f"?{urlencode(query)}" if query else "") + (f"#{fragment}" if fragment else "")
