"""Find, make and bring up to date an installation's rows. Nothing of what is in them."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import errors
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from reconciler.errors import ConfigurationError, StateError
from state.migrations import HEAD
from state.postgres import schema
from state.postgres.database import WITHOUT_LIMIT, PostgresDatabase, connect, explain
from state.postgres.place import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from state.postgres.place import PostgresPlace

_LOOKS = 3
"""At a pooler, which may just have another connection free."""
_FIRST = "It is made by the first `apply` or `run`; check [state] url and installation if there was one."


def exists(place: PostgresPlace) -> bool:
    """Return whether an installation has rows there, or may have.

    Raises:
        StateError: the server cannot be asked.
    """
    with asked(place) as connection:
        found = schema.revision(connection)
        return bool(found) and schema.installation(connection, place.installation) is not None


def open_to_read(place: PostgresPlace) -> PostgresDatabase:
    """Open an installation beside its daemon; nothing is made or migrated.

    Raises:
        StateError: there is none, it is of an older schema, or it cannot be reached.
        StateTooNewError: of a newer one.
    """
    with asked(place) as connection:
        found = schema.revision(connection)
        schema.refuse_newer(place, found)
        number = schema.installation(connection, place.installation) if found else None
        if number is None:
            raise StateError(f"There is no state store: {place} is not there.", remedy=_FIRST)
        role = schema.restricted_role(connection, place)
        if role and found == HEAD:
            schema.grant(connection)
    if found != HEAD:
        raise StateError(
            f"The state store, {place}, is of an older schema ({found}; this program's is {HEAD}).",
            remedy="Start the daemon, or run `apply`, once: that brings it up to date.",
        )
    return PostgresDatabase(place, number, role, read_only=True)


def open_to_write(place: PostgresPlace) -> PostgresDatabase:
    """Open an installation, making or migrating it as needed.

    Raises:
        StateError: it cannot be made or written.
        StateTooNewError: it is of a newer schema; nothing was changed.
    """
    with asked(place) as connection:
        if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
            raise errors.ReadOnlySqlTransaction("it is in recovery")
        role = schema.restricted_role(connection, place)
        found = schema.revision(connection)
        schema.refuse_newer(place, found)
        number = schema.installation(connection, place.installation) if found == HEAD else None
        if number is None:
            number = _make(place, connection)
            connection.autocommit = True
        if role:
            schema.grant(connection)
    return PostgresDatabase(place, number, role, read_only=False)


def _make(place: PostgresPlace, connection: psycopg.Connection) -> int:
    """Make what is missing, all of it or nothing; one process at a time."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=StaticPool,
                           use_native_hstore=False, hide_parameters=True)  # fmt: skip
    connection.autocommit = False
    with engine.connect() as known, known.begin():
        connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (schema.LOCK,))
        connection.execute(WITHOUT_LIMIT)
        schema.make(connection)
        # Another process may have done it meanwhile.
        found = schema.revision(connection)
        schema.refuse_newer(place, found)
        if found != HEAD:
            schema.bring_up_to_date(known)
        return schema.add(connection, place.installation)


@contextmanager
def asked(place: PostgresPlace) -> Iterator[psycopg.Connection]:
    """Yield a connection to a server that can hold a store; errors are told in words.

    Raises:
        StateError: it cannot be reached, or not hold one.
    """
    check(place)
    try:
        with closing(connect(place)) as connection:
            _require_unicode(place, connection)
            _require_own_connections(place, connection)
            yield connection
    except DBAPIError as error:
        raise explain(error.orig, place) from None
    except psycopg.Error as error:
        raise explain(error, place) from None


def _require_unicode(place: PostgresPlace, connection: psycopg.Connection) -> None:
    (encoding,) = connection.execute("SHOW server_encoding").fetchone() or ("",)
    if encoding != "UTF8":
        raise StateError(
            f"The state store, {place}, cannot hold every text: that database's encoding is {encoding}. "
            "Nothing was written there.",
            remedy="Make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and name that in "
            "[state] url.",
        )


def _require_own_connections(place: PostgresPlace, connection: psycopg.Connection) -> None:
    """Make sure that a connection stays the one that said whose rows it shows.

    Through a pooler that lends one for a transaction, another installation's process would go on with it.
    Such a one tells a process number of its own, and gives two at once the same connection.
    """
    pid = "SELECT pg_backend_pid()"
    (first,) = connection.execute(pid).fetchone() or (0,)
    if first == connection.info.backend_pid:
        return
    for _ in range(_LOOKS):
        with closing(connect(place)) as other:
            (second,) = other.execute(pid).fetchone() or (0,)
        (first,) = connection.execute(pid).fetchone() or (0,)
        if first == second:
            raise StateError(
                f"The state store, {place}, is behind a pooler that lends connections for one transaction "
                "each: installations could see each other's rows. Nothing was written there.",
                remedy="Set the pooler to session mode (PgBouncer: pool_mode = session), or name the server "
                "itself.",
            )


def check(place: PostgresPlace) -> None:
    """Make sure that address and name can be used.

    Raises:
        ConfigurationError: one of them cannot.
    """
    if NAME.fullmatch(place.installation) is None:
        raise ConfigurationError(
            f"“{place.installation}” is no name of an installation.",
            remedy="[state] installation: letters, digits, dots, dashes and underscores, at most 63.",
        )
    place.parts()
