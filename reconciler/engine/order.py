"""In which order, and with which others, assets are written: so that equal values share calls."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.core.fields import VALUE_FIELDS
from reconciler.core.writes.batches import remove_rounds, write_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.engine.job import Job

_TOGETHER = 4
"""Assets of the same values that are read side by side, and then share a call: as many as a line carries."""

_SHARED = 48
"""Assets that a tag is taken from by one call, before it is sent while others are still to come."""


def order(jobs: Iterable[Job]) -> list[Job]:
    """Put assets with the same values side by side, so that they share calls; else in order of image id."""
    listed = list(jobs)
    tags = Counter(job.write.plan.add_tags for job in listed)
    texts = Counter(write_of(job.write.plan) for job in listed)

    def key(job: Job) -> tuple[object, ...]:
        plan = job.write.plan
        shared_tags = sorted(plan.add_tags) if tags[plan.add_tags] > 1 else []
        shared = texts[write_of(plan)] > 1
        values = [(one.of(plan) is None, one.to_json(one.of(plan))) for one in VALUE_FIELDS] if shared else []
        text = (plan.description or "" if shared else "", *values)
        return (not shared_tags, shared_tags, not shared, text, plan.image_id, plan.asset_id)

    return sorted(listed, key=key)


def groups(jobs: Iterable[Job]) -> list[list[Job]]:
    """Divide into what is read, and then written to, at once: single assets, or a few of the same values.

    No asset waits for the reading of another, but for those beside which it is read.
    """
    alike: dict[object, list[Job]] = {}
    for job in jobs:
        alike.setdefault(write_of(job.write.plan), []).append(job)
    return [
        same[start : start + _TOGETHER] for same in alike.values() for start in range(0, len(same), _TOGETHER)
    ]


def share_removals(ready: list[Job], wanted: Mapping[str, int], *, alone: bool) -> list[Job]:
    """Choose whose next tag is taken off now, and which, so that calls are few: a tag goes from many at once.

    Args:
        ready: whose next step it is to lose a tag.
        wanted: of each tag, from how many assets it is still to go.
        alone: nothing is under way for which the others could wait.
    """
    left: dict[str, Job] = {job.asset_id: job for job in ready}
    chosen: list[Job] = []
    counts = Counter(tag for job in ready for tag in job.write.removals)
    for tag, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        group = [job for job in left.values() if tag in job.write.removals]
        if group and (len(group) >= min(_SHARED, wanted[tag]) or (alone and not chosen)):
            for job in group:
                others = tuple(other for other in job.write.removals if other != tag)
                job.write = job.write.in_order((tag, *others))
                del left[job.asset_id]
            chosen += group
    return chosen


def order_removals(jobs: Sequence[Job]) -> None:
    """Set for each job the order in which its tags go, so that calls are shared."""
    rounds = remove_rounds(
        [(job.write.plan.asset_id, frozenset(job.write.removals)) for job in jobs if job.write.removals]
    )
    turns: dict[str, list[str]] = {}
    for batches in rounds:
        for batch in batches:
            for asset_id in batch.asset_ids:
                turns.setdefault(asset_id, []).extend(batch.tags)
    for job in jobs:
        if job.asset_id in turns:
            job.write = job.write.in_order(tuple(turns[job.asset_id]))
