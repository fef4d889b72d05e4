"""One asset on its way through a pass, step by step. What Immich kept of a step is ``verifying``'s.

An asset is in at most one write at a time, and is not written again until that write has settled: its
``updatedAt`` has moved past the write, and it has been seen again a second later.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from reconciler.core.records import AssetRecord, PendingWrite

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan import AssetPlan
    from reconciler.core.records import AssetStatus, Field, WriteStep
    from reconciler.engine.passes import Item

State = Literal["ready", "sent", "moved", "yielding", "done"]
"""``yielding``: somebody else's edit is being digested; ours waits, for two at once can lose one for ever."""

MOST_ATTEMPTS = 2
"""A field that did not stick is tried once more, from a fresh reading."""
UNSEEN_LOOKS = 2
"""Looks without the asset after which it is read by itself: listings skip rows."""
MOST_WRITES = 6
"""Writes of one kind to one asset in a pass (tags to remove aside): more is somebody writing against us."""


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
    turn: int = 0
    """How-many-th of all assets it was sent: Immich digests in this order, nearly."""
    sent_at: float = 0.0
    """Monotonic seconds, like those below."""
    moved_at: float = 0.0
    """By when it had moved; later where its move came out of turn, and so may be another's."""
    first_moved_at: float = 0.0
    quiet: float = 0.0
    """Seconds without a move after which a yielding one goes on."""
    asked_at: float = 0.0
    """When it was last read by itself."""
    moved_to: datetime | None = None
    """Its date when it was seen moved: from there on a look shows it again."""
    moved_before: datetime | None = None
    """A date up to which its moves are another's: it was there before our write was."""
    crossed: bool = False
    """Whether somebody else moved it between our reading and the settling of our write."""
    remark: str = ""
    """What a person should know of it; told at the end of the turn, and said with the outcome."""
    untold: bool = False
    looks: int = 0
    """Looks since it moved that did not show it: listings may skip a row."""
    yields: int = 0
    """Times that it was left to somebody else who was at work on it."""
    troubles: int = 0
    """Readings of it that failed for a time."""
    writes: Counter[WriteStep] = field(default_factory=Counter)
    doubtful: bool = False
    """Whether the write may never have arrived."""
    adopted: bool = False
    """Whether the write is an earlier run's."""
    verified: set[WriteStep] = field(default_factory=set)
    reverted: set[WriteStep] = field(default_factory=set)
    changed: set[Field] = field(default_factory=set)
    proven: set[str] = field(default_factory=set)
    """What was found to be wrong with the asset as a whole, by as many attempts as it takes."""
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
            first_moved_at=now,
            moved_to=plan.observed.updated_at,
            doubtful=True,
            adopted=True,
        )

    @property
    def step(self) -> WriteStep | None:
        """The step that is sent, or next."""
        return self.steps[0] if self.steps else None

    def take(self, plan: AssetPlan) -> None:
        """Go by this plan from here on.

        The description comes last: it is written whole, and the reading that verifies the tags is the fresh
        one that it is made from. So no request is spent on looking once more before it.
        """
        self.plan, self.observed = plan, plan.observed
        self.record = replace(self.record, applied=plan.base)
        self.adopted = self.doubtful = False
        # Removals keep their order, in which calls are shared.
        kept_order = [tag for tag in self.removals if tag in plan.remove_tags]
        self.removals = kept_order + sorted(plan.remove_tags - set(kept_order))
        self.steps = ["add_tags"] if plan.add_tags else []
        self.steps += ["remove_tags"] * len(self.removals)
        if plan.writes_fields:
            self.steps.append("fields")
        self.state = "ready" if self.steps else "done"
        if self.steps and self.steps[0] != "remove_tags" and self.writes[self.steps[0]] >= MOST_WRITES:
            self.fail("it kept changing while it was written; the next pass goes on")

    def fail(self, why: str, status: AssetStatus = "failed") -> None:
        """End here, otherwise than the plan says. A write under way stays recorded for the next pass."""
        self.state, self.status, self.failed = "done", status, why

    def leave_out(self, steps: frozenset[WriteStep], why: str) -> None:
        """Go on without these steps: the API key does not allow them."""
        self.steps = [step for step in self.steps if step not in steps]
        self.status, self.failed = "failed", why
        self.state = "ready" if self.steps else "done"

    def intend(self, run_id: str) -> PendingWrite:
        """Make the record of the next write, before it is sent."""
        step, plan = self.step, self.plan
        assert step is not None  # noqa: S101 - only jobs with a step are sent
        self.moved_before, self.crossed = None, False
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
