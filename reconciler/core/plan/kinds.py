"""How many values a plan adds, changes and removes, field by field: counted, not compared line by line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.core.fields import VALUE_FIELDS, VALUE_NAMES
from reconciler.core.text import normal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.plan.diff import Kind
    from reconciler.core.plan.plan import AssetPlan

Kinds = Counter[tuple[str, "Kind"]]
"""``description``, a value's name, ``tags`` or ``albums``, and what becomes of it → how many."""
KIND_FIELDS = ("description", *VALUE_NAMES, "tags", "albums")


def kinds_of(plans: Iterable[AssetPlan]) -> Kinds:
    """Count descriptions and places, and single tags, by what becomes of them."""
    found: Kinds = Counter()
    for plan in plans:
        seen = plan.observed
        if plan.description is not None:
            found["description", _kind(normal(seen.description), normal(plan.description))] += 1
        for one in VALUE_FIELDS:
            if one.of(plan) is not None:
                found[one.name, "changed" if one.of(seen) else "added"] += 1
        found["tags", "added"] += len(plan.coming_tags)
        found["tags", "changed"] += len(plan.renames)
        found["tags", "removed"] += len(plan.going_tags)
        found["albums", "added"] += len(plan.add_albums)
        found["albums", "removed"] += len(plan.remove_albums)
    return +found


def _kind(before: str, after: str) -> Kind:
    return "added" if not before else "changed" if after else "removed"
