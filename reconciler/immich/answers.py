"""Where HTTP becomes this project's errors: one boundary, for every answer and every failure to get one.

The texts name the address without credentials, never the API key; whatever a server says is scrubbed of it.
A 404 is only a missing route here: it never means that an asset is gone (see ``client`` for maintenance).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

import httpx

from reconciler.bounded import BoundError, CutShortError, read_json, read_rows
from reconciler.errors import (
    ConfigurationError,
    ImmichAnswerError,
    ImmichError,
    ImmichRejectedError,
    ImmichSlowError,
    ImmichTemporaryError,
    ImmichUnauthorizedError,
    ImmichUnreachableError,
    MissingPermissionError,
)
from reconciler.immich.login_page import is_login, is_page, way_past, whose
from reconciler.immich.wire import items, member, plausible, text, whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reconciler.errors import Again
    from reconciler.immich.call import Call

_SCOPE = re.compile(r"Missing required permission: (\S+)")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
# What a browser shows without running anything that may stand in it: no SVG.
_PICTURES = frozenset({"image/jpeg", "image/webp", "image/png", "image/avif", "image/gif"})
_MOST = {"/search/metadata": 6 << 20, "/tags": 8 << 20, "/stacks": 64 << 20}
"""Bytes by route: a full page of 1,000 rows measures 1.7 MB, and a list of 10,000 tags 2 MB. In memory it is
several times as much, but for the stacks, which are read one by one: some 1.4 kB a member."""
_MOST_ELSE = 4 << 20  # one asset, whose text may have a megabyte
_MOST_PICTURE = 16 << 20  # a preview has some 0.5 MB
MOST_WORDS = 64 << 10
"""Bytes of a refusal: only its words are wanted."""
_LONGEST_WISH = 86400.0
_NEW_KEY = "Keys are made and changed in Immich under Account settings → API keys."
_LOGIN_AT_PROXY = "Give [immich] proxy a user and a password: http://user:password@proxy:3128."
_CHECK_URL = "Set [immich] url to the address that opens Immich in a browser, without a path."


def base_url(url: str) -> str:
    """Normalise the configured address: no trailing slash, no ``/api``, no user and password.

    A sub-path stays. See ``credentials`` for the user and password.

    Raises:
        ConfigurationError: not an http(s) address.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        httpx.URL(url.strip())
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise ConfigurationError(
            f"The Immich address {url.strip().rpartition('@')[2]!r} is not an http:// or https:// address.",
            remedy="Set [immich] url, for example to http://immich.lan:2283.",
        )
    path = re.sub(r"/+", "/", parts.path).rstrip("/")
    path = re.sub(r"(?:^|/)api$", "", path)
    return _without_credentials(urlunsplit((parts.scheme, parts.netloc, path, "", "")))


def credentials(url: str) -> tuple[str, str] | None:
    """Return user and password from the address, for a proxy in front of Immich; ``None`` without them.

    They are taken out of the address because httpx writes addresses into its log.
    """
    parts = urlsplit(url.strip())
    return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None


def usable_key(api_key: str) -> str:
    """Strip the key of blanks around it.

    Raises:
        ConfigurationError: empty, or with characters that no header can carry. The key is not shown.
    """
    key = api_key.strip()
    if not _PRINTABLE.fullmatch(key):
        what = "is empty" if not key else "contains blanks or characters that an API key never has"
        raise ConfigurationError(
            f"The Immich API key {what}.",
            remedy=f"{_NEW_KEY} Then set [immich] api_key_file.",
        )
    return key


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: the head, and the body within its bounds."""

    head: httpx.Response
    body: bytes


def most_bytes(call: Call) -> int:
    """Return how long a good answer to this call may be."""
    return _MOST_PICTURE if call.route.endswith("/thumbnail") else _MOST.get(call.route, _MOST_ELSE)


def read(answer: Answer, call: Call, *, base: str, secrets: Sequence[str], now: datetime) -> object:
    """Return the answer's JSON, or ``None`` for an empty one.

    Args:
        answer: what came.
        call: what was asked.
        base: the normalised address.
        secrets: the API key and the values of own headers, to scrub them from what the server says.
        now: wall clock, for a ``Retry-After`` that is a date.

    Raises:
        ImmichError: one of its kinds, for everything but success.
    """
    response = _successful(answer, call, base=base, secrets=secrets, now=now)
    if is_page(response, answer.body):
        if is_login(response, answer.body):
            raise _asks_for_login(answer, call, base)
        raise ImmichRejectedError(
            f"{base} answered {call.name} with a web page instead of Immich's API.",
            status=response.status_code,
            remedy=_CHECK_URL,
        )
    if not answer.body:
        return None
    try:
        if call.each is not None:
            return [call.each(row) for _, row in read_rows(answer.body)]
        return read_json(answer.body)
    except (BoundError, CutShortError) as error:
        if call.write:
            return None  # it was carried out, whatever the text of the answer
        raise unusable(error, call, response.status_code) from error


def read_picture(
    answer: Answer, call: Call, *, base: str, secrets: Sequence[str], now: datetime
) -> tuple[bytes, str, str]:
    """Return a picture, its content type, and its ETag (as sent; empty without); else see ``read``."""
    response = _successful(answer, call, base=base, secrets=secrets, now=now)
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in _PICTURES:
        raise ImmichRejectedError(
            f"{base} answered {call.name} with {content_type[:40] or 'something'} instead of a picture.",
            status=response.status_code,
        )
    return answer.body, content_type, response.headers.get("etag", "")


def _successful(
    answer: Answer, call: Call, *, base: str, secrets: Sequence[str], now: datetime
) -> httpx.Response:
    """Return the head of a success; everything else leaves as an error of ours."""
    response = answer.head
    if response.is_redirect:
        raise _redirected(answer, call, base)
    if response.status_code in {401, 403} and is_login(response, answer.body):
        raise _asks_for_login(answer, call, base)
    if not response.is_success:
        raise _refused(response, call, says=server_says(answer.body, secrets), base=base, now=now)
    return response


def unusable(error: BoundError | CutShortError, call: Call, status: int) -> ImmichTemporaryError:
    """Say what is wrong with a good answer's body."""
    message = f"Immich's answer to {call.name} {error}."
    if isinstance(error, CutShortError):
        return ImmichTemporaryError(message, status=status)
    return ImmichAnswerError(
        message,
        status=status,
        remedy="Nothing was done with it. Look at what stands between here and Immich, "
        "and whether [immich] url leads to Immich.",
    )


def too_slow(call: Call, base: str, seconds: float) -> ImmichSlowError:
    """Say that an answer did not come to its end."""
    return ImmichSlowError(
        f"{base} did not finish its answer to {call.name} within {seconds:.0f} s.",
        remedy="Nothing is lost. Look at what stands between here and Immich.",
        again="by_itself",
    )


def server_says(content: bytes, secrets: Sequence[str]) -> str:
    """Return the server's own words from an error body of any version, for people only; never parsed on."""
    try:
        body = read_json(content)
    except (BoundError, CutShortError):
        return ""
    message = member(body, "message")
    said = [text(message), *(text(line) for line in items(message))]
    for issue in items(member(body, "errors")):  # 3.x: {"message": …, "errors": [{"path": …, "message": …}]}
        where = ".".join(text(step) or str(whole(step)) for step in items(member(issue, "path")))
        said.append(f"{where}: {text(member(issue, 'message'))}".removeprefix(": "))
    words = "; ".join(line for line in said if line)
    for secret in secrets:
        words = words.replace(secret, "[redacted]")
    words = "".join(sign if sign.isprintable() else " " for sign in words[:400])
    return words if len(words) <= 300 else words[:299] + "…"


def never_arrived(error: httpx.HTTPError) -> bool:
    """Return whether a failed request surely did not reach the server."""
    return isinstance(
        error,
        httpx.ConnectError
        | httpx.ConnectTimeout
        | httpx.PoolTimeout
        | httpx.ProxyError
        | httpx.UnsupportedProtocol
        | httpx.LocalProtocolError,
    )


def unreachable(error: httpx.HTTPError, call: Call, base: str, proxy: str = "") -> ImmichUnreachableError:
    """Say why no answer came; ``proxy`` is the one that is configured."""
    remedy = "Nothing is lost. Check that Immich runs and that its address is right."
    again: Again | None = "by_itself"
    if isinstance(error, httpx.ConnectTimeout):
        why = "the connection was not accepted in time"
    elif isinstance(error, httpx.TimeoutException):
        why = "no answer came in time"
    elif isinstance(error, httpx.ConnectError):
        trouble = f" ({error})" if str(error) else ""
        why = "no connection" + (f" to the proxy {proxy}" if proxy else "") + trouble
        if "CERTIFICATE" in str(error):
            again, why = None, f"no connection{trouble}"
            remedy = (
                "Immich's certificate is not trusted here: let [immich] ca_file name the certificate of the "
                "authority that signed it."
            )
        elif proxy:
            remedy = "Nothing is lost. Check that the proxy runs and that [immich] proxy is right."
    elif isinstance(error, httpx.ProxyError):
        why = f"the proxy {proxy or 'of this environment'} refused to lead there ({error})"
        remedy = _LOGIN_AT_PROXY if "407" in str(error) else "Nothing is lost. Let the proxy lead to Immich."
    else:
        why = f"the connection broke ({type(error).__name__})"
    return ImmichUnreachableError(f"{base} did not answer {call.name}: {why}.", remedy=remedy, again=again)


def _refused(response: httpx.Response, call: Call, *, says: str, base: str, now: datetime) -> ImmichError:
    status = response.status_code
    words = f": {says}" if says else "."
    if status == 401:
        return ImmichUnauthorizedError(
            f"Immich does not accept the API key{words}",
            status=status,
            remedy=f"{_NEW_KEY} Then set [immich] api_key_file.",
        )
    if status == 403:
        scope = found.group(1) if (found := _SCOPE.search(says)) else call.permission
        return MissingPermissionError(
            f"Immich refused {call.name}{words}",
            permission=scope,
            remedy=f"Give the API key the permission {scope or 'all'}. {_NEW_KEY}",
        )
    if status == 407:
        return ImmichRejectedError(
            f"The proxy on the way to {base} asks for a login (407). Immich was not reached.",
            status=status,
            remedy=_LOGIN_AT_PROXY,
        )
    if status == 404:
        return ImmichRejectedError(
            f"Immich knows no such route: {call.name} (404). This says nothing about any asset.",
            status=status,
            remedy=f"{_CHECK_URL} If it is right, this server's version lacks the route.",
        )
    if status in {408, 429} or status >= 500:
        kind = ImmichUnreachableError if status in {502, 503, 504} else ImmichTemporaryError
        return kind(
            f"Immich could not serve {call.name} now ({status}){words}",
            status=status,
            retry_after=_retry_after(response, now),
            remedy="Nothing is lost.",
            again="by_itself",
        )
    return ImmichRejectedError(f"Immich refused {call.name} ({status}){words}", status=status)


def led_astray(call: Call, base: str) -> ImmichRejectedError:
    """Say that an answer leads to something that is not an address."""
    return ImmichRejectedError(
        f"{base} redirects {call.name} to something that is not an address. Redirects are not followed.",
        remedy=_CHECK_URL,
    )


def _asks_for_login(answer: Answer, call: Call, base: str) -> ImmichRejectedError:
    """Say that a proxy in front of Immich wants a person to log in."""
    response, body = answer.head, answer.body
    how = (
        "with a login page" if response.is_success else f"with {response.status_code} and no word of Immich's"
    )
    return ImmichRejectedError(
        f"{base} answered {call.name} {how}: a proxy in front of Immich asks for a login"
        f"{whose(response, body)}. Immich was not reached.",
        status=response.status_code,
        remedy=way_past(response, body, base),
    )


def _redirected(answer: Answer, call: Call, base: str) -> ImmichRejectedError:
    response = answer.head
    try:
        target = urlsplit(urljoin(str(response.request.url), response.headers.get("location", "")[:2000]))
    except ValueError:
        target = urlsplit("")
    here = urlsplit(base)
    where = _without_credentials(urlunsplit((target.scheme, target.netloc, target.path, "", "")))
    goes_to = where[:200] or "nowhere"
    same_host = target.hostname == here.hostname
    asked = response.request.url.path
    login = ""
    if same_host and target.path == asked:
        better = _without_credentials(urlunsplit((target.scheme, target.netloc, here.path, "", "")))
        remedy = f"Set [immich] url to {better}"
    elif is_login(response, answer.body):
        login = f", where a proxy in front of Immich asks for a login{whose(response, answer.body)}"
        remedy = f"{way_past(response, answer.body, base)} {goes_to} was not asked."
    else:
        remedy = _CHECK_URL
    return ImmichRejectedError(
        f"{base} redirects {call.name} to {goes_to}{login}. Redirects are not followed, so that neither a "
        "write nor the key goes astray.",
        status=response.status_code,
        remedy=remedy,
    )


def _retry_after(response: httpx.Response, now: datetime) -> float | None:
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_WISH)
    at = http_date(value)
    return None if at is None else min(max(0.0, (at - now).total_seconds()), _LONGEST_WISH)


def http_date(value: str) -> datetime | None:
    """Read an HTTP date (RFC 9110) as aware UTC; ``None`` if it is none, or of another age."""
    try:
        return plausible(parsedate_to_datetime(value))
    except (ValueError, TypeError, OverflowError):
        return None


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
