"""An undo of an image is of all its assets: what was written to the stack of its asset goes with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.engine.stack_watch import family_of, known_stacking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.store_port import Store
    from reconciler.core.store_values import Values
    from reconciler.engine.undo_plan import Step
    from reconciler.engine.undo_wish import UndoWish

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


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


def of_one_run(store: Store, steps: Iterable[Step], families: Iterable[frozenset[str]]) -> tuple[Step, ...]:
    """Return the steps, of each image only those of its last run that left anything to take back."""
    left = list(steps)
    for family in families:
        mine = [step for step in left if step.item.asset_id in family]
        telling = [step for step in mine if step.is_job] or [step for step in mine if step.left]
        if not telling:
            continue
        newest = max((step.run_id for step in telling), key=lambda run_id: _began(store, run_id))
        left = [step for step in left if step.item.asset_id not in family or step.run_id == newest]
    return tuple(left)


def _began(store: Store, run_id: str) -> datetime:
    run = store.run(run_id)
    return _NEVER if run is None else run.started_at
