"""The catalogue as last read: read again only once it has moved.

Its owner says ``refresh`` before a pass; the pass then reads what is here. Looking at a token costs next to
nothing, reading a thousand images costs tens of milliseconds and holds Skymmich's file for some of them.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.catalogue import Catalogue

_NEVER = object()


@runtime_checkable
class Watchable(Protocol):
    """A catalogue that can tell cheaply whether it changed."""

    def read(self) -> Catalogue:
        """Read everything in one short transaction."""
        ...

    def data_version(self) -> object:
        """Give a token that differs once something changed; ``None`` while it can not be told."""
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
        self._changed: frozenset[int] = frozenset()
        self.latest: Catalogue | None = None

    def read(self) -> Catalogue:
        """Give the catalogue as last read; reads it if it never was.

        Raises:
            CatalogueError: it can not be read.
        """
        if self.latest is None:
            self.latest = self._recall(self._source.read())
        return self.latest

    async def refresh(self, *, anyway: bool = False, whole: bool = False) -> Catalogue:
        """Read again if it moved since the last reading, or ``anyway``.

        Args:
            anyway: read whatever the token says.
            whole: a look at all images follows: what moved until now needs no other.

        Raises:
            CatalogueError: it can not be read; what was read before stays in ``latest``.
        """
        token = await asyncio.to_thread(self._source.data_version)
        if whole:
            self._told = token
        if self.latest is not None and not anyway and token is not None and token == self._read_at:
            return self.latest
        self._read_at = _NEVER
        found = self._recall(await asyncio.to_thread(self._source.read))
        before = {image.image_id: image for image in self.latest.images} if self.latest else {}
        # An image that did not change stays the same object: it is held by others, and compared often.
        images = tuple(
            known if (known := before.get(image.image_id)) == image and known else image
            for image in found.images
        )
        self._changed |= before.keys() - {image.image_id for image in images}
        self._changed |= {image.image_id for image in images if before.get(image.image_id) is not image}
        self.latest, self._read_at = replace(found, images=images), token
        return self.latest

    def take_changes(self) -> frozenset[int]:
        """Give the ids of images that are not as they were when this was last asked; gone ones too."""
        changed, self._changed = self._changed, frozenset()
        return changed

    async def moved(self) -> bool:
        """Tell whether anything moved since this was last asked, or a look at all images began."""
        token = await asyncio.to_thread(self._source.data_version)
        moved = token != self._told
        self._told = token
        return moved
