"""A plan for people: per image what would be written, field by field, and what stands in the way.

Few images are shown in full; of many, one line each and the first in full. Nothing is decided here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from rich.text import Text

from reconciler.cli.output.json_output import needs_work, standing
from reconciler.cli.output.kinds import kinds_of, show_kinds
from reconciler.cli.output.screen import Screen, shortened
from reconciler.core.fields import Value, text_of
from reconciler.core.plan.diff import Difference, plan_differences
from reconciler.core.plan.kinds import KIND_FIELDS
from reconciler.core.plan.renames import branches
from reconciler.core.records import FINE
from reconciler.engine.outcomes import told_renames
from reconciler.logging import printable
from reconciler.messages import guard
from reconciler.messages.formats import field, state
from reconciler.messages.nouns import counted
from reconciler.messages.reasons import sentence, words
from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.plan.diff import Kind
    from reconciler.core.plan.guard import Verdict
    from reconciler.core.plan.plan import AssetPlan, Decision
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared

FULL_UP_TO: Final = 6
"""So many images with something to write are shown in full."""
MOST_LISTED: Final = 20
"""So many are listed, a line each, unless all are asked for."""
MOST_PROBLEMS: Final = 8
_MARKS: Final[dict[Kind, str]] = {"added": "+", "changed": "~", "removed": "−"}
_KEPT: Final = Message(
    "{count} of those to write keeps a value of yours.", "{count} of those to write keep a value of yours."
)
_CHANGES: Final = ("to write", "not as this store would write it")
_SIGNS = {"added": ("+", "green"), "removed": ("-", "red")}


def show_plan(
    screen: Screen,
    prepared: Prepared,
    *,
    details: bool = False,
    attention: bool = True,
    every: bool = False,
) -> None:
    """Show a prepared pass, beginning with what sums it up.

    Args:
        screen: where to.
        prepared: the pass.
        details: show all images with all of their differences.
        attention: show also what a person should look at among the others.
        every: list all images, also where there are many.
    """
    screen.line(summary(prepared), "bold")
    show_kinds(screen, kinds_of(item.plan for item in prepared.items if item.plan and item.plan.changes))
    show_renames(screen, prepared)
    working = [item for item in prepared.items if needs_work(item)]
    whole = details or len(working) <= FULL_UP_TO
    if not whole:
        overview(screen, [item for item in working if item.plan], None if every else MOST_LISTED)
        working = [item for item in working if item.plan and item.plan.changes][:1]
        screen.line()
        if working:
            screen.line(f"One of them in full (all: --details, or explain {working[0].image_id}):")
    for item in working:
        screen.line()
        show_item(screen, item, details=details)
    if attention:
        show_attention(screen, prepared, details=details)
    show_problems(screen, prepared.catalogue)
    for title in prepared.stale:
        screen.line(f"! “{title}” is skipped: changed since the plan was made; plan again", "yellow")
    if prepared.verdict.tripped:
        show_verdict(screen, prepared.verdict)
        show_withheld(screen, prepared, details=details)
    screen.line()


def show_renames(screen: Screen, prepared: Prepared) -> None:
    """Show what branches of tags are renamed, a line each."""
    for one in told_renames(prepared.items.tally.renamed):
        screen.row(field("tags"), words(one, "command"), "cyan")


def summary(prepared: Prepared) -> str:
    """Return the plan in one line."""
    counts: Counter[str] = Counter()
    for item in prepared.items:
        changes = item.plan and item.plan.changes
        waits = item.adopted and not changes
        counts[
            _CHANGES[prepared.another is not None]
            if changes
            else "to settle"
            if waits
            else _status(item, prepared)
        ] += 1
    listed = ", ".join(f"{count:,} {what}" for what, count in counts.most_common())
    images = len(prepared.items)
    if not images:
        return "No linked images."
    kept = sum(bool(item.plan and item.plan.changes and item.plan.conflicts) for item in prepared.items)
    conflicts = " " + say(_KEPT, count=kept) if kept else ""
    return f"{counted(images, 'image')}: {listed}.{conflicts}"


def show_choice(screen: Screen) -> None:
    """Say how a conflict is decided."""
    screen.line("To decide: skymmich-reconciler resolve IMAGE --keep immich|skymmich|both", "dim")


def has_conflict(prepared: Prepared) -> bool:
    """Return whether a person's value stands against the catalogue's, also where other values are written."""
    return any(item.plan.conflicts if item.plan else item.status == "conflict" for item in prepared.items)


def _status(item: Item, prepared: Prepared) -> str:
    return state("held" if item.held else standing(item, prepared).status)


def overview(screen: Screen, items: Sequence[Item], most: int | None = None) -> None:
    """Show one line an image: how many lines, places and tags are added, changed and removed.

    Args:
        screen: where to.
        items: those with something to write.
        most: list so many of them, and say how many more there are; ``None``: all.
    """
    room = min(screen.out.width if screen.out.is_terminal else 100, 110) - 44
    screen.line()
    columns = [("description", "description", 15), ("coordinates", "place", 7), ("tags", "tags", 12)]
    if any(item.plan and item.plan.taken_at for item in items):
        columns.insert(2, ("taken_at", "date", 6))
    if any(item.plan and item.plan.changes_albums for item in items):
        columns.append(("albums", "albums", 8))
    names = "".join(f"{called:>{width}}" for _, called, width in columns)
    screen.line(f"{'image':>7}  {'title':{room}}{names}", "dim")
    for item in items[:most]:
        if item.plan is None:
            continue
        found = _by_field(item.plan)
        title = Text(shortened(item.title, room))
        title.pad_right(room - title.cell_len)
        line = Text(f"{item.image_id:>7}  ") + title
        for name, _, width in columns:
            line += Text(_counted(found[name]).rjust(width), style="" if name != "tags" else "cyan")
        screen.line(line)
    screen.line("+ added, ~ changed, − removed: lines, places, tags", "dim", indent=9)
    if most is not None and len(items) > most:
        screen.line(f"… and {len(items) - most:,} more (all of them: plan --all)", indent=9)


def _counted(found: Sequence[Difference]) -> str:
    kinds = Counter(one.kind for one in found)
    return " ".join(f"{sign}{kinds[kind]}" for kind, sign in _MARKS.items() if kinds[kind]) or "·"


def heading(item_title: str, image_id: int) -> Text:
    """Return the line above an image."""
    return Text(printable(item_title), style="bold").append(f"  image {image_id}", style="not bold dim")


def show_item(screen: Screen, item: Item, *, details: bool = False) -> None:
    """Show what would be written to one image's asset."""
    screen.line(heading(item.title, item.image_id))
    if item.adopted:
        screen.row("unsettled", "a write of an earlier run is waited for first", "yellow")
    if item.plan is None:
        return
    show_changes(screen, item.plan)
    for decision in item.plan.conflicts:
        show_conflict(screen, decision, details=details)
    if item.held:
        screen.row("guard", "what this would take away is held back", "yellow")
    for note in item.plan.told:
        screen.row("note", words(note, "command"), "dim")


def show_changes(screen: Screen, plan: AssetPlan) -> None:
    """Show a plan's differences, field by field with the reason."""
    found = _by_field(plan)
    for name in KIND_FIELDS:
        fields = {"block", "prose"} if name == "description" else {name}
        if not found[name]:
            continue
        reasons = [
            words(d.reason.of(d.field) if name == "description" else d.reason, "command")
            for d in plan.decisions
            if d.field in fields and d.action in {"write", "remove"} and d.reason
        ]
        screen.row("date" if name == "taken_at" else name, "; ".join(reasons), "dim italic")
        if name == "tags":
            show_tags(screen, found[name])
            for renamed in told_renames(branches(plan.renames)):
                screen.row("", words(renamed, "command"), "cyan")
            continue
        if name == "albums":
            show_tags(screen, found[name])
            continue
        for one in found[name]:
            show_difference(screen, one)


def show_difference(screen: Screen, one: Difference) -> None:
    """Show one difference as lines with + and -."""
    if one.kind != "added":
        screen.row("", f"- {one.before}", "red")
    if one.kind != "removed":
        screen.row("", f"+ {one.after}", "green")


def show_tags(screen: Screen, found: Sequence[Difference]) -> None:
    """Show tags side by side: those that go, those that come."""
    for kind in ("removed", "added"):
        sign, style = _SIGNS[kind]
        tags = [str(one.after if kind == "added" else one.before) for one in found if one.kind == kind]
        if tags:
            screen.row("", f"{sign} " + f"  {sign} ".join(tags), style)


def show_conflict(screen: Screen, decision: Decision, *, details: bool = False) -> None:
    """Show both sides of a conflict."""
    kept = "" if decision.case == "resolved" else "; it is kept"
    why = words(decision.reason, "command") if decision.reason else ""
    screen.row(f"! {field(decision.field)}", f"{why}{kept}", "yellow")
    screen.row("", f"Immich:    {side(decision.live, details=details)}")
    screen.row("", f"catalogue: {side(decision.desired, details=details)}")


def side(value: object, *, details: bool = False) -> str:
    """Return one side of a field for people: texts in quotes, long ones shortened."""
    if value is None or value in {"", ()}:
        return "(none)"
    if isinstance(value, Value):
        return text_of(value)
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"“{value}”" if details else f"“{shortened(' ⏎ '.join(str(value).splitlines()), 160)}”"


def show_attention(screen: Screen, prepared: Prepared, *, details: bool = False) -> None:
    """List what a person should look at among the images with nothing to write."""
    listed = [
        (item, standing(item, prepared))
        for item in prepared.items
        if not needs_work(item) and not item.withheld
        if not (prepared.stale and item.title in prepared.stale)
    ]
    listed = [(item, record) for item, record in listed if record.status not in FINE]
    if not listed:
        return
    screen.line()
    screen.line("Not written:", "yellow")
    show_standings(
        screen, [Standing(r.image_id, r.title, r.status, sentence(r.reasons, "command")) for _, r in listed]
    )
    for item, _ in listed:
        for decision in item.plan.conflicts if item.plan else ():
            screen.line(heading(item.title, item.image_id), indent=2)
            show_conflict(screen, decision, details=details)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one image stands, and why."""

    image_id: int
    title: str
    status: str
    reason: str


def show_standings(screen: Screen, standings: Sequence[Standing], most: int = 40) -> None:
    """List where images stand; those with the same reason share it."""
    groups: dict[tuple[str, str], list[Standing]] = {}
    for one in standings[:most]:
        groups.setdefault((one.status, one.reason), []).append(one)
    for (status, reason), group in groups.items():
        said = f"{state(status)}: {reason}"
        if len(group) == 1:
            text = Text(printable(group[0].title)).append(f" — {said}", style="yellow")
            screen.row(f"{group[0].image_id:>5}", text, indent=0, width=7)
            continue
        screen.row(f"{len(group):>4}×", said, "yellow", indent=0, width=7)
        screen.line(", ".join(f"{one.title} ({one.image_id})" for one in group), "dim", indent=7)
    if len(standings) > most:
        screen.line(f"and {len(standings) - most} more: skymmich-reconciler status", "dim", indent=7)


def show_problems(screen: Screen, catalogue: Catalogue) -> None:
    """List the catalogue's rows that could not be used."""
    if not catalogue.problems:
        return
    screen.line()
    screen.line(
        f"Rows of the catalogue that could not be read completely ({len(catalogue.problems)}):", "yellow"
    )
    for problem in catalogue.problems[:MOST_PROBLEMS]:
        screen.line(f"{problem.place}: {words(problem.reason, 'command')}", "dim", indent=2)
    if (more := len(catalogue.problems) - MOST_PROBLEMS) > 0:
        screen.line(f"and {more} more: skymmich-reconciler doctor", "dim", indent=2)


def show_verdict(screen: Screen, verdict: Verdict) -> None:
    """Show what the guard holds back, with its numbers, and the command that approves it."""
    screen.line()
    screen.line("The guard holds back what this would take away", "bold red")
    for reason in guard.lines(verdict.reasons):
        screen.row("why", reason)
    screen.row("safe", "Nothing is taken from Immich. What only adds is written.")
    screen.row("mend", guard.mend(verdict.cause))
    screen.row("approve", guard.approval(verdict.hash))


def show_withheld(screen: Screen, prepared: Prepared, *, details: bool = False) -> None:
    """Show what an approval would write to the images of which the guard holds something back."""
    held = [item for item in prepared.items if item.withheld]
    if not held:
        return
    whole = details or len(held) <= FULL_UP_TO
    screen.line()
    screen.line(f"What it would write to {counted(len(held), 'image')} if approved:", "yellow")
    if not whole:
        overview(screen, [replace(item, plan=item.withheld) for item in held], MOST_LISTED)
        screen.line()
        screen.line("One of them in full (all: --details):")
    for item in held if whole else held[:1]:
        if item.withheld:
            screen.line()
            screen.line(heading(item.title, item.image_id))
            show_changes(screen, item.withheld)


def _by_field(plan: AssetPlan) -> dict[str, list[Difference]]:
    found: dict[str, list[Difference]] = {name: [] for name in KIND_FIELDS}
    renamed = {tag for pair in plan.renames for tag in pair}
    for one in plan_differences(plan):
        if one.field != "tags" or (one.before or one.after) not in renamed:
            found[one.field].append(one)
    for before, after in plan.renames:
        found["tags"].append(Difference("tags", "changed", before, after))
    return found
