"""Making the plan of one asset: every field merged, and the one description put together from its parts.

The merge itself (who wins) is ``merge``'s; here it is fed with what the catalogue wants, what Immich shows
and what was applied, and its decisions become one text, one place and two sets of tags.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.asset import Applied, ObservedAsset
from reconciler.core.desired.block import Split, fit, rescue, split
from reconciler.core.desired.solver_sentence import SENTENCE, displaces, split_without_sentence
from reconciler.core.fields import VALUE_FIELDS
from reconciler.core.fingerprint import digest
from reconciler.core.plan.album_plan import plan_albums
from reconciler.core.plan.carried import carry_over_plan
from reconciler.core.plan.conflicts import Ruling, rule
from reconciler.core.plan.day import with_day
from reconciler.core.plan.field_left import allowed, leave_tags
from reconciler.core.plan.flapping import contest, contest_tags
from reconciler.core.plan.left_out import is_whole, leave_out, marks_of, why_left_out
from reconciler.core.plan.merge import WHY, Action, Merged, merge_tags, merge_value
from reconciler.core.plan.plan import AssetPlan, Rules, TagsDecision, TextDecision
from reconciler.core.plan.renames import moved
from reconciler.core.plan.standing import unsticking_of, with_ruling
from reconciler.core.plan.tag_losses import lost_tags, superseded
from reconciler.core.plan.taken_back import left_taken_back
from reconciler.core.plan.value_plan import leave_value, plan_value
from reconciler.core.reasons import Reason, reason
from reconciler.core.text import normal, size

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.desired.desired import Desired
    from reconciler.core.policy import MergePolicy
    from reconciler.core.records import AssetRecord, TextField


def plan_asset(
    image_id: int,
    title: str,
    desired: Desired,
    observed: ObservedAsset,
    record: AssetRecord | None,
    rules: Rules,
    now: datetime | None = None,
) -> AssetPlan:
    """Merge one asset.

    ``observed.tags`` must have been read when tags are managed. The record's ``applied`` is the base. Without
    ``now`` it is not counted how often something is put right.
    """
    base = record.applied if record else Applied()
    decided = record.resolutions if record else ()
    plan = AssetPlan(
        image_id, observed.asset_id, title, observed, desired,
        base=base, resolutions=decided, notes=desired.problems,
        superseded=record.superseded if record else frozenset(),
        corrections=record.corrections if record else (),
    )  # fmt: skip
    if SENTENCE in observed.description and displaces(split(observed.description, rules.markers, base.block)):
        now = None  # Skymmich's solver put its sidecar in the place of ours: it disagrees with nothing
    plan = replace(plan, marks=marks_of(plan, record, rules))
    left_out = why_left_out(plan.marks, record.left_out if record else ())
    carrying = record is not None and bool(record.carrying)
    if (blocked := not_writable(observed, rules)) and (carrying or not is_whole(left_out, rules)):
        return replace(plan, blocked=blocked)
    if record is not None and record.carrying and not _is_being_undone(record):
        return carry_over_plan(plan, record.carrying, base, rules)
    if record is not None and record.taken_back is not None:
        return left_taken_back(plan, record.taken_back, rules)
    return leave_out(_planned(plan, record, rules, now), left_out)


def _is_being_undone(record: AssetRecord) -> bool:
    return record.taken_back is not None and not record.taken_back.whole


def _planned(plan: AssetPlan, record: AssetRecord | None, rules: Rules, now: datetime | None) -> AssetPlan:
    """Merge field by field, as far as it is switched on."""
    desired = plan.desired
    if rules.switches.description:
        plan = allowed(plan, _plan_description(plan, record, rules, now), "description", rules)
    for one in VALUE_FIELDS:
        if one.is_on(rules.switches):
            readable = one.name not in desired.unreadable
            planned = plan_value(one, plan, record, rules, now) if readable else leave_value(one, plan)
            plan = allowed(plan, planned, one.feature, rules)
    plan = with_day(plan, rules)
    if rules.switches.tags and rules.tags_available:
        readable = "tags" not in desired.unreadable
        planned = _plan_tags(plan, record, rules, now) if readable else leave_tags(plan)
        plan = allowed(plan, planned, "tags", rules)
    if rules.switches.albums:
        plan = allowed(plan, plan_albums(plan, record, rules), "albums", rules)
    return plan


def not_writable(observed: ObservedAsset, rules: Rules) -> Reason | None:
    """Return why an asset cannot be written at all."""
    if observed.is_trashed:
        return reason("trashed")
    owner = observed.owner_id
    if owner and ((rules.user_id and owner != rules.user_id) or owner in rules.other_users):
        return reason("foreign")
    if observed.visibility == "locked":
        return reason("locked")
    return None


def _plan_description(
    plan: AssetPlan, record: AssetRecord | None, rules: Rules, now: datetime | None
) -> AssetPlan:
    merge_policy, limit = rules.policy.merge, rules.policy.description.max_bytes
    whole = split(plan.observed.description, rules.markers, plan.base.block)
    parts, displaced = split_without_sentence(whole), displaces(whole)
    prose = _merge_text(
        "prose", plan, plan.desired.prose, parts.prose or None, merge_policy, displaced=displaced
    )
    notes = list(plan.notes)
    unknown = plan.desired.unreadable
    plan, ruling = _ruled("prose", plan, prose, plan.desired.prose, parts.prose or None, rules, now)
    sent = "" if ruling.joins else plan.desired.prose
    prose, why_prose = _hold_unsticking("prose", ruling, sent, plan, record, rules)
    if prose.action == "write" and size(plan.desired.prose or "") > limit:
        prose = Merged("not_writable", "keep", prose.base)
        why_prose = reason("prose_too_long", limit=limit)
    after = parts
    if prose.action in {"write", "remove"}:
        new_prose = plan.desired.prose or ""
        after = parts.joined_by(new_prose) if ruling.joins else parts.with_prose(new_prose)
    wanted = plan.desired.block
    if "block" in unknown:
        wanted = None
    elif wanted is not None:
        _, fitted = fit(after, wanted, limit)
        if fitted != wanted:
            notes.append(reason("shortened"))
        wanted = fitted
    displaced = displaced and parts.block is None
    block = _merge_text("block", plan, wanted, parts.block, merge_policy, displaced=displaced)
    plan, block_ruling = _ruled("block", plan, block, wanted, parts.block, rules, now)
    block, why_block = _hold_unsticking("block", block_ruling, wanted, plan, record, rules)
    if not block_ruling.standing:
        block = _shrinking(block, parts.block, wanted)
    rescued = ""
    if block.action == "write" and (block.case == "drift" or block_ruling.joins):
        rescued = rescue(parts.block, plan.base.block, wanted, rules.markers, after.prose)
        if rescued and _prose_is_defended(prose, plan.desired.prose, rules):
            rescued, block = "", replace(block, takes_away=True)
    changes = {block.action, prose.action} & {"write", "remove"}
    text = _compose(after, block, wanted, rescued) if changes else plan.observed.description
    if size(text) > limit and normal(text) != normal(plan.observed.description):
        why_block = why_prose = reason("text_too_long", limit=limit)
        block = Merged("not_writable", "keep", block.base)
        prose = Merged("not_writable", "keep", prose.base)
        text = plan.observed.description
    changed = normal(text) != normal(plan.observed.description)
    return replace(
        plan,
        decisions=(
            *plan.decisions,
            _of_text("block", block, (plan.base.block, wanted, parts.block), why_block),
            _of_text("prose", prose, (plan.base.prose, plan.desired.prose, parts.prose or None), why_prose),
        ),
        description=text if changed else None,
        block=_written(block, wanted) if changed else None,
        prose=_written(prose, plan.desired.prose) if changed and not ruling.joins else None,
        base=replace(plan.base, block=block.base, prose=prose.base),
        notes=tuple(notes),
    )


def _merge_text(
    which: TextField, plan: AssetPlan, wanted: str | None, live: str | None, policy: MergePolicy,
    *, displaced: bool,
) -> Merged[str]:  # fmt: skip
    """Merge a text; ``displaced``: the solver's sentence took its place, so no person took it out."""
    base = plan.base.block if which == "block" else plan.base.prose
    decided = any(one.field == which for one in plan.resolutions)
    if which == "prose" and policy.on_conflict == "keep" and not decided and _goes_on(wanted, live, base):
        return Merged("in_sync", "nothing", None)
    merged = merge_value(
        None if displaced else base, wanted, live,
        equal=_same_text, on_conflict=policy.on_conflict,
        on_drift=policy.on_drift_block if which == "block" else policy.on_drift_prose,
    )  # fmt: skip
    return replace(merged, base=base) if displaced and merged.action == "write" else merged


def _goes_on(wanted: str | None, live: str | None, base: str | None) -> bool:
    """Return whether a text begins with the catalogue's words, which are not ours, and goes on.

    So it is where it equalled the catalogue's before the first write, and a person went on writing. Where the
    person's words come first, both were joined by decision, and that may be decided again.
    """
    if not wanted or not live or _same_text(live, wanted) or (base and _same_text(base, wanted)):
        return False
    return normal(live).startswith(f"{normal(wanted)}\n")


def _ruled(
    which: TextField, plan: AssetPlan, merged: Merged[str], wanted: str | None, live: str | None,
    rules: Rules, now: datetime | None,
) -> tuple[AssetPlan, Ruling[str]]:  # fmt: skip
    """Let what was decided elsewhere speak: that nothing is known, that others write it, a person."""
    if which in plan.desired.unreadable:
        ruling = _left(plan, which)
    else:
        most = rules.policy.guard.corrections
        plan, merged, why = contest(plan, which, digest(wanted or ""), merged, most=most, now=now)
        ruling = rule(which, merged, wanted, live, plan.resolutions)
        ruling = replace(ruling, reason=ruling.reason or why)
    return with_ruling(plan, which, ruling), ruling


def _left(plan: AssetPlan, which: TextField) -> Ruling[str]:
    """Leave a text alone that the catalogue cannot tell, and what a person decided of it."""
    owned = plan.base.block if which == "block" else plan.base.prose
    standing = tuple(one for one in plan.resolutions if one.field == which)
    return Ruling(Merged("not_writable", "keep", owned), standing, reason=reason("unreadable"))


def _prose_is_defended(prose: Merged[str], wanted: str | None, rules: Rules) -> bool:
    """Return whether the policy would have the next pass take out lines that this one adds to the prose."""
    owned = wanted if prose.action == "write" else None if prose.action == "remove" else prose.base
    later = merge_value(
        owned, wanted, f"{wanted} and more",
        equal=_same_text, on_conflict=rules.policy.merge.on_conflict,
        on_drift=rules.policy.merge.on_drift_prose,
    )  # fmt: skip
    return later.action == "write"


def _compose(after: Split, block: Merged[str], wanted: str | None, rescued: str) -> str:
    """Put the description together that the two decisions make."""
    if block.action == "write" and wanted is not None:
        return after.with_block(wanted, rescued)
    if block.action == "remove":
        return after.with_block(None)
    return after.text


def _shrinking(block: Merged[str], live: str | None, wanted: str | None) -> Merged[str]:
    """Count a block that keeps less than half of its facts as a loss: an emptied catalogue looks so."""
    if block.action == "write" and live and wanted and _fact_lines(wanted) * 2 < _fact_lines(live):
        return replace(block, takes_away=True)
    return block


def _fact_lines(block: str) -> int:
    """Count the lines between heading and closing line that say something."""
    return sum(bool(line.strip()) for line in block.split("\n")[1:-1])


def _plan_tags(plan: AssetPlan, record: AssetRecord | None, rules: Rules, now: datetime | None) -> AssetPlan:
    live = plan.observed.tags
    if live is None:  # not read: nothing can be said of them
        return plan
    merged = merge_tags(plan.base.tags, plan.desired.tags, live, on_drift=rules.policy.merge.on_drift_tags)
    case, why = merged.case, WHY.get(merged.case)
    put_back = ((tag, digest("+", tag)) for tag in merged.drifted & merged.add)
    plan, left, contested = contest_tags(plan, put_back, most=rules.policy.guard.corrections, now=now)
    add, owned = merged.add - left, merged.owned | left
    if contested and not (add or merged.remove):
        case, why = "contested", contested
    if add and case == "update" and not plan.base.tags:
        case, why = "fill", reason("fill_tags")
    remove: frozenset[str] = frozenset() if "more_tags" in plan.desired.unreadable else merged.remove
    if add and (held := unsticking_of(record, "tags", digest(add), plan, rules)):
        case, why, add = *held, frozenset()
    for tag in sorted(remove):
        if held := unsticking_of(record, "tags", digest("-", tag), plan, rules):
            case, why, remove = *held, remove - {tag}
    kinds = dict(record.kinds if record else ()) | dict(plan.desired.kinds)
    renamed = moved(remove, plan.desired.tags, kinds)
    # The new path first: the old one stays for as long as the new one is not there and is not coming.
    remove -= {old for old, new in renamed.items() if new in merged.add - add}
    action: Action = "write" if add else "remove" if remove else "nothing"
    if action == "nothing" and (merged.drifted or case in {"not_sticking", "undone", "contested"}):
        action = "keep"
    sides = (_sorted(plan.base.tags), _sorted(plan.desired.tags), _sorted(live))
    ruling = rule("tags", Merged(case, action, sides[0]), sides[1], sides[2], plan.resolutions)
    plan = with_ruling(plan, "tags", ruling)
    if case == "contested" and ruling.standing:  # decided for Immich's: of tags, nothing else is kept
        case, action, why = ruling.merged.case, ruling.merged.action, ruling.reason
    replaced = plan.superseded | superseded(remove, plan.desired.tags, plan.base.tags, kinds)
    lost = lost_tags(remove - replaced, plan.desired.tags)
    return replace(
        plan,
        decisions=(
            *plan.decisions,
            TagsDecision("tags", case, action, *sides, reason=why, takes_away=bool(lost)),
        ),
        add_tags=add,
        remove_tags=remove,
        renamed=tuple(renamed.items()),
        superseded=replaced & remove,
        base=replace(plan.base, tags=owned),
    )


def _sorted(tags: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(tags))


def _same_text(one: str, other: str) -> bool:
    return normal(one) == normal(other)


def _hold_unsticking(
    which: TextField, ruling: Ruling[str], wanted: str | None, plan: AssetPlan,
    record: AssetRecord | None, rules: Rules,
) -> tuple[Merged[str], Reason | None]:  # fmt: skip
    merged = ruling.merged
    if merged.action in {"write", "remove"}:
        held = unsticking_of(record, which, digest(wanted or ""), plan, rules)
        if held:
            return Merged(held[0], "keep", merged.base), held[1]
    return merged, ruling.reason or WHY.get(merged.case)


def _written(merged: Merged[str], wanted: str | None) -> str | None:
    if merged.action == "write":
        return wanted
    return "" if merged.action == "remove" else None


def _of_text(
    which: TextField,
    merged: Merged[str],
    sides: tuple[str | None, str | None, str | None],
    why: Reason | None,
) -> TextDecision:
    return TextDecision(which, merged.case, merged.action, *sides, reason=why, takes_away=merged.takes_away)
