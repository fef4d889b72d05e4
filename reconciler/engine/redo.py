"""Writing again what was taken back: the marks go, and the next pass over the images does the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from reconciler.engine.undo_plan import some
from reconciler.engine.undo_wish import ALL, ended, unfinished

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.core.records import AssetRecord, JournalEntry
    from reconciler.core.store_port import Store


class Journal(Protocol):
    """Where a run's changes are found."""

    def journal_of(self, run_id: str | None, asset_id: str | None, limit: int) -> list[JournalEntry]:
        """Return journal entries, newest first."""
        ...


def is_taken_back(record: AssetRecord) -> bool:
    """Return whether anything of an asset was taken back and is left alone."""
    return record.taken_back is not None or any(entry.undone for entry in record.unsticking)


def taken_back_in(store: Journal, run_id: str) -> frozenset[int]:
    """Return the images that a run wrote to: an undo took something of them back."""
    return frozenset(entry.image_id for entry in store.journal_of(run_id, None, ALL))


def write_again(store: Store, asset_ids: Collection[str] | None) -> frozenset[int]:
    """Let passes write again what was taken back of these assets; gives the images that this is about.

    Args:
        store: open for writing, by whoever may write to Immich.
        asset_ids: the assets; ``None``: all.
    """
    ids = sorted(store.record_ids() if asset_ids is None else asset_ids)
    found: set[int] = set()
    for several in some(ids):
        with store.transaction():
            records = store.records_of(several).values()
            again = [_again(record) for record in records if is_taken_back(record)]
            store.save_records(again)
        found |= {record.image_id for record in again}
    for wish in unfinished(store):
        if asset_ids is None or (wish.asset_id and wish.asset_id in asset_ids):
            ended(store, wish)
    return frozenset(found)


def _again(record: AssetRecord) -> AssetRecord:
    return replace(
        record.to_look_at(),
        taken_back=None,
        unsticking=tuple(entry for entry in record.unsticking if not entry.undone),
        status="new" if record.status == "undone" else record.status,
        reasons=() if record.status == "undone" else record.reasons,
    )
