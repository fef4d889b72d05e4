"""The tags that this program made: noted when they are made, deleted when all is undone or a branch renamed.

Immich keeps a tag that nothing carries, and makes a deleted one again from the file of an asset that carried
it. So a tag is deleted only after it was taken off everywhere and that has settled. Immich deletes those
below a tag with it: never one below which another stands that is not this program's. And it takes a tag off
assets, too, that it does not show to a key: as long as one that was seen once is not shown, a person may have
put any of them on it, and none is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.asset_ids import AssetIds
from reconciler.core.reasons import reason
from reconciler.core.store_keys import CREATED_TAGS, RENAMED_TAGS
from reconciler.engine.batches import batches
from reconciler.engine.observe import read_assets
from reconciler.errors import MissingPermissionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.core.asset import Visibility
    from reconciler.core.ports import Target
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetStatus
    from reconciler.core.store_port import Store

_AT_ONCE: Final = 1_000
_TO_COME: Final[frozenset[AssetStatus]] = frozenset({"new", "pending", "held", "failed", "not_sticking"})
"""Where an image stands that a later pass may rename."""
_EVERYWHERE: Final[tuple[Visibility, ...]] = ("timeline", "archive", "hidden")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of the tags that this program made."""

    deleted: tuple[str, ...] = ()
    kept: tuple[tuple[str, Reason], ...] = ()
    """Those that are still there, and why."""
    unrecorded: tuple[tuple[str, Reason], ...] = ()
    """The topmost of tags below our root that nothing carries and that are not on record here, with how many
    each is: see ``unrecorded_tags``."""


def note_created(store: Store, paths: Iterable[str], there: Collection[str]) -> None:
    """Note tags that are about to be made, with those above them, as far as they are not there yet."""
    made = {above for path in paths for above in _with_those_above(path)} - set(there)
    known = set(CREATED_TAGS.read(store) or ())
    if not made <= known:
        CREATED_TAGS.write(store, sorted(known | made))


async def to_delete(target: Target, store: Store) -> tuple[str, ...]:
    """Return those of them that are there."""
    made = CREATED_TAGS.read(store) or []
    there = await target.tag_ids() if made else {}
    return tuple(path for path in made if path in there)


def note_renamed(store: Store, paths: Iterable[str]) -> None:
    """Note tags that are about to be taken off because their branch was renamed."""
    known = set(RENAMED_TAGS.read(store) or ())
    if not (new := set(paths)) <= known:
        RENAMED_TAGS.write(store, sorted(known | new))


async def delete_renamed(target: Target, store: Store) -> Cleaned:
    """Delete what a rename left behind, once it came to its end: what nothing carries under those roots.

    An image that is left alone keeps its tags, and so the branch; all others have to be renamed before.

    Raises:
        ImmichError: Immich could not be asked; it is tried again after the next pass.
    """
    paths = RENAMED_TAGS.read(store) or ()
    if not paths:
        return Cleaned()
    owners = store.owners_of_tags(paths)
    if any(record.status in _TO_COME for record in store.records_of(owners).values()):
        return Cleaned()
    roots = {path.partition("/")[0] for path in paths}
    branch = {path for path in CREATED_TAGS.read(store) or () if path.partition("/")[0] in roots}
    cleaned = await delete_created(target, store, among=branch)
    RENAMED_TAGS.forget(store)
    return cleaned


async def delete_created(target: Target, store: Store, among: Collection[str] | None = None) -> Cleaned:
    """Delete those that nothing carries, as far as the key may; with one go all below it.

    Args:
        target: Immich.
        store: where it is noted which were made here.
        among: only these; ``None``: all.

    Raises:
        ImmichError: Immich could not be asked; what is left is still noted.
    """
    noted = frozenset(CREATED_TAGS.read(store) or ())
    made = noted if among is None else noted.intersection(among)
    there = dict(await target.tag_ids()) if made else {}
    gone: set[str] = set()
    kept: dict[str, Reason] = {}
    unseen = await _not_shown(target, store) if made & there.keys() else frozenset()
    for path in sorted(made & there.keys(), key=lambda path: (path.count("/"), path)):
        if path in gone or path in kept:
            continue
        below = {other for other in there if other.startswith(f"{path}/")}
        why = (
            reason("tag_has_others")
            if below - made
            else reason("tag_in_use")
            if await is_carried(target, store, there[path], [path, *below])
            else None
        )
        if why is None and unseen:
            why = reason("tag_perhaps_in_use", count=len(unseen), asset=min(unseen))
        if why is None:
            try:
                await target.delete_tag(there[path])
            except MissingPermissionError:
                why = reason("permission", lacking=("tag.delete",))
                kept |= dict.fromkeys(below, why)
            else:
                gone |= {path, *below}
        if why is not None:
            kept[path] = why
    if gone:
        kept |= {path: reason("tag_came_back") for path in (await target.tag_ids()).keys() & gone}
    CREATED_TAGS.write(store, sorted((noted - made) | kept.keys()))
    return Cleaned(tuple(sorted(gone - kept.keys())), tuple(sorted(kept.items())))


async def is_carried(target: Target, store: Store, tag_id: str, paths: Collection[str]) -> bool:
    """Return whether an asset carries a tag, or one below it, by the store or by Immich.

    Args:
        target: Immich.
        store: which knows what is ours on which asset.
        tag_id: of the tag.
        paths: the tag's, and those of all below it.

    Raises:
        ImmichError: Immich could not be asked.
    """
    return bool(
        store.owners_of_tags(paths) or await target.carrying(tag_id, visibilities=_EVERYWHERE, trashed=True)
    )


async def _not_shown(target: Target, store: Store) -> frozenset[str]:
    """Return the assets that were seen once and are not shown now: locked, perhaps, or deleted."""
    ids = store.record_ids()
    seen = {
        asset_id
        for several in batches(ids, _AT_ONCE)
        for asset_id, record in store.records_of(several).items()
        if record.seen_updated_at is not None
    }
    reading = await read_assets(target, AssetIds(seen), tags=False)
    return frozenset(reading.unknown) | frozenset(reading.failed)


def _with_those_above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
