"""In which order, and with which others, assets are written: so that equal values share calls."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.core.batch import remove_rounds
from reconciler.core.fingerprint import place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.engine.jobs import Job

_TOGETHER = 16
"""Assets that are read, and then given their fields, at a time: how long a person's edit can be missed."""


def order(jobs: Iterable[Job]) -> list[Job]:
    """Put assets with the same values side by side, so that they share calls; else in order of image id."""
    listed = list(jobs)
    tags = Counter(job.plan.add_tags for job in listed)
    texts = Counter((job.plan.description, job.plan.coordinates) for job in listed)

    def key(job: Job) -> tuple[object, ...]:
        plan = job.plan
        shared_tags = sorted(plan.add_tags) if tags[plan.add_tags] > 1 else []
        shared = texts[plan.description, plan.coordinates] > 1
        text = (plan.description or "", place(plan.coordinates) or []) if shared else ("", [])
        return (not shared_tags, shared_tags, not shared, text, plan.image_id, plan.asset_id)

    return sorted(listed, key=key)


def groups(jobs: Iterable[Job]) -> list[list[Job]]:
    """Divide into groups of some size; assets that get the same fields stay together, to share a call."""
    alike: dict[object, list[Job]] = {}
    for job in jobs:
        alike.setdefault((job.plan.description, job.plan.coordinates), []).append(job)
    found: list[list[Job]] = []
    for same in alike.values():
        if found and len(found[-1]) + len(same) <= _TOGETHER:
            found[-1].extend(same)
        else:
            found.append(same)
    return found


def order_removals(jobs: Sequence[Job]) -> None:
    """Give each job the order in which its tags go, so that calls are shared."""
    rounds = remove_rounds([(job.plan.asset_id, frozenset(job.removals)) for job in jobs if job.removals])
    turns: dict[str, list[str]] = {}
    for batches in rounds:
        for batch in batches:
            for asset_id in batch.asset_ids:
                turns.setdefault(asset_id, []).extend(batch.tags)
    for job in jobs:
        job.removals = turns.get(job.plan.asset_id, job.removals)
