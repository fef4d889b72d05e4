"""The right to write, held by one process at a time: a row in the store that must be renewed.

It keeps a second daemon, or an `apply` beside the daemon, from writing to the same assets. It does not
guard the store's file: SQLite does that. A holder that was killed on this machine is replaced at once; one
that cannot be looked at (another container's), or that hangs, is replaced when its time is over.

========================================  ==============================
the lease is                              ``acquire``
========================================  ==============================
free, or already this holding's           takes it
of a process that has certainly ended     takes it over
past its end                              takes it over
of one on this kernel whose lock is free  takes it over
anything else                             raises ``LeaseHeldError``
========================================  ==============================

Who shares rows in PostgreSQL may be on several machines. So its times are the server's, whatever the clocks
of the machines say, and a process counts as ended only where the boot id shows that it was on this machine.

Each taking is fenced (``state.fence``): who stood still while another one took it over records and sends
nothing any more, whatever its own clock said. Where the file system has locks, the holder keeps one beside
the store (``state.hostlock``), which the kernel gives back at its death.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from sqlalchemy import delete, select

from reconciler.errors import LeaseHeldError, LeaseLostError
from state import fence
from state.hostlock import HostLock
from state.process import ProcessIdentity, this_process
from state.statements import SQLITE, upsert
from state.tables import LEASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta
    from typing import Self

    from sqlalchemy.engine import Connection


PAGE: Final = "page"
"""What a process is that keeps an installation while somebody looks at its pages."""


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """Who holds the right to write."""

    holder: str
    """Names one holding."""
    what: str
    """``daemon``, ``apply`` …"""
    process: ProcessIdentity
    acquired_at: datetime
    expires_at: datetime
    lock: tuple[int, int] | None = None
    """The file that it keeps locked beside the store (device and inode), if it could."""


class Lease:
    """One wish to hold the right to write; two of the same process exclude each other, too.

    Args:
        store: open for writing.
        now: the wall clock, aware.
    """

    def __init__(self, store: fence.Fenced, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._holder = uuid4().hex
        self._what = ""
        self._ttl: timedelta | None = None
        self._until: datetime | None = None
        self._taken: fence.Fence | None = None
        self._lock = HostLock(store.database.file)
        # A heartbeat renews in a thread, and the end of the process gives back: one after the other.
        self._turn = threading.RLock()

    def acquire(self, what: str, ttl: timedelta) -> None:
        """Take the right to write for ``ttl`` from now; ``what`` is shown to others.

        Raises:
            LeaseHeldError: another one has it; says who, since when, and what to do.
        """
        with self._turn:
            self._acquire(what, ttl)

    def _acquire(self, what: str, ttl: timedelta) -> None:
        locked = self._lock.take(_note(what))
        try:
            with self._store.database.writing() as connection:
                here = self._now()
                now = here + self._store.database.ahead(connection)
                self._require_free(_current(connection), now, locked=locked)
                taken = fence.Fence(self._holder, fence.begin_term(connection))
                self._write(connection, what, acquired_at=now, expires_at=now + ttl)
        except BaseException:
            self._lock.release()
            raise
        self._what, self._ttl, self._until = what, ttl, here + ttl
        self._taken = self._store.fence = taken
        self._store.right = self

    def renew(self) -> None:
        """Hold it for another ``ttl`` from now; several times within a ``ttl``.

        One that ran out unnoticed (a machine that slept) is held on if nobody took it meanwhile.

        Raises:
            LeaseLostError: another one took it over, even if it has given it back since: stop writing.
        """
        with self._turn:
            if self._ttl is None:
                raise RuntimeError("a lease is acquired before it is renewed")
            self._lock.take(_note(self._what))
            try:
                with self._store.database.writing() as connection:
                    here = self._now()
                    now = here + self._store.database.ahead(connection)
                    fence.check(connection, self._taken)
                    current = _current(connection)
                    since = now if current is None else current.acquired_at
                    self._write(connection, self._what, acquired_at=since, expires_at=now + self._ttl)
            except LeaseLostError:
                self._until = None
                self._lock.release()
                raise
            self._until = here + self._ttl

    def require(self) -> None:
        """Make sure that nobody else may write just now: asked before every write that leaves.

        No visit to the store while its time is not over; one that is over is renewed first, if it still can.

        Raises:
            LeaseLostError: another one took it over.
        """
        if self._until is None or self._until <= self._now():
            self.renew()

    def release(self) -> None:
        """Give it back; does nothing if another one has it by now."""
        with self._turn:
            self._ttl = self._until = None
            if self._store.right is self:
                self._store.fence = self._store.right = None
            try:
                with self._store.database.writing() as connection:
                    connection.execute(delete(LEASE).where(LEASE.c.holder == self._holder))
            finally:
                self._lock.release()

    def current(self) -> LeaseHolder | None:
        """Return who is written down as the holder, dead or alive; ``None`` if nobody."""
        with self._store.database.reading() as connection:
            return _current(connection)

    @contextmanager
    def held(self, what: str, ttl: timedelta) -> Iterator[Self]:
        """Hold it for the length of a block, which renews it as needed.

        Raises:
            LeaseHeldError: another one has it.
        """
        self.acquire(what, ttl)
        try:
            yield self
        finally:
            self.release()

    def _require_free(self, current: LeaseHolder | None, now: datetime, *, locked: bool) -> None:
        if current is None or current.holder == self._holder or current.expires_at <= now:
            return
        if current.process.is_gone():
            return
        here = this_process()
        # The lock that it took is ours now: the kernel gave it back, whatever container the holder was in.
        if locked and current.lock == self._lock.file and current.process.boot == here.boot != "":
            return
        raise _held(current, here)

    def _write(
        self, connection: Connection, what: str, *, acquired_at: datetime, expires_at: datetime
    ) -> None:
        here = this_process()
        values = {
            "holder": self._holder,
            "pid": here.pid,
            "host": here.host,
            "what": what,
            "acquired_at": acquired_at,
            "expires_at": expires_at,
            "process": {**here.as_json(), "lock": self._lock.file},
        }
        upsert(connection, LEASE, [{"lease_id": 1, **values}])


def _current(connection: Connection) -> LeaseHolder | None:
    row = connection.execute(select(LEASE)).one_or_none()
    if row is None:
        return None
    return LeaseHolder(
        holder=row.holder,
        what=row.what,
        process=ProcessIdentity.of_json(row.process, one_kernel=connection.dialect.name == SQLITE),
        acquired_at=row.acquired_at,
        expires_at=row.expires_at,
        lock=_file(row.process.get("lock")),
    )


def _file(kept: object) -> tuple[int, int] | None:
    match kept:
        case [int(device), int(inode)]:
            return device, inode
    return None


def _note(what: str) -> str:
    here = this_process()
    return f"{what}, process {here.pid} on {here.host}"


def _held(current: LeaseHolder, here: ProcessIdentity) -> LeaseHeldError:
    process = current.process
    moment = "%Y-%m-%d %H:%M:%S UTC"
    if process == here:
        return LeaseHeldError(
            f"This process already writes as {current.what!r}, since {current.acquired_at:{moment}}.",
            remedy="Wait until that has finished.",
        )
    stop = f"`kill {process.pid}`" if process.host == here.host else f"on {process.host}"
    if current.what == "daemon":
        remedy = (
            "Stop the daemon (`systemctl stop skymmich-reconciler`; one that systemd does not run: "
            f"{stop}), run this again, then start it (`systemctl start skymmich-reconciler`)."
        )
    elif current.what == PAGE:
        remedy = "Somebody looks at its pages: close them, and try again a minute later."
    else:
        remedy = f"Wait until it has finished, or stop it ({stop})."
    return LeaseHeldError(
        f"Another process writes to Immich just now: {current.what!r}, process {process.pid} on "
        f"{process.host}, since {current.acquired_at:{moment}}. Nothing was written here.",
        remedy=f"{remedy} If it hangs or is gone, its right ends by itself at {current.expires_at:{moment}}.",
        by=current.what,
    )
