"""Where the configured store is, whether it is there, and how that is told to others."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.plainfile import absent
from state.database import identity
from state.postgres.place import PostgresPlace

if TYPE_CHECKING:
    from reconciler.config import Config


def place_of(config: Config) -> Path | PostgresPlace:
    """Return where the store is, or will be: a file, or rows of a database."""
    if config.state.file is not None:
        return config.state.file
    return PostgresPlace(config.state.url.get_secret_value(), config.state.installation)


def is_absent(config: Config) -> bool:
    """Return whether there is certainly no store yet.

    Raises:
        StateError: the server that would have it cannot be asked.
    """
    place = place_of(config)
    if isinstance(place, Path):
        return absent(place)
    # Who has a file pays nothing for it.
    from state.postgres.opening import exists  # noqa: PLC0415  see above

    return not exists(place)


def store_mark(place: Path | PostgresPlace) -> str:
    """Return which store a daemon works with, in a way that says nothing else; empty: it cannot be told.

    It is for a command that asks a daemon: several installations may be on one machine, and a port says
    nothing of the store. Of a file it is the identity, hashed: it names neither a folder nor a user, so that
    a stranger may see it, too.
    """
    if isinstance(place, PostgresPlace):
        return place.mark()
    found = identity(place)
    if found is None:
        return ""
    return hashlib.sha256(f"skymmich-reconciler store {found[0]}:{found[1]}".encode()).hexdigest()[:32]
