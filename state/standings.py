"""How all managed assets stand, in short rows: what lists of very many are made of.

Each takes an open connection: ``state.managed`` has them, and is what others call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.records import Standing
from state.statements import SQLITE, keys_as_json, raw

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.engine import Connection

# Straight to the driver: a hundred thousand rows, and nothing in them to convert.
_STANDING: Final = """
SELECT asset_id, status, coalesce(CAST(strftime('%s', substr(changed_at, 1, 19)) AS INTEGER), 0),
coalesce(CAST(strftime('%s', substr(seen_updated_at, 1, 19)) AS INTEGER), 0), title_key FROM assets
"""
"""Without the fraction: SQLite would round it, and a moment would be in another second than it is."""
_STANDING_THERE: Final = """
SELECT asset_id, status, coalesce(floor(extract(epoch FROM changed_at))::bigint, 0),
coalesce(floor(extract(epoch FROM seen_updated_at))::bigint, 0), title_key FROM assets
"""
"""The same in PostgreSQL's words."""
_PAGE: Final = "WHERE asset_id > ? ORDER BY asset_id LIMIT ?"
_OF: Final = "WHERE asset_id IN (SELECT value FROM json_each(?)) ORDER BY asset_id"
_TITLES: Final = (
    "SELECT title_key, asset_id FROM assets WHERE (title_key, asset_id) > (?, ?) "
    "ORDER BY title_key, asset_id LIMIT ?"
)
_CROSSED: Final = "SELECT asset_id FROM crossings"


def page(connection: Connection, after: str, limit: int) -> list[Standing]:
    """Return the rows of the assets after one, in order of their ids."""
    return _standings(connection, _PAGE, (after, limit))


def of(connection: Connection, asset_ids: Collection[str]) -> list[Standing]:
    """Return the rows of these assets, in order of their ids."""
    return _standings(connection, _OF, (keys_as_json(asset_ids, connection.dialect.name),))


def by_title(connection: Connection, after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
    """Return folded titles and asset ids after one, in the order of titles."""
    rows = raw(connection, _TITLES, (*after, limit)).fetchall()
    return [(title, asset_id) for title, asset_id in rows]


def crossed(connection: Connection) -> frozenset[str]:
    """Return the assets with a crossing that nobody has looked at."""
    return frozenset(row[0] for row in raw(connection, _CROSSED))


def _standings(connection: Connection, which: str, values: tuple[object, ...]) -> list[Standing]:
    standing = _STANDING if connection.dialect.name == SQLITE else _STANDING_THERE
    rows = raw(connection, f"{standing} {which}", values).fetchall()
    return [Standing(key, status, written, seen, hash(title)) for key, status, written, seen, title in rows]
