"""One asset on its way through a pass: its steps, and the check of what Immich kept of each.

An asset is in at most one write at a time, and is not written again until that write has settled: its
``updatedAt`` has moved past the write, and it has been seen again a second later.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from reconciler.core.coordinates import same_place, sign_flipped
from reconciler.core.description import split
from reconciler.core.fingerprint import digest, place
from reconciler.core.planning import live_digest
from reconciler.core.records import AssetRecord, PendingWrite, Unsticking
from reconciler.core.text import normal

if TYPE_CHECKING:
    from reconciler.core.asset import Applied, ObservedAsset
    from reconciler.core.description import Markers
    from reconciler.core.plan import AssetPlan
    from reconciler.core.records import AssetStatus, Field, WriteStep
    from reconciler.engine.passes import Item

State = Literal["ready", "sent", "moved", "done"]

MOST_ATTEMPTS = 2
"""A field that did not stick is tried once more, from a fresh reading."""

READ_ONLY = (
    "Immich took the write and put the old value back: it can not write beside the file. Make the "
    "library's folder writable for Immich; it is tried again when something about the image changes."
)
FLIPPED = (
    "Immich turns the sign of this place, which is near the equator, Greenwich or the antimeridian; it can "
    "not be written through Immich's API. Enter it by hand in the file, or leave it."
)
OTHER = "Immich kept something else than what was written; it is tried again when something changes."


@dataclass(slots=True)
class Job:
    """An asset with something to write. Mutable: it lives for one pass, in one task."""

    item: Item
    plan: AssetPlan
    record: AssetRecord
    observed: ObservedAsset
    """As last read; its tags too where they are managed."""
    state: State = "ready"
    steps: list[WriteStep] = field(default_factory=list)
    removals: list[str] = field(default_factory=list)
    """Tags still to be taken off, one a write."""
    pending: PendingWrite | None = None
    attempt: int = 1
    sent_at: float = 0.0
    """Monotonic seconds, like the two below."""
    moved_at: float = 0.0
    asked_at: float = 0.0
    """When it was last read by itself."""
    looks: int = 0
    """Looks since it moved that did not show it: listings may skip a row."""
    doubtful: bool = False
    """Whether the write may never have arrived."""
    adopted: bool = False
    """Whether the write is an earlier run's."""
    retry: bool = False
    """Whether it has to be planned anew before its next step."""
    verified: set[WriteStep] = field(default_factory=set)
    reverted: set[WriteStep] = field(default_factory=set)
    changed: set[Field] = field(default_factory=set)
    status: AssetStatus | None = None
    """Set when the job ended otherwise than its plan says; ``failed`` then says why."""
    failed: str = ""

    @classmethod
    def adopt(
        cls, item: Item, record: AssetRecord, plan: AssetPlan, pending: PendingWrite, now: float
    ) -> Job:
        """Make a job of an earlier run's write that was not seen settled: it is waited for first."""
        moved = plan.observed.updated_at > pending.before_updated_at
        return cls(
            item=item,
            plan=plan,
            record=record,
            observed=plan.observed,
            state="moved" if moved else "sent",
            steps=[pending.step],
            removals=sorted(pending.tags) if pending.step == "remove_tags" else [],
            pending=pending,
            attempt=pending.attempt,
            sent_at=now,
            moved_at=now,
            doubtful=True,
            adopted=True,
        )

    @property
    def step(self) -> WriteStep | None:
        """The step that is sent, or next."""
        return self.steps[0] if self.steps else None

    def take(self, plan: AssetPlan) -> None:
        """Go by this plan from here on."""
        self.plan, self.observed = plan, plan.observed
        self.record = replace(self.record, applied=plan.base)
        self.retry = self.adopted = self.doubtful = False
        self.steps = []
        if plan.writes_fields:
            self.steps.append("fields")
        if plan.add_tags:
            self.steps.append("add_tags")
        self.removals = sorted(plan.remove_tags)
        self.steps += ["remove_tags"] * len(self.removals)
        self.state = "ready" if self.steps else "done"

    def intend(self, run_id: str) -> PendingWrite:
        """Make the record of the next write, before it is sent."""
        step, plan = self.step, self.plan
        assert step is not None  # noqa: S101 - only jobs with a step are sent
        self.pending = PendingWrite(
            asset_id=plan.asset_id,
            image_id=plan.image_id,
            run_id=run_id,
            step=step,
            sent=False,
            before_updated_at=self.observed.updated_at,
            description=plan.description if step == "fields" else None,
            block=plan.block if step == "fields" else None,
            prose=plan.prose if step == "fields" else None,
            coordinates=plan.coordinates if step == "fields" else None,
            tags=self._tags(step),
            attempt=self.attempt,
        )
        return self.pending

    def _tags(self, step: WriteStep) -> frozenset[str]:
        if step == "add_tags":
            return self.plan.add_tags
        return frozenset(self.removals[:1]) if step == "remove_tags" else frozenset()


@dataclass(frozen=True, slots=True)
class Kept:
    """What Immich kept of a write."""

    fields: frozenset[Field]
    """Those that stuck."""
    lost: frozenset[Field]
    """Those that did not."""


def kept(pending: PendingWrite, seen: ObservedAsset, markers: Markers) -> Kept:
    """Compare a settled asset with what was written. ``seen.tags`` must be read for tag writes.

    Block and prose are looked at apart: a person may have touched one of them meanwhile.
    """
    stuck: set[Field] = set()
    lost: set[Field] = set()
    if pending.description is not None:
        parts = split(seen.description, markers, pending.block)
        whole = normal(seen.description) == normal(pending.description)
        if pending.block is not None:
            same = whole or normal(parts.block or "") == normal(pending.block)
            (stuck if same else lost).add("block")
        if pending.prose is not None:
            same = whole or normal(parts.prose) == normal(pending.prose)
            (stuck if same else lost).add("prose")
    if pending.coordinates is not None:
        (stuck if same_place(pending.coordinates, seen.coordinates) else lost).add("coordinates")
    if pending.tags:
        live = seen.tags or frozenset()
        there = pending.tags <= live if pending.step == "add_tags" else not pending.tags & live
        (stuck if there else lost).add("tags")
    return Kept(frozenset(stuck), frozenset(lost))


def owned_after(applied: Applied, pending: PendingWrite, result: Kept) -> Applied:
    """Give what is ours after a write of which ``result`` was kept."""
    if "block" in result.fields and pending.block is not None:
        applied = replace(applied, block=pending.block or None)
    if "prose" in result.fields and pending.prose is not None:
        applied = replace(applied, prose=pending.prose or None)
    if "coordinates" in result.fields:
        applied = replace(applied, coordinates=pending.coordinates)
    if "tags" in result.fields and pending.tags:
        added = pending.step == "add_tags"
        tags = applied.tags | pending.tags if added else applied.tags - pending.tags
        applied = replace(applied, tags=tags)
    return applied


def diagnose(which: Field, job: Job, seen: ObservedAsset) -> str:
    """Say why a field did not stick, as far as it shows."""
    pending = job.pending
    if which == "coordinates" and pending and pending.coordinates:
        if sign_flipped(pending.coordinates, seen.coordinates):
            return FLIPPED
        return READ_ONLY if same_place(seen.coordinates, job.observed.coordinates) else OTHER
    if which == "tags":
        before = job.observed.tags or frozenset()
        return READ_ONLY if (seen.tags or frozenset()) == before else OTHER
    return READ_ONLY if normal(seen.description) == normal(job.observed.description) else OTHER


def unsticking(which: Field, job: Job, seen: ObservedAsset, server: str, diagnosis: str) -> Unsticking:
    """Remember a value that Immich does not keep, with all whose change is a reason to try again."""
    pending = job.pending
    assert pending is not None  # noqa: S101 - only what was written can fail to stick
    tags = digest(pending.tags) if pending.step == "add_tags" else digest("-", *sorted(pending.tags))
    wanted = {
        "block": digest(pending.block or ""),
        "prose": digest(pending.prose or ""),
        "coordinates": digest(place(pending.coordinates)),
        "tags": tags,
    }[which]
    return Unsticking(which, wanted, live_digest(which, seen), server, diagnosis)


def with_unsticking(record: AssetRecord, entries: list[Unsticking]) -> AssetRecord:
    """Give the record with these entries; an older one of the same field and value, or outlived, goes."""
    live = {entry.field: entry.live for entry in entries}
    wanted = {(entry.field, entry.desired) for entry in entries}
    others = [
        entry
        for entry in record.unsticking
        if (entry.field, entry.desired) not in wanted and live.get(entry.field, entry.live) == entry.live
    ]
    return replace(record, unsticking=(*others, *entries))
