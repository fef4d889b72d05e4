"""Puts what was read into the mirror, and tells whether it was anything else. Asks nobody."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from reconciler.skymmich.rest.details import lacking
from reconciler.skymmich.rest.pace import AGAIN, SETTLING
from reconciler.skymmich.tables import ACQUISITIONS, IMAGES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reconciler.skymmich.rest.details import Details
    from reconciler.skymmich.rest.mirror import Mirror
    from reconciler.skymmich.rest.pace import Pace
    from reconciler.skymmich.rest.shapes import Answered
    from reconciler.skymmich.tables import Table

Found = tuple["Answered", "Details | None"]
"""An image's row and what belongs to it; ``None``: Skymmich failed at that."""
_RECENT_S: Final = 2.0


class Keeper:
    """Keeps what was read.

    Args:
        mirror: where.
        pace: when what belongs to an image is due again.
        now: Unix seconds.
    """

    def __init__(self, mirror: Mirror, pace: Pace, now: float) -> None:
        self._mirror, self._pace, self._now = mirror, pace, now

    def images(self, found: Sequence[Found], server_date: str) -> None:
        """Keep rows of images with what belongs to them.

        Args:
            found: the rows.
            server_date: the Date header of the answers.
        """
        mirror = self._mirror
        self._acquired([details for _, details in found])
        known = mirror.ids(IMAGES)
        for row, details in found:
            recent = details is None or _is_recent(row, server_date)
            wait = AGAIN if details is None else SETTLING
            due = self._now + wait if recent else self._pace.details_due_at(row.row_id, self._now)
            mirror.put(IMAGES, [row])
            mirror.read(row, self._now, due, closely=recent)
            if details is not None:
                self._own(row.row_id, details)
            elif row.row_id not in known:
                mirror.doubt(row.row_id)

    def turns(self, due: Collection[int], found: Mapping[int, Details | None]) -> bool:
        """Keep what belongs to images whose turn it was; gives whether it was anything else."""
        self._acquired(list(found.values()))
        changed = False
        for image_id in due:
            details = found.get(image_id)
            if details is None:
                self._mirror.put_off(image_id, self._now + AGAIN)
            else:
                changed |= self._own(image_id, details)
                due_at = self._pace.details_due_at(image_id, self._now)
                self._mirror.read_again(image_id, self._now, due_at)
        return changed

    def links(self, links: Mapping[int, set[int]], size: int) -> bool:
        """Keep the equipment of all images; gives whether it was other equipment."""
        known, changed = self._mirror.links(), False
        for image_id, pieces in links.items():
            if known.get(image_id, set()) != pieces and not self._mirror.is_doubted(image_id):
                changed |= self._mirror.link(image_id, pieces)
        self._mirror.remember(links_at=self._now, links_bytes=size, links_due=False)
        return changed

    def table(self, table: Table, rows: Sequence[Answered] | None) -> bool:
        """Keep a table's rows, ``None``: there is no such table; gives whether anything changed."""
        if rows is None:
            had = bool(self._mirror.told_of(table))
            self._mirror.told(table, None)
            return self._mirror.exchange(table, ()) or had
        if rows:
            self._mirror.told(table, rows[0].columns())
        return self._mirror.exchange(table, rows)

    def _acquired(self, found: Sequence[Details | None]) -> None:
        """Note which columns sub-exposures have, or that there are none."""
        read = [details for details in found if details is not None]
        if not read:
            return
        if all(details.acquisitions is None for details in read):
            self._mirror.told(ACQUISITIONS, None)
            return
        seen = {name for details in read for row in details.acquisitions or () for name in row.columns()}
        known = self._mirror.told_of(ACQUISITIONS)
        if not seen <= known:
            self._mirror.told(ACQUISITIONS, seen | known)

    def _own(self, image_id: int, details: Details) -> bool:
        rows = lacking(details.acquisitions or (), self._mirror.told_of(ACQUISITIONS))
        changed = self._mirror.own(ACQUISITIONS, image_id, rows)
        if details.equipment is not None:
            changed |= self._mirror.link(image_id, details.equipment)
        return changed


def _is_recent(row: Answered, server_date: str) -> bool:
    """Return whether a row changed just now: within a second, another change leaves its date as it is."""
    try:
        there = parsedate_to_datetime(server_date)
        return abs((there - datetime.fromisoformat(row.updated_at)).total_seconds()) <= _RECENT_S
    except (ValueError, TypeError):
        return True
