"""The assets of which what is ours changed since its record was last written to Immich.

They are noted in the very commit that changes it, so that no kill loses one. Each takes an open connection:
``state.managed`` has them, and is what others call.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from state.statements import raw
from state.tables import ASSETS, UNSHARED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.engine import Connection

    from state.rows import Values

_NOTE: Final = "INSERT INTO unshared (asset_id) VALUES (?) ON CONFLICT DO NOTHING"
_NOTE_ALL: Final = (
    "INSERT INTO unshared (asset_id) SELECT asset_id FROM assets WHERE true ON CONFLICT DO NOTHING"
)
_CHUNK: Final = 500
_OURS: Final = ("block", "prose", "latitude", "longitude", "taken_at", "taken_back")
_NOTHING: Final = (*(None for _ in _OURS), frozenset[str](), (), ())


def note(
    connection: Connection,
    values: Mapping[str, Values],
    tags: Mapping[str, Collection[str]],
    had: Mapping[str, frozenset[str]],
) -> None:
    """Note those of these rows that own something else than the ones that they are about to replace.

    Args:
        connection: in the transaction that replaces them.
        values: the rows by asset id, as they will be.
        tags: the tags that will be owned, by asset id.
        had: the tags that are owned by now.
    """
    after = {asset_id: _ours(row, tags[asset_id]) for asset_id, row in values.items()}
    before: dict[str, object] = {}
    ids, columns = list(after), [ASSETS.c[name] for name in ("asset_id", *_OURS, "unsticking", "more")]
    for start in range(0, len(ids), _CHUNK):
        query = select(*columns).where(ASSETS.c.asset_id.in_(ids[start : start + _CHUNK]))
        for row in connection.execute(query).mappings():
            before[row["asset_id"]] = _ours(dict(row), had.get(row["asset_id"], ()))
    changed: list[tuple[object, ...]] = [
        (key,) for key, ours in after.items() if before.get(key, _NOTHING) != ours
    ]
    if changed:
        raw(connection, _NOTE, changed)


def note_all(connection: Connection) -> None:
    """Note all of which a record was ever kept."""
    raw(connection, _NOTE_ALL)


def some(connection: Connection, most: int) -> list[str]:
    """Return some of them, in order."""
    query = select(UNSHARED.c.asset_id).order_by(UNSHARED.c.asset_id).limit(most)
    return list(connection.execute(query).scalars())


def forget(connection: Connection, asset_ids: Iterable[str]) -> None:
    """Forget these: their records are in Immich."""
    keys: list[tuple[object, ...]] = [(asset_id,) for asset_id in asset_ids]
    if keys:
        raw(connection, "DELETE FROM unshared WHERE asset_id = ?", keys)


def _ours(row: Mapping[str, Any], tags: Collection[str]) -> object:
    """Return what a record in Immich tells of an asset."""
    undone = tuple((one["field"], one["desired"], one["live"]) for one in row["unsticking"] if one["undone"])
    albums = tuple(json.loads(row["more"]).get("albums", ())) if row["more"] else ()
    return (*(row[name] for name in _OURS), frozenset(tags), undone, albums)
