"""The state store: what the engine remembers between passes. Fulfils ``reconciler.engine.ports.Store``.

It stores and gives back; it decides nothing and knows no rule of merging. No secret ever enters it. All
moments come back aware, in UTC. Synchronous: each call is a short visit to a local file.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.sqlite import insert

from state import assets, fence, history, rows
from state import crossings as noted
from state.opening import leave_log_behind, locate, open_to_read, open_to_write
from state.process import ProcessIdentity, this_process
from state.statements import listed, upsert
from state.tables import (
    ASSETS,
    CROSSINGS,
    JOURNAL,
    META,
    PENDING,
    RESOLUTIONS,
    RUNS,
    storable,
    title_key,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from sqlalchemy.engine import Connection
    from sqlalchemy.sql import ColumnElement

    from reconciler.core.records import AssetRecord, Crossed, Crossing, JournalEntry, PendingWrite, Run
    from reconciler.core.resolution import Resolution
    from state.database import Database
    from state.history import Pruned
    from state.lease import Lease


class SqliteStore:
    """An open store; ``open`` makes one. Also a context manager that closes it.

    Every method raises ``StateError`` when the file can not be read or written.
    """

    def __init__(self, database: Database, warnings: tuple[str, ...] = ()) -> None:
        self.database = database
        self.warnings = warnings
        """What a person should know about how it was opened."""
        self.fence: fence.Fence | None = None
        """The taking of the lease that this process writes by; ``None``: it took none. The lease's to set."""
        self.right: Lease | None = None
        """The lease that was taken; likewise."""

    @classmethod
    def open(cls, target: str | Path, *, read_only: bool = False, now: datetime | None = None) -> Self:
        """Open the store at ``sqlite:///…`` or a path: created, checked and migrated as needed.

        Args:
            target: where; ``~`` is the home folder.
            read_only: beside a running daemon, as ``status`` does: nothing is created or migrated.
            now: names a damaged file that is set aside; the wall clock by default.

        Raises:
            ConfigurationError: ``target`` names no SQLite file.
            StateTooNewError: written by a newer version; nothing was changed.
            StateCorruptError: damaged, and set aside; opening again begins an empty store.
            StateError: it can not be opened.
        """
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
            StateError: it can not be used; the store stays unusable, and this may be tried again.
        """
        path, moment = self.database.path, (now or datetime.now(UTC)).astimezone(UTC)
        leave_log_behind(path, moment)
        # First: SQLite's locks are the process's, and closing one file takes those of the other away.
        self.database.close()
        self.database, self.warnings = open_to_write(path, moment, again=True)

    @property
    def path(self) -> Path:
        """The file, absolute."""
        return self.database.path

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

    def require_right(self) -> None:
        """Make sure that nobody else may write to Immich: asked before every write that leaves this process.

        Raises:
            LeaseLostError: another process took the right to write over.
        """
        if self.right is not None:
            self.right.require()

    @contextmanager
    def _writing_by_right(self, *, ever: bool = False) -> Iterator[Connection]:
        """Give a connection in a transaction of who may write to Immich; ``ever``: a lease must be free, too.

        Raises:
            LeaseLostError: another process took the right to write over; nothing was recorded.
        """
        with self.database.writing() as connection:
            if ever or self.fence is not None:
                fence.check(connection, self.fence)
            yield connection

    # Managed assets

    def records(self) -> dict[str, AssetRecord]:
        """Give all managed assets by asset id."""
        with self.database.reading() as connection:
            tags, decided = assets.tags(connection), assets.resolutions(connection)
            crossed = assets.crossings(connection)
            return {
                row.asset_id: rows.to_record(
                    row,
                    tags.get(row.asset_id, frozenset()),
                    decided.get(row.asset_id, ()),
                    crossed.get(row.asset_id),
                )
                for row in connection.execute(select(ASSETS))
            }

    def record(self, asset_id: str) -> AssetRecord | None:
        """Give one managed asset; ``None`` if it is not known."""
        with self.database.reading() as connection:
            return next(iter(assets.records(connection, ASSETS.c.asset_id == asset_id)), None)

    def owners_of_tags(self, tags: Iterable[str]) -> frozenset[str]:
        """Tell which assets own at least one of these tags."""
        with self.database.reading() as connection:
            return assets.owners_of_tags(connection, tags)

    def save_records(self, records: Iterable[AssetRecord]) -> None:
        """Insert or replace by asset id, owned tags included. Of two with one id the later counts.

        What a person decided of their conflicts is no part of this, nor what waits for their eyes: a pass
        must not undo what was decided, or looked at, while it ran.
        """
        latest = {storable(record.asset_id): record for record in records}
        if not latest:
            return
        with self._writing_by_right() as connection:
            upsert(connection, ASSETS, [rows.of_record(record) for record in latest.values()])
            had = assets.tags(connection, list(latest))
            gone, new = [], []
            for asset_id, record in latest.items():
                before, after = had.get(asset_id, frozenset()), set(map(storable, record.applied.tags))
                gone += [(asset_id, tag) for tag in before - after]
                new += [(asset_id, tag) for tag in sorted(after - before)]
            # Straight to the driver: there are some twenty tags an asset, and nothing in them to convert.
            if gone:
                connection.exec_driver_sql("DELETE FROM owned_tags WHERE asset_id = ? AND tag = ?", gone)
            if new:
                connection.exec_driver_sql("INSERT INTO owned_tags (asset_id, tag) VALUES (?, ?)", new)

    def counts_by_status(self) -> dict[str, int]:
        """Count managed assets by status; a status that none has is absent."""
        with self.database.reading() as connection:
            return history.counts_by_status(connection)

    def search(
        self,
        text: str = "",
        status: str | None = None,
        limit: int = 50,
        after: tuple[str, str] | None = None,
        among: Collection[str] | None = None,
        *,
        crossed: bool = False,
    ) -> list[AssetRecord]:
        """Give a page of managed assets in the order of their titles, case and accents aside.

        Args:
            text: part of the title; ``""``: all.
            status: only these.
            limit: assets a page.
            after: title and asset id of the last one of the page before.
            among: only these asset ids, however many.
            crossed: only those with a crossing that nobody has looked at.
        """
        conditions: list[ColumnElement[bool]] = []
        if text:
            conditions.append(ASSETS.c.title_key.contains(title_key(text), autoescape=True))
        if status is not None:
            conditions.append(ASSETS.c.status == status)
        if crossed:
            conditions.append(ASSETS.c.asset_id.in_(select(CROSSINGS.c.asset_id)))
        if among is not None:
            conditions.append(ASSETS.c.asset_id.in_(listed(among)))
        if after is not None:
            order = tuple_(ASSETS.c.title_key, ASSETS.c.asset_id)
            conditions.append(order > tuple_(title_key(after[0]), after[1]))
        with self.database.reading() as connection:
            return assets.records(connection, *conditions, limit=limit)

    # What people decided of conflicts

    def save_resolution(self, asset_id: str, resolution: Resolution) -> None:
        """Insert or replace by asset and field."""
        with self.database.writing() as connection:
            upsert(connection, RESOLUTIONS, [rows.of_resolution(asset_id, resolution)])

    def drop_resolution(self, asset_id: str, resolution: Resolution) -> bool:
        """Forget a decision, if it still is this one; tells whether it was."""
        is_this = [
            RESOLUTIONS.c[name] == value for name, value in rows.of_resolution(asset_id, resolution).items()
        ]
        with self.database.writing() as connection:
            return connection.execute(delete(RESOLUTIONS).where(*is_this)).rowcount > 0

    # Edits of people that may have crossed with a write

    def note_crossings(self, crossings: Mapping[str, Crossing]) -> None:
        """Keep these by asset id, together with earlier ones that nobody has looked at."""
        if crossings:
            with self.database.writing() as connection:
                noted.note(connection, crossings)

    def crossed(self) -> Crossed:
        """Count the assets with a crossing that nobody has looked at."""
        with self.database.reading() as connection:
            return noted.count(connection)

    def forget_crossings(self, until: datetime, asset_ids: Collection[str] | None = None) -> int:
        """Forget what a person has looked at; tells of how many assets.

        Args:
            until: what was noticed later is kept: they can not have seen it.
            asset_ids: of these assets; all by default.
        """
        with self.database.writing() as connection:
            return noted.forget(connection, until, asset_ids)

    # Writes on their way

    def pending(self) -> dict[str, PendingWrite]:
        """Give all pending writes by asset id."""
        with self.database.reading() as connection:
            return {row.asset_id: rows.to_pending(row) for row in connection.execute(select(PENDING))}

    def save_pending(self, writes: Iterable[PendingWrite]) -> None:
        """Insert or replace by asset id; on the disk when this returns, outside a transaction."""
        values = [rows.of_pending(write) for write in writes]
        if values:
            with self._writing_by_right(ever=True) as connection:
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
                connection.execute(delete(PENDING).where(PENDING.c.asset_id == bindparam("of_asset")), keys)

    # History

    def journal(self, entries: Iterable[JournalEntry]) -> None:
        """Append to the journal."""
        values = [rows.of_entry(entry) for entry in entries]
        if values:
            with self._writing_by_right() as connection:
                connection.execute(insert(JOURNAL), values)

    def journal_of(
        self,
        run_id: str | None = None,
        asset_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """Give journal entries, newest first.

        Args:
            run_id: only this run's.
            asset_id: only this asset's.
            limit: at most as many.
            before: the last ``entry_id`` of the page before.
        """
        with self.database.reading() as connection:
            return history.journal_of(connection, run_id, asset_id, limit, before)

    def latest(self, assets: int) -> list[list[JournalEntry]]:
        """Give what was last done to the assets that were last written to, newest first.

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
        """Give one run; ``None`` if it is not known."""
        with self.database.reading() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.run_id == run_id)).one_or_none()
            return None if row is None else rows.to_run(row)

    def runs(self, limit: int, before: str | None = None) -> list[Run]:
        """Give runs, newest first; ``before``: the last ``run_id`` of the page before."""
        with self.database.reading() as connection:
            return history.runs(connection, limit, before)

    def mark_interrupted(self, *, alone: bool = False) -> list[str]:
        """Turn runs whose process has ended without recording it into ``interrupted``; give their ids.

        Their end stays unknown (``finished_at`` is ``None``): nobody saw it.

        Args:
            alone: the caller holds the lease, so every other process's run is over, also where its process
                can not be looked at (another container's).
        """
        here = this_process()

        def over(process: dict[str, Any] | None) -> bool:
            if process is None:
                return alone
            identity = ProcessIdentity.of_json(process)
            return identity != here if alone else identity.is_gone()

        with self.database.writing() as connection:
            return history.mark_interrupted(connection, over)

    # Small values

    def get(self, key: str) -> object:
        """Read a small JSON value; ``None`` if absent."""
        with self.database.reading() as connection:
            value: object = connection.execute(select(META.c.value).where(META.c.key == key)).scalar()
            return value

    def put(self, key: str, value: object) -> None:
        """Write a small JSON value; ``None`` deletes it."""
        with self.database.writing() as connection:
            if value is None:
                connection.execute(delete(META).where(META.c.key == key))
            else:
                upsert(connection, META, [{"key": key, "value": value}])

    # Housekeeping

    def prune(self, journal_before: datetime, keep_runs: int) -> Pruned:
        """Forget old history; never a pending write, nor anything of the newest run.

        Args:
            journal_before: entries older than this go.
            keep_runs: the newest so many runs stay; so does one that is running, or that an entry or a
                pending write still names.
        """
        with self.database.writing() as connection:
            return history.prune(connection, journal_before, max(keep_runs, 1))

    def optimize(self) -> None:
        """Give freed pages back to the disk, refresh the planner's statistics, fold the log into the file."""
        self.database.pragma(
            "PRAGMA incremental_vacuum",
            "PRAGMA analysis_limit=400",
            "PRAGMA optimize",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        )
