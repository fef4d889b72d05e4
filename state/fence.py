"""The fence: each taking of the lease has a number, and only the last one's holder may record what it writes.

A process that was asleep (a closed lid, SIGSTOP, a machine without memory) does not know that its right ran
out and that another one took it. So the number is compared in the very transaction that records an intention:
who holds an old one records nothing, and so sends nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import select

from reconciler.core.store_keys import LEASE_TERM
from reconciler.errors import LeaseLostError
from state.statements import raw, upsert
from state.tables import LEASE, META

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

    from state.backend import Backend

_NOW: Final = "SELECT (SELECT holder FROM lease), (SELECT value FROM meta WHERE key = ?)"
_AFTER: Final = (
    "Nothing is lost: what was on its way is looked up in Immich before anything is written again. The "
    "daemon goes on by itself as soon as the other one has finished; a command is run again."
)


@dataclass(frozen=True, slots=True)
class Fence:
    """One taking of the lease."""

    holder: str
    term: int
    """Counts all takings of a store's lease; never the same twice."""


class Right(Protocol):
    """The right to write, as a process that took it may ask for it."""

    def require(self) -> None:
        """Make sure that nobody else has it just now.

        Raises:
            LeaseLostError: another one took it over.
        """


class Fenced:
    """A database of which some rows are written only by who may write to Immich.

    Args:
        database: open.
    """

    def __init__(self, database: Backend) -> None:
        self.database = database
        self.fence: Fence | None = None
        """The taking of the lease that this process writes by; ``None``: it took none. The lease's to set."""
        self.right: Right | None = None
        """The lease that was taken; likewise."""

    def require_right(self) -> None:
        """Make sure that this process may write to Immich: asked before every write that leaves it.

        Raises:
            StateGoneError: the store that has the intent to write is not where it was.
            LeaseLostError: another process took the right to write over.
        """
        self.database.require()
        if self.right is not None:
            self.right.require()

    @contextmanager
    def _writing_by_right(self, *, ever: bool = False) -> Iterator[Connection]:
        """Yield a connection in a transaction of who may write to Immich.

        Args:
            ever: ask even where this process took no lease: then nobody else may hold one.

        Raises:
            LeaseLostError: another process took the right to write over; nothing was recorded.
        """
        with self.database.writing() as connection:
            if ever or self.fence is not None:
                check(connection, self.fence)
            yield connection


def term(connection: Connection) -> int:
    """Return the number of the last taking; 0 if there was none."""
    found = connection.execute(select(META.c.value).where(META.c.key == LEASE_TERM.name)).scalar()
    return found if isinstance(found, int) else 0


def begin_term(connection: Connection) -> int:
    """Count a taking, and give its number."""
    number = term(connection) + 1
    upsert(connection, META, [{"key": LEASE_TERM.name, "value": number}])
    return number


def check(connection: Connection, fence: Fence | None) -> None:
    """Make sure, within a transaction that writes, that nobody else may write.

    Args:
        connection: in that transaction.
        fence: the taking that this process goes by; ``None``: it never took the lease, nor must anybody else.

    Raises:
        LeaseLostError: another one has it, or had it since.
    """
    if fence is not None:
        # Straight to the driver: it goes with every commit of a pass.
        holder, number = raw(connection, _NOW, (LEASE_TERM.name,)).one()
        if holder in {None, fence.holder} and number == str(fence.term):
            return
    row = connection.execute(select(LEASE)).one_or_none()
    if fence is None:
        if row is not None:
            raise LeaseLostError(
                f"Another process has the right to write to Immich: {_who(row)}. Nothing was sent from here.",
                remedy="Take the right to write first, or wait until it is free.",
            )
        return
    who = f": {_who(row)}" if row is not None and row.holder != fence.holder else ", and is done by now"
    raise LeaseLostError(
        "This process stood still for so long that another one took over the right to write to "
        f"Immich{who}. Nothing more is sent from here.",
        remedy=_AFTER,
    )


def _who(row: object) -> str:
    return f"{getattr(row, 'what', '')!r}, process {getattr(row, 'pid', '')} on {getattr(row, 'host', '')}"
