"""What would be done with some images, as it is shown before it is done: counts, rows, exceptions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.plan.conflicts import all_sides, in_conflict
from reconciler.core.plan.renames import branches
from reconciler.core.reasons import of_error
from reconciler.engine.outcomes import told_renames
from reconciler.messages.formats import first_upper
from reconciler.messages.proposals import (
    BUTTONS,
    COUNTS,
    KNOWN_ALONE,
    NO_CHANGE,
    NO_CONFLICT,
    NO_RUN,
    NOTES,
    NOTHING,
    NOTHING_WAITS,
    OTHER,
    TAKE_OVER_BEFORE_BEGUN,
    TITLES,
    UNDER_WAY,
    UNDER_WAY_DONE,
    UNKNOWN,
)
from reconciler.messages.reasons import joined_reasons, words
from reconciler.messages.translation import say
from reconciler.models.reasons import told
from reconciler.models.undo import asset_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.plan.plan import AssetPlan, Decision
    from reconciler.core.reasons import Reason
    from reconciler.core.records import Keep
    from reconciler.engine.passes import Prepared
    from reconciler.engine.standpoint import Another
    from reconciler.engine.undo_plan import PreparedUndo
    from reconciler.errors import ReconcilerError
    from reconciler.messages.proposals import Action
    from reconciler.service.api import RunState

SHOWN: Final = 20
"""Images of which a preview shows what would change."""
DANGEROUS: Final[frozenset[Action]] = frozenset({"undo", "skymmich", "approve", "take_over"})
"""They take something away."""


@dataclass(frozen=True, slots=True)
class Left:
    """An image that is left as it is, and why."""

    image_id: int
    title: str
    why: str
    url: str = ""
    """In Immich; empty: not known, or of no use."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a person is shown before they say yes."""

    action: Action
    title: str
    possible: bool
    button: str
    lines: tuple[str, ...] = ()
    note: str = ""
    warning: str = ""
    plans: Sequence[AssetPlan] = ()
    """Some of those that would be written."""
    decided: Sequence[tuple[AssetPlan, Sequence[Decision]]] = ()
    """Some of those of which a conflict would be decided, with both sides."""
    more: int = 0
    """How many there are besides."""
    left: Sequence[Left] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    """What the form sends to have it done: all that was shown, by name."""
    path: str = "/decide/confirmed"
    back: str = "/"

    @property
    def danger(self) -> bool:
        """Whether it takes something away."""
        return self.action in DANGEROUS


def ids_of(image_ids: Iterable[int]) -> str:
    """Write ids as one field of a form."""
    return ",".join(map(str, sorted(image_ids)))


def of_undo(found: PreparedUndo, immich_url: str, fields: Mapping[str, str], back: str) -> Proposal:
    """Show the undo of the last change of some images."""
    plans = tuple(found.changes)
    left = [
        Left(step.item.image_id, step.item.title, told((why,)), asset_url(immich_url, step.item.asset_id))
        for step, why in found.left
    ]
    return _written("undo", plans, left, fields, back)


def of_pass(
    action: Action, prepared: Prepared, chosen: frozenset[int] | None, fields: Mapping[str, str], back: str
) -> Proposal:
    """Show what a pass over some images would write: ``sync``, ``redo`` or ``approve``."""
    plans = prepared.withheld if action == "approve" else prepared.changes
    if action == "approve":
        fields = {**fields, "hash": prepared.verdict.hash if prepared.verdict.tripped else ""}
    known = {plan.image_id for plan in plans}
    left = [
        Left(item.image_id, item.title, told(item.reasons or _why(item.plan)) or say(NO_CHANGE))
        for item in prepared.items.telling()
        if chosen is not None and item.image_id not in known
    ]
    return _written(action, plans, left, fields, back)


def of_conflicts(
    keep: Keep, prepared: Prepared, fields: Mapping[str, str], back: str, warning: str = ""
) -> Proposal:
    """Show the conflicts of some images, and which side would stay."""
    plans = [item.plan for item in prepared.items if item.plan is not None]
    decided = [(plan, found) for plan in plans if (found := in_conflict(plan, keep))]
    known = {plan.image_id for plan, _ in decided}
    left = [
        Left(item.image_id, item.title, told(item.reasons) or say(NO_CONFLICT))
        for item in prepared.items
        if item.image_id not in known
    ]
    counts = {"decided": sum(len(found) for _, found in decided), "left": len(left)}
    return Proposal(
        keep,
        _title(keep, len(decided)),
        bool(decided),
        say(BUTTONS[keep]),
        _lines(counts),
        say(NOTES[keep]),
        warning,
        decided=decided[:SHOWN],
        more=max(0, len(decided) - SHOWN),
        left=left,
        fields={**fields, "shown": all_sides(plans)},
        back=back,
    )


def beside_another(proposal: Proposal, another: Another | None) -> Proposal:
    """Say first that another instance keeps the library, if one does: nothing of it can be done then."""
    if another is None:
        return proposal
    return replace(proposal, warning=another_message(another), possible=False)


def another_message(another: Another) -> str:
    """Return who keeps the library, since when, and what the counts beside it are."""
    return f"{another.error().message} {say(KNOWN_ALONE)}"


def of_take_over(prepared: Prepared, fields: Mapping[str, str], *, waits: bool = False) -> Proposal:
    """Show whose place would be taken, and what would be taken up; ``waits``: nobody has begun here."""
    note = TAKE_OVER_BEFORE_BEGUN if waits else NOTES["take_over"]
    taken, another = prepared.taken, prepared.another
    lines: tuple[str, ...] = ()
    if another is not None:
        since, seen = (f"{at:%Y-%m-%d %H:%M} UTC" for at in (another.since, another.seen_at))
        name = f"{another.instance} ({another.host})" if another.host else another.instance
        lines = (say(OTHER, instance=name, since=since, seen=seen),)
        lines += _lines({"known": taken.adopted if taken else 0})
    return Proposal(
        "take_over",
        say(TITLES["take_over"] if another else NOTHING["take_over"]),
        another is not None,
        say(BUTTONS["take_over"]),
        lines,
        say(note) if another else "",
        fields=fields,
    )


def of_pause(
    action: Action,
    plans: Sequence[AssetPlan],
    current: RunState | None,
    why: str,
) -> Proposal:
    """Show what goes on, and what waits, or would be written once nothing does.

    Args:
        action: which of both.
        plans: what differs now, and would be written.
        current: the run that is under way.
        why: why nothing is written anyway, or what waits cannot be told; empty: it is told.
    """
    shown = _written(action, plans, (), {}, "/")
    waiting = (why,) if why else shown.lines or (say(NOTHING_WAITS) + ".",)
    lines = waiting if action == "resume" else (_under_way(current), *waiting)
    return replace(shown, possible=True, lines=lines, path=f"/actions/{action}")


def unknown(error: ReconcilerError) -> str:
    """Say that it cannot be told what waits."""
    return say(UNKNOWN, why=joined_reasons((of_error(error),), "daemon"))


def _under_way(current: RunState | None) -> str:
    if current is None:
        return say(NO_RUN) + "."
    progress = current.progress
    if progress is None or not progress.total:
        return say(UNDER_WAY) + "."
    done, total = (f"{number:,}" for number in (progress.done, progress.total))
    return say(UNDER_WAY_DONE, done=done, total=total) + "."


def _written(
    action: Action,
    plans: Sequence[AssetPlan],
    left: Sequence[Left],
    fields: Mapping[str, str],
    back: str,
) -> Proposal:
    counts = {
        "descriptions": sum(plan.description is not None for plan in plans),
        "places": sum(plan.coordinates is not None for plan in plans),
        "dates": sum(plan.taken_at is not None for plan in plans),
        "tags_on": sum(len(plan.coming_tags) for plan in plans),
        "tags_off": sum(len(plan.going_tags) for plan in plans),
        "albums_on": sum(len(plan.add_albums) for plan in plans),
        "albums_off": sum(len(plan.remove_albums) for plan in plans),
        "values_left" if action == "undo" else "left": len(left),
    }
    return Proposal(
        action,
        _title(action, len(plans)),
        bool(plans),
        say(BUTTONS[action]),
        (*_lines(counts), *renames_of(plans)),
        say(NOTES[action]),
        plans=plans[:SHOWN],
        more=max(0, len(plans) - SHOWN),
        left=left,
        fields=fields,
        back=back,
    )


def _title(action: Action, count: int) -> str:
    return say(TITLES[action], count=count, number=f"{count:,}") if count else say(NOTHING[action])


def _lines(counts: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(
        first_upper(say(COUNTS[name], count=count, number=f"{count:,}")) + "."
        for name, count in counts.items()
        if count
    )


def renames_of(plans: Iterable[AssetPlan]) -> tuple[str, ...]:
    """Return what branches of tags are renamed, a sentence each."""
    renamed = branches(pair for plan in plans for pair in plan.renames)
    return tuple(f"{first_upper(words(one))}." for one in told_renames(renamed))


def _why(plan: AssetPlan | None) -> tuple[Reason, ...]:
    """Return why nothing of an image would be written: it cannot be, or somebody decided so."""
    if plan is None:
        return ()
    if plan.blocked is not None:
        return (plan.blocked,)
    return tuple(
        dict.fromkeys(one.reason for one in plan.decisions if one.reason is not None and one.action == "keep")
    )
