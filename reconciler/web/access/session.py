"""Being logged in: a signed cookie that names a session, and the list of those that are open.

The cookie's key is made from the token and a random salt that the state store keeps, so a new token ends
every session, and neither cookie nor store alone is worth anything. A session that is not on the list is
over, whatever its cookie says: logging out ends it wherever the cookie was copied to.

While the process runs, the list is the one in its memory; the store only carries it over a clean restart. A
store that cannot be written keeps nobody from logging in or out, and one that was taken up is given this
list: a backup revives no session. After an end that was not a clean one, or with a file that was put there
since, it is not known who logged out: all log in again (``forget_sessions``).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from itsdangerous import BadData, URLSafeSerializer

from reconciler.core.store_keys import WEB_SESSIONS, SessionsForm
from reconciler.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.store_values import Values

LIFETIME: Final = 14 * 86_400
"""Seconds that a login holds."""
COOKIE: Final = "reconciler_session"
_MOST: Final = 200
"""Sessions that are open at a time; the oldest one ends when there are more."""


class Forgetful:
    """A memory that ends with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, object] = {}

    def get(self, key: str) -> object:
        """Read a value."""
        return self._kept.get(key)

    def put(self, key: str, value: object) -> None:
        """Write a value."""
        self._kept[key] = value


class Session:
    """Makes, checks and ends sessions.

    Args:
        token: the configured one; empty: there are no sessions.
        memory: where they are kept.
        clock: seconds since 1970.
        cookie: its name.
    """

    cookie = COOKIE

    def __init__(
        self,
        token: str,
        memory: Values | None = None,
        clock: Callable[[], float] = time.time,
        cookie: str = COOKIE,
    ) -> None:
        self.cookie = cookie
        self._token, self._memory, self._clock = token, memory or Forgetful(), clock
        self._salt, self._open = "", dict[str, float]()
        self._signer: URLSafeSerializer | None = None
        self.is_kept = True
        """Whether the store has the list as it is; else it ends with the process."""
        if token:
            with suppress(StateError):  # tried again when it is needed
                self._ready()

    def issue(self) -> str:
        """Open a session, and return its cookie. It ends with the process where the store fails."""
        try:
            signer = self._ready()
        except StateError:
            signer = self._sign_anew()
        name = secrets.token_urlsafe(18)
        now = self._clock()
        known = {known: end for known, end in self._open.items() if end > now}
        newest = sorted(known.items(), key=lambda one: one[1])[-(_MOST - 1) :]
        self._open = {**dict(newest), _digest(name): now + LIFETIME}
        self.keep()
        return str(signer.dumps(name))

    def holds(self, value: str) -> bool:
        """Return whether a cookie is ours, and its session open."""
        name = self._name(value)
        return name is not None and self._open.get(_digest(name), 0.0) > self._clock()

    def end(self, value: str) -> None:
        """End a cookie's session, for every copy of the cookie."""
        name = self._name(value)
        if name is not None and self._open.pop(_digest(name), None) is not None:
            self.keep()

    def keep(self) -> None:
        """Give the store the list as it is here, whatever it has: at a change, and when it was taken up."""
        if not self._token:
            return
        try:
            if self._signer is None:
                WEB_SESSIONS.forget(self._memory)
            else:
                WEB_SESSIONS.write(self._memory, SessionsForm(salt=self._salt, open=self._open))
        except StateError:  # its condition says so; what is here counts until this process ends
            self.is_kept = False
        else:
            self.is_kept = True

    def _name(self, value: str) -> str | None:
        if not self._token or not value:
            return None
        try:
            name = self._ready().loads(value)
        except (BadData, StateError):  # a store that cannot be read now opens nothing
            return None
        return name if isinstance(name, str) else None

    def _ready(self) -> URLSafeSerializer:
        """Return what signs; reads what is kept at its first use."""
        if self._signer is None:
            kept = WEB_SESSIONS.read(self._memory)
            if kept is None:
                return self._sign_anew()
            self._open = kept["open"]
            return self._sign_anew(kept["salt"] if len(kept["salt"]) >= 32 else "")
        return self._signer

    def _sign_anew(self, salt: str = "") -> URLSafeSerializer:
        self._salt = salt or secrets.token_hex(32)
        token = self._token.encode("utf-8", "surrogatepass")
        key = hmac.digest(token, self._salt.encode(), "sha256")
        self._signer = URLSafeSerializer(key, salt="session", signer_kwargs={"digest_method": hashlib.sha256})
        return self._signer


def forget_sessions(memory: Values) -> None:
    """End all sessions that are kept; before the first ``Session`` reads them."""
    WEB_SESSIONS.forget(memory)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
