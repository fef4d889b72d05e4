"""Who may see which pages: operators all of them, users and tokens of an installation its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

from reconciler.errors import ReconcilerError
from reconciler.web.access.policy import Access, check_binding
from reconciler.web.access.session import COOKIE, Forgetful

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.config import Config
    from reconciler.fleet.configured import Configured

_OPERATORS_COOKIE: Final = "reconciler_operator"
_READ_AGAIN_S: Final = 60.0
"""Seconds after which a configuration is read again, whatever its files' times say: it may name others."""


@dataclass(slots=True)
class _Known:
    """What is known of an installation's rules."""

    turn: Lock = field(default_factory=Lock)
    sessions: Forgetful = field(default_factory=Forgetful)
    stamp: tuple[object, ...] = ()
    read_at: float = float("-inf")
    rules: tuple[str, frozenset[str]] = ("", frozenset())
    access: Access | None = None


class Doors:
    """The rules of each place.

    Args:
        fleet: the configuration of these pages.
        configured: finds those of the installations.

    Raises:
        ConfigurationError: they would be open beyond this machine.
    """

    def __init__(self, fleet: Config, configured: Configured) -> None:
        self._fleet, self._configured, status = fleet, configured, fleet.status
        self.domain = fleet.fleet.domain.lower()
        check_binding(status.host, status.shown_token)
        self.operator = Access(
            host=status.host,
            token=status.shown_token,
            allowed_hosts=frozenset({self.domain, *status.allowed_hosts}),
            user_header=status.user_header,
            proxies=frozenset(status.trusted_proxies),
            users=frozenset(status.users) if status.user_header else None,
            cookie=_OPERATORS_COOKIE,
            # A browser takes no cookie for all of "localhost": there each place is logged in to by itself.
            cookie_domain=self.domain if "." in self.domain else "",
        )
        """The operator's, who sees everything."""
        self.listing = self._below(self.operator.allowed_hosts, users=None)
        """Those of the list: a proxy's users see theirs on it."""
        self._elsewhere = Forgetful()
        self._known: dict[str, _Known] = {}
        self._turn = Lock()

    def of(self, name: str) -> Access:
        """Return the rules of an installation's pages: the same object, for as long as they are the same.

        May take the time of reading a few files.

        Raises:
            ConfigurationError: its configuration cannot be read. Nobody is let in then.
        """
        with self._turn:
            known = self._known.setdefault(name, _Known())
        with known.turn:  # many requests come at once
            stamp, now = self._configured.stamp(name), time.monotonic()
            if known.access is not None and known.stamp == stamp and now < known.read_at + _READ_AGAIN_S:
                return known.access
            own = self._configured.load(name).status
            rules = own.shown_token, frozenset({*own.users, *self._fleet.status.users})
            if known.access is None or known.rules != rules:
                # Who is logged in stays so while the token is the same.
                hosts = frozenset({self.host_of(name)})
                known.access, known.rules = self._below(hosts, rules[1], rules[0], known.sessions), rules
            known.stamp, known.read_at = stamp, now
            return known.access

    def unknown(self, host: str) -> Access:
        """Return the rules of a host name that is no installation's: strangers cannot tell it from one."""
        return self._below(frozenset({host}), self.operator.users, memory=self._elsewhere)

    def _below(
        self,
        hosts: frozenset[str],
        users: frozenset[str] | None,
        token: str = "",
        memory: Forgetful | None = None,
    ) -> Access:
        """Return rules by which the operator may all, too. Guesses of tokens are counted together."""
        return replace(
            self.operator,
            token=token,
            allowed_hosts=hosts,
            users=users if self.operator.user_header else None,
            operator=self.operator,
            cookie=COOKIE,
            cookie_domain="",
            memory=memory,
        )

    def host_of(self, name: str) -> str:
        """Return the host name of an installation's pages."""
        return f"{name.lower()}.{self.domain}"

    def open_to(self, user: str, names: Iterable[str]) -> list[str]:
        """Return the installations whose pages a proxy's user may see; may read many files."""
        found = []
        for name in names:
            try:
                users = self.of(name).users
            except ReconcilerError:
                continue  # nobody is let in where it cannot be told who may
            if users is not None and user in users:
                found.append(name)
        return found
