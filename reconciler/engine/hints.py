"""What changes in Immich without moving a date: a tag that is deleted, an asset that is gone for ever.

Two requests every few minutes tell, whatever the size of the library: the list of tags, and the number of
assets. They are hints: all that follows is that the named assets are read, and only that reading decides. A
hint that is wrong costs readings; one that is missed is found by the daily audit.

================================================= ======================================================
what is seen                                      what is read
================================================= ======================================================
a tag vanished, or has another id                 the assets that we gave it to
fewer assets than before, and not by the trash    the managed ones that a listing of all does not show
nothing was remembered yet                        nothing: it is remembered from now on
the key may not ask                               nothing: the audit tells
================================================= ======================================================

An asset in the trash is told by its date, with the changes of the minute. As many uploads as deletions hide
the deletions from the number.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.core.store_keys import HINTS, HintsForm
from reconciler.errors import ImmichRejectedError, ImmichTemporaryError, MissingPermissionError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.ports import Target
    from reconciler.core.store_port import Store

T = TypeVar("T")

_SILENT: Final = (MissingPermissionError, ImmichRejectedError, ImmichTemporaryError)
"""What costs the hint and nothing else: what is remembered stays, and the next look compares with that."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look for hints saw; ``None``: it could not be asked."""

    tags: Mapping[str, str] | None = None
    """Full path → id."""
    assets: int | None = None

    @classmethod
    def of(cls, store: Store) -> Seen | None:
        """Return what was last seen; ``None``: nothing yet."""
        kept = HINTS.read(store)
        return None if kept is None else cls(kept["tags"], kept["assets"])

    def keep(self, store: Store, met: Mapping[str, str] = MappingProxyType({})) -> None:
        """Remember it, where it is news, once what it hinted at was looked at.

        Args:
            store: where.
            met: the tags that the writing met or made since. What was seen of a path before stays: whether it
                vanished is for the next look to tell.
        """
        before = Seen.of(store) or Seen()
        tags = before.tags if self.tags is None else self.tags
        if met:
            tags = {**met, **(tags or {})}
        assets = before.assets if self.assets is None else self.assets
        if Seen(tags, assets) != before:
            HINTS.write(store, HintsForm(tags=None if tags is None else dict(tags), assets=assets))


@dataclass(slots=True)
class Trash:
    """The assets that were seen to be put into the trash since the last look for hints."""

    ids: set[str] = field(default_factory=set)

    def take_in(self, rows: Iterable[ObservedAsset]) -> None:
        """Take in the rows of a look at changes."""
        for row in rows:
            (self.ids.add if row.is_trashed else self.ids.discard)(row.asset_id)


async def look(target: Target, store: Store, trash: Trash, *, tags: bool) -> tuple[Seen, frozenset[str]]:
    """Return what is seen now, and the assets that it is a reason to read.

    Args:
        target: open.
        store: for what was last seen, who has which tag, and what was there; nothing is written.
        trash: what explains that there are fewer assets.
        tags: whether tags are managed.

    Raises:
        ImmichUnauthorizedError: the key is not valid any more.
    """
    before = Seen.of(store) or Seen()
    now = Seen(await _or_none(target.tag_ids()) if tags else None, await _or_none(target.asset_count()))
    doubtful: frozenset[str] = frozenset()
    if before.tags is not None and now.tags is not None:
        moved = [path for path, tag_id in before.tags.items() if now.tags.get(path) != tag_id]
        if moved:
            doubtful |= await asyncio.to_thread(store.owners_of_tags, moved)
    if before.assets is not None and now.assets is not None and before.assets - now.assets > len(trash.ids):
        rows = await _or_none(target.listing())
        if rows is None:
            return replace(now, assets=before.assets), doubtful
        listed = {row.asset_id for row in rows} | {row.asset_id for row in rows.incomplete}
        doubtful |= await asyncio.to_thread(store.there_ids) - listed
    return now, doubtful


async def _or_none(asking: Awaitable[T]) -> T | None:
    try:
        return await asking
    except _SILENT:
        return None
