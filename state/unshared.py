"""The assets of which what is ours changed since its record was last written to Immich.

They are noted in the very commit that changes it, so that no kill loses one. Each takes an open connection:
``state.managed`` has them, and is what others call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from reconciler.core.asset import Applied
from state import rows
from state.tables import ASSETS, UNSHARED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.engine import Connection

    from reconciler.core.records import AssetRecord

_NOTE: Final = "INSERT OR IGNORE INTO unshared (asset_id) VALUES (?)"
_CHUNK: Final = 500
_NOTHING: Final = (Applied(), ())


def note(
    connection: Connection, records: Mapping[str, AssetRecord], had: Mapping[str, frozenset[str]]
) -> None:
    """Note those of these records that own something else than the rows that they are about to replace.

    Args:
        connection: in the transaction that replaces them.
        records: by asset id, as they will be.
        had: the tags that are owned by now.
    """
    before: dict[str, object] = {}
    ids = list(records)
    for start in range(0, len(ids), _CHUNK):
        query = select(ASSETS).where(ASSETS.c.asset_id.in_(ids[start : start + _CHUNK]))
        for row in connection.execute(query):
            before[row.asset_id] = _ours(rows.to_record(row, had.get(row.asset_id, frozenset())))
    changed = [(key,) for key, record in records.items() if before.get(key, _NOTHING) != _ours(record)]
    if changed:
        connection.exec_driver_sql(_NOTE, changed)


def note_all(connection: Connection) -> None:
    """Note all of which a record was ever kept."""
    connection.exec_driver_sql("INSERT OR IGNORE INTO unshared SELECT asset_id FROM assets")


def some(connection: Connection, most: int) -> list[str]:
    """Return some of them, in order."""
    query = select(UNSHARED.c.asset_id).order_by(UNSHARED.c.asset_id).limit(most)
    return list(connection.execute(query).scalars())


def forget(connection: Connection, asset_ids: Iterable[str]) -> None:
    """Forget these: their records are in Immich."""
    keys = [(asset_id,) for asset_id in asset_ids]
    if keys:
        connection.exec_driver_sql("DELETE FROM unshared WHERE asset_id = ?", keys)


def _ours(record: AssetRecord) -> object:
    """Return what a record in Immich tells of an asset."""
    undone = tuple((one.field, one.desired, one.live) for one in record.unsticking if one.undone)
    return record.applied, undone
