"""A login in front of Immich: how it is known by its answer, and which headers get past it.

Immich's own refusals are JSON with a message; a proxy that wants a person to log in redirects to a page,
shows one, or refuses without a word of JSON. Texts for people only, made into errors by ``answers``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    import httpx

_WORDS: Final = re.compile(
    rb"""type=["']?password|\bsign[ -]?in\b|\blog[ -]?in\b|cloudflareaccess\.com|authelia|authentik|oauth2""",
    re.IGNORECASE,
)
_PLACES: Final = re.compile(r"log-?in|sign-?in|\bauth|oauth|\bsso\b|cdn-cgi/access", re.IGNORECASE)
_MOST_READ: Final = 64 << 10
_KINDS: Final = (
    (
        re.compile(r"cloudflareaccess\.com|cdn-cgi/access|cf-access", re.IGNORECASE),
        "Cloudflare Access",
        "CF-Access-Client-Id and CF-Access-Client-Secret, of a service token that its policy lets in",
    ),
    (re.compile(r"authelia", re.IGNORECASE), "Authelia", "Authorization: Basic … of a user of its own"),
    (
        re.compile(r"authentik|goauthentik", re.IGNORECASE),
        "authentik",
        "Authorization: Basic … with an app password",
    ),
    (re.compile(r"oauth2[-_/]?proxy|/oauth2/", re.IGNORECASE), "oauth2-proxy", "Authorization: Bearer …"),
    (
        re.compile(r"pangolin|p-access-token", re.IGNORECASE),
        "Pangolin",
        "P-Access-Token-Id and P-Access-Token",
    ),
)
"""By what they are known, their names, and the headers that they take (each one's own documentation)."""


def is_login(response: httpx.Response, body: bytes) -> bool:
    """Return whether an answer asks for a login: a redirect to one, a page with one, or a bare refusal."""
    if response.is_redirect:
        there = _target(response)
        here = response.request.url
        elsewhere = urlsplit(there).hostname not in {None, here.host}
        return elsewhere or bool(_PLACES.search(urlsplit(there).path))
    if response.status_code in {401, 403}:
        return not body.lstrip().startswith(b"{")
    return is_page(response, body) and _WORDS.search(body[:_MOST_READ]) is not None


def is_page(response: httpx.Response, body: bytes) -> bool:
    """Return whether an answer is a page for people, whatever it calls itself."""
    named = "text/html" in response.headers.get("content-type", "")
    return named or body[:64].lstrip().startswith(b"<")


def whose(response: httpx.Response, body: bytes) -> str:
    """Return what it seems to be, as part of a sentence; empty where it does not show."""
    found = _kind(response, body)
    return f" of {found[0]}" if found else ""


def way_past(response: httpx.Response, body: bytes, base: str) -> str:
    """Return what a person can do: the headers that help, or a way around the login."""
    found = _kind(response, body)
    if found:
        headers = f"{found[0]} takes {found[1]}"
    elif response.headers.get("www-authenticate", "").lower().startswith("basic"):
        headers = "it takes Authorization: Basic …, which user and password in [immich] url give as well"
    else:
        headers = (
            "Cloudflare Access takes CF-Access-Client-Id and CF-Access-Client-Secret; Authelia, authentik "
            "and oauth2-proxy take Authorization"
        )
    return (
        f"Set headers that let this program in, in [immich.headers]: {headers}. Or have the reverse "
        f"proxy lead {base}/api to Immich without a login of its own, or set [immich] url to Immich itself, "
        "behind it."
    )


def _kind(response: httpx.Response, body: bytes) -> tuple[str, str] | None:
    told = [_target(response) if response.is_redirect else "", body[:_MOST_READ].decode("utf-8", "replace")]
    told += [f"{name}: {value}" for name, value in response.headers.items()]
    text = "\n".join(told)
    return next(((name, headers) for signs, name, headers in _KINDS if signs.search(text)), None)


def _target(response: httpx.Response) -> str:
    """Return where a redirect leads; empty if that is no address."""
    try:
        there = urljoin(str(response.request.url), response.headers.get("location", "")[:2000])
        return there if urlsplit(there).hostname else ""
    except ValueError:
        return ""
