"""One installation's rows: connections to PostgreSQL, and its errors in this project's words.

A writer takes the installation's advisory lock with its transaction, so that there is one at a time, as with
a file; it sees the last commit at each statement. A reader sees one moment. Each connection shows one
installation (``state.postgres.schema``).

A commit returns when it is on the disk, whatever the server's default is: the intent to write has to be there
before the request is on the wire.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import IsolationLevel, errors
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumperUnknown
from sqlalchemy.exc import DBAPIError, PendingRollbackError, StatementError

from reconciler.core.fingerprint import digest
from reconciler.errors import StateError
from state.backend import Backend
from state.postgres.connections import Connections, give_back, shared
from state.postgres.schema import LOCK, SCHEMA, SETTING
from state.postgres.words import PATIENCE_S, explained
from state.statements import in_words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg.abc import Buffer
    from sqlalchemy.engine import Connection

    from state.postgres.place import PostgresPlace

_SESSION: Final = {
    "search_path": SCHEMA,
    "lock_timeout": f"{PATIENCE_S}s",
    "statement_timeout": "120s",
    # A process that stands still in a transaction would keep all others out.
    "idle_in_transaction_session_timeout": "30s",
    # Whatever the server's, the database's or the user's own defaults are.
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "row_security": "on",
    "default_transaction_isolation": "read committed",
}
WITHOUT_LIMIT: Final = "SET LOCAL statement_timeout = 0"
"""For a transaction that deletes or rewrites all rows there are, which may take long."""
_CUT_OFF: Final = {
    # Who is cut off from the server, or whose server is, learns it within some twenty seconds.
    "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3, "tcp_user_timeout": 20_000,
}  # fmt: skip
_SHOW: Final = (
    f"SELECT (SELECT id FROM {SCHEMA}.installations WHERE name = chosen.name) "  # noqa: S608 - names of ours
    "FROM (SELECT set_config(%s, %s, {}), %s::text AS name) AS chosen"
)
_CLOCKS: Final = timedelta(seconds=1)
_IDENTITY: Final = "SELECT system_identifier FROM pg_control_system()"
_FOR_CERTAIN: Final = (
    "CASE WHEN current_setting('synchronous_commit') = 'off' "
    "THEN set_config('synchronous_commit', 'on', false) END"
)


class _Text(StrDumperUnknown):
    """Text of any origin, also what is only looked for: there is no character 0 in PostgreSQL's."""

    def dump(self, obj: str) -> Buffer | None:
        """Give the bytes."""
        return super().dump(obj.replace("\0", "\ufffd"))


def _now() -> datetime:
    return datetime.now(UTC)


def connect(place: PostgresPlace) -> psycopg.Connection:
    """Open a connection without a transaction, which shows no installation yet.

    Raises:
        psycopg.Error: it cannot be had.
    """
    connection = psycopg.connect(
        place.address,
        autocommit=True,
        connect_timeout=PATIENCE_S,
        client_encoding="utf8",
        application_name="skymmich-reconciler",
        **_CUT_OFF,  # type: ignore[arg-type]
    )
    connection.adapters.register_dumper(str, _Text)
    try:
        settings = ", ".join(["set_config(%s, %s, false)"] * len(_SESSION))
        named = [part for setting in _SESSION.items() for part in setting]
        connection.execute(f"SELECT {settings}, {_FOR_CERTAIN}".encode(), named)
    except psycopg.Error:
        connection.close()
        raise
    return connection


def _as(place: PostgresPlace, role: str) -> psycopg.Connection:
    """Open a connection that goes by a role from now on; empty: by the user's own."""
    connection = connect(place)
    try:
        if role:
            connection.execute("SELECT set_config('role', %s, false)", (role,))
    except psycopg.Error:
        connection.close()
        raise
    return connection


def explain(error: BaseException | None, place: PostgresPlace) -> StateError:
    """Put an error into words: what happened, what stays safe, what to do. libpq's text has no password."""
    what, remedy = explained(error)
    return StateError(
        f"The state store, {place}, {what}. What was not recorded was not written to Immich.", remedy=remedy
    )


class PostgresDatabase(Backend):
    """Connections that show one installation.

    Args:
        place: where.
        number: the installation's.
        role: is taken on by each connection; empty: none.
        read_only: whether every connection refuses to write.
    """

    def __init__(self, place: PostgresPlace, number: int, role: str, *, read_only: bool) -> None:
        self._where, self._installation, self._role = place, number, role
        self._connections: Connections | None = shared(place.address, role, partial(_as, place, role))
        # An engine of its own with the pool of all: what begins a transaction is each installation's.
        engine = self._connections.engine.execution_options()
        super().__init__(engine, str(place), None, read_only=read_only)

    @property
    def is_there(self) -> bool:
        """See ``Backend``: a commit that returned is there."""
        return True

    def require(self) -> None:
        """See ``Backend``: a server that is gone is told by the commit itself."""

    def _first(self, query: str, values: tuple[str, ...]) -> tuple[Any, ...] | None:
        asked = in_words_of("postgresql", query)
        return self._open.first(asked, values, self._installation, self._show)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """See ``Backend``."""
        try:
            yield
        except StatementError as error:
            known = isinstance(error.orig, psycopg.Error) and not isinstance(error.orig, psycopg.DataError)
            if error.orig is None or known or isinstance(error, DBAPIError):
                raise explain(error.orig, self._where) from None
            raise error.orig from None  # a value that no table takes: the caller's mistake, in its own words
        except PendingRollbackError:
            # The connection was lost before, and whoever was told of it went on.
            raise explain(None, self._where) from None
        except psycopg.Error as error:
            raise explain(error, self._where) from None

    def tidy(self) -> None:
        """See ``Backend``: the server does that by itself."""

    def home(self) -> str:
        """Return a digest of the server's own identity, the database and the installation."""
        with self.errors():
            try:
                (server,) = self._first(_IDENTITY, ()) or ("",)
            except errors.InsufficientPrivilege:
                server = ""
        return digest("postgresql", str(server), self._where.parts()[0], self._installation)

    def host(self) -> str:
        """Return the server's name."""
        found = self._where.parts()[1].rpartition("/")[2]
        return (found if found[:1].isdigit() else found.partition(".")[0]) or "postgresql"

    def ahead(self, connection: Connection) -> timedelta:
        """See ``Backend``; less than a second is none, and may be the network's."""
        before = _now()
        there: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
        found = there - (before + (_now() - before) / 2)
        return found if abs(found) >= _CLOCKS else timedelta(0)

    def close(self) -> None:
        """Close all connections, unless another store of this process uses them."""
        if self._connections is not None:
            self._connections = None
            give_back(self._where.address, self._role)

    @property
    def _open(self) -> Connections:
        if self._connections is None:
            raise StateError(f"The state store, {self._where}, is closed.")
        return self._connections

    def _show(self, connection: psycopg.Connection) -> None:
        """Have a connection without a transaction show this installation, until it shows another one."""
        found = connection.execute(_SHOW.format("false"), self._shown).fetchone()
        self._require_same(found)

    @property
    def _shown(self) -> tuple[str, str, str]:
        return SETTING, str(self._installation), self._where.installation

    def _require_same(self, found: Sequence[Any] | None) -> None:
        """Make sure that the number is still this installation's: all may have been made anew meanwhile.

        Raises:
            StateError: it is another one's by now, or nobody's.
        """
        if found is None or found[0] != self._installation:
            raise StateError(
                f"The state store, {self._where}, is not the one that was open: it was removed, or made "
                "anew. Nothing is written there, nor to Immich.",
                remedy="Start again: what is there by then is taken up.",
            )

    def _begin(self, connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        writing = bool(connection.get_execution_options().get("writing"))
        driver.isolation_level = IsolationLevel.READ_COMMITTED if writing else IsolationLevel.REPEATABLE_READ
        driver.read_only = self.read_only or not writing
        # For this transaction alone: the next one may be another installation's.
        show, values = _SHOW.format("true"), self._shown
        if writing:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK, self._installation))
        self._require_same(connection.exec_driver_sql(show, values).one_or_none())

    def _goes_on(self, driver: psycopg.Connection) -> bool:
        return driver.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}

    def _is_whole(self, driver: psycopg.Connection) -> bool:
        return driver.info.transaction_status == TransactionStatus.INTRANS
