"""Questions about what was done, and forgetting it in time.

Each takes an open connection: ``state.store`` has them, and is what others call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, or_, select, tuple_, update

from state import rows
from state.statements import listed
from state.tables import ASSETS, CROSSINGS, JOURNAL, PENDING, RUNS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from reconciler.core.records import JournalEntry, Run


RECENT = 2_000
"""Journal entries, from the newest on, among which the latest images are looked for."""
AT_ONCE = 500
"""Journal entries that are forgotten in one commit: whoever else writes waits for no more."""
_FIELDS_AT_MOST = 20


@dataclass(frozen=True, slots=True)
class Pruned:
    """What housekeeping removed."""

    journal: int
    runs: int


def counts_by_status(connection: Connection) -> dict[str, int]:
    """Count managed assets by status."""
    query = select(ASSETS.c.status, func.count()).group_by(ASSETS.c.status)
    return dict(connection.execute(query).all())


def journal_of(
    connection: Connection, run_id: str | None, asset_id: str | None, limit: int, before: int | None
) -> list[JournalEntry]:
    """Return journal entries, newest first."""
    query = select(JOURNAL).order_by(JOURNAL.c.entry_id.desc()).limit(limit)
    if run_id is not None:
        query = query.where(JOURNAL.c.run_id == run_id)
    if asset_id is not None:
        query = query.where(JOURNAL.c.asset_id == asset_id)
    if before is not None:
        query = query.where(JOURNAL.c.entry_id < before)
    return [rows.to_entry(row) for row in connection.execute(query)]


def journaled(connection: Connection, run_id: str) -> tuple[tuple[str, ...], frozenset[int], frozenset[str]]:
    """Return to what a run wrote: assets in order of image, images, and names of fields."""
    columns = JOURNAL.c.image_id, JOURNAL.c.asset_id
    query = select(*columns).where(JOURNAL.c.run_id == run_id).distinct().order_by(*columns)
    found = connection.execute(query).all()
    fields = select(JOURNAL.c.field).where(JOURNAL.c.run_id == run_id).distinct()
    return (
        tuple(dict.fromkeys(asset_id for _, asset_id in found)),
        frozenset(image_id for image_id, _ in found),
        frozenset(connection.execute(fields).scalars()),
    )


def journal_of_assets(connection: Connection, run_id: str, asset_ids: Collection[str]) -> list[JournalEntry]:
    """Return a run's journal entries of these assets, newest first."""
    query = select(JOURNAL).order_by(JOURNAL.c.entry_id.desc())
    query = query.where(JOURNAL.c.run_id == run_id, JOURNAL.c.asset_id.in_(listed(asset_ids)))
    return [rows.to_entry(row) for row in connection.execute(query)]


def latest(connection: Connection, assets: int) -> list[list[JournalEntry]]:
    """Return what was last done to the assets that were last written to, newest first.

    However long the journal is, only its end is read, and then each asset's own end by its index. Each group
    is of one asset and one run.
    """
    order = JOURNAL.c.entry_id.desc()
    end = select(JOURNAL.c.entry_id, JOURNAL.c.asset_id).order_by(order).limit(RECENT).subquery()
    newest = func.max(end.c.entry_id)
    named = select(end.c.asset_id).group_by(end.c.asset_id).order_by(newest.desc()).limit(assets)
    groups = []
    for asset_id in connection.execute(named).scalars().all():
        entries = journal_of(connection, None, asset_id, _FIELDS_AT_MOST, None)
        groups.append([entry for entry in entries if entry.run_id == entries[0].run_id])
    return groups


def runs(connection: Connection, limit: int, before: str | None) -> list[Run]:
    """Return runs, newest first; none before one that is not known."""
    order = (RUNS.c.started_at, RUNS.c.run_id)
    query = select(RUNS).order_by(*(column.desc() for column in order)).limit(limit)
    if before is not None:
        last = connection.execute(select(*order).where(RUNS.c.run_id == before)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*order) < tuple_(*last))
    return [rows.to_run(row) for row in connection.execute(query)]


def mark_interrupted(connection: Connection, over: Callable[[dict[str, Any] | None], bool]) -> list[str]:
    """Turn running runs into stopped ones where ``over`` says so of their process."""
    query = select(RUNS.c.run_id, RUNS.c.process).where(RUNS.c.outcome == "running")
    ended = [run_id for run_id, process in connection.execute(query) if over(process)]
    if ended:
        connection.execute(update(RUNS).where(RUNS.c.run_id.in_(ended)).values(outcome="stopped"))
    return ended


def prune_entries(connection: Connection, journal_before: datetime) -> int:
    """Forget ``AT_ONCE`` old journal entries, none of the newest run; tells how many there were."""
    newest = select(RUNS.c.run_id).order_by(RUNS.c.started_at.desc(), RUNS.c.run_id.desc()).limit(1)
    kept = connection.execute(newest).scalar()
    # What is still to be looked at has to be there to be seen.
    crossings = tuple_(JOURNAL.c.run_id, JOURNAL.c.asset_id)
    waiting = select(CROSSINGS.c.run_id, CROSSINGS.c.asset_id)
    old = select(JOURNAL.c.entry_id).where(JOURNAL.c.at < journal_before, crossings.not_in(waiting))
    old = old.limit(AT_ONCE)
    if kept is not None:
        old = old.where(JOURNAL.c.run_id != kept)
    return connection.execute(delete(JOURNAL).where(JOURNAL.c.entry_id.in_(old))).rowcount


def prune_runs(connection: Connection, keep_runs: int) -> int:
    """Forget old runs that nothing names any more; tells how many."""
    newest = select(RUNS.c.run_id).order_by(RUNS.c.started_at.desc(), RUNS.c.run_id.desc())
    named = or_(
        RUNS.c.outcome == "running",
        RUNS.c.run_id.in_(newest.limit(keep_runs)),
        RUNS.c.run_id.in_(select(JOURNAL.c.run_id)),
        RUNS.c.run_id.in_(select(PENDING.c.run_id)),
    )
    return connection.execute(delete(RUNS).where(~named)).rowcount
