"""What PostgreSQL's errors mean, in this project's words.

Of a server that lets nobody in libpq gives no code, only the server's text. So it is looked for in that; a
server that speaks another language than English is quoted.
"""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg import errors

PATIENCE_S: Final = 5
"""How long a connection may take, and how long a writer waits for another process's commit."""

_LOGIN: Final = (
    "its server does not take this user and password",
    "Check them: in [state] url, or PGPASSWORD or ~/.pgpass for the password.",
)
_BUSY: Final = (
    "its server has no connection free",
    "Raise max_connections there, or find what holds so many: SELECT * FROM pg_stat_activity.",
)
_RIGHTS: Final = (
    "its server lets this user not into this database from here",
    "See the server's pg_hba.conf and GRANT CONNECT; where it asks for TLS, add ?sslmode=require to the url.",
)
_STARTING: Final = (
    "its server is just starting, stopping or recovering",
    "Wait a moment; the daemon goes on by itself.",
)
_REFUSED: Final = (
    "no PostgreSQL server takes connections there",
    "Check that it runs, and the host and the port in [state] url; listen_addresses says where it listens.",
)
_SILENT: Final = (
    "its host does not answer",
    "Check the host and the port in [state] url, and what is in between: network, firewall.",
)
_SAID: Final = (
    (
        "authentication failed|no password supplied|role \\S+ does not exist|is not permitted to log in",
        _LOGIN,
    ),
    (
        "database \\S+ does not exist",
        ("there is no such database on its server", "CREATE DATABASE … OWNER …: see docs/postgresql.md."),
    ),
    ("too many (connections|clients)|remaining connection slots|no more connections", _BUSY),
    ("no pg_hba.conf entry|pg_hba.conf rejects|permission denied for database", _RIGHTS),
    ("database system is (starting|shutting|in recovery|not yet)|not accepting connections", _STARTING),
    (
        "(translate|resolve) host",
        ("the name of its host is not known here", "Check the host in [state] url, and the name servers."),
    ),
    ("Connection refused|No such file or directory", _REFUSED),
    ("timeout|timed out|No route to host|unreachable", _SILENT),
)
_PREFIX: Final = re.compile(r"^connection (failed|is bad): (connection to server .*? failed: )?")


_KNOWN: Final[tuple[tuple[tuple[type[psycopg.Error], ...], str, str], ...]] = (
    (
        (errors.LockNotAvailable,),
        f"was locked by another process for {PATIENCE_S} s",
        "Wait for it. A process that stands still is cut off by the server after 30 s.",
    ),
    (
        (errors.DiskFull, errors.OutOfMemory),
        "has no room left on its server",
        "Free some space there; the next run goes on where this one stopped.",
    ),
    (
        (errors.ReadOnlySqlTransaction,),
        "may not be written: its server is a replica, or was told to write nothing",
        "Give the primary server's address in [state] url; else see default_transaction_read_only.",
    ),
    (
        (errors.InsufficientPrivilege,),
        "may not be written",
        "The user needs CREATE on the database at the first start, and its own tables after.",
    ),
    (
        (errors.IdleInTransactionSessionTimeout,),
        "was not written: this process stood still for 30 s meanwhile, and the server ended its transaction",
        "What was to be recorded is done again. See why the machine stood still.",
    ),
    (
        (errors.UndefinedTable, errors.InvalidSchemaName),
        "has lost its tables",
        "Restore a dump or a copy of it, or start again to begin an empty one.",
    ),
)


def explained(error: BaseException | None) -> tuple[str, str]:
    """Return what became of the store, as the end of a sentence about it, and what to do.

    Nothing but the first line of what the server says: further ones may show rows.

    Args:
        error: the driver's; ``None``: the connection was lost before.
    """
    reason = _first_line(error)
    if isinstance(error, errors.FeatureNotSupported) and "recovery" in reason:
        error = errors.ReadOnlySqlTransaction(
            reason
        )  # as a replica says it of a transaction that has to write
    for kinds, what, remedy in _KNOWN:
        if isinstance(error, kinds):
            return f"{what} ({reason})", remedy
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    if error is None or (
        isinstance(error, psycopg.OperationalError) and (state is None or state.startswith(("08", "57P")))
    ):
        said, remedy = _unreachable(reason)
        return f"cannot be reached: {said}", remedy
    return f"cannot be used ({reason})", "Check the server's log."


def _first_line(error: BaseException | None) -> str:
    if error is None:
        return "the connection was lost"
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((primary or str(error)).split()) or type(error).__name__


def _unreachable(reason: str) -> tuple[str, str]:
    for pattern, (sentence, remedy) in _SAID:
        if re.search(pattern, reason):
            return f"{sentence} ({_short(reason)})", remedy
    remedy = "Check that the server runs and is reachable from here, and the user and password."
    return _short(reason), remedy


def _short(reason: str) -> str:
    """Return what the server, or the system, said of the last address that was tried."""
    kept = reason.partition(" Is the server running")[0].partition("Multiple connection attempts failed")[0]
    return _PREFIX.sub("", kept.strip()).strip(" .") or reason
