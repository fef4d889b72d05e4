"""Watching Immich while writing to it: one search tells what has moved, for any number of assets.

The same look serves two ends: it shows which of our writes have settled, and which assets a person touched
since they were read, just before they would be written.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.engine.ports import Target

OVERLAP = timedelta(seconds=1)
"""Rows become visible a little out of order: extractions run side by side."""


class Watcher:
    """A cursor over ``updatedAt``, by the server's own dates. It never skips, it may repeat."""

    def __init__(self, target: Target, start: datetime, visibilities: Iterable[Visibility]) -> None:
        """Start at ``start``, for assets of these visibilities; others are not in any listing."""
        self._target = target
        self._cursor = start
        # A search answers for one visibility: only those that are needed are asked for.
        self._visibilities = tuple(sorted({v for v in visibilities if v in {"timeline", "archive"}}))
        self.looks = 0

    async def look(self, keep: Iterable[datetime] = ()) -> dict[str, ObservedAsset]:
        """Give what moved, by asset id (tags unread).

        Args:
            keep: dates that have to stay in view: of assets that are to be seen a second time.
        """
        since = min((self._cursor, *keep))
        if not self._visibilities:
            return {}
        rows = await self._target.changed_since(since, visibilities=self._visibilities)
        self.looks += 1
        newest = max((row.updated_at for row in rows), default=self._cursor)
        self._cursor = max(self._cursor, newest - OVERLAP)
        return {row.asset_id: row for row in rows}
