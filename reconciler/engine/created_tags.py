"""The tags that this program made: noted when they are made, deleted when everything is undone.

Immich keeps a tag that nothing carries, and makes a deleted one again from the file of an asset that carried
it. So a tag is deleted only after it was taken off everywhere and that has settled, the lowest first, and
never one below which another stands that is not this program's: Immich deletes those with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.reasons import reason
from reconciler.core.store_keys import CREATED_TAGS
from reconciler.errors import MissingPermissionError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from reconciler.core.asset import Visibility
    from reconciler.core.ports import Target
    from reconciler.core.reasons import Reason
    from reconciler.core.store_port import Store

_EVERYWHERE: Final[tuple[Visibility, ...]] = ("timeline", "archive", "hidden")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What became of the tags that this program made."""

    deleted: tuple[str, ...] = ()
    kept: tuple[tuple[str, Reason], ...] = ()
    """Those that are still there, and why."""


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


async def delete_created(target: Target, store: Store) -> Cleaned:
    """Delete those that nothing carries, as far as the key may.

    Raises:
        ImmichError: Immich could not be asked; what is left is still noted.
    """
    made = CREATED_TAGS.read(store) or []
    there = dict(await target.tag_ids()) if made else {}
    present = [path for path in made if path in there]
    deleted: list[str] = []
    kept: dict[str, Reason] = {}
    for path in sorted(present, key=lambda path: (-path.count("/"), path)):
        why = await _why_kept(target, store, path, there)
        if why is None:
            try:
                await target.delete_tag(there[path])
            except MissingPermissionError:
                why = reason("permission", lacking=("tag.delete",))
        if why is not None:
            kept[path] = why
            continue
        deleted.append(path)
        del there[path]
    if deleted:
        again = (await target.tag_ids()).keys() & set(deleted)
        kept |= {path: reason("tag_came_back") for path in again}
        deleted = [path for path in deleted if path not in again]
    CREATED_TAGS.write(store, sorted(kept))
    return Cleaned(tuple(sorted(deleted)), tuple(sorted(kept.items())))


async def _why_kept(target: Target, store: Store, path: str, there: Mapping[str, str]) -> Reason | None:
    if any(other.startswith(f"{path}/") for other in there):
        return reason("tag_has_others")
    carried = store.owners_of_tags([path]) or await target.carrying(
        there[path], visibilities=_EVERYWHERE, trashed=True
    )
    return reason("tag_in_use") if carried else None


def _with_those_above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
