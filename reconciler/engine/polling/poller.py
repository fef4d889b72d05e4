"""Watching Immich while writing to it: one search tells what has moved, for any number of assets.

The same look serves two ends: it shows which of our writes have settled, and which assets a person touched
since they were read, just before they would be written.
"""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.core.ports import Clock, Target

OVERLAP = timedelta(seconds=1)
"""Rows become visible a little out of order: extractions run side by side."""
LISTED: tuple[Visibility, ...] = ("timeline", "archive")
"""Assets of any other visibility are in no listing."""


class Poller:
    """Cursors over ``updatedAt``, by the dates of Immich's own rows. They never skip, they may repeat.

    A search answers for one visibility, so each has a cursor of its own and is asked only while it matters.

    Args:
        target: Immich.
        clock: time.
        start: the date from which on changes matter.
        known: asset id → its date when it was last read.
    """

    def __init__(
        self,
        target: Target,
        clock: Clock,
        start: datetime,
        known: Mapping[str, datetime] = MappingProxyType({}),
    ) -> None:
        self._target, self._clock = target, clock
        self._cursors = dict.fromkeys(LISTED, start)
        self._known = dict(known)
        self._later: Container[str] = frozenset()
        self._present: Container[str] = frozenset()
        self._shown: dict[str, ObservedAsset] = {}

    def expect(self, known: Mapping[str, datetime], later: Container[str]) -> None:
        """Go on with other assets.

        Args:
            known: asset id → its date when it was last read; what is shown of these is for ``look`` alone.
            later: all of the pass: what is shown of the others is kept until it is claimed.
        """
        self._present = known.keys()
        self._known = {**known, **self._known}
        self._later = later

    def claim(self, asset_ids: Collection[str]) -> dict[str, ObservedAsset]:
        """Return what was shown of these assets before it was their turn."""
        found = [asset_id for asset_id in asset_ids if asset_id in self._shown] if self._shown else []
        return {asset_id: self._shown.pop(asset_id) for asset_id in found}

    def forget(self, asset_ids: Iterable[str]) -> None:
        """Forget the dates of assets that are done with."""
        for asset_id in asset_ids:
            self._known.pop(asset_id, None)
            self._shown.pop(asset_id, None)

    async def look(self, keep: Mapping[Visibility, Sequence[datetime]]) -> dict[str, ObservedAsset]:
        """Return what moved, by asset id (tags unread).

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
            newest = max((row.updated_at for row in rows if self._is_believed(row)), default=date)
            for visibility in visibilities:
                self._cursors[visibility] = max(self._cursors[visibility], newest - OVERLAP)
            found |= {row.asset_id: row for row in rows}
        self._known |= {row.asset_id: row.updated_at for row in found.values()}
        self._shown |= {
            asset_id: row
            for asset_id, row in found.items()
            if asset_id in self._later and asset_id not in self._present
        }
        return found

    def _is_believed(self, row: ObservedAsset) -> bool:
        """Return whether a row's date may move a cursor: it is past by our clock, or stamped as we watched.

        A date from a time when Immich's clock was wrong must not hide what moves from now on.
        """
        if row.updated_at <= self._clock.now():
            return True
        before = self._known.get(row.asset_id)
        return before is not None and before < row.updated_at
