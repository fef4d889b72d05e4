"""Who may see which pages: the operator all, a proxy's users theirs, and who knows a token that one's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from reconciler import logging as logs
from reconciler.errors import ReconcilerError
from reconciler.web.access.policy import Access, check_binding
from reconciler.web.access.session import Forgetful

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

    turn: Any = field(default_factory=Lock)
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
        token = status.token.get_secret_value() if status.token else ""
        check_binding(status.host, token)
        self.operator = Access(
            host=status.host,
            token=token,
            allowed_hosts=frozenset({self.domain, *status.allowed_hosts}),
            user_header=status.user_header,
            proxies=frozenset(status.trusted_proxies),
            users=frozenset(status.users) if status.user_header else None,
            cookie=_OPERATORS_COOKIE,
            # A browser takes no cookie for all of "localhost": there each place is logged in to by itself.
            cookie_domain=self.domain if "." in self.domain else "",
        )
        """The operator's, who sees everything."""
        self.listing = Access(
            host=status.host,
            allowed_hosts=self.operator.allowed_hosts,
            user_header=status.user_header,
            proxies=self.operator.proxies,
            operator=self.operator,
        )
        """Those of the list: a proxy's users see theirs on it."""
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
            config = self._configured.load(name)
            for secret in config.secrets():
                logs.register_secret(secret)
            token = config.status.token.get_secret_value() if config.status.token else ""
            rules = token, frozenset(config.status.users)
            if known.access is None or known.rules != rules:
                known.access, known.rules = self._access(name, *rules, known.sessions), rules
            known.stamp, known.read_at = stamp, now
            return known.access

    def _access(self, name: str, token: str, users: frozenset[str], sessions: Forgetful) -> Access:
        status = self._fleet.status
        return Access(
            host=status.host,
            token=token,
            allowed_hosts=frozenset({self.host_of(name)}),
            user_header=status.user_header,
            proxies=frozenset(status.trusted_proxies),
            users=frozenset({*users, *status.users}) if status.user_header else None,
            operator=self.operator,
            # Who is logged in stays so while the token is the same.
            memory=sessions,
        )

    def unknown(self, host: str) -> Access:
        """Return the rules of a host name that is no installation's: strangers cannot tell it from one."""
        return Access(
            host=self._fleet.status.host,
            allowed_hosts=frozenset({host}),
            user_header=self._fleet.status.user_header,
            proxies=self.operator.proxies,
            users=self.operator.users,
            operator=self.operator,
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
