"""Who may see which pages: the operator all, a proxy's users theirs, and who knows a token that one's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler import logging as logs
from reconciler.errors import ReconcilerError
from reconciler.web.access.policy import Access, check_binding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.config import Config
    from reconciler.fleet.configured import Configured

_OPERATORS_COOKIE = "reconciler_operator"


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
        self._known: dict[str, tuple[tuple[object, ...], Access]] = {}

    def of(self, name: str) -> Access:
        """Return the rules of an installation's pages; may take the time of reading a few files.

        Raises:
            ConfigurationError: its configuration cannot be read. Nobody is let in then.
        """
        stamp = self._configured.stamp(name)
        known = self._known.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        config = self._configured.load(name)
        for secret in config.secrets():
            logs.register_secret(secret)
        own, status = config.status, self._fleet.status
        access = Access(
            host=status.host,
            token=own.token.get_secret_value() if own.token else "",
            allowed_hosts=frozenset({self.host_of(name)}),
            user_header=status.user_header,
            proxies=frozenset(status.trusted_proxies),
            users=frozenset({*own.users, *status.users}) if status.user_header else None,
            operator=self.operator,
        )
        self._known[name] = (stamp, access)
        return access

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
