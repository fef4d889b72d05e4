"""What Immich kept of a write, what is ours after it, and why something did not stick. Pure: values only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.block import split
from reconciler.core.desired.coordinates import sign_flipped
from reconciler.core.fields import BY_NAME, VALUE_FIELDS, with_values
from reconciler.core.fingerprint import digest
from reconciler.core.plan.standing import live_digest
from reconciler.core.reasons import reason
from reconciler.core.records import Unsticking
from reconciler.core.text import normal

if TYPE_CHECKING:
    from reconciler.core.asset import Applied, ObservedAsset
    from reconciler.core.desired.block import Markers
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, Field, PendingWrite
    from reconciler.core.writes.write_state import WriteState

READ_ONLY: Final = reason("read_only")
FLIPPED: Final = reason("sign_turned")
ANOTHER: Final = reason("another_program")
OTHER: Final = reason("kept_otherwise")
CROSSED: Final = reason("crossed")


@dataclass(frozen=True, slots=True)
class Kept:
    """What Immich kept of a write."""

    fields: frozenset[Field]
    """Those that stuck."""
    lost: frozenset[Field]
    """Those that did not."""
    tags: frozenset[str] = frozenset()
    """Of the tags written, those that are as they were written: ours, also where others were lost."""


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
        elif pending.block is None:
            # A person's words and the catalogue's together: not ours to own, but all has to be there.
            (stuck if whole else lost).add("prose")
    for one in VALUE_FIELDS:
        if (written := one.of(pending)) is not None:
            (stuck if one.same(written, one.of(seen)) else lost).add(one.name)
    as_written: frozenset[str] = frozenset()
    if pending.tags:
        live = seen.known_tags
        as_written = pending.tags & live if pending.step == "add_tags" else pending.tags - live
        (stuck if as_written == pending.tags else lost).add("tags")
    return Kept(frozenset(stuck), frozenset(lost), as_written)


def owned_after(applied: Applied, pending: PendingWrite, result: Kept) -> Applied:
    """Return what is ours after a write of which ``result`` was kept; an undo's leaves that to its end."""
    if pending.gives_back:
        return applied
    if "block" in result.fields and pending.block is not None:
        applied = replace(applied, block=pending.block or None)
    if "prose" in result.fields and pending.prose is not None:
        applied = replace(applied, prose=pending.prose or None)
    stuck = {one.name: one.of(pending) for one in VALUE_FIELDS if one.name in result.fields}
    if pending.keeps_day:
        stuck.pop("taken_at", None)
    applied = with_values(applied, stuck)
    if result.tags:
        added = pending.step == "add_tags"
        tags = applied.tags | result.tags if added else applied.tags - result.tags
        applied = replace(applied, tags=tags)
    return applied


def edited_after(pending: PendingWrite, before: ObservedAsset, seen: ObservedAsset, markers: Markers) -> Kept:
    """Return the texts that arrived and were then edited by a person, before they were seen settled.

    They are ours all the same: else the edited block would pass for a person's own from here on.
    """
    was, now = (split(asset.description, markers, pending.block) for asset in (before, seen))
    found: set[Field] = set()
    if pending.block and now.block and normal(now.block) != normal(was.block or ""):
        ours = {normal(line) for line in pending.block.split("\n")}
        lines = [normal(line) for line in now.block.split("\n")]
        if 2 * sum(line in ours for line in lines) > len(lines):
            found.add("block")
    prose = normal(pending.prose or "")
    if prose and prose in normal(now.prose) and prose not in normal(was.prose):
        found.add("prose")
    return Kept(frozenset(found), frozenset())


def differ(one: ObservedAsset, other: ObservedAsset) -> bool:
    """Return whether two readings of an asset differ in what a listing shows, too."""
    return one.description != other.description or any(
        not field.same(field.of(one), field.of(other)) for field in VALUE_FIELDS
    )


def disturbed(job: WriteState, seen: ObservedAsset) -> bool:
    """Return whether somebody edited the asset since it was last read, and Immich has not digested it yet.

    Values show at once, the date moves when they are digested. What our own write changed does not count.
    """
    was, pending = job.observed, job.pending
    if (seen.visibility, seen.is_trashed) != (was.visibility, was.is_trashed):
        return True  # that moves the date at once, so what moved may not be our write
    if (pending is None or pending.description is None) and seen.description != was.description:
        return True
    for one in VALUE_FIELDS:
        wrote = pending is not None and one.of(pending) is not None
        if not wrote and not one.same(one.of(seen), one.of(was)):
            return True
    if seen.tags is None or was.tags is None:
        return False
    return bool((seen.tags ^ was.tags) - (pending.tags if pending else frozenset()) - job.unverified)


def vanished(job: WriteState, pending: PendingWrite, seen: ObservedAsset) -> frozenset[str]:
    """Return the tags that were there before a write and are not now, though it took none of them off.

    A tag that a person put on just before the write is among them: of two edits that Immich digests at the
    same time it keeps one. Of an earlier run's write the tags are known that were there when it was sent.
    """
    if seen.tags is None or job.observed.tags is None:
        return frozenset()
    before = job.observed.tags | (pending.beside or frozenset() if job.adopted else frozenset())
    return before - seen.tags - pending.tags - job.unverified


def at_work(job: WriteState) -> bool:
    """Return whether somebody is at work on an asset as a pass finds it, by what the last pass left there.

    It drifted, and yet its date is the one that it was left with: that moves when the edit is digested. A
    drift that was left, and that a person has decided on since, is no such thing.
    """
    decided = {resolution.field for resolution in job.plan.resolutions}
    return job.record.seen_updated_at == job.observed.updated_at and any(
        one.case == "drift" and one.action == "write" and one.field not in decided
        for one in job.plan.decisions
    )


def diagnose(which: Field, job: WriteState, seen: ObservedAsset, markers: Markers) -> Reason:
    """Say why a field did not stick, as far as it shows."""
    pending = job.pending
    put_back = ANOTHER if job.verified or _replaced(which, job, markers) else READ_ONLY
    place = pending.coordinates if which == "coordinates" and pending else None
    if place and sign_flipped(place, seen.coordinates):
        return FLIPPED
    if value := BY_NAME.get(which):
        return put_back if value.same(value.of(seen), value.of(job.observed)) else OTHER
    if which == "tags":
        before, after = job.observed.known_tags, seen.known_tags
        return put_back if before | job.unverified == after | job.unverified else OTHER
    return put_back if normal(seen.description) == normal(job.observed.description) else OTHER


def _replaced(which: Field, job: WriteState, markers: Markers) -> bool:
    """Return whether ours was kept once, and was something else before this write: a file that takes both.

    The library cannot be read-only then, for somebody's value has stuck after ours had.
    """
    applied, was, pending = job.was_ours, job.observed, job.pending
    if which == "tags":
        adding = pending is not None and pending.step == "add_tags"
        return adding and pending is not None and bool(pending.tags & applied.tags)
    if value := BY_NAME.get(which):
        ours = value.of(applied)
        return ours is not None and not value.same(value.of(was), ours)
    parts = split(was.description, markers, applied.block)
    if which == "block":
        return applied.block is not None and normal(parts.block or "") != normal(applied.block)
    return applied.prose is not None and normal(parts.prose) != normal(applied.prose)


def unsticking(
    which: Field, pending: PendingWrite, seen: ObservedAsset, server: str, diagnosis: Reason
) -> list[Unsticking]:
    """Remember a value that Immich does not keep, with all whose change is a reason to try again."""
    live = live_digest(which, seen)
    if which == "tags" and pending.step == "remove_tags":
        wanted = [digest("-", tag) for tag in sorted(pending.tags & seen.known_tags)]
    else:
        digests: dict[Field, str] = {
            "block": digest(pending.block or ""),
            "prose": digest(pending.prose or ""),
            "tags": digest(pending.tags),
        }
        value = BY_NAME.get(which)
        wanted = [digest(value.to_json(value.of(pending))) if value else digests[which]]
    return [Unsticking(which, one, live, server, diagnosis) for one in wanted]


def with_unsticking(record: AssetRecord, entries: list[Unsticking]) -> AssetRecord:
    """Return the record with these entries; an older one of the same field and value, or outlived, goes."""
    live = {entry.field: entry.live for entry in entries}
    wanted = {(entry.field, entry.desired) for entry in entries}
    others = [
        entry
        for entry in record.unsticking
        if (entry.field, entry.desired) not in wanted and live.get(entry.field, entry.live) == entry.live
    ]
    return replace(record, unsticking=(*others, *entries))
