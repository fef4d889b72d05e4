"""One asset's write: a frozen value. Events give its successor and what is to be done; only they change it.

An asset is in at most one write at a time, and is not written again until that write has settled: its
``updatedAt`` has moved past the write, and it has been seen again a second later.

========  ================  ========================  ========================  ==========  ===============
state     on_sent           on_seen (a look's row)    on_read (a reading)       on_refused  on_overdue
========  ================  ========================  ========================  ==========  ===============
ready     sent; moved if    newer than known: read    plan anew; then yielding  done        stays
          nothing changed                             if somebody is at work
sent      not allowed       date past the write:      likewise; never arrived:  done        done, pending:
                            moved; a date from        plan anew; overtaken and              unconfirmed
                            before it: another's      there: judged
moved     not allowed       shown again a second      after that second:        done        read
                            later: judged, plan anew  judged, plan anew
yielding  not allowed       quiet for long enough:    likewise                  done        stays
                            ready
done      not allowed       stays                     stays                     stays       stays
========  ================  ========================  ========================  ==========  ===============

``on_planned`` takes the plan that was asked for: ready with its steps, done without, yielding where somebody
is at work. Times are monotonic seconds, and every event is given them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.reasons import reason
from reconciler.core.records import Crossing
from reconciler.core.writes.intent import elsewhere, found_moved, intent, waited_anew
from reconciler.core.writes.verdict import judge
from reconciler.core.writes.verification import CROSSED, differ, disturbed, kept
from reconciler.core.writes.write_state import UNSEEN_LOOKS, WriteState

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, AssetStatus, PendingWrite, WriteStep
    from reconciler.core.writes.sight import Sight, Terms

Todo = Literal["nothing", "read", "plan"]
"""What follows: read the asset by itself, or merge it anew from ``observed``, for ``on_planned``."""

MOST_WRITES = 6
"""Writes of one kind to one asset in a pass, or of one tag taken off: more is somebody writing against us."""
_MOST_WAITS = 3
"""Times the grace for which an asset that others move, too, is waited for."""

KEPT_CHANGING: Final = reason("kept_changing")
UNCONFIRMED: Final = reason("unconfirmed")

Next = tuple["AssetWrite", Todo]


@dataclass(frozen=True, slots=True)
class AssetWrite(WriteState):
    """An asset with something to write, and what follows from each event."""

    # -- beginnings -------------------------------------------------------------------------------------

    @classmethod
    def begin(cls, plan: AssetPlan, record: AssetRecord) -> AssetWrite:
        """Make the write of a plan."""
        return cls(plan, record, plan.observed, was_ours=record.applied).on_planned(plan, 0.0)

    @classmethod
    def adopt(
        cls, plan: AssetPlan, record: AssetRecord, pending: PendingWrite, now: float, sent_for: float = 0.0
    ) -> AssetWrite:
        """Make one of an earlier run's write that was not seen settled: it is waited for first."""
        if elsewhere(pending, plan.observed):
            pending = waited_anew(pending, plan.observed)
        moved = found_moved(pending, plan.observed, sent_for)
        return cls(
            plan,
            record,
            plan.observed,
            was_ours=record.applied,
            state="moved" if moved else "sent",
            steps=(pending.step,),
            removals=tuple(sorted(pending.tags)) if pending.step == "remove_tags" else (),
            pending=pending,
            attempt=pending.attempt,
            sent_at=now,
            answered_at=now,
            moved_at=now,
            first_moved_at=now,
            moved_to=plan.observed.updated_at,
            doubtful=True,
            adopted=True,
            sent_for=sent_for,
        )

    def intent(self, run_id: str, at: datetime) -> PendingWrite:
        """Make the record of the next write, to be kept before it is sent."""
        assert self.steps  # noqa: S101 - only what has a step is sent
        return intent(
            self.plan, self.steps[0], self.removals, seen=self.observed, attempt=self.attempt, run_id=run_id,
            at=at,
        )  # fmt: skip

    def in_order(self, removals: tuple[str, ...]) -> AssetWrite:
        """Return it with the tags that are to be taken off in this order, in which calls are shared."""
        return replace(self, removals=removals) if set(removals) == set(self.removals) else self

    # -- events: planned, sent, refused, overdue --------------------------------------------------------

    def on_planned(self, plan: AssetPlan, now: float) -> AssetWrite:
        """Go by this plan from here on.

        Fields come first: after every write Immich upserts all tags of the asset, so tags first makes it do
        that twice. Adding tags takes nobody's words, so it needs no fresh reading.
        """
        kept_order = [tag for tag in self.removals if tag in plan.remove_tags]  # in which calls are shared
        removals = (*kept_order, *sorted(plan.remove_tags - set(kept_order)))
        steps: list[WriteStep] = ["fields"] if plan.writes_fields else []
        steps += ["add_tags"] if plan.add_tags else []
        steps += ["remove_tags"] * len(removals)
        planned = replace(
            self,
            plan=plan,
            observed=plan.observed,
            record=replace(self.record, applied=plan.base, superseded=plan.superseded),
            adopted=False,
            sent_for=0.0,
            doubtful=False,
            removals=removals,
            steps=tuple(steps),
            state="ready" if steps else "done",
            quiet=0.0,
        )
        if steps and planned.times_sent(steps[0]) >= MOST_WRITES:
            return planned.on_refused(KEPT_CHANGING)
        return planned.giving_way(now, self.quiet) if self.quiet else planned

    def giving_way(self, now: float, quiet: float) -> AssetWrite:
        """Let an asset be on which somebody is at work, until it has been quiet for so long."""
        if self.state != "ready":
            return self
        known = self.observed.updated_at
        return replace(self, state="yielding", moved_at=now, first_moved_at=now, quiet=quiet, moved_to=known)

    def on_sent(
        self,
        pending: PendingWrite,
        now: float,
        turn: int,
        *,
        answered: float | None = None,
        doubtful: bool = False,
        unchanged: bool = False,
        before: datetime | None = None,
    ) -> AssetWrite:
        """Note that the next step was sent, and accepted, or may have been.

        Args:
            pending: as it was recorded.
            now: when it was sent.
            turn: how-many-th write it is.
            answered: when the answer came; ``None``: at once.
            doubtful: it may never have arrived.
            unchanged: Immich says that nothing changed: nothing will move, so it is read right away.
            before: the asset's date just before the write, where the answer shows it.

        Raises:
            ValueError: it was not ready: two writes at once can lose one for ever.
        """
        if self.state != "ready" or not self.steps:
            raise ValueError(f"asset {self.plan.asset_id} is {self.state}: nothing may be sent")
        if crossed := before is not None and before > self.observed.updated_at:
            pending = replace(pending, before_updated_at=before)
        sent = replace(
            self,
            state="sent",
            pending=pending,
            sent_at=now,
            answered_at=now if answered is None else answered,
            turn=turn,
            sent_steps=(*self.sent_steps, self.steps[0]),
            taken_off=self.taken_off + self.removals[: self.steps[0] == "remove_tags"],
            doubtful=doubtful,
            crossed=crossed,
        )
        if not unchanged:
            return sent
        return replace(sent, state="moved", moved_to=None, moved_at=-math.inf, first_moved_at=-math.inf)

    def on_refused(self, why: Reason, status: AssetStatus = "failed") -> AssetWrite:
        """End here, otherwise than the plan says. A write under way stays recorded for the next pass.

        Where nothing was sent, what is ours stays as it was: the next pass judges that by its own reading.
        """
        if self.state == "done":
            return self
        record = self.record if self.sent_steps else replace(self.record, applied=self.was_ours)
        return replace(self, state="done", status=status, failed=why, record=record)

    def on_gone(self, why: Reason) -> AssetWrite:
        """End here: Immich does not know the asset any more, so its write will not be waited for."""
        return replace(self, pending=None).on_refused(why, "unknown_asset")

    def on_denied(self, steps: frozenset[WriteStep], why: Reason) -> AssetWrite:
        """Go on without these steps: the API key does not allow them."""
        left = tuple(step for step in self.steps if step not in steps)
        denied = replace(self, steps=left, status="failed", failed=why, pending=None)
        return replace(denied, state="ready" if left else "done")

    def on_overdue(self, now: float) -> Next:  # noqa: ARG002 - every event is given the time
        """Note that nothing has moved for longer than Immich takes: its queue stands still, or is long."""
        if self.state == "sent":
            return replace(self, state="done", status="pending", failed=UNCONFIRMED), "nothing"
        return self, "read" if self.state == "moved" else "nothing"

    def on_trouble(self) -> AssetWrite:
        """Count a reading that failed for a time."""
        return replace(self, troubles=self.troubles + 1)

    def on_asked(self, now: float) -> AssetWrite:
        """Note that it is being read by itself."""
        return replace(self, asked_at=now)

    # -- events: seen, read -----------------------------------------------------------------------------

    def on_seen(self, row: ObservedAsset | None, sight: Sight, terms: Terms) -> Next:
        """Use a look: its row of this asset, without tags; ``None`` where it showed none."""
        if self.state == "ready":
            newer = row is not None and row.updated_at > self.observed.updated_at
            return self, "read" if newer else "nothing"
        if self.state == "yielding":
            return self._waited(row, sight), "nothing"
        if self.state == "sent" and row is not None:
            return self._moved(row, sight), "nothing"
        if self.state == "moved":
            return self._seen_again(row, sight, terms)
        return self, "nothing"

    def on_read(
        self, seen: ObservedAsset, sight: Sight, terms: Terms, row: ObservedAsset | None = None
    ) -> Next:
        """Use a reading of the asset by itself, tags included.

        Args:
            seen: the asset.
            sight: how it came.
            terms: of the pass.
            row: what a look has just shown of it, if it was read for that.
        """
        if self.troubles:
            return replace(self, troubles=0).on_read(seen, sight, terms, row)
        if self.state == "ready":
            return self._reread(seen, sight, terms, row), "plan"
        if self.state == "yielding":
            return self._waited(seen, sight), "nothing"
        if self.state == "sent":
            write = self._moved(seen, sight)
            sent = write.state == "sent"
            return _unmoved(write, seen, sight, terms) if sent else write.on_read(seen, sight, terms)
        if self.state == "moved":
            write = self._moved_again(seen, sight, terms)
            due = sight.asked - write.moved_at >= terms.recheck
            return (write.judged(seen, sight, terms), "plan") if due else (write, "nothing")
        return self, "nothing"

    def held_back(self, now: float, terms: Terms) -> AssetWrite:
        """Doubt a move that came out of turn: it may be another's, so its wait begins anew."""
        if self.state == "moved" and now - self.first_moved_at < _MOST_WAITS * terms.grace:
            return replace(self, moved_at=max(self.moved_at, now))
        return self

    def _moved(self, seen: ObservedAsset, sight: Sight) -> AssetWrite:
        """Note a sight of a sent asset. A date from before the write, or a person's, does not count."""
        pending = self.pending
        if pending is None or seen.updated_at <= pending.before_updated_at:
            return self
        if sight.anothers or (self.adopted and elsewhere(pending, seen)):
            return replace(self, pending=waited_anew(pending, seen), crossed=self.crossed or sight.anothers)
        return replace(
            self,
            state="moved", moved_at=sight.moved_at, first_moved_at=sight.now, looks=0,
            moved_to=seen.updated_at,
        )  # fmt: skip

    def _moved_again(self, seen: ObservedAsset, sight: Sight, terms: Terms) -> AssetWrite:
        """Let the wait of a moved asset begin anew where it moved once more: two were at work on it."""
        if self.moved_to is None or seen.updated_at <= self.moved_to:
            return self
        write = replace(self, moved_to=seen.updated_at, crossed=True)
        if sight.now - self.first_moved_at < _MOST_WAITS * terms.grace:
            write = replace(write, moved_at=max(self.moved_at, sight.moved_at))
        return write

    def _seen_again(self, row: ObservedAsset | None, sight: Sight, terms: Terms) -> Next:
        write = self if row is None else self._moved_again(row, sight, terms)
        if sight.asked - write.moved_at < terms.recheck or write.pending is None or write.is_read:
            return write, "nothing"
        if row is None:
            return replace(write, looks=write.looks + 1), "nothing"
        if write.pending.tags:
            return _without_verification(write, row), "nothing"
        if kept(write.pending, row, terms.markers).lost:
            # Why, a reading tells better: its tags show whether a person was there.
            return replace(write, looks=UNSEEN_LOOKS), "read"
        return write.judged(row, sight, terms), "plan"

    def _waited(self, row: ObservedAsset | None, sight: Sight) -> AssetWrite:
        """Let an asset that a person works on be, until it has been quiet for long enough.

        Each edit, theirs and ours, moves the date when it is digested; how many are to come is not known.
        """
        if row is not None and (self.moved_to is None or row.updated_at > self.moved_to):
            # What differs from this before the date moves again is the next edit.
            known, now = self.with_known_tags(row), sight.now
            return replace(self, moved_at=now, first_moved_at=now, moved_to=row.updated_at, observed=known)
        if sight.queued:  # Immich has not come to their edit: only then the quiet begins
            return replace(self, moved_at=sight.now)
        if sight.now - self.moved_at > self.quiet:
            return replace(self, state="ready", quiet=0.0)
        return self

    def _reread(
        self, seen: ObservedAsset, sight: Sight, terms: Terms, row: ObservedAsset | None
    ) -> AssetWrite:
        """Take a reading before a write. Somebody's edit that is being digested is waited for."""
        before = self.observed
        # A move to the archive or the trash shows in the date at once, and is digested all the same.
        told_early = (seen.visibility, seen.is_trashed) != (before.visibility, before.is_trashed)
        unmoved = seen.updated_at <= before.updated_at
        being_digested = told_early or (unmoved and disturbed(self, seen))
        being_digested |= row is not None and seen.updated_at <= row.updated_at and differ(seen, row)
        quiet = terms.grace if being_digested else 0.0
        if not being_digested and not unmoved and sight.asked - sight.moved_at < terms.recheck:
            quiet = terms.recheck  # a person's edit has settled as ours do: a second after the asset moved
        return replace(self, observed=seen, quiet=quiet, record=self.owning(self.record, seen))

    # -- the verdict ------------------------------------------------------------------------------------

    def judged(self, seen: ObservedAsset, sight: Sight, terms: Terms) -> AssetWrite:
        """Verify a settled write: note what stuck, decide on what did not. It is to be planned anew.

        It yields to somebody who is at work on the asset: it shows neither what was written nor what was
        there before.
        """
        if self.pending is None:
            return self
        found = judge(self, self.pending, seen, sight, terms)
        step, crossing = frozenset({self.pending.step}), self.crossing
        if found.crossed:
            crossing = Crossing(sight.at, found.changed, self.pending.run_id)
        return replace(
            self,
            pending=None,
            unverified=frozenset(),
            attempt=found.attempt,
            proven=found.proven,
            theirs=found.theirs,
            remark=CROSSED if found.crossed else self.remark,
            crossing=crossing,
            verified=self.verified | (step if found.verified else frozenset()),
            reverted=self.reverted | (step if found.reverted else frozenset()),
            changed=self.changed | found.changed,
            record=found.record,
            observed=self.with_known_tags(seen),
            quiet=terms.grace if found.others else 0.0,
        )


def _without_verification(write: AssetWrite, row: ObservedAsset) -> AssetWrite:
    """Go on to the next tag to take off; the one that was is verified with the last."""
    gone = write.pending.tags if write.pending else frozenset[str]()
    tags = None if write.observed.tags is None else write.observed.tags - gone
    return replace(
        write,
        state="ready",
        pending=None,
        unverified=write.unverified | gone,
        steps=write.steps[1:],
        removals=write.removals[1:],
        observed=replace(row, tags=tags),
    )


def _unmoved(write: AssetWrite, seen: ObservedAsset, sight: Sight, terms: Terms) -> Next:
    """Use a reading of a sent asset whose date has not moved past the write."""
    if write.pending is None:
        return write, "nothing"
    there = not kept(write.pending, seen, terms.markers).lost
    if there and (sight.overtaken or write.dying):
        return replace(write, dying=True).judged(seen, sight, terms), "plan"
    if not there and write.doubtful and sight.now - write.sent_at >= terms.grace:
        if (text := write.pending.description) is not None and seen.description == terms.as_sent(text):
            return write, "nothing"  # it waits in Immich's queue
        # A proxy may hand it on long after it gave up waiting.
        return replace(write, pending=None, observed=seen), "plan"
    return write, "nothing"
