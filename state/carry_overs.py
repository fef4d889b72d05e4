"""What people had on replaced assets, from when the link changed: see ``reconciler.core.carry_over``.

Each takes an open connection: ``state.managed`` has them, and is what others call. They are kept after the
decision: a dismissed offer is not made again, and an undo knows which tags were carried over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select

from reconciler.core import kept_json
from reconciler.core.carry_over import CarryOver
from reconciler.core.reasons import from_text, to_text
from state.statements import listed, upsert
from state.tables import CARRY_OVERS, storable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection, Row

    from state.rows import Values

OFFERED: Final = "SELECT count(DISTINCT to_asset) FROM carry_overs WHERE state = 'offered'"
"""Counts the assets to which something is offered that nobody has decided of."""
_CHUNK: Final = 500


def save(connection: Connection, offers: Iterable[CarryOver]) -> None:
    """Insert or replace by both assets."""
    if rows := [_of(one) for one in offers]:
        upsert(connection, CARRY_OVERS, rows)


def drop(connection: Connection, offers: Iterable[CarryOver]) -> None:
    """Forget these."""
    for one in offers:
        connection.execute(
            delete(CARRY_OVERS).where(
                CARRY_OVERS.c.to_asset == one.to_asset, CARRY_OVERS.c.from_asset == one.from_asset
            )
        )


def to_assets(
    connection: Connection, asset_ids: Sequence[str] | None = None, state: str | None = None
) -> dict[str, tuple[CarryOver, ...]]:
    """Return what is known by the asset it is offered to; of all by default. There are few of them."""
    if asset_ids is not None and not asset_ids:
        return {}
    query = select(CARRY_OVERS).order_by(CARRY_OVERS.c.to_asset, CARRY_OVERS.c.at, CARRY_OVERS.c.from_asset)
    if asset_ids is not None and len(asset_ids) <= _CHUNK:
        query = query.where(CARRY_OVERS.c.to_asset.in_(asset_ids))
    elif asset_ids is not None:
        query = query.where(CARRY_OVERS.c.to_asset.in_(listed(asset_ids)))
    if state is not None:
        query = query.where(CARRY_OVERS.c.state == state)
    found: dict[str, tuple[CarryOver, ...]] = {}
    for row in connection.execute(query):
        found[row.to_asset] = (*found.get(row.to_asset, ()), _to(row))
    return found


def _of(one: CarryOver) -> Values:
    return {
        "to_asset": storable(one.to_asset),
        "from_asset": storable(one.from_asset),
        "image_id": one.image_id,
        "title": one.title,
        "at": one.at,
        "source": one.source,
        "kept": kept_json.to_json(one.kept),
        "was_trashed": one.was_trashed,
        "unknown": to_text(one.unknown),
        "state": one.state,
        "by": one.by,
        "decided_at": one.decided_at,
        "run_id": one.run_id,
        "left": to_text(one.left),
    }


def _to(row: Row[Any]) -> CarryOver:
    return CarryOver(
        from_asset=row.from_asset,
        to_asset=row.to_asset,
        image_id=row.image_id,
        title=row.title,
        at=row.at,
        source=row.source,
        kept=kept_json.from_json(row.kept),
        was_trashed=row.was_trashed,
        unknown=from_text(row.unknown) if row.unknown else (),
        state=row.state,
        by=row.by,
        decided_at=row.decided_at,
        run_id=row.run_id,
        left=from_text(row.left) if row.left else (),
    )
