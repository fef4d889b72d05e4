"""What assets lost lately, counted for the guard across passes and restarts.

Each takes an open connection: ``state.store`` has them, and is what others call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, or_, select

from reconciler.core.records import RecentLosses
from state.statements import upsert
from state.tables import ASSETS, LOSSES, PENDING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from reconciler.core.records import LossKind


def note(
    connection: Connection, what: LossKind, losing: Mapping[str, str], at: datetime, since: datetime
) -> None:
    """Count these; of several losses of an asset the newest counts, and is over where the first is."""
    connection.execute(delete(LOSSES).where(LOSSES.c.at <= since))
    known = dict(
        connection.execute(select(LOSSES.c.asset_id, LOSSES.c.before).where(LOSSES.c.what == what)).all()
    )
    values = [
        {"asset_id": asset_id, "what": what, "at": at, "before": known.get(asset_id, before)}
        for asset_id, before in losing.items()
    ]
    upsert(connection, LOSSES, values)


def recent(connection: Connection, since: datetime) -> RecentLosses:
    """Return what was lost since: no image that is back, and no asset that is as it was."""
    back = func.coalesce(ASSETS.c.fingerprint, "") == LOSSES.c.before
    under_way = LOSSES.c.asset_id.in_(select(PENDING.c.asset_id))
    gone = and_(LOSSES.c.what == "left", ASSETS.c.linked.is_not(True))
    less = and_(LOSSES.c.what == "values", or_(LOSSES.c.before == "", under_way, ~back))
    joined = LOSSES.outerjoin(ASSETS, ASSETS.c.asset_id == LOSSES.c.asset_id)
    query = select(LOSSES.c.asset_id, LOSSES.c.what).select_from(joined)
    found = connection.execute(query.where(LOSSES.c.at > since, or_(gone, less))).all()
    return RecentLosses(
        values=frozenset(row.asset_id for row in found if row.what == "values"),
        left=frozenset(row.asset_id for row in found if row.what == "left"),
    )


def forget(connection: Connection) -> None:
    """Forget all."""
    connection.execute(delete(LOSSES))
