"""How one asset's write stands: the fields of its state, without what may happen to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

from reconciler.core.asset import Applied

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.reasons import Reason
    from reconciler.core.records import (
        AssetRecord,
        AssetStatus,
        Crossing,
        Field,
        LeftOut,
        PendingWrite,
        WriteStep,
    )  # fmt: skip

State = Literal["ready", "sent", "moved", "yielding", "done"]
"""``yielding``: somebody else's edit is being digested; ours waits, for two at once can lose one for ever."""
UNSEEN_LOOKS = 2
"""Looks without the asset after which it is read by itself: listings skip rows."""


@dataclass(frozen=True, slots=True)
class WriteState:
    """How the write of one asset stands. Only the events of ``asset_write.AssetWrite`` give another."""

    plan: AssetPlan
    record: AssetRecord
    observed: ObservedAsset
    """As last read; its tags too where they are managed."""
    state: State = "ready"
    steps: tuple[WriteStep, ...] = ()
    removals: tuple[str, ...] = ()
    """Tags still to be taken off, one a write."""
    pending: PendingWrite | None = None
    was_ours: Applied = field(default_factory=Applied)
    """What was ours when the pass began, whatever has become of it."""
    unverified: frozenset[str] = frozenset()
    """Tags that were taken off before; the reading after the last one verifies them all."""
    attempt: int = 1
    sent_steps: tuple[WriteStep, ...] = ()
    """Of all its writes so far."""
    taken_off: tuple[str, ...] = ()
    """The tags of its writes so far that took one off."""
    turn: int = 0
    """How-many-th of all writes it was: Immich digests in this order, nearly."""
    sent_at: float = 0.0
    answered_at: float = 0.0
    """When its call was answered: by then Immich had it in its queue."""
    moved_at: float = 0.0
    """By when it had moved; later where its move came out of turn, and so may be another's."""
    first_moved_at: float = 0.0
    """When its move was first seen; of a yielding one, since when it is let be, or has last moved."""
    moved_to: datetime | None = None
    """Its date when it was seen moved: from there on a look shows it again."""
    quiet: float = 0.0
    """Seconds without a move after which a yielding one goes on; 0: it need not yield."""
    asked_at: float = 0.0
    """When it was last read by itself."""
    looks: int = 0
    """Looks since it moved that did not show it: listings may skip a row."""
    troubles: int = 0
    """Readings of it in a row that failed for a time."""
    crossed: bool = False
    """Whether somebody else moved it between our reading and the settling of our write."""
    crossing: Crossing | None = None
    """The last such time, for the record."""
    theirs: frozenset[str] = frozenset()
    """Tags of a person that Immich lost in this pass: put back, they are theirs still."""
    remark: Reason | None = None
    """What a person should know of it: kept with the outcome."""
    doubtful: bool = False
    """Whether the write may never have arrived."""
    adopted: bool = False
    """Whether the write is an earlier run's."""
    sent_for: float = 0.0
    """Seconds for which it had been on its way when it was adopted, at least."""
    dying: bool = False
    """Whether Immich was found to fail at reading its file: its date does not move."""
    verified: frozenset[WriteStep] = frozenset()
    reverted: frozenset[WriteStep] = frozenset()
    changed: frozenset[Field] = frozenset()
    proven: frozenset[Reason] = frozenset()
    """What was found to be wrong with the asset as a whole, by as many attempts as it takes."""
    status: AssetStatus | None = None
    """Set when it ended otherwise than its plan says; ``failed`` then says why."""
    failed: Reason | None = None

    @property
    def step(self) -> WriteStep | None:
        """The step that is sent, or next."""
        return self.steps[0] if self.steps else None

    def times_sent(self, step: WriteStep) -> int:
        """Count how often this was sent; of tags to take off the one that was taken off most often."""
        if step == "remove_tags":
            return max((self.taken_off.count(tag) for tag in self.removals), default=0)
        return self.sent_steps.count(step)

    def owning(self, record: AssetRecord, seen: ObservedAsset) -> AssetRecord:
        """Return a record that owns what was ours when the pass began, is there, and was not taken off by us.

        A tag that is deleted on the server is gone at once, and comes back with the asset's next extraction.
        """
        back = (self.was_ours.tags & (seen.tags or frozenset())) - set(self.taken_off)
        if self.plan.gives_back or back <= record.applied.tags:
            return record
        return replace(record, applied=replace(record.applied, tags=record.applied.tags | back))

    def with_known_tags(self, row: ObservedAsset) -> ObservedAsset:
        """Return a row of a listing, which shows no tags, with those of the last reading."""
        return row if row.tags is not None else replace(row, tags=self.observed.tags)

    def knowing(self, left_out: tuple[LeftOut, ...]) -> Self:
        """Return it with what a person left out of it by now."""
        return replace(self, record=replace(self.record, left_out=left_out))

    @property
    def under_way(self) -> bool:
        """Whether Immich has a write of ours that has not settled."""
        return self.state in {"sent", "moved"}

    @property
    def goes_on_unread(self) -> bool:
        """Whether the next tag may go before this one is verified: the last reading tells of all."""
        return self.steps[:2] == ("remove_tags", "remove_tags")

    @property
    def is_read(self) -> bool:
        """Whether no listing tells what a write did, for none shows tags.

        An undo's text is among these where tags of ours are missing: its extraction brings back those that
        were deleted on the server. So is an earlier run's: who was at work beside it is told by the tags.
        """
        if self.pending is None:
            return False
        if self.pending.tags:
            return not self.goes_on_unread
        if self.adopted and self.pending.beside:
            return True
        there = self.observed.tags
        return self.plan.gives_back and there is not None and not self.was_ours.tags <= there

    @property
    def needs_reading(self) -> bool:
        """Whether it is read by itself, once it moved."""
        return self.is_read or self.looks >= UNSEEN_LOOKS
