"""Answers a query: which images, in which order, how many in each state, and who stands beside one."""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import dataclass
from itertools import compress, islice
from typing import TYPE_CHECKING, Final

from reconciler.web.finding.query import Query
from reconciler.web.finding.sheet import Sheets, any_of, both_of
from reconciler.web.finding.terms import terms_of
from reconciler.web.image_index import named_so
from reconciler.web.tones import CROSSED, states

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.web.finding.sheet import Sheet
    from reconciler.web.image_index import Lookup, Lookups
    from reconciler.web.ports import History

_MOST_GONE: Final = 1000
"""Images that are not in the catalogue and are looked for by title."""
_REMEMBERED: Final = 8
"""Searches whose outcome is kept, a byte an image: for their other pages, and for the images' own pages."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Where an image stands in a list."""

    number: int
    """Counted from 1; 0: it is none of the list."""
    total: int
    before: int | None
    """The id of the image before it."""
    after: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """The images that fit."""

    lookup: Lookup
    sheet: Sheet
    mask: bytes
    """Which fit, a byte a place of the sheet."""
    order: Sequence[int]
    """All places in the order that was asked for."""
    counts: Mapping[str, int]
    """Of what fits but for the state: how many, by state, and by ``CROSSED``."""
    any_state: int
    """Of these, all."""

    @property
    def total(self) -> int:
        """How many fit."""
        return self.mask.count(1)

    def page(self, start: int, count: int) -> list[str]:
        """Return asset ids, in order."""
        places = compress(self.order, map(self.mask.__getitem__, self.order))
        return [self.sheet.ids[place] for place in islice(places, start, start + count)]

    def beside(self, asset_id: str) -> Beside | None:
        """Return where an image stands, or would stand; ``None``: nothing is known of it."""
        if (place := self.sheet.place_of(asset_id)) is None:
            return None
        at = self.order.index(place)
        fits = bytes(map(self.mask.__getitem__, self.order))
        number = fits.count(1, 0, at + 1) if fits[at] else 0
        before = self._linked(compress(self.order[:at][::-1], fits[:at][::-1]))
        after = self._linked(compress(self.order[at + 1 :], fits[at + 1 :]))
        return Beside(number, self.total, before, after)

    def _linked(self, places: Iterable[int]) -> int | None:
        ids = (self.lookup.id_of(self.sheet.ids[place]) for place in places)
        return next((image_id for image_id in ids if image_id is not None), None)


class Finder:
    """Finds images.

    Args:
        history: how they stand.
        lookups: what they are called.
    """

    def __init__(self, history: History, lookups: Lookups) -> None:
        self._history, self._lookups = history, lookups
        self._sheets = Sheets(history)
        self._places: tuple[object, object, array[int]] = (None, None, array("i"))
        self._masks: tuple[object, object, dict[tuple[str, str, str], bytes]] = (None, None, {})

    async def find(self, query: Query) -> Found:
        """Find what fits."""
        searches = query.text or query.target or query.equipment
        lookup = await (self._lookups.named() if searches else self._lookups.latest())
        return await asyncio.to_thread(self._find, query, lookup)

    async def warm(self) -> None:
        """Read what lists and searches are made of, before anybody asks."""
        await asyncio.to_thread(self._find, Query(), await self._lookups.latest())
        await asyncio.to_thread(self._find, Query("any word"), await self._lookups.ready())

    def _find(self, query: Query, lookup: Lookup) -> Found:
        sheet = self._sheets.latest()
        mask = self._narrowed(query, sheet, lookup)
        crossed = both_of(mask, sheet.among(sheet.crossed))
        counts = {**sheet.counts(mask), CROSSED: crossed.count(1)}
        any_state = mask.count(1)
        if query.status == CROSSED:
            mask = crossed
        elif query.status:
            mask = both_of(mask, sheet.in_state((query.status,)))
        order = self._sheets.ordered(sheet, query.order)
        return Found(lookup, sheet, mask, order, counts, any_state)

    def _narrowed(self, query: Query, sheet: Sheet, lookup: Lookup) -> bytes:
        """Return what fits but for the state; the same search of the same moment is not made again."""
        mask = b"\1" * len(sheet.ids)
        asked = (query.text, query.target, query.equipment)
        if not any(asked):
            return mask
        kept = self._masks
        if kept[0] is not sheet or kept[1] is not lookup:
            kept = self._masks = (sheet, lookup, {})
        known = kept[2]
        if asked in known:
            return known[asked]
        if query.target or query.equipment:
            named = named_so(lookup, query.target, query.equipment)
            mask = both_of(mask, self._on_sheet(sheet, lookup, named))
        if query.text:
            mask = both_of(mask, self._searched(query.text, sheet, lookup))
        if len(known) >= _REMEMBERED:
            known.clear()
        known[asked] = mask
        return mask

    def _searched(self, text: str, sheet: Sheet, lookup: Lookup) -> bytes:
        labels = {state: shown.label for state, shown in states().items()}
        terms = terms_of(text, labels)
        if not terms:  # signs alone
            return bytes(len(sheet.ids))
        every = list(zip(terms, lookup.texts.find(terms), strict=True))
        inside = self._on_sheet(sheet, lookup, b"\1" * lookup.texts.count)
        plain = [mask for term, mask in every if not term.states]
        fits = self._on_sheet(sheet, lookup, both_of(*plain)) if plain else b"\1" * len(sheet.ids)
        for term, mask in every:
            if term.states:
                either = any_of(self._on_sheet(sheet, lookup, mask), sheet.in_state(term.states))
                fits = both_of(fits, either)
        if inside.count(1) == len(sheet.ids):
            return fits
        # Of what is not in the catalogue only the store knows anything: the title.
        outside = {asset_id for asset_id, there in zip(sheet.ids, inside, strict=True) if not there}
        by_title = self._history.search(text, None, _MOST_GONE, None, outside)
        return any_of(fits, sheet.among(record.asset_id for record in by_title))

    def _on_sheet(self, sheet: Sheet, lookup: Lookup, mask: bytes | bytearray) -> bytes:
        """Return a mask over the catalogue's images as one over the sheet's places."""
        if self._places[0] is not lookup.catalogue or self._places[1] is not sheet.ids:
            places = lookup.places_in(sheet.ids)
            self._places = (lookup.catalogue, sheet.ids, places)
        fits = bytearray(len(sheet.ids))
        for place in compress(self._places[2], mask):
            if place >= 0:
                fits[place] = 1
        return bytes(fits)
