"""Tags at or below our own root that are not on record as made from here: named after an undo of all.

A store that took a library over, or was put back from an older copy, has not noted all that was made before:
the tags stand in Immich, and nothing carries them once all is taken back. A person may have made them as
well, so they are never deleted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reconciler.core.reasons import reason
from reconciler.core.store_keys import CREATED_TAGS
from reconciler.engine.created_tags import is_carried
from reconciler.errors import MissingPermissionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reconciler.core.ports import Target
    from reconciler.core.reasons import Reason
    from reconciler.core.store_port import Store

_AT_ONCE: Final = 8


async def unrecorded(target: Target, store: Store, root: str) -> tuple[str, ...]:
    """Return the tags at or below a root that are there and that this store does not know to have made.

    Raises:
        ImmichError: Immich could not be asked.
    """
    return tuple(sorted(_unknown(store, await _there(target), root)))


async def left_empty(target: Target, store: Store, root: str) -> tuple[tuple[str, Reason], ...]:
    """Return those of them that nothing carries: the topmost of each branch, with how many it is.

    A branch that nothing carries costs one question; one that is in use, one for each tag below it, too.

    Raises:
        ImmichError: Immich could not be asked.
    """
    there = await _there(target)
    unknown = _unknown(store, there, root)
    branch = {path for path in there if _is_within(path, root)} if unknown else set()
    empty: set[str] = set()
    for depth in sorted({path.count("/") for path in branch}):
        level = [
            path
            for path in branch
            if path.count("/") == depth
            and not _is_below(path, empty)
            and any(_is_within(other, path) for other in unknown)
        ]
        empty |= await _unused(target, store, {path: there[path] for path in level}, branch)
    found = {path for path in unknown if path in empty or _is_below(path, empty)}
    top = sorted(path for path in found if not _is_below(path, found))
    return tuple((path, _told(sum(_is_within(one, path) for one in found))) for path in top)


async def _there(target: Target) -> Mapping[str, str]:
    """Return all tags by path; none where the key may not list them: nothing can be named then."""
    try:
        return await target.tag_ids()
    except MissingPermissionError:
        return {}


def _told(count: int) -> Reason:
    return reason("tag_unrecorded", count=count)


def _unknown(store: Store, there: Iterable[str], root: str) -> frozenset[str]:
    if not root:
        return frozenset()
    made = frozenset(CREATED_TAGS.read(store) or ())
    return frozenset(path for path in there if _is_within(path, root)) - made


async def _unused(
    target: Target, store: Store, tags: Mapping[str, str], branch: Collection[str]
) -> frozenset[str]:
    """Return those that no asset carries, nor any tag below them."""
    waiting, found = list(tags), set[str]()

    async def some() -> None:
        while waiting:
            path = waiting.pop()
            own = [one for one in branch if _is_within(one, path)]
            if not await is_carried(target, store, tags[path], own):
                found.add(path)

    await asyncio.gather(*(some() for _ in range(min(_AT_ONCE, len(waiting)))))
    return frozenset(found)


def _is_within(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _is_below(path: str, others: Collection[str]) -> bool:
    parts = path.split("/")
    return any("/".join(parts[:count]) in others for count in range(1, len(parts)))
