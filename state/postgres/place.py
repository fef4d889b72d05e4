"""Which rows are meant: a database's address, and the name of an installation in it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from typing import Final, Self

from reconciler.errors import ConfigurationError

MAIN: Final = "main"
"""The installation that is meant where none is named."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""What an installation may be called."""
_PORT: Final = "5432"
_SCHEME: Final = re.compile(r"postgres(ql)?://", re.IGNORECASE)


def is_postgres(target: str) -> bool:
    """Return whether a text is the address of a PostgreSQL database."""
    return _SCHEME.match(target) is not None


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """An installation's rows in a PostgreSQL database. Shows without its password."""

    address: str = field(repr=False)
    """``postgresql://user:password@host:port/database``; what it lacks comes from libpq's own variables and
    files (``PGPASSWORD``, ``PGPASSFILE``)."""
    installation: str = MAIN

    @classmethod
    def of(cls, text: str) -> Self:
        """Read an address, with the installation after a ``#`` if it is not the usual one."""
        address, sharp, name = text.rpartition("#")
        if sharp and NAME.fullmatch(name):
            return cls(address, name)
        return cls(text)

    def __str__(self) -> str:
        name, host, port = self.parts()
        at = f"{host or 'this machine'}{f':{port}' if port else ''}"
        return f"installation {self.installation} in the PostgreSQL database {name} at {at}"

    def parts(self) -> tuple[str, str, str]:
        """Return the database's name, the host and the port; each may be empty, and none is secret.

        Raises:
            ConfigurationError: the address cannot be understood. It is not shown.
        """
        import psycopg  # noqa: PLC0415 - who has a file pays nothing for it
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - the same

        try:
            found = conninfo_to_dict(self.address)
        except psycopg.Error:
            # The library's own message can show the password.
            raise _unclear() from None
        env = os.environ.get
        name = found.get("dbname") or env("PGDATABASE") or found.get("user") or env("PGUSER") or ""
        host = found.get("host") or found.get("hostaddr") or env("PGHOST") or env("PGHOSTADDR") or ""
        name, host, port = str(name), str(host), str(found.get("port") or env("PGPORT") or "")
        # What follows upon an “@” or “/” of a password is taken for one of these, and these are shown.
        if "@" in host[1:] or ("@" in name and "%40" not in self.address) or set(port) - set("0123456789,"):
            raise _unclear()
        return name, host, port

    def mark(self) -> str:
        """Return what tells this place from another one, and says nothing else: a stranger may see it."""
        name, host, port = self.parts()
        told = "\0".join((name, host, port or _PORT, self.installation))
        return hashlib.sha256(f"skymmich-reconciler store postgresql {told}".encode()).hexdigest()[:32]


def _unclear() -> ConfigurationError:
    return ConfigurationError(
        "The address of a PostgreSQL database in [state] url cannot be understood.",
        remedy="Write postgresql://user@host:5432/database; percent-encode what is special in passwords "
        "(%40 for @, %2F for /).",
    )
