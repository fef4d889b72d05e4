"""The albums' part of a plan: a set, merged as tags are, but that a person's word holds.

An image that a person took out of an album stays out (``on_drift_albums``), one that a person had put in
before is theirs, and is never taken out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from reconciler.core.fingerprint import digest
from reconciler.core.plan.conflicts import rule
from reconciler.core.plan.merge import WHY, Merged, MergedTags, merge_tags
from reconciler.core.plan.plan import TagsDecision
from reconciler.core.plan.standing import unsticking_of, with_ruling
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from reconciler.core.plan.merge import Action, Case
    from reconciler.core.plan.plan import AssetPlan, Rules
    from reconciler.core.reasons import Code, Reason
    from reconciler.core.records import AssetRecord

_NONE: frozenset[str] = frozenset()
_UNKNOWN = frozenset({"tags", "more_tags"})
"""What albums are made of is what tags are made of."""


def plan_albums(plan: AssetPlan, record: AssetRecord | None, rules: Rules) -> AssetPlan:
    """Merge the albums of one asset."""
    albums = rules.albums
    if albums is None:
        return _unseen(plan, rules)
    owned, wanted = plan.base.albums, plan.desired.albums
    # An earlier run was about to put it in and did not come to note it: it did.
    owned |= frozenset(
        name
        for name, ids in albums.intended.items()
        if plan.asset_id in ids & albums.members.get(name, _NONE)
    )
    live = albums.of(plan.asset_id, wanted | owned, owned)
    not_used = {name: rules.unusable_albums[name] for name in wanted if name in rules.unusable_albums}
    # What is in an album that is gone cannot be taken out of it, nor is it a person's doing to one image.
    gone = frozenset(name for name in owned if name not in albums.members)
    keeps_off = rules.policy.merge.on_drift_albums
    merged = merge_tags(owned - gone, wanted - not_used.keys(), live, on_drift=keeps_off)
    remove = _NONE if plan.desired.unreadable & _UNKNOWN else merged.remove
    case, action, why = _told(merged, remove, owned)
    if (add := merged.add) and (held := unsticking_of(record, "albums", digest(add), plan, rules)):
        case, why, add = *held, _NONE
    for name in sorted(remove):
        if held := unsticking_of(record, "albums", digest("-", name), plan, rules):
            case, why, remove = *held, remove - {name}
    if not (add or remove):
        action = "keep" if merged.drifted or case == "undone" else "nothing"
    notes = plan.notes
    for name in sorted(not_used):
        said = reason(cast("Code", not_used[name]), album=name)
        if add or remove or not_used[name] == "album_deleted":
            notes = (*notes, said)
        else:
            case, action, why = "conflict", "keep", said
    sides = (_sorted(owned), _sorted(wanted), _sorted(live))
    ruling = rule("albums", Merged(case, action, sides[0]), sides[1], sides[2], plan.resolutions)
    if case == "conflict":
        plan = with_ruling(plan, "albums", ruling)
        case, action, why = ruling.merged.case, ruling.merged.action, ruling.reason or why
    decision = TagsDecision("albums", case, action, *sides, reason=why, takes_away=len(remove) > len(add))
    return replace(
        plan,
        decisions=(*plan.decisions, decision),
        add_albums=add,
        remove_albums=remove,
        notes=notes,
        base=replace(plan.base, albums=merged.owned | (gone & wanted)),
    )


def _unseen(plan: AssetPlan, rules: Rules) -> AssetPlan:
    """Say why nobody looked at the albums: the key may not. Else nothing can be said of them."""
    lacking = rules.missing.get("albums")
    if lacking is None or not plan.desired.albums:
        return plan
    sides = (_sorted(plan.base.albums), _sorted(plan.desired.albums), None)
    why = reason("permission", lacking=lacking)
    decision = TagsDecision("albums", "not_writable", "keep", *sides, reason=why)
    return replace(plan, decisions=(*plan.decisions, decision))


def _told(
    merged: MergedTags, remove: frozenset[str], owned: frozenset[str]
) -> tuple[Case, Action, Reason | None]:
    case: Case = merged.case
    why = WHY.get(case)
    if merged.add and not owned:
        case, why = "fill", reason("fill_albums")
    action: Action = "write" if merged.add else "remove" if remove else "nothing"
    return case, action, why


def _sorted(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
