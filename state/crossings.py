"""Edits of people that may have crossed with a write, from when it is noticed until a person has looked.

Each takes an open connection: ``state.store`` has them, and is what others call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from reconciler.core.records import Crossed
from state import assets, rows
from state.statements import listed, upsert
from state.tables import CROSSINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from reconciler.core.records import Crossing


def note(connection: Connection, crossings: Mapping[str, Crossing]) -> None:
    """Keep these by asset id, together with earlier ones that nobody has looked at."""
    known = assets.crossings(connection, list(crossings))
    values = [
        rows.of_crossing(asset_id, one.after(known[asset_id]) if asset_id in known else one)
        for asset_id, one in crossings.items()
    ]
    upsert(connection, CROSSINGS, values)


def count(connection: Connection) -> Crossed:
    """Count the assets of which nobody has looked."""
    found, newest = connection.execute(select(func.count(), func.max(CROSSINGS.c.at))).one()
    return Crossed(found, newest)


def forget(connection: Connection, until: datetime, asset_ids: Collection[str] | None) -> int:
    """Forget those that were noticed by then, of these assets or all; return of how many."""
    looked_at = delete(CROSSINGS).where(CROSSINGS.c.at <= until)
    if asset_ids is not None:
        looked_at = looked_at.where(CROSSINGS.c.asset_id.in_(listed(asset_ids)))
    return connection.execute(looked_at).rowcount
