"""Taking back: a merge towards the former value, part by part, as far as Immich still shows ours.

============= ====================================== ===================================================
part          Immich shows                           then
============= ====================================== ===================================================
any           the former value                       nothing is to be done
block         what was left there, or that with      the former block takes its place, usually none; a
              a person's lines in it                 person's lines in it go below, into the prose
prose         what was left there                    the former prose comes back
prose         that, and more below the block         the former prose comes back, what is below stays
a value       what was left there                    the former one comes back; Immich cannot clear one
any           anything else                          newer: it is named and left
============= ====================================== ===================================================

Where the whole description is as it was left, the former one is written back byte for byte. Tags are looked
at one by one: those that were added and are still there go, those that were taken off come back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from reconciler.core.desired.block import SEAM, Split, rescue, split
from reconciler.core.desired.desired import Desired
from reconciler.core.fields import VALUE_FIELDS, with_values
from reconciler.core.plan.plan import AssetPlan
from reconciler.core.plan.reversal import chained_from, same_text
from reconciler.core.reasons import Reason, reason
from reconciler.core.text import normal, size, trim

if TYPE_CHECKING:
    from reconciler.core.albums import Albums
    from reconciler.core.asset import Applied, ObservedAsset
    from reconciler.core.desired.block import Markers
    from reconciler.core.fields import ValueField
    from reconciler.core.plan.reversal import Former, Reversal

Found = Literal["untouched", "back", "ours", "newer", "unknown"]
"""How a part stands: as before already, as it was left, or otherwise; ``unknown``: its former value is."""
Return = Literal["stays", "removed", "former", "again"]
"""What becomes of a part: nothing; it goes; its former text takes its place; what is not there comes back."""


@dataclass(frozen=True, slots=True)
class TextReturn:
    """What becomes of a description, where it is written back."""

    block: Return = "stays"
    prose: Return = "stays"


@dataclass(frozen=True, slots=True)
class Reversed:
    """How something would be taken back on one asset as it is now."""

    plan: AssetPlan
    left: tuple[Reason, ...] = ()
    """Why something cannot be taken back, each with its field."""
    text: TextReturn = field(default_factory=TextReturn)
    """What becomes of the description, if ``plan.description`` is set."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the description: what it was, what was left there, and what of the former was ours."""

    was: str | None
    left: Split
    ours: str | None = None
    """The former value as this program had written it; ``None``: it was not ours."""


def reverse(
    reversal: Reversal, seen: ObservedAsset, title: str, applied: Applied, markers: Markers, max_bytes: int,
    albums: Albums | None = None,
) -> Reversed:  # fmt: skip
    """Plan taking something back on an asset as it is now; its tags have been read if they were touched.

    ``plan.base`` is what is ours as it is now: what is still to be taken back is, so that an undo that is
    broken off can go on; what is back is not, unless it was ours before.

    Args:
        reversal: what is to be taken back.
        seen: the asset.
        title: of the image.
        applied: what is ours in it now.
        markers: the block's.
        max_bytes: of a description.
        albums: what Immich shows of them; ``None``: nothing of them is taken back.
    """
    plan = AssetPlan(reversal.image_id, seen.asset_id, title, seen, Desired(), base=applied, gives_back=True)
    left: list[Reason] = list(reversal.beside)
    plan, text = _take_back_text(plan, reversal, markers, max_bytes, left)
    for one in VALUE_FIELDS:
        plan = _take_back_value(one, plan, reversal, left)
    tags = seen.known_tags if reversal.added or reversal.removed else frozenset()
    gone = (reversal.added | reversal.removed) - tags
    owned = (plan.base.tags - gone - reversal.removed) | (reversal.removed & reversal.were_ours & tags)
    base = replace(plan.base, tags=owned)
    # One that is not ours any more was put back by a person: it is theirs.
    remove = reversal.added & tags & (applied.tags | reversal.carried)
    plan = replace(plan, add_tags=reversal.removed - tags, remove_tags=remove, base=base)
    if albums is not None:
        plan = _take_back_albums(plan, reversal, albums)
    return Reversed(plan, tuple(left), text)


def _take_back_albums(plan: AssetPlan, reversal: Reversal, albums: Albums) -> AssetPlan:
    """Take it out where it was put in and is still ours; what it was taken out of was ours, and is again."""
    owned = plan.base.albums
    live = albums.of(plan.asset_id, reversal.put_in | reversal.taken_out | owned, owned)
    # An album that is gone is not made again for an undo.
    add = frozenset(name for name in reversal.taken_out - live if name in albums.members)
    ours = owned - (reversal.put_in - live)
    return replace(
        plan,
        add_albums=add,
        remove_albums=reversal.put_in & live & owned,
        base=replace(plan.base, albums=ours),
    )


def _take_back_text(
    plan: AssetPlan, reversal: Reversal, markers: Markers, max_bytes: int, left: list[Reason]
) -> tuple[AssetPlan, TextReturn]:
    applied, live = plan.base, plan.observed.description
    block = _block(reversal, markers, applied)
    known = (block.left.block, block.was) if block else (None, None)
    parts = _parted(live, markers, *known, applied.block)
    prose = _prose(reversal, markers, applied)
    if reversal.former is not None:
        block, prose = _all_of(reversal.former, parts, applied)
    block_found = _block_found(block, parts.block, applied)
    prose_found, with_prose = _prose_found(prose, parts, applied)
    text = live
    if (whole := _whole(reversal, live)) is not None:
        block_found = "untouched" if block is None else "ours"
        prose_found = "untouched" if prose is None else "ours"
        text = whole
    else:
        after = with_prose if prose_found == "ours" else parts
        text = after.text if prose_found == "ours" else text
        if block is not None and block_found == "ours":
            edited = not same_text(parts.block or "", block.left.block or "")
            rescued = rescue(parts.block, block.left.block, block.was, markers) if edited else ""
            text = after.with_block(block.was, rescued)
    changed = normal(text) != normal(live)
    if not changed:
        # What the undo would write is there: lines of ours that a person made theirs are no block of ours.
        block_found = "back" if block_found == "ours" else block_found
        prose_found = "back" if prose_found == "ours" else prose_found
    if changed and size(text) > max_bytes:
        left.append(reason("former_too_long").of("description"))
        return plan, TextReturn()
    newer = tuple(
        name for name, found in (("block", block_found), ("prose", prose_found)) if found == "newer"
    )
    if newer:
        left.append(reason("newer").of(*newer))
    if prose_found == "unknown":
        left.append(reason("former_unknown").of("prose"))
    # After the last word on what was found: a part that is back already is not brought back.
    comes = TextReturn(
        _return(block, parts.block or "") if block_found == "ours" else "stays",
        _return(prose, parts.prose) if prose_found == "ours" else "stays",
    )
    plan = replace(
        plan,
        description=text if changed else None,
        base=replace(
            applied,
            block=block.ours if block and block_found == "back" else applied.block,
            prose=prose.ours if prose and prose_found == "back" else applied.prose,
        ),
    )
    return plan, comes


def _return(part: _Part | None, live: str) -> Return:
    was = trim(part.was or "") if part is not None else ""
    if part is None or same_text(was, trim(live)):
        return "stays"
    if not was:
        return "removed"
    return "former" if trim(live) else "again"


def _whole(reversal: Reversal, live: str) -> str | None:
    """Return the former description as it was, if nobody wrote anything in between, nor since."""
    pairs = [(step.before, step.after) for step in reversal.texts]
    if not pairs or chained_from(pairs, same_text) or not same_text(live, pairs[-1][1]):
        return None
    return pairs[0][0]


def _parted(text: str, markers: Markers, *known: str | None) -> Split:
    """Take a description apart by what its block may be: as it was written, else between markers.

    What is left of one whose marker lines are broken counts last: of a block that was written before another
    one, there would be only the lines that both have.
    """
    likely = [split(text, markers, one) for one in known if one]
    for one, parts in zip(filter(None, known), likely, strict=True):
        if same_text(parts.block or "", one):
            return parts
    lines = [parts.block.split("\n") if parts.block else [""] for parts in likely]
    whole = [
        parts
        for parts, block in zip(likely, lines, strict=True)
        if markers.opens(block[0]) and markers.closes(block[-1])
    ]
    plain = split(text, markers)
    found = [*whole, *([plain] if plain.block is not None else []), *likely, plain]
    return found[0]


def _all_of(former: Former, parts: Split, applied: Applied) -> tuple[_Part | None, _Part | None]:
    """Return what is to be done where all that is ours is taken back; what we took away comes back, too."""
    block = prose = None
    if applied.block or (former.block and parts.block is None):
        block = _Part(former.block, Split("", applied.block))
    if applied.prose or (former.prose and not trim(parts.prose)):
        prose = _Part(former.prose, Split(applied.prose or "", None))
    elif former.joined and normal(former.joined[1]) in normal(parts.prose):
        prose = _Part(former.joined[0], Split(former.joined[1], None))
    return block, prose


def _block(reversal: Reversal, markers: Markers, applied: Applied) -> _Part | None:
    steps = [
        (before.block, after, step.ours)
        for step in reversal.texts
        for before, after in [[_parted(text, markers, applied.block) for text in (step.before, step.after)]]
        if not same_text(before.block or "", after.block or "")
    ]
    if not steps:
        return None
    was, left = steps[0][0], steps[-1][1]
    if same_text(was or "", left.block or ""):
        return None
    ours = steps[0][2]
    # A person's lines were in it: what we had written is what was written in its place.
    owned = was if "block" in ours else steps[0][1].block if "edited" in ours else None
    return _Part(was, left, owned if was else None)


def _block_found(part: _Part | None, live: str | None, applied: Applied) -> Found:
    if part is None:
        return "untouched"
    if same_text(live or "", part.was or ""):
        return "back"
    left = part.left.block
    if live is None:
        return "ours" if left is None else "newer"
    if left is None:
        return "newer"
    edited = applied.block is not None and same_text(applied.block, left)
    return "ours" if same_text(live, left) or edited else "newer"


def _prose(reversal: Reversal, markers: Markers, applied: Applied) -> _Part | None:
    steps = [
        (before.prose, after, step.ours)
        for step in reversal.texts
        for before, after in [[_parted(text, markers, applied.block) for text in (step.before, step.after)]]
        if not same_text(before.prose, after.prose)
    ]
    if not steps:
        return None
    first = chained_from([(before, after.prose) for before, after, _ in steps], same_text)
    was, _, ours = steps[first]
    return _Part(was, steps[-1][1], was if was and "prose" in ours else None)


def _prose_found(part: _Part | None, parts: Split, applied: Applied) -> tuple[Found, Split]:
    """Say how the prose stands; with it the parts with the former prose in its place."""
    if part is None:
        return "untouched", parts
    if part.was is None:
        return "unknown", parts
    if same_text(parts.prose, part.was):
        return "back", parts
    if same_text(parts.prose, part.left.prose):
        return "ours", parts.with_prose(part.was)
    # Below the block a person went on: what stands before it is ours still.
    if trim(part.left.before) and not trim(part.left.after) and same_text(parts.before, part.left.before):
        seam = SEAM if trim(part.was) and parts.block else ""
        return "ours", replace(parts, before=trim(part.was) + seam)
    later = applied.prose is not None and not same_text(applied.prose, part.left.prose)
    return ("back" if not later and _is_gone(part, parts.prose) else "newer"), parts


def _is_gone(part: _Part, live: str) -> bool:
    """Return whether the former prose stands there with a person's below it, or none did and ours is gone."""
    was, left, now = normal(part.was or ""), normal(part.left.prose), normal(live)
    if was:
        return now.startswith(f"{was}\n") and not now.startswith(left)
    return set(left.split("\n")).isdisjoint(line for line in now.split("\n") if line)


def _take_back_value(field: ValueField, plan: AssetPlan, reversal: Reversal, left: list[Reason]) -> AssetPlan:
    name, step = field.name, reversal.values.get(field.name)
    if step is None:
        return plan
    live, applied = field.of(plan.observed), plan.base
    again = step.was if step.was_ours else None
    if reversal.former is not None and name not in reversal.former.values:
        left.append(reason("former_unknown").of(name))
        return plan
    if field.same(live, step.was):
        return replace(plan, base=with_values(applied, {name: again}))
    if not field.same(live, step.now):
        left.append(reason("newer").of(name))
        ours = field.of(applied)
        kept = ours if field.same(live, ours) else None
        return replace(plan, base=with_values(applied, {name: kept}))
    if step.was is None:
        left.append(field.none_before.of(name))
        return plan
    return with_values(plan, {name: step.was})
