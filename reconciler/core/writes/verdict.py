"""The verdict on a settled write: what stuck and is ours, what did not and why, and whether to try again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.desired.coordinates import same_place
from reconciler.core.writes.verification import (
    FLIPPED,
    OTHER,
    READ_ONLY,
    diagnose,
    disturbed,
    edited_after,
    kept,
    owned_after,
    unsticking,
    vanished,
    with_unsticking,
)

if TYPE_CHECKING:
    from reconciler.core.asset import ObservedAsset
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, Field, PendingWrite, Unsticking
    from reconciler.core.writes.sight import Sight, Terms
    from reconciler.core.writes.write_state import WriteState

MOST_ATTEMPTS = 2
"""A field that did not stick is tried once more, from a fresh reading."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a write."""

    record: AssetRecord
    changed: frozenset[Field]
    """The fields that stuck."""
    attempt: int
    """Of the next write."""
    proven: frozenset[Reason]
    """What is wrong with the asset as a whole, by as many attempts as it takes."""
    verified: bool
    reverted: bool
    theirs: frozenset[str]
    """Tags of a person that are gone though we did not take them off, in this write or before."""
    crossed: bool
    """Whether somebody changed it at the very moment, and what they did may be lost."""
    others: bool
    """Whether somebody is at work on it."""


def judge(
    write: WriteState, pending: PendingWrite, seen: ObservedAsset, sight: Sight, terms: Terms
) -> Verdict:
    """Compare a settled write with what is shown; tags taken off before it are verified with it."""
    if pending.step == "remove_tags":
        pending = replace(pending, tags=pending.tags | write.unverified)
    result = kept(pending, seen, terms.markers)
    diagnoses = {which: diagnose(which, write, seen, terms.markers) for which in sorted(result.lost)}
    entries: list[Unsticking] = []
    # A write that may never have arrived, or met a person's, says nothing about what Immich keeps.
    others = disturbed(write, seen)
    telling = not (write.doubtful or others or write.crossed)
    attempt, proven = write.attempt, write.proven
    # Nobody else puts a place just where ours would be mirrored: that it came of our write needs no telling.
    mirrored = not same_place(seen.coordinates, write.observed.coordinates)
    final = [
        (which, diagnosis)
        for which, diagnosis in diagnoses.items()
        if (telling and (attempt >= MOST_ATTEMPTS or diagnosis in proven | {FLIPPED}))
        or (mirrored and diagnosis == FLIPPED)
    ]
    for which, diagnosis in final:
        entries += unsticking(which, pending, seen, terms.server, diagnosis)
    if telling:
        # What two tries of its fields have shown needs not two more of its tags.
        proven |= {diagnosis for _, diagnosis in final} & {READ_ONLY}
        attempt = attempt + 1 if len(result.lost) > len(final) else 1
    # Verified is every field of the write. A sign that Immich turns is no fault of the write.
    verified = bool(result.fields) and all(one == FLIPPED for one in diagnoses.values())
    owned = owned_after(write.record.applied, pending, result)
    if result.lost:
        owned = owned_after(owned, pending, edited_after(pending, write.observed, seen, terms.markers))
    gone = vanished(write, pending, seen)
    theirs = write.theirs | (gone - write.was_ours.tags)
    record = replace(
        write.record,
        applied=replace(owned, tags=owned.tags - theirs),
        seen_updated_at=seen.updated_at,
        changed_at=sight.at if result.fields else write.record.changed_at,
    )
    record = write.owning(record, seen)
    return Verdict(
        record=with_unsticking(record, entries),
        changed=result.fields,
        attempt=attempt,
        proven=proven,
        theirs=theirs,
        verified=verified,
        reverted=not verified and telling and READ_ONLY in diagnoses.values(),
        # A sign that Immich turns hides no edit. A tag that is gone a person took off, or Immich lost it.
        crossed=(write.crossed and not others and all(one == FLIPPED for one in diagnoses.values()))
        or bool(gone),
        others=others or OTHER in diagnoses.values(),
    )
