"""Watching Immich while writing to it: one search tells what has moved, for any number of assets.

The same look serves two ends: it shows which of our writes have settled, and which assets a person touched
since they were read, just before they would be written.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.engine.ports import Target

OVERLAP = timedelta(seconds=1)
"""Rows become visible a little out of order: extractions run side by side."""
_WHOLE_SECONDS = timedelta(seconds=2)
"""The server's time is known in whole seconds only."""
LISTED: tuple[Visibility, ...] = ("timeline", "archive")
"""Assets of any other visibility are in no listing."""


class Watcher:
    """Cursors over ``updatedAt``, by the server's own dates. They never skip, they may repeat.

    A search answers for one visibility, so each has a cursor of its own and is asked only while it matters.
    """

    def __init__(self, target: Target, start: datetime) -> None:
        self._target = target
        self._cursors = dict.fromkeys(LISTED, start)

    async def look(self, keep: Mapping[Visibility, Sequence[datetime]]) -> dict[str, ObservedAsset]:
        """Give what moved, by asset id (tags unread).

        Args:
            keep: the visibilities that matter, each with the dates that have to stay in view: of assets
                that are to be seen a second time.
        """
        since: dict[datetime, list[Visibility]] = {}
        for visibility in LISTED:
            if visibility in keep:
                since.setdefault(min((self._cursors[visibility], *keep[visibility])), []).append(visibility)
        found: dict[str, ObservedAsset] = {}
        for date, visibilities in since.items():
            rows = await self._target.changed_since(date, visibilities=visibilities)
            # A date from a time when the server's clock was wrong must not hide what moves from now on.
            latest = await self._target.server_time() + _WHOLE_SECONDS
            newest = max((row.updated_at for row in rows if row.updated_at <= latest), default=date)
            for visibility in visibilities:
                self._cursors[visibility] = max(self._cursors[visibility], newest - OVERLAP)
            found |= {row.asset_id: row for row in rows}
        return found
