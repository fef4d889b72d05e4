"""Who may ask, from where: hosts, origins, tokens, sizes, and the headers every answer carries.

A page of another site can make a browser send requests here, and its name can be made to mean this machine
(DNS rebinding). So the host that is named must be one of ours, and what changes something must come from our
own pages, or show the token. Not for logging in: see ``session``.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reconciler.errors import ConfigurationError
from reconciler.web.access.session import COOKIE, Session
from reconciler.web.access.throttle import Slowdown
from reconciler.web.api.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import HTTPConnection

    from reconciler.core.store_values import Values

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a server that listens there."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_binding(host: str, token: str) -> None:
    """Refuse to listen beyond this machine without a token.

    Raises:
        ConfigurationError: ``host`` is not loopback, and there is no token.
    """
    if not token.strip() and not is_loopback(host):
        raise ConfigurationError(
            f"The status endpoint would listen on {host}, beyond this machine, without a token.",
            remedy="Set [status] token_file (or RECONCILER_STATUS__TOKEN), or set [status] host = "
            '"127.0.0.1" and let a reverse proxy with a login of its own pass requests on.',
        )


@dataclass(frozen=True, slots=True)
class Access:
    """The rules, from the configuration.

    Args:
        host: what the server listens on.
        token: who knows it may do all; empty: whoever reaches the server may.
        allowed_hosts: further names by which it is asked for, such as a reverse proxy's; lower case.
        user_header: a header in which a reverse proxy names the user who logged in there; empty: none.
        proxies: addresses of the proxies whose ``user_header`` counts.
        users: of those whom a proxy names, the ones who may; ``None``: all.
        operator: who keeps this place together with others, and may all here, too.
        cookie: name of the session's cookie.
        cookie_domain: all hosts below it get the cookie; empty: only the one that was asked.
        memory: where sessions are kept over restarts; ``None``: nowhere.
        mark: tells which store the daemon works with; empty: it cannot be told.
    """

    host: str = "127.0.0.1"
    token: str = field(default="", repr=False)
    allowed_hosts: frozenset[str] = frozenset()
    user_header: str = ""
    proxies: frozenset[str] = frozenset({"127.0.0.1", "::1"})
    users: frozenset[str] | None = None
    operator: Access | None = field(default=None, repr=False)
    cookie: str = COOKIE
    cookie_domain: str = ""
    memory: Values | None = field(default=None, repr=False)
    mark: Callable[[], str] = str
    session: Session = field(init=False, repr=False)
    slowdown: Slowdown = field(default_factory=Slowdown, repr=False)

    def __post_init__(self) -> None:
        key = self.tokens[0] if self.tokens else ""
        object.__setattr__(self, "session", Session(key, self.memory, cookie=self.cookie))

    @property
    def tokens(self) -> tuple[str, ...]:
        """Who knows one of these may do all."""
        operators = self.operator.tokens if self.operator is not None else ()
        return (self.token, *operators) if self.token else operators

    @property
    def is_open(self) -> bool:
        """Whether whoever reaches the server may do all."""
        return not self.tokens and self.users is None

    def check_host(self, named: str) -> None:
        """Refuse a host that is not ours. An IP address is: rebinding needs a name.

        Raises:
            ProblemError: 421, with the remedy.
        """
        name = host_of(f"//{named}")
        if name in LOOPBACK_NAMES | self.allowed_hosts | {self.host.lower()} or _is_address(name):
            return
        raise ProblemError(
            421,
            "This server is not known by the name it was asked for.",
            remedy='Add the name to [status] allowed_hosts, for example allowed_hosts = ["photos.example"].',
        )

    def knows(self, connection: HTTPConnection) -> bool:
        """Return whether the asker may see everything without a bearer token: none is set, or logged in."""
        return self.is_open or self.in_session(connection) or self.has_user(connection)

    def in_session(self, connection: HTTPConnection) -> bool:
        """Return whether the asker is logged in here, or as the operator."""
        if self.session.holds(connection.cookies.get(self.session.cookie, "")):
            return True
        return self.operator is not None and self.operator.in_session(connection)

    def has_cookie(self, connection: HTTPConnection) -> bool:
        """Return whether the asker has what could be a session's cookie."""
        return bool(self.tokens) and any(one.session.cookie in connection.cookies for one in self.each())

    def each(self) -> tuple[Access, ...]:
        """Return these rules and the operator's."""
        return (self,) if self.operator is None else (self, *self.operator.each())

    def has_user(self, connection: HTTPConnection) -> bool:
        """Return whether a trusted proxy names a user who may."""
        return bool(self.user(connection))

    def user(self, connection: HTTPConnection) -> str:
        """Return the user whom a trusted proxy names, and who may; empty: none."""
        named = self.named(connection)
        return named if self.users is None or named in self.users else ""

    def named(self, connection: HTTPConnection) -> str:
        """Return the user whom a trusted proxy names, whether they may or not; empty: none."""
        peer = connection.client.host if connection.client else ""
        named = connection.headers.get(self.user_header, "") if self.user_header else ""
        return named if peer in self.proxies else ""

    async def has_bearer(self, connection: HTTPConnection) -> bool:
        """Return whether the request shows the token.

        Raises:
            ProblemError: 429, too many wrong ones came from there.
        """
        scheme, _, shown = connection.headers.get("authorization", "").partition(" ")
        if not self.tokens or scheme.lower() != "bearer":
            return False
        return await self.is_token(shown.strip(), peer_of(connection))

    async def is_token(self, shown: str, peer: str) -> bool:
        """Compare in constant time. The right one is let in at once; a wrong one waits ever longer.

        Raises:
            ProblemError: 429, it is wrong, and so were several from there before.
        """
        if any(hmac.compare_digest(_digest(shown), _digest(token)) for token in self.tokens):
            self.slowdown.right(peer)
            return True
        wait = await self.slowdown.wrong(peer)
        if wait > 0:
            raise ProblemError(
                429,
                "That is not the token, and too many wrong ones came from this address.",
                remedy="The right one is [status] token_file's; it is taken at once, whoever else guesses.",
                headers={"retry-after": str(max(1, round(wait)))},
            )
        return False

    def check_origin(self, connection: HTTPConnection, *, bearer: bool) -> None:
        """Refuse a change that another site's page may have asked for.

        A reverse proxy may show the token for whoever comes, pages of other sites included. So it speaks
        only for a request that does not come from a browser: a browser says where its page is from.

        Args:
            connection: the request.
            bearer: whether it shows the token.

        Raises:
            ProblemError: 403.
        """
        headers = connection.headers
        site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "")
        if site == "same-origin" or (bearer and not site and not origin):
            return
        # With the port: other programs on this machine have pages, too. Behind a proxy the name must do.
        asked = headers.get("host", "").lower()
        own = bool(asked) and origin.lower() in {f"http://{asked}", f"https://{asked}"}
        if not site and (own or (host_of(origin) or "?") in self.allowed_hosts):
            return
        raise ProblemError(
            403,
            "A change is only taken from this server's own pages, or from a program with its token.",
            remedy="Behind a reverse proxy, add the name in the browser's address to [status] allowed_hosts. "
            "In a program, send “Authorization: Bearer …” with the token from [status] token_file; without a "
            "token configured, “Origin: http://HOST:PORT” as in the address.",
        )


def host_of(address: str) -> str:
    """Return an address's host in lower case; empty where there is none."""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def peer_of(connection: HTTPConnection) -> str:
    """Return the address that the request came from."""
    return connection.client.host if connection.client else "?"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
