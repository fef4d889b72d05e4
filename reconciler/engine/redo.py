"""Writing again what was taken back: the marks go, and the next pass over the images does the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reconciler.core.plan.taken_back import is_taken_back, written_again
from reconciler.engine.batches import batches
from reconciler.engine.stack_watch import family_of, known_stacking
from reconciler.engine.undo_wish import ALL, begun, ended, unfinished

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.core.records import JournalEntry
    from reconciler.core.store_port import Store


class Journal(Protocol):
    """Where a run's changes are found."""

    def journal_of(self, run_id: str | None, asset_id: str | None, limit: int) -> list[JournalEntry]:
        """Return journal entries, newest first."""
        ...


def taken_back_in(store: Journal, run_id: str) -> frozenset[int]:
    """Return the images that a run wrote to: an undo took something of them back."""
    return frozenset(entry.image_id for entry in store.journal_of(run_id, None, ALL))


def to_write_again(store: Store) -> frozenset[int]:
    """Return the images of which anything was taken back."""
    found: set[int] = set()
    for several in batches(store.record_ids()):
        found |= {one.image_id for one in store.records_of(several).values() if is_taken_back(one)}
    return frozenset(found)


def write_again(store: Store, asset_ids: Collection[str] | None) -> frozenset[int]:
    """Let passes write again what was taken back of these assets; gives the images that this is about.

    Args:
        store: open for writing, by whoever may write to Immich.
        asset_ids: the assets; ``None``: all.
    """
    if asset_ids is not None:
        known = known_stacking(store)
        asset_ids = {one for asset_id in asset_ids for one in family_of(known, asset_id)}
    ids = store.record_ids() if asset_ids is None else sorted(asset_ids)
    found: set[int] = set()
    for several in batches(ids):
        with store.transaction():
            records = store.records_of(several).values()
            again = [written_again(record) for record in records if is_taken_back(record)]
            store.save_records(again)
        found |= {record.image_id for record in again}
    for wish in unfinished(store):
        left = None if asset_ids is None else wish.without(asset_ids)
        if left != wish:
            ended(store, wish)
            if left is not None:
                begun(store, left)
    return frozenset(found)
