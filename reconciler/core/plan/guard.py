"""The guard: what may be taken away before a person has to say so, in a pass and over a day.

Skymmich is known to delete most of its own catalogue when Immich answers one error, and to bring the images
back empty. So the harmful part of a plan is held back, with the numbers and the command that approves just
that plan, while what only adds goes on. What was lost within the window before counts with it, so that a
library is not drained in small steps.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field, replace
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.asset_digests import AssetDigests
from reconciler.core.asset_ids import AssetIds
from reconciler.core.fields import VALUE_FIELDS, Value, plain, with_values
from reconciler.core.fingerprint import digest, digest_of_lists
from reconciler.core.reasons import reason
from reconciler.core.records import RecentLosses
from reconciler.core.text import normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.policy import GuardPolicy
    from reconciler.core.reasons import Reason

_EXAMPLES: Final = 3
"""Images that are named of those that would lose something."""

_NONE: Final = RecentLosses()

Cause = Literal["", "shrunk", "rules", "values"]
"""Why so much would go: the catalogue lost images; the rules are others than at the last good pass; or, as
neither is so, the images lost values."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard found. ``tripped`` is false where nothing is held back."""

    tripped: bool = False
    hash: str = ""
    """Names just this harm: what ``apply --approve`` takes."""
    reasons: tuple[Reason, ...] = ()
    """With the numbers, and some of the images that would lose something."""
    shrunk: bool = False
    """The catalogue lost too much: it is not trusted, and not taken as the new measure."""
    held: AbstractSet[str] = frozenset()
    """Asset ids whose harmful changes are held back."""
    harm: Mapping[str, str] = field(default_factory=dict)
    """Of the held ones: asset id → the hash of its part of the harm."""

    cause: Cause = ""

    @property
    def told(self) -> tuple[Reason, ...]:
        """What is said of it where nothing else is: that it holds, and why."""
        return (reason("guard_holds", cause=self.cause, hash=self.hash), *self.reasons)


@dataclass(slots=True)
class Losses:
    """What plans would take away: counted as they are made, so that none of them has to be kept for it."""

    harm: AssetDigests = field(default_factory=AssetDigests)
    """Asset id → the hash of its part of the harm."""
    examples: list[tuple[str, Reason]] = field(default_factory=list)
    """The first few in order of their assets, with what they would lose."""

    def add(self, plan: AssetPlan) -> None:
        """Count one more; each asset once."""
        if not plan.takes_away:
            return
        self.harm[plan.asset_id] = digest(_harm(plan))
        if len(self.examples) < _EXAMPLES or plan.asset_id < self.examples[-1][0]:
            insort(self.examples, (plan.asset_id, _loss(plan)), key=itemgetter(0))
            del self.examples[_EXAMPLES:]

    @classmethod
    def of(cls, plans: Iterable[AssetPlan]) -> Losses:
        """Count those of these plans."""
        found = cls()
        for plan in plans:
            found.add(plan)
        return found

    def named(self) -> list[Reason]:
        """Return some, and how many there are besides."""
        more = len(self.harm) - len(self.examples)
        found = [loss for _, loss in self.examples]
        return [*found, reason("more_lose", count=more)] if more > 0 else found


def check(  # noqa: PLR0913 - all that a verdict depends on, each by its name
    plans: Iterable[AssetPlan] | Losses,
    *,
    linked: AbstractSet[str],
    linked_before: AbstractSet[str],
    managed: int,
    policy: GuardPolicy,
    approved: str = "",
    standing: Mapping[str, str] = MappingProxyType({}),
    moment: str = "",
    rules_changed: bool = False,
    lost: AbstractSet[str] | None = None,
    recent: RecentLosses = _NONE,
) -> Verdict:
    """Judge a plan before anything is written.

    Args:
        plans: all that the pass would do, or what of it takes something away.
        linked: asset ids that the catalogue links now.
        linked_before: those at the last good pass; empty at the first.
        managed: how many assets are managed in all, the measure for the share that would lose something.
        policy: the limits.
        approved: the hash that a person approved; only the very same harm passes.
        standing: ``harm`` of an earlier verdict, as far as those assets were not looked at again. They count:
            what is held back must not slip through one by one.
        moment: names the time since the last approval was used, or the store taken up: the same harm in
            another one has another name.
        rules_changed: whether the rules are others than at the last good pass.
        lost: what ``linked`` lacks of ``linked_before``, where that is known already.
        recent: what was lost within the window before. It holds nothing by itself, and counts with what is
            lost now.
    """
    if lost is None:
        lost = linked_before - linked
    losing = plans if isinstance(plans, Losses) else Losses.of(plans)
    gone = recent.left - linked - linked_before if lost else frozenset[str]()
    before = len(linked_before) + len(gone)
    emptied = bool(linked_before) and not linked
    shrunk = emptied or (bool(lost) and _too_many(len(lost) + len(gone), before, policy))
    reasons = []
    if emptied:
        reasons.append(reason("catalogue_emptied", before=len(linked_before)))
    elif shrunk:
        reasons.append(_shrunk(len(lost), len(gone), before, policy))
    harm = _together(losing.harm, standing)
    earlier = recent.values - harm.keys() if harm else frozenset[str]()
    managed += len(earlier - linked - linked_before)
    harmful = bool(harm) and (shrunk or _too_many(len(harm) + len(earlier), managed, policy))
    if harmful:
        reasons.append(_would_lose(len(harm), len(earlier), managed, policy, shrunk=shrunk))
        reasons += losing.named()
    if not reasons:
        return Verdict()
    since = [moment] if moment else []
    harmed = AssetIds(harm if harmful else ())
    gone_now = AssetIds(lost if shrunk else ())
    name = digest_of_lists(since, gone_now, ((asset_id, harm[asset_id]) for asset_id in harmed))
    if approved and approved == name:
        return Verdict(hash=name)
    cause: Cause = "shrunk" if shrunk else "rules" if rules_changed else "values"
    return Verdict(
        tripped=True,
        hash=name,
        reasons=tuple(reasons),
        shrunk=shrunk,
        held=harmed,
        harm=harm if harmful else {},
        cause=cause,
    )


def _together(harm: Mapping[str, str], standing: Mapping[str, str]) -> Mapping[str, str]:
    """Return what is lost now, and of what was held before the rest: there may be very much of either."""
    if not (harm and standing):
        return harm or standing
    found = AssetDigests(standing.items())
    found.update(harm)
    return found


def _shrunk(lost: int, earlier: int, before: int, policy: GuardPolicy) -> Reason:
    percent, most = _percent((lost + earlier) / before), _percent(policy.max_fraction)
    if not earlier:
        return reason("catalogue_shrunk", lost=lost, before=before, percent=percent, most=most)
    return reason(
        "catalogue_dwindled",
        lost=lost, earlier=earlier, before=before, percent=percent, most=most, seconds=_seconds(policy),
    )  # fmt: skip


def _would_lose(count: int, earlier: int, managed: int, policy: GuardPolicy, *, shrunk: bool) -> Reason:
    most = _percent(policy.max_fraction)
    if earlier and not shrunk:
        share = (count + earlier) / max(managed, 1)
        return reason(
            "would_lose_more",
            count=count, earlier=earlier, managed=managed, percent=_percent(share), most=most,
            seconds=_seconds(policy),
        )  # fmt: skip
    share = count / max(managed, 1)
    limit = {} if shrunk and share <= policy.max_fraction else {"most": most}
    return reason("would_lose", count=count, managed=managed, percent=_percent(share), **limit)


def _seconds(policy: GuardPolicy) -> float:
    return policy.window_hours * 3600


def withhold(plan: AssetPlan) -> AssetPlan:
    """Return what of a harmful plan only adds: a first block or place, new tags. The rest waits."""
    adds = {d.field for d in plan.decisions if d.action == "write" and d.live is None}
    changed = {d.field for d in plan.decisions if d.action in {"write", "remove"} and d.field not in adds}
    if plan.keeps_day and "coordinates" in adds:
        adds.add("taken_at")  # else the place alone would move the day
    description_adds = not changed & {"block", "prose"}
    withheld = replace(
        plan,
        description=plan.description if description_adds else None,
        block=plan.block if description_adds else None,
        prose=plan.prose if description_adds else None,
        remove_tags=frozenset(),
        remove_albums=frozenset(),
    )
    return with_values(withheld, {one.name: None for one in VALUE_FIELDS if one.name not in adds})


def _too_many(count: int, of: int, policy: GuardPolicy) -> bool:
    # Exactly the share is allowed; the margin is for shares like 0.29 that a float cannot hold.
    return count >= policy.min_count and count - policy.max_fraction * of > 1e-9


def _harm(plan: AssetPlan) -> list[object]:
    """Name what a plan takes away, and nothing that it adds: that goes on and must not change the hash."""
    values = [
        [d.field, d.action, _plain(d.live), _plain(d.desired)]
        for d in plan.decisions
        if d.takes_away and d.field != "tags"
    ]
    return [plan.asset_id, plan.lost_tags, values]


def _plain(value: object) -> object:
    if isinstance(value, Value):
        return plain(value)
    if isinstance(value, tuple):
        return list(value)
    return normal(value) if isinstance(value, str) else None


def _loss(plan: AssetPlan) -> Reason:
    gone = [d for d in plan.decisions if d.takes_away and d.field != "tags"]
    return reason(
        "loses",
        title=plan.title,
        removed=tuple(d.field for d in gone if d.action == "remove"),
        replaced=tuple(d.field for d in gone if d.action != "remove"),
        tags=len(plan.lost_tags),
    )


def _percent(share: float) -> int:
    return round(100 * share)
