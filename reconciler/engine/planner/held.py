"""What the guard holds back of a prepared pass, and what is no longer as a saved plan has it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.asset_digests import AssetDigests
from reconciler.core.plan.guard import check, withhold
from reconciler.core.reasons import reason
from reconciler.engine.items import Items

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.plan.guard import Verdict
    from reconciler.core.records import RecentLosses
    from reconciler.core.store_port import Store
    from reconciler.engine.item import Item
    from reconciler.engine.items import Pair
    from reconciler.engine.passes import Prepared, Selection


def linked_assets(catalogue: Catalogue, store: Store) -> AbstractSet[str]:
    """Return the assets that the catalogue links, or did before their row could not be read any more."""
    linked = catalogue.linked_assets()
    if doubtful := catalogue.doubtful_ids():
        linked |= store.ids_of_images(doubtful)
    return linked


def guarded(
    prepared: Prepared,
    selection: Selection,
    before: AbstractSet[str],
    held: Mapping[str, str],
    recent: RecentLosses,
) -> Prepared:
    """Judge the plan, hold back what is harmful, and of a saved plan what is no longer the same.

    Args:
        prepared: as planned.
        selection: what was asked for.
        before: the assets that the last good pass found in the catalogue.
        held: those of them that the guard held then, with the hash of the harm.
        recent: what was lost within the guard's window before.
    """
    linked, tally = prepared.linked, prepared.items.tally
    others = tally.planned_orphans - linked - prepared.left
    standing = held
    if tally.reviewed:
        standing = AssetDigests(pair for pair in held.items() if pair[0] not in tally.reviewed)
    verdict = check(
        tally.losses,
        linked=linked,
        linked_before=before,
        managed=len(linked) + len(prepared.left) + len(others),
        lost=prepared.left - prepared.restacked,
        policy=prepared.rules.policy.guard,
        approved=selection.approved,
        standing=standing,
        moment=prepared.moment,
        rules_changed=prepared.rules_before not in {"", prepared.rules_digest},
        recent=recent,
    )
    if not verdict.held and selection.expected is None:
        return replace(prepared, verdict=verdict)
    stale: list[str] = []
    items = Items.of(_held_back(prepared.items, verdict, selection, stale))
    return replace(prepared, items=items, verdict=verdict, stale=tuple(stale))


def _held_back(items: Items, verdict: Verdict, selection: Selection, stale: list[str]) -> Iterator[Pair]:
    """Yield what remains of each, and name in ``stale`` those of which nothing does."""
    for item, record in items.pairs():
        kept_item = item
        if item.plan and item.asset_id in verdict.held:
            harm = verdict.harm[item.asset_id]
            kept_item = replace(
                item,
                plan=withhold(item.plan),
                withheld=item.plan,
                held=harm,
                reasons=(reason("guard"),),
            )
        if _is_stale(kept_item, selection):
            kept_item = replace(item, plan=None, status="failed", reasons=(reason("stale_plan"),))
            stale.append(item.title)
        yield kept_item, record


def _is_stale(item: Item, selection: Selection) -> bool:
    """Return whether a change is not, or no longer, the one of the saved plan."""
    if selection.expected is None or item.plan is None or not item.plan.changes:
        return False
    return selection.expected.get(item.asset_id) != item.plan.digest
