"""The state store: what the engine remembers between passes. Fulfils ``reconciler.core.ports.Store``.

It stores and gives back; it decides nothing and knows no rule of merging. No secret ever enters it. All
moments come back aware, in UTC. Synchronous: each call is a short visit to a local file.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from reconciler.core.records import Crossed
from state import crossings as noted
from state import history, losses, rows
from state.managed import ManagedAssets
from state.opening import leave_log_behind, locate, open_to_read, open_to_write
from state.postgres.place import PostgresPlace, is_postgres
from state.process import ProcessIdentity, this_process
from state.statements import VALUE, listed, upsert
from state.tables import (
    FORMER,
    JOURNAL,
    META,
    PENDING,
    RESOLUTIONS,
    RUNS,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from reconciler.core.records import (
        Crossing,
        FormerValue,
        JournalEntry,
        LossKind,
        PendingWrite,
        RecentLosses,
        Resolution,
        Run,
    )
    from state.backend import Backend


class StateStore(ManagedAssets):
    """An open store; ``open`` makes one. Also a context manager that closes it.

    Every method raises ``StateError`` when the file cannot be read or written.
    """

    def __init__(self, database: Backend, warnings: tuple[str, ...] = ()) -> None:
        super().__init__(database)
        self.warnings = warnings
        """What a person should know about how it was opened."""

    @classmethod
    def open(
        cls, target: str | Path | PostgresPlace, *, read_only: bool = False, now: datetime | None = None
    ) -> Self:
        """Open the store at ``sqlite:///…``, a path or ``postgresql://…``: made, checked, migrated as needed.

        Args:
            target: where; ``~`` is the home folder.
            read_only: beside a running daemon, as ``status`` does: nothing is created or migrated.
            now: names a damaged file that is set aside; the wall clock by default.

        Raises:
            ConfigurationError: ``target`` names no store.
            StateTooNewError: written by a newer version; nothing was changed.
            StateCorruptError: damaged, and set aside; opening again begins an empty store.
            StateError: it cannot be opened.
        """
        if isinstance(target, str) and is_postgres(target):
            target = PostgresPlace.of(target)
        if isinstance(target, PostgresPlace):
            # Who has a file pays nothing for it.
            from state.postgres import opening  # noqa: PLC0415  see above

            return cls((opening.open_to_read if read_only else opening.open_to_write)(target))
        path = locate(target)
        if read_only:
            return cls(open_to_read(path))
        database, warnings = open_to_write(path, (now or datetime.now(UTC)).astimezone(UTC))
        return cls(database, warnings)

    @property
    def is_there(self) -> bool:
        """Whether the file at the path is the one that is open: else it was deleted, moved or replaced."""
        return self.database.is_there

    def require(self) -> None:
        """Make sure that the file at the path is the one that is open.

        Raises:
            StateGoneError: it is not; says what to do.
        """
        self.database.require()

    def reopen(self, now: datetime | None = None) -> None:
        """Take up the file that is at the path by now; checked and migrated as at the start, never set aside.

        Raises:
            StateError: it cannot be used; the store stays unusable, and this may be tried again.
        """
        path, moment = self.database.file, (now or datetime.now(UTC)).astimezone(UTC)
        if path is None:
            return  # PostgreSQL's is there, or cannot be reached
        leave_log_behind(path, moment)
        # First: SQLite's locks are the process's, and closing one file takes those of the other away.
        self.database.close()
        self.database, self.warnings = open_to_write(path, moment, again=True)

    @property
    def place(self) -> str:
        """Where it is, for people; without a password."""
        return self.database.place

    @property
    def file(self) -> Path | None:
        """The SQLite file, absolute; ``None``: its rows are in PostgreSQL."""
        return self.database.file

    def home(self) -> str:
        """Digest of where it is: the same for one that is made anew in its place, and for no other."""
        return self.database.home()

    def host(self) -> str:
        """Name of the host it is on, without its domain: for people."""
        return self.database.host()

    def close(self) -> None:
        """Close the file; nothing is lost without it."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Group the thread's calls into one commit; on an error none of them happened.

        Within another one it joins that one's commit. Nothing may be awaited inside: another task of the
        same thread would join, too.
        """
        with self.database.writing():
            yield

    # What people decided of conflicts

    def save_resolution(self, asset_id: str, resolution: Resolution) -> None:
        """Insert or replace by asset and field."""
        with self.database.writing() as connection:
            self._changes.touch(connection, (asset_id,))
            upsert(connection, RESOLUTIONS, [rows.of_resolution(asset_id, resolution)])

    def drop_resolution(self, asset_id: str, resolution: Resolution) -> bool:
        """Forget a decision, if it still is this one; tells whether it was."""
        is_this = [
            RESOLUTIONS.c[name] == value for name, value in rows.of_resolution(asset_id, resolution).items()
        ]
        with self.database.writing() as connection:
            self._changes.touch(connection, (asset_id,))
            return connection.execute(delete(RESOLUTIONS).where(*is_this)).rowcount > 0

    # Edits of people that may have crossed with a write

    def note_crossings(self, crossings: Mapping[str, Crossing]) -> None:
        """Keep these by asset id, together with earlier ones that nobody has looked at."""
        if crossings:
            with self.database.writing() as connection:
                self._changes.touch(connection, crossings)
                noted.note(connection, crossings)

    def crossed(self) -> Crossed:
        """Count the assets with a crossing that nobody has looked at."""
        if self.database.single("SELECT 1 FROM crossings LIMIT 1") is None:
            return Crossed()
        with self.database.reading() as connection:
            return noted.count(connection)

    def forget_crossings(self, until: datetime, asset_ids: Collection[str] | None = None) -> int:
        """Forget what a person has looked at; tells of how many assets.

        Args:
            until: what was noticed later is kept: they cannot have seen it.
            asset_ids: of these assets; all by default.
        """
        with self.database.writing() as connection:
            return noted.forget(connection, until, asset_ids)

    # What the guard counts

    def note_losses(self, what: LossKind, losing: Mapping[str, str], at: datetime, since: datetime) -> None:
        """Count what assets lose, and forget what was lost until ``since``; see ``core.ports.Store``."""
        if losing:
            with self._writing_by_right() as connection:
                losses.note(connection, what, losing, at, since)

    def losses(self, since: datetime) -> RecentLosses:
        """Return what was lost since, and is not back."""
        with self.database.reading() as connection:
            return losses.recent(connection, since)

    def forget_losses(self) -> None:
        """Let what was lost until now not count any more: a person approved it."""
        with self._writing_by_right() as connection:
            losses.forget(connection)

    # Writes on their way

    def pending(self) -> dict[str, PendingWrite]:
        """Return all pending writes by asset id."""
        if self.database.single("SELECT 1 FROM pending_writes LIMIT 1") is None:
            return {}
        with self.database.reading() as connection:
            return {row.asset_id: rows.to_pending(row) for row in connection.execute(select(PENDING))}

    def save_pending(self, writes: Iterable[PendingWrite]) -> None:
        """Insert or replace by asset id; on the disk when this returns, outside a transaction."""
        values = [rows.of_pending(write) for write in writes]
        if values:
            with self._writing_by_right(ever=True) as connection:
                self._changes.touch(connection, [value["asset_id"] for value in values])
                upsert(connection, PENDING, values)

    def mark_sent(self, asset_ids: Iterable[str]) -> None:
        """Note that these pending writes were accepted by the server."""
        keys = [{"of_asset": asset_id} for asset_id in asset_ids]
        if keys:
            with self._writing_by_right() as connection:
                one = update(PENDING).where(PENDING.c.asset_id == bindparam("of_asset"))
                connection.execute(one.values(sent=True), keys)

    def clear_pending(self, asset_ids: Iterable[str]) -> None:
        """Forget these pending writes."""
        keys = [{"of_asset": asset_id} for asset_id in asset_ids]
        if keys:
            with self._writing_by_right() as connection:
                self._changes.touch(connection, [key["of_asset"] for key in keys])
                connection.execute(delete(PENDING).where(PENDING.c.asset_id == bindparam("of_asset")), keys)

    # History

    def journal(self, entries: Iterable[JournalEntry]) -> None:
        """Append to the journal."""
        values = [rows.of_entry(entry) for entry in entries]
        if values:
            with self._writing_by_right() as connection:
                connection.execute(insert(JOURNAL), values)

    def keep_former(self, values: Iterable[FormerValue]) -> None:
        """Keep values that are not ours and are replaced now; insert or replace by asset and field."""
        latest = {(value.asset_id, value.field): rows.of_former(value) for value in values}
        if latest:
            with self._writing_by_right() as connection:
                upsert(connection, FORMER, list(latest.values()))

    def former_of(self, asset_ids: Collection[str]) -> dict[str, list[FormerValue]]:
        """Return what is kept of these assets, by id."""
        found: dict[str, list[FormerValue]] = {}
        with self.database.reading() as connection:
            query = select(FORMER).where(FORMER.c.asset_id.in_(listed(asset_ids)))
            for row in connection.execute(query):
                found.setdefault(row.asset_id, []).append(rows.to_former(row))
        return found

    def forget_former(self, asset_ids: Collection[str]) -> None:
        """Forget what is kept of these assets: they are as they were."""
        if asset_ids:
            with self._writing_by_right() as connection:
                connection.execute(delete(FORMER).where(FORMER.c.asset_id.in_(listed(asset_ids))))

    def journal_of(
        self,
        run_id: str | None = None,
        asset_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """Return journal entries, newest first.

        Args:
            run_id: only this run's.
            asset_id: only this asset's.
            limit: at most as many.
            before: the last ``entry_id`` of the page before.
        """
        with self.database.reading() as connection:
            return history.journal_of(connection, run_id, asset_id, limit, before)

    def latest(self, assets: int) -> list[list[JournalEntry]]:
        """Return what was last done to the assets that were last written to, newest first.

        Args:
            assets: at most as many.
        """
        with self.database.reading() as connection:
            return history.latest(connection, assets)

    def start_run(self, run: Run) -> None:
        """Record a run as running, in this process."""
        with self.database.writing() as connection:
            upsert(connection, RUNS, [{**rows.of_run(run), "process": this_process().as_json()}])

    def finish_run(self, run: Run) -> None:
        """Record a run's end."""
        with self.database.writing() as connection:
            upsert(connection, RUNS, [rows.of_run(run)])

    def run(self, run_id: str) -> Run | None:
        """Return one run; ``None`` if it is not known."""
        with self.database.reading() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).one_or_none()
            return None if row is None else rows.to_run(row)

    def runs(self, limit: int, before: str | None = None) -> list[Run]:
        """Return runs, newest first; ``before``: the last ``run_id`` of the page before."""
        with self.database.reading() as connection:
            return history.runs(connection, limit, before)

    def mark_interrupted(self, *, alone: bool = False) -> list[str]:
        """Turn runs whose process has ended without recording it into ``stopped``; give their ids.

        Their end stays unknown (``finished_at`` is ``None``): nobody saw it.

        Args:
            alone: the caller holds the lease, so every other process's run is over, also where its process
                cannot be looked at (another container's).
        """
        here = this_process()

        def over(process: dict[str, Any] | None) -> bool:
            if process is None:
                return alone
            identity = ProcessIdentity.of_json(process, one_kernel=self.file is not None)
            return identity != here if alone else identity.is_gone()

        with self.database.writing() as connection:
            return history.mark_interrupted(connection, over)

    # Small values

    def get(self, key: str) -> object:
        """Read a small JSON value; ``None`` if absent."""
        found = self.database.single(VALUE, key)
        value: object = None if found is None else json.loads(str(found))
        return value

    def put(self, key: str, value: object) -> None:
        """Write a small JSON value; ``None`` deletes it."""
        with self.database.writing() as connection:
            if value is None:
                connection.execute(delete(META).where(META.c.key == key))
            else:
                upsert(connection, META, [{"key": key, "value": value}])

    # Housekeeping

    def prune(self, journal_before: datetime, keep_runs: int) -> history.Pruned:
        """Forget old history; never a pending write, nor anything of the newest run.

        Args:
            journal_before: entries older than this go.
            keep_runs: the newest so many runs stay; so does one that is running, or that an entry or a
                pending write still names.
        """
        forgotten, some = 0, history.AT_ONCE
        while some >= history.AT_ONCE:
            with self.database.writing() as connection:
                some = history.prune_entries(connection, journal_before)
            forgotten += some
        with self.database.writing() as connection:
            return history.Pruned(forgotten, history.prune_runs(connection, max(keep_runs, 1)))

    def optimize(self) -> None:
        """Give back what is free, and refresh the statistics by which the database plans."""
        self.database.tidy()
