"""The catalogue as last read: read again only once it has moved.

Its owner says ``refresh`` before a pass; the pass then reads what is here. Looking at a token costs next to
nothing, reading a thousand images costs tens of milliseconds and holds Skymmich's file for some of them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from reconciler.core.catalogue import Images

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from reconciler.core.catalogue import Catalogue

_NEVER = object()
_REMEMBERED: Final = 32
"""Readings of which it is known what changed."""
MOST: Final = 5_000
"""Images that changed between two readings; of more it is remembered that any may have."""


@runtime_checkable
class Watchable(Protocol):
    """A catalogue that can tell cheaply whether it changed."""

    def read(self) -> Catalogue:
        """Read everything in one short transaction."""
        ...

    def data_version(self) -> object:
        """Return a token that differs once something changed; ``None`` while it cannot be told."""
        ...


@runtime_checkable
class Followed(Protocol):
    """A catalogue that can tell which images changed between two of its readings."""

    def changes(self, after: int, until: int) -> frozenset[int] | None:
        """Return the ids of images that changed between two readings; ``None``: any may have."""
        ...


@runtime_checkable
class Hinted(Protocol):
    """A catalogue that is not looked through whole each time."""

    def hint(self, image_id: int | None = None) -> None:
        """Let the next look be a close one: something happened, to this image if one is named."""
        ...


class WatchedCatalogue:
    """A catalogue and what was last read of it; fulfils ``ports.CatalogueSource``.

    Args:
        source: the catalogue.
        recall: completes what was read with what is known of earlier.
    """

    def __init__(
        self, source: Watchable, recall: Callable[[Catalogue], Catalogue] = lambda catalogue: catalogue
    ) -> None:
        self._source, self._recall = source, recall
        self._read_at: object = _NEVER
        self._told: object = _NEVER
        self._changed: frozenset[int] | None = frozenset()
        """``None``: any may be."""
        self._log: deque[tuple[int, frozenset[int] | None]] = deque(maxlen=_REMEMBERED)
        """Of the last readings: which it was, and which images were others than before."""
        self._followed = -1
        """The source's own number of the reading in ``latest``."""
        self._turn = threading.Lock()
        self.latest: Catalogue | None = None

    def read(self) -> Catalogue:
        """Return the catalogue as last read; reads it if it never was.

        Raises:
            CatalogueError: it cannot be read.
        """
        with self._turn:
            return self.latest or self._read_anew()

    async def refresh(self, *, anyway: bool = False, whole: bool = False) -> Catalogue:
        """Read again if it moved since the last reading, or ``anyway``.

        Args:
            anyway: read whatever the token says.
            whole: a look at all images follows: what moved until now needs no other.

        Raises:
            CatalogueError: it cannot be read; what was read before stays in ``latest``.
        """
        return await asyncio.to_thread(self._read_if, anyway=anyway, whole=whole)

    def hint(self, image_id: int | None = None) -> None:
        """Let the next look be a close one, where there is a difference."""
        if isinstance(self._source, Hinted):
            self._source.hint(image_id)

    def take_changes(self, among: Collection[int]) -> frozenset[int]:
        """Return which of these images are not as they were when this was last asked; gone ones too."""
        changed, self._changed = self._changed, frozenset()
        return frozenset(among) if changed is None else changed.intersection(among)

    def changes(self, after: int, until: int) -> frozenset[int] | None:
        """Return the ids of images that changed between two readings; ``None``: it is not known any more."""
        log = list(self._log)
        if after == until:
            return frozenset()
        if not log or log[0][0] > after + 1:
            return None
        found = frozenset[int]()
        for reading, changed in log:
            if after < reading <= until:
                if changed is None:
                    return None
                found |= changed
        return found

    async def moved(self) -> bool:
        """Return whether anything moved since this was last asked, or a look at all images began."""
        token = await asyncio.to_thread(self._source.data_version)
        moved = token != self._told
        self._told = token
        return moved

    def _read_if(self, *, anyway: bool, whole: bool) -> Catalogue:
        if anyway:
            self.hint()
        token = self._source.data_version()
        if whole:
            self._told = token
        with self._turn:
            if self.latest is not None and not anyway and token is not None and token == self._read_at:
                return self.latest
            self._read_at = _NEVER
            found = self._read_anew()
            self._read_at = token
            return found

    def _read_anew(self) -> Catalogue:
        found = self._recall(self._source.read())
        before = self.latest
        reading = before.reading + 1 if before is not None else 1
        changed: frozenset[int] | None
        if before is None:
            changed = None
        elif found.changed is not None and found.reading == self._followed + 1 and found.gone == before.gone:
            changed = found.changed
        else:
            changed, found = _compared(before, found)
        self._followed = found.reading
        if changed is not None and len(changed) > MOST:
            changed = None
        self._changed = None if changed is None or self._changed is None else self._changed | changed
        if before is not None:
            self._log.append((reading, changed))
        self.latest = replace(found, reading=reading)
        return self.latest


def _compared(before: Catalogue, found: Catalogue) -> tuple[frozenset[int], Catalogue]:
    """Return which images differ; where they are not packed, one that does not stays the same object."""
    changed: set[int] = set()
    older = iter(before.images)
    known = next(older, None)
    images = []
    packed = isinstance(found.images, Images)
    for image in found.images:
        while known is not None and known.image_id < image.image_id:
            changed.add(known.image_id)
            known = next(older, None)
        same = known is not None and known.image_id == image.image_id
        if not same or known != image:
            changed.add(image.image_id)
        if not packed:
            images.append(known if same and known is not None and known == image else image)
        if same:
            known = next(older, None)
    while known is not None:
        changed.add(known.image_id)
        known = next(older, None)
    return frozenset(changed), found if packed else replace(found, images=tuple(images))
