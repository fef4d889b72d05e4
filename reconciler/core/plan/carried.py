"""Carrying over a person's words to the asset that replaced theirs: what is theirs, and the plan of it.

========== =============================================================================================
field      what comes along
========== =============================================================================================
prose      the lines that are not ours and are not there yet, below the prose that is there
tags       those that are not ours and are not there yet
a value    a person's place or date, where the new asset has none of a person: ours, or the file's, gives way
favourite  if the new asset is none
albums     those that the new asset is not in
========== =============================================================================================

Nothing of it becomes ours: it is a person's on the new asset, too. While it is wanted, an asset is written
nothing else: the plan is carried out as an undo's is, and the next pass merges as ever.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.carry_over import Kept
from reconciler.core.desired.block import rescue, split
from reconciler.core.desired.desired import Desired
from reconciler.core.desired.solver_sentence import split_without_sentence
from reconciler.core.fields import VALUE_FIELDS, with_values
from reconciler.core.reasons import Reason, reason
from reconciler.core.text import normal, size, trim

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.core.asset import Applied, ObservedAsset
    from reconciler.core.belongings import Album, Belongings
    from reconciler.core.carry_over import CarryOver
    from reconciler.core.desired.block import Markers
    from reconciler.core.fields import Value, ValueName
    from reconciler.core.plan.plan import AssetPlan, Rules
    from reconciler.core.records import JournalEntry

_NO_TAGS: Final[frozenset[str]] = frozenset()


def persons(seen: ObservedAsset, applied: Applied, markers: Markers) -> Kept:
    """Return what of an asset is a person's: of its fields, all that this program did not write.

    Args:
        seen: the asset.
        applied: what is ours in it.
        markers: the block's.
    """
    values: dict[ValueName, Value | None] = {}
    for one in VALUE_FIELDS:
        live = one.of(seen)
        theirs = live is not None and not one.same(live, one.of(applied))
        values[one.name] = live if theirs and one.nobodys(seen, Desired()) is None else None
    kept = Kept(
        prose=persons_words(seen.description, applied, markers), tags=(seen.tags or _NO_TAGS) - applied.tags
    )
    return with_values(kept, values)


def persons_words(text: str, applied: Applied, markers: Markers) -> str:
    """Return the lines of a description that a person wrote, also those within the block."""
    parts = split_without_sentence(split(text, markers, applied.block))
    prose = _lines_not_in(parts.prose, (applied.prose or "").split("\n"))
    inner = rescue(parts.block, applied.block, None, markers, parts.prose) if applied.block else ""
    return "\n\n".join(part for part in (prose, inner) if part)


def remembered(entries: Sequence[JournalEntry], applied: Applied, markers: Markers) -> Kept:
    """Return what the journal tells of a person's values on an asset: as they were at the last writes.

    Args:
        entries: of the asset, newest first.
        applied: what was ours in it.
        markers: the block's.
    """
    text = next((one.after for one in entries if one.field == "description"), None)
    tags = next((one.after for one in entries if one.field == "tags"), None)
    listed = frozenset(map(str, tags)) if isinstance(tags, list) else _NO_TAGS
    words = persons_words(text, applied, markers) if isinstance(text, str) else ""
    return Kept(prose=words, tags=listed - applied.tags)


def words_to_add(words: str, description: str, applied: Applied, markers: Markers) -> str:
    """Return the lines of some words that a description does not have yet; ``""``: it has them all."""
    return _lines_not_in(words, split(description, markers, applied.block).text.split("\n"))


def carry_over_plan(
    plan: AssetPlan, wanted: Iterable[CarryOver], applied: Applied, rules: Rules
) -> AssetPlan:
    """Return the plan that carries over what a person wants, and writes nothing else.

    Args:
        plan: of the asset as it is observed, with nothing to write yet.
        wanted: from one replaced asset or several.
        applied: what is ours in the asset now.
        rules: of the pass.
    """
    text, notes = plan.observed.description, [reason("carrying_over")]
    tags = plan.observed.tags
    add: frozenset[str] = _NO_TAGS
    values: dict[ValueName, Value | None] = {}
    for one in wanted:
        if words := words_to_add(one.kept.prose, text, applied, rules.markers):
            parts = split(text, rules.markers, applied.block)
            with_words = parts.joined_by(words).text
            if size(with_words) > rules.policy.description.max_bytes:
                limit = rules.policy.description.max_bytes
                notes.append(reason("text_too_long", limit=limit).of("prose"))
            else:
                text = with_words
        if tags is not None:
            add |= one.kept.tags - tags
        for field in VALUE_FIELDS:
            if (
                field.name not in values
                and (value := _value(field.name, one.kept, plan, applied)) is not None
            ):
                values[field.name] = value
    changed = normal(text) != normal(plan.observed.description)
    plan = replace(
        plan,
        description=text if changed else None,
        add_tags=add,
        gives_back=True,
        carries=True,
        notes=tuple(notes),
    )
    return with_values(plan, values) if values else plan


def left_of(plan: AssetPlan) -> tuple[Reason, ...]:
    """Return, of the plan made anew after the write, what is not there all the same, and why."""
    fields: list[str] = ["prose"] if plan.description is not None else []
    fields += [one.name for one in VALUE_FIELDS if one.of(plan) is not None]
    fields += ["tags"] if plan.add_tags else []
    too_long = tuple(one for one in plan.notes if one.code == "text_too_long")
    return (*too_long, reason("not_carried_over").of(*fields)) if fields else too_long


def albums_to_join(kept: Kept, there: Belongings) -> tuple[Album, ...]:
    """Return the albums that an asset is to be put in: none where it is not known which it is in."""
    known = {one.album_id for one in there.albums or ()}
    return tuple(one for one in kept.albums if one.album_id not in known) if there.albums is not None else ()


def _value(name: ValueName, kept: Kept, plan: AssetPlan, applied: Applied) -> Value | None:
    """Return a person's value if it is to be written: what another person's, or nothing, stands against."""
    field = next(one for one in VALUE_FIELDS if one.name == name)
    wanted, live = field.of(kept), field.of(plan.observed)
    if wanted is None or field.same(wanted, live) or (live is None and field.must_be_known):
        return None
    gives_way = (
        live is None or field.same(live, field.of(applied)) or field.nobodys(plan.observed, plan.desired)
    )
    return wanted if gives_way else None


def _lines_not_in(text: str, known: Iterable[str]) -> str:
    """Return a text without the lines that are known, nor the blank lines around them."""
    there = {normal(line) for line in known}
    kept: list[str] = []
    for line in text.split("\n"):
        if trim(line) and normal(line) in there:
            continue
        if not trim(line) and (not kept or not trim(kept[-1])):
            continue
        kept.append(line)
    return trim("\n".join(kept))
