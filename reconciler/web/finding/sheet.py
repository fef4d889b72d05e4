"""How all images stand, in a few bytes each: what lists, counts and orders are made of.

Read from the store once, and then only what changed. A place is where an asset stands in the order of ids.
"""

from __future__ import annotations

import threading
from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

from reconciler.core.asset_ids import AssetIds, AssetIndex
from reconciler.core.records import AssetStatus
from reconciler.web.tones import URGENCY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reconciler.core.records import Standing
    from reconciler.web.ports import History

Order = Literal["title", "written", "changed", "state"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)
_STATUSES: Final[tuple[str, ...]] = get_args(AssetStatus)
_CODES: Final = {state: code for code, state in enumerate(_STATUSES)}
_OTHER: Final = len(_STATUSES)
"""A state of a later version."""
_FEW: Final = 500
"""So many that came are put between the others; of more, all are read."""
_ORDER: Final = (*URGENCY, "new", "undone", "left_out", "in_sync", "unlinked")
_RANK: Final = bytes([*map(_ORDER.index, _STATUSES), 99])
"""Of each state: the sooner a person is needed, the lower."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All managed assets at one moment."""

    ids: AssetIds = field(default_factory=AssetIds)
    statuses: bytes = b""
    """Of each asset, the place of its state in the list of states."""
    written: array[int] = field(default_factory=lambda: array("q"))
    seen: array[int] = field(default_factory=lambda: array("q"))
    titles: array[int] = field(default_factory=lambda: array("q"))
    """What tells one title from another."""
    by_title: array[int] = field(default_factory=lambda: array("I"))
    """Places in the order of titles."""
    crossed: frozenset[str] = frozenset()

    def place_of(self, asset_id: str) -> int | None:
        """Return where an asset stands."""
        return self.ids.place_of(asset_id)

    def with_new(self, rows: Iterable[Standing]) -> Sheet:
        """Return it with rows more, in which nothing stands yet; the order of titles is as before."""
        new = AssetIds(row.asset_id for row in rows)
        ids, statuses = self.ids | new, bytearray(self.statuses)
        columns = self.written[:], self.seen[:], self.titles[:]
        for place in sorted(place for one in new if (place := ids.place_of(one)) is not None):
            statuses.insert(place, _OTHER)
            for column in columns:
                column.insert(place, 0)
        return Sheet(ids, bytes(statuses), *columns, self.by_title, self.crossed)

    def in_state(self, states: Iterable[str]) -> bytes:
        """Return which assets are in one of some states, a byte an asset."""
        wanted = {_STATUSES.index(state) for state in states if state in _STATUSES}
        return self.statuses.translate(bytes(code in wanted for code in range(256)))

    def among(self, asset_ids: Iterable[str]) -> bytearray:
        """Return which assets are among some, a byte an asset."""
        found = bytearray(len(self.ids))
        for asset_id in asset_ids:
            if (place := self.place_of(asset_id)) is not None:
                found[place] = 1
        return found

    def counts(self, mask: bytes) -> dict[str, int]:
        """Count those that a mask has, by state."""
        return {
            state: count for state in _STATUSES if (count := both_of(mask, self.in_state((state,))).count(1))
        }

    def ordered(self, order: Order) -> Sequence[int]:
        """Return all places in an order; the newest first, where it is one of times."""
        if order == "title":
            return self.by_title
        keys: Mapping[Order, Callable[[int], int]] = {
            "written": lambda place: -self.written[place],
            "changed": lambda place: -self.seen[place],
            "state": lambda place: _RANK[self.statuses[place]],
        }
        return sorted(self.by_title, key=keys[order])


def both_of(*masks: bytes | bytearray) -> bytes:
    """Return which assets all of these masks have."""
    found = int.from_bytes(masks[0])
    for mask in masks[1:]:
        found &= int.from_bytes(mask)
    return found.to_bytes(len(masks[0]))


def any_of(*masks: bytes | bytearray) -> bytes:
    """Return which assets any of these masks has."""
    found = 0
    for mask in masks:
        found |= int.from_bytes(mask)
    return found.to_bytes(len(masks[0]))


class Sheets:
    """Keeps the sheet of the present moment.

    Args:
        history: where it is read.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._turn = threading.Lock()
        self._mark: object = None
        self._sheet = Sheet()
        self._orders: dict[Order, Sequence[int]] = {}

    def latest(self) -> Sheet:
        """Return it, read anew as far as anything changed; for a thread."""
        with self._turn:
            mark, changed = self._history.changes(self._mark)
            if self._mark is None or changed is None:
                self._sheet = self._read()
            elif changed:
                self._sheet = self._changed(changed) or self._read()
            crossed = self._history.crossed_ids()
            if mark != self._mark or crossed != self._sheet.crossed:
                self._orders = {}
                self._sheet = replace(self._sheet, crossed=crossed)
            # What was written while it was read is read once more the next time.
            self._mark = mark
            return self._sheet

    def ordered(self, sheet: Sheet, order: Order) -> Sequence[int]:
        """Return the places of a sheet in an order; that of the latest sheet is kept."""
        with self._turn:
            if sheet is not self._sheet:
                return sheet.ordered(order)
            if order not in self._orders:
                self._orders = {order: sheet.ordered(order)}
            return self._orders[order]

    def _read(self) -> Sheet:
        ids, last = AssetIndex(), ""
        statuses = bytearray()
        written, seen, titles = array("q"), array("q"), array("q")
        while rows := self._history.standings(last):
            last = rows[-1].asset_id
            for row in rows:
                ids.add(row.asset_id)
            statuses += bytes(_CODES.get(row.status, _OTHER) for row in rows)
            written.extend([row.written for row in rows])
            seen.extend([row.seen for row in rows])
            titles.extend([row.title for row in rows])
        found = Sheet(AssetIds(ids), bytes(statuses), written, seen, titles)
        return replace(found, by_title=self._titles(found))

    def _titles(self, sheet: Sheet) -> array[int]:
        found = array("I")
        last = ("", "")
        while rows := self._history.titles(last):
            last = rows[-1]
            found.extend([place for _, one in rows if (place := sheet.place_of(one)) is not None])
        if len(found) == len(sheet.ids):
            return found
        # Something was written in between: the next reading has it all.
        listed = set(found)
        found.extend([place for place in range(len(sheet.ids)) if place not in listed])
        return found

    def _changed(self, asset_ids: frozenset[str]) -> Sheet | None:
        """Return the sheet with some rows read anew; ``None``: some went, or many came."""
        before = self._sheet
        rows = self._history.standings_of(asset_ids)
        # Decisions can come before the first pass over an asset: it is no row yet.
        if any(
            before.place_of(one) is not None for one in asset_ids.difference(row.asset_id for row in rows)
        ):
            return None
        new = [row for row in rows if before.place_of(row.asset_id) is None]
        if len(new) > _FEW:
            return None
        found, retitled = before.with_new(new) if new else before, bool(new)
        statuses = bytearray(found.statuses)
        written, seen, titles = found.written[:], found.seen[:], found.titles[:]
        for row in rows:
            if (place := found.place_of(row.asset_id)) is None:
                continue
            statuses[place] = _CODES.get(row.status, _OTHER)
            written[place], seen[place] = row.written, row.seen
            retitled = retitled or titles[place] != row.title
            titles[place] = row.title
        found = replace(found, statuses=bytes(statuses), written=written, seen=seen, titles=titles)
        return replace(found, by_title=self._titles(found)) if retitled else found
