"""An undo of an image is of all its assets: what was written to the stack of its asset goes with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.engine.stack_watch import family_of, known_stacking

if TYPE_CHECKING:
    from reconciler.core.store_values import Values
    from reconciler.engine.undo_wish import UndoWish


def with_stacks(store: Values, wish: UndoWish) -> tuple[UndoWish, tuple[frozenset[str], ...]]:
    """Return a wish as one about all assets of its images, and which of these belong together."""
    known = known_stacking(store)
    named = wish.images or (((wish.asset_id, wish.run_id),) if wish.asset_id else ())
    if wish.everything or not known.assets or not named:
        return wish, ()
    listed: dict[str, str] = {}
    families = []
    for asset, run_id in named:
        family = family_of(known, asset)
        listed |= {one: run_id for one in family if one not in listed}
        if len(family) > 1 and not run_id and wish.to is None:
            families.append(frozenset(family))
    if len(listed) == len(named):
        return wish, ()
    return replace(wish, run_id="", asset_id="", images=tuple(listed.items())), tuple(families)
