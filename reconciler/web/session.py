"""Being logged in: a signed cookie that holds nothing but its end, and patience with whoever guesses.

The key is made from the token, so a new token ends every session, and nothing has to be stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIFETIME = 14 * 86_400
"""Seconds that a login holds."""


class Session:
    """Makes and checks the cookie.

    Args:
        token: the configured one.
        clock: seconds since 1970.
    """

    cookie = "reconciler_session"

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._key = (
            hmac.digest(token.encode("utf-8", "surrogatepass"), b"session", "sha256") if token else b""
        )
        self._clock = clock

    def issue(self) -> str:
        """Make a cookie's value: end, a random part, signature."""
        content = f"{int(self._clock()) + LIFETIME}.{secrets.token_urlsafe(9)}"
        return f"{content}.{self._sign(content)}"

    def holds(self, value: str) -> bool:
        """Tell whether a cookie is ours, and not over."""
        content, _, signature = value.rpartition(".")
        if (
            not self._key
            or not content
            or not hmac.compare_digest(self._sign(content).encode(), signature.encode("utf-8", "replace"))
        ):
            return False
        end = content.partition(".")[0]
        return end.isascii() and end.isdigit() and int(end) > self._clock()

    def _sign(self, content: str) -> str:
        return hmac.new(self._key, content.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


class Slowdown:
    """Makes each further wrong guess from an address wait longer: 1 s after the third, up to a minute.

    Args:
        clock: seconds that never run backwards.
    """

    free = 3
    longest = 60.0
    remembered = 1024
    forgotten_after = 900.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, peer: str) -> float:
        """Give the seconds until this address may try again; 0: now."""
        count, last = self._wrong.get(peer, (0, 0.0))
        passed = self._clock() - last
        if count <= self.free or passed > self.forgotten_after:
            return 0.0
        return max(0.0, min(self.longest, 2.0 ** (count - self.free - 1)) - passed)

    def note(self, peer: str, *, right: bool) -> None:
        """Remember how a guess went."""
        count, last = self._wrong.pop(peer, (0, 0.0))
        if right:
            return
        if self._clock() - last > self.forgotten_after:
            count = 0
        self._wrong[peer] = (count + 1, self._clock())
        while len(self._wrong) > self.remembered:
            self._wrong.popitem(last=False)
