"""Another instance that is met: when it gave its last sign of life, and that it was met."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.core.ownership import OwnershipRecord
from reconciler.core.store_keys import ANOTHER
from reconciler.engine.standpoint import Another
from reconciler.errors import AssetUnknownError, StateError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.ports import Target
    from reconciler.core.store_port import Store


async def newest_of(
    target: Target, record: OwnershipRecord, seen_at: datetime | None, most: int
) -> tuple[OwnershipRecord, datetime | None]:
    """Return the newest record of a writer, by its sentinels, and Immich's date of it.

    One that was found anywhere may be old: only its sentinels' are written each time.

    Args:
        target: Immich.
        record: one that was found.
        seen_at: Immich's date of it.
        most: ask so many of the sentinels.

    Raises:
        ImmichError: Immich could not be asked.
    """
    for asset_id in record.owner.sentinels[:most]:
        if asset_id == record.asset_id:
            continue
        try:
            note = await target.note_of(asset_id)
        except AssetUnknownError:
            continue
        other = OwnershipRecord.from_json(note.value, asset_id) if note else None
        if note is None or other is None or other.owner.instance != record.owner.instance:
            continue
        if other.owner.generation > record.owner.generation:
            record, seen_at = other, note.updated_at
    return record, seen_at


def note_another(store: Store, another: Another | None) -> None:
    """Keep which other instance was met, or that none is there, for faces that ask no Immich.

    A store that was opened for reading keeps nothing.
    """
    form = None if another is None else another.to_json()
    with suppress(StateError):
        if form == ANOTHER.read(store):
            return
        if form is None:
            ANOTHER.forget(store)
        else:
            ANOTHER.write(store, form)


def known_another(store: Store) -> Another | None:
    """Return the other instance that kept this library when it was last looked for."""
    form = ANOTHER.read(store)
    return None if form is None else Another.from_json(form)
