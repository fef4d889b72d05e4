"""Finding images of the catalogue quickly: by id, by asset, and by what they are called.

Made once for each reading of the catalogue that somebody asks about; the texts in a thread, and after the
first time only of the slices that changed: a hundred thousand images take a moment.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import Catalogue, Images
from reconciler.core.packed_catalogue import PackedImages
from reconciler.messages.reasons import words
from reconciler.web.finding.sheet import both_of
from reconciler.web.finding.terms import folded
from reconciler.web.finding.texts import EQUIPMENT, TARGET, Texts, read_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.asset_ids import AssetIds
    from reconciler.core.catalogue import CatalogueImage
    from reconciler.service.api import Control

_REST: Final = 0.002
"""Seconds in which others have the processor, after each slice that nobody waits for."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """One reading of the catalogue, indexed."""

    catalogue: Catalogue = field(default_factory=lambda: Catalogue(()))
    texts: Texts = field(default_factory=Texts)
    problems: tuple[str, ...] = ()
    """What could not be read, for people."""

    @property
    def unlinked(self) -> int:
        """How many images are linked to no asset."""
        return len(self.catalogue.images) - len(self.catalogue.linked())

    def image(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id."""
        return self.catalogue.image(image_id)

    def id_of(self, asset_id: str) -> int | None:
        """Return the id of the image that is linked to an asset."""
        return self.catalogue.image_id_of(asset_id)

    def image_of(self, asset_id: str) -> CatalogueImage | None:
        """Return the image that is linked to an asset."""
        image_id = self.id_of(asset_id)
        return None if image_id is None else self.catalogue.image(image_id)

    def places_in(self, ids: AssetIds) -> array[int]:
        """Return for each image of the catalogue where its asset stands in a set; −1: it is not there."""
        images = self.catalogue.images
        if isinstance(images, PackedImages):
            return images.places_in(ids)
        found = (None if one is None else ids.place_of(one) for one in self.asset_ids())
        return array("i", (-1 if place is None else place for place in found))

    def asset_ids(self) -> Sequence[str | None]:
        """Return the assets of all images, in the catalogue's order."""
        images = self.catalogue.images
        return images.asset_ids() if isinstance(images, Images) else [one.asset_id for one in images]


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """The texts of one reading, on their way."""

    task: asyncio.Task[Texts]
    hurry: asyncio.Event


class Lookups:
    """Keeps the index of the latest reading."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._catalogue: Catalogue | None = None
        self._made = Lookup()
        self._reading: _Reading | None = None

    async def latest(self) -> Lookup:
        """Return the index; an empty one before the first reading.

        Its texts may be those of the reading before: they take longest, and are only offered.
        """
        catalogue = self._control.catalogue()
        if catalogue is not None and catalogue is not self._catalogue:
            self._catalogue = catalogue
            self._made = _index(catalogue, self._made)
            hurry = asyncio.Event()
            self._reading = _Reading(asyncio.create_task(_read(catalogue, hurry)), hurry)
        if self._reading is not None and self._reading.task.done():
            self._take(self._reading)
        return self._made

    async def named(self) -> Lookup:
        """Return the index with the texts of the same reading: for whoever searches them."""
        await self.latest()
        return await self.ready(hurry=True)

    async def ready(self, *, hurry: bool = False) -> Lookup:
        """Return it once its texts are read, with or without haste."""
        while (reading := self._reading) is not None:
            if hurry:
                reading.hurry.set()
            # Others wait for it, too: who stops waiting does not stop it.
            await asyncio.shield(reading.task)
            # A newer reading may have come meanwhile: its texts are another task's.
            self._take(reading)
        return self._made

    async def among(self, target: str = "", equipment: str = "") -> tuple[Lookup, set[str] | None]:
        """Return the index, and the assets whose target and equipment have these names; ``None``: all assets.

        A name may be a part of one, in any spelling; an empty one asks for nothing.
        """
        lookup = await (self.named() if target or equipment else self.latest())
        if not (target or equipment):
            return lookup, None
        found = await asyncio.to_thread(named_so, lookup, target, equipment)
        return lookup, set(filter(None, compress(lookup.asset_ids(), found)))

    def _take(self, reading: _Reading) -> None:
        if reading is not self._reading:
            return
        self._reading = None
        self._made = replace(self._made, texts=reading.task.result())


def named_so(lookup: Lookup, target: str, equipment: str) -> bytes:
    """Return which images have these names, a byte an image: the whole name where one is so, else a part."""
    texts = lookup.texts
    found = [
        texts.of_name(folded(text), kind, text if kind == TARGET else "")
        for kind, text in ((TARGET, target), (EQUIPMENT, equipment))
        if text
    ]
    return both_of(b"\1" * texts.count, *found)


async def _read(catalogue: Catalogue, hurry: asyncio.Event) -> Texts:
    # Not beside the page that is being made just now: the thread would slow it down.
    with suppress(TimeoutError):
        await asyncio.wait_for(hurry.wait(), 1.0)

    def rest() -> None:
        if not hurry.is_set():
            time.sleep(_REST)

    return await asyncio.to_thread(read_texts, catalogue, rest)


def _index(catalogue: Catalogue, before: Lookup) -> Lookup:
    return Lookup(
        catalogue=catalogue,
        texts=before.texts,
        problems=tuple(f"{one.place}: {words(one.reason)}" for one in catalogue.problems),
    )
