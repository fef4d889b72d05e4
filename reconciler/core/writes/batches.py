"""Grouping of writes: assets that need the very same write share one call; none is in two calls at once.

Pure and deterministic: the same plans give the same batches in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.fields import VALUE_FIELDS, with_values
from reconciler.core.ports import FieldWrite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.plan.plan import AssetPlan


@dataclass(frozen=True, slots=True)
class FieldBatch:
    """Assets that get the same description and values."""

    asset_ids: tuple[str, ...]
    write: FieldWrite


@dataclass(frozen=True, slots=True)
class TagBatch:
    """Assets that get, or lose, the same set of tags."""

    asset_ids: tuple[str, ...]
    tags: tuple[str, ...]


def write_of(plan: AssetPlan) -> FieldWrite:
    """Return all that a plan writes in one call."""
    return with_values(FieldWrite(plan.description), {one.name: one.of(plan) for one in VALUE_FIELDS})


def field_batches(plans: Iterable[AssetPlan], most: int = 500) -> list[FieldBatch]:
    """Group field writes by their values; at most ``most`` assets a call."""
    groups: dict[FieldWrite, list[str]] = {}
    for plan in plans:
        if plan.writes_fields:
            groups.setdefault(write_of(plan), []).append(plan.asset_id)
    return [FieldBatch(chunk, write) for write, ids in groups.items() for chunk in _chunks(ids, most)]


def add_batches(plans: Iterable[AssetPlan], most: int = 100) -> list[TagBatch]:
    """Group tag additions by the distinct set: each asset is in exactly one call."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for plan in plans:
        if plan.add_tags:
            groups.setdefault(tuple(sorted(plan.add_tags)), []).append(plan.asset_id)
    return [TagBatch(chunk, tags) for tags, ids in groups.items() for chunk in _chunks(ids, most)]


def remove_rounds(removals: Sequence[tuple[str, frozenset[str]]], most: int = 100) -> list[list[TagBatch]]:
    """Order removals in rounds of one-tag calls, so that no asset is twice in a round.

    Args:
        removals: pairs of asset id and the tags to take from it.
        most: assets a call.

    Returns:
        rounds; between two of them every asset has to settle.
    """
    left = {asset_id: sorted(tags) for asset_id, tags in removals if tags}
    rounds: list[list[TagBatch]] = []
    while left:
        # The tag that most assets still have goes first, so that the rounds and the calls are few.
        frequency: dict[str, int] = {}
        for tags in left.values():
            for tag in tags:
                frequency[tag] = frequency.get(tag, 0) + 1
        groups: dict[str, list[str]] = {}
        for asset_id, tags in left.items():
            best = max(tags, key=lambda tag: (frequency[tag], tag))
            groups.setdefault(best, []).append(asset_id)
        rounds.append(
            [TagBatch(chunk, (tag,)) for tag, ids in sorted(groups.items()) for chunk in _chunks(ids, most)]
        )
        for tag, ids in groups.items():
            for asset_id in ids:
                left[asset_id].remove(tag)
                if not left[asset_id]:
                    del left[asset_id]
    return rounds


def _chunks(ids: Sequence[str], most: int) -> list[tuple[str, ...]]:
    return [tuple(ids[start : start + most]) for start in range(0, len(ids), most)]
