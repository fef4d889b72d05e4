"""Managed assets as they are stored, read together with all that other tables know of them.

Each takes an open connection: ``state.store`` has them, and is what others call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from reconciler.core.asset_digests import AssetDigests
from reconciler.core.asset_ids import AssetIds
from state import carry_overs, rows
from state.statements import TagList, listed, numbered
from state.tables import ASSETS, CROSSINGS, LEFT_OUT, OWNED_TAGS, RESOLUTIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy.engine import Connection, Row
    from sqlalchemy.sql import ColumnElement

    from reconciler.core.records import AssetRecord, Crossing, LeftOut, Resolution

_CHUNK = 500
"""Keys in one condition: far below SQLite's limit of 32,766 variables."""
_STREAMED = {"yield_per": 1_000}
"""Rows in memory at once, where all assets are gone through."""


def records(
    connection: Connection, *conditions: ColumnElement[bool], limit: int | None = None, ordered: bool = True
) -> list[AssetRecord]:
    """Return managed assets in the order of their titles."""
    order = (ASSETS.c.title_key, ASSETS.c.asset_id) if ordered else ()
    found = connection.execute(select(ASSETS).where(*conditions).order_by(*order).limit(limit)).all()
    ids = [row.asset_id for row in found]
    return joined(connection, found, ids)


def joined(
    connection: Connection, found: Iterable[Row[Any]], ids: Sequence[str] | None = None
) -> list[AssetRecord]:
    """Return the assets of rows with what other tables know of them.

    Args:
        connection: to the store.
        found: rows of assets.
        ids: their assets; ``None``: all there are.
    """
    owned, decided = tags(connection, ids), resolutions(connection, ids)
    crossed, out = crossings(connection, ids), left_out(connection, ids)
    carrying = carry_overs.to_assets(connection, ids, "wanted")
    return [
        rows.to_record(
            row,
            owned.get(row.asset_id, frozenset()),
            decided.get(row.asset_id, ()),
            crossed.get(row.asset_id),
            out.get(row.asset_id, ()),
            carrying.get(row.asset_id, ()),
        )
        for row in found
    ]


def of(connection: Connection, asset_ids: Collection[str]) -> dict[str, AssetRecord]:
    """Return those of these assets that are managed, by id."""
    known = list(asset_ids)
    chunks = (known[start : start + _CHUNK] for start in range(0, len(known), _CHUNK))
    found = (records(connection, ASSETS.c.asset_id.in_(chunk), ordered=False) for chunk in chunks)
    return {record.asset_id: record for several in found for record in several}


def ids(connection: Connection, *conditions: ColumnElement[bool]) -> AssetIds:
    """Return the ids of managed assets."""
    query = select(ASSETS.c.asset_id).where(*conditions)
    return AssetIds(connection.execute(query, execution_options=_STREAMED).scalars())


def held(connection: Connection) -> AssetDigests:
    """Return the linked assets that the guard holds, each with the hash of the harm."""
    query = select(ASSETS.c.asset_id, ASSETS.c.held).where(ASSETS.c.linked, ASSETS.c.held != "")
    rows = connection.execute(query, execution_options=_STREAMED)
    return AssetDigests((row.asset_id, row.held) for row in rows)


def of_images(connection: Connection, image_ids: Collection[int]) -> AssetIds:
    """Return the assets of these images."""
    return ids(connection, ASSETS.c.image_id.in_(numbered(image_ids)))


def resolutions(
    connection: Connection, asset_ids: Sequence[str] | None = None
) -> dict[str, tuple[Resolution, ...]]:
    """Return people's decisions by asset id; all by default. There are few of them."""
    if asset_ids is not None and not asset_ids:
        return {}
    query = select(RESOLUTIONS).order_by(RESOLUTIONS.c.asset_id, RESOLUTIONS.c.field)
    if asset_ids is not None and len(asset_ids) <= _CHUNK:
        query = query.where(RESOLUTIONS.c.asset_id.in_(asset_ids))
    found: dict[str, tuple[Resolution, ...]] = {}
    for row in connection.execute(query):
        found[row.asset_id] = (*found.get(row.asset_id, ()), rows.to_resolution(row))
    return found


def left_out(
    connection: Connection, asset_ids: Sequence[str] | None = None
) -> dict[str, tuple[LeftOut, ...]]:
    """Return what people left out by asset id; all by default. There are few of them."""
    if asset_ids is not None and not asset_ids:
        return {}
    query = select(LEFT_OUT).order_by(LEFT_OUT.c.asset_id, LEFT_OUT.c.field)
    if asset_ids is not None and len(asset_ids) <= _CHUNK:
        query = query.where(LEFT_OUT.c.asset_id.in_(asset_ids))
    found: dict[str, tuple[LeftOut, ...]] = {}
    for row in connection.execute(query):
        found[row.asset_id] = (*found.get(row.asset_id, ()), rows.to_left_out(row))
    return found


def crossings(connection: Connection, asset_ids: Sequence[str] | None = None) -> dict[str, Crossing]:
    """Return crossings that nobody has looked at by asset id; all by default. There are few of them."""
    if asset_ids is not None and not asset_ids:
        return {}
    query = select(CROSSINGS)
    if asset_ids is not None and len(asset_ids) <= _CHUNK:
        query = query.where(CROSSINGS.c.asset_id.in_(asset_ids))
    return {row.asset_id: rows.to_crossing(row) for row in connection.execute(query)}


def owners_of_tags(connection: Connection, wanted: Iterable[str]) -> frozenset[str]:
    """Return which assets own at least one of these tags: one walk through the tags, no record is read."""
    query = select(OWNED_TAGS.c.asset_id).where(OWNED_TAGS.c.tag.in_(listed(list(wanted)))).distinct()
    return frozenset(connection.execute(query).scalars())


def tags(connection: Connection, asset_ids: Sequence[str] | None = None) -> dict[str, frozenset[str]]:
    """Return owned tags by asset id; of all assets by default."""
    # One row an asset, not one a tag: that halves the time to load ten thousand.
    query = select(OWNED_TAGS.c.asset_id, TagList(OWNED_TAGS.c.tag)).group_by(OWNED_TAGS.c.asset_id)
    if asset_ids is None:
        queries = [query]
    else:
        chunks = (asset_ids[start : start + _CHUNK] for start in range(0, len(asset_ids), _CHUNK))
        queries = [query.where(OWNED_TAGS.c.asset_id.in_(chunk)) for chunk in chunks]
    return {asset_id: frozenset(tags) for one in queries for asset_id, tags in connection.execute(one)}
