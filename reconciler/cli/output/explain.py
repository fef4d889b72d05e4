"""Shows one image from all sides: catalogue, what would be written and why, the block, what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.cli.output.history import moment, show_entries
from reconciler.cli.output.json_output import standing
from reconciler.cli.output.tables import show_choice, show_difference, show_tags, side
from reconciler.core.desired.integration_facts import lights
from reconciler.core.fields import Value
from reconciler.core.plan.diff import Difference, differences
from reconciler.messages.formats import field, state
from reconciler.messages.nouns import counted
from reconciler.messages.reasons import sentence, words
from reconciler.messages.translation import joined, say
from reconciler.messages.vocabulary import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cli.image_view import View
    from reconciler.cli.output.screen import Screen
    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.plan.plan import Decision

_STYLES: Final = {"nothing": "green", "write": "cyan", "remove": "cyan", "keep": "yellow"}


def show_view(screen: Screen, view: View) -> None:
    """Show all of it."""
    screen.line(view.image.title, "bold")
    screen.line(f"image {view.image.image_id}, Immich asset {view.image.asset_id or '(not linked)'}", "dim")
    _show_standing(screen, view)
    _show_members(screen, view)
    _title(screen, "Catalogue")
    for label, text in _facts(view.image):
        screen.row(label, text)
    for problem in view.problems:
        screen.row("! row", problem, "yellow")
    for why in view.desired.problems:
        screen.row("! not usable", words(why, "command"), "yellow")
    for why in view.desired.remarks:
        screen.row("omitted", words(why, "command"), "dim")
    if view.plan is not None:
        _title(screen, "Field by field")
        if view.plan.blocked:
            screen.row("not written", words(view.plan.blocked, "command"), "yellow")
        for decision in view.plan.decisions:
            _show_decision(screen, decision)
            _show_exact(screen, decision, view)
        if view.plan.conflicts:
            show_choice(screen)
    _title(screen, "The block as it would read")
    screen.line(view.desired.block or "(none: the catalogue has no fact for it)", indent=2)
    if view.entries:
        _title(screen, "What was written, the newest first")
        show_entries(screen, view.entries, {view.image.asset_id or "": view.image.title})


def _title(screen: Screen, text: str) -> None:
    screen.line()
    screen.line(text, "bold cyan")


def _show_standing(screen: Screen, view: View) -> None:
    record = view.record
    if view.image.asset_id is None:
        screen.line("Not linked to an Immich asset, so nothing is written.", "yellow")
        return
    if view.item and view.prepared:
        if view.plan and view.plan.changes:
            screen.line("Something would be written: see below.", "cyan")
        else:
            now = standing(view.item, view.prepared)
            style = "green" if now.status == "in_sync" else "yellow"
            screen.line(f"{_sentence(state(now.status), sentence(now.reasons, 'command'))}.", style)
    if record is not None:
        looked = f"Last looked at {moment(record.checked_at)}" if record.checked_at else "Not looked at yet"
        changed = f"changed {moment(record.changed_at)}" if record.changed_at else "nothing written yet"
        screen.line(f"{looked}, {changed}.", "dim")
        if record.left_out:
            left = joined([field(one.field) for one in record.left_out])
            screen.line(f"A person left out its {left}. To take it in: take-in {record.image_id}", "dim")
        for entry in record.unsticking:
            screen.line(f"{field(entry.field)} is left alone: {words(entry.diagnosis, 'command')}", "yellow")
        if record.crossing is not None:
            screen.line(
                f"An edit may be missing: somebody saved it in Immich while run {record.crossing.run_id} "
                f"wrote it, {moment(record.crossing.at)}. Only they can tell; when you have looked: "
                f"skymmich-reconciler seen {record.image_id}",
                "yellow",
            )


def _show_members(screen: Screen, view: View) -> None:
    """Show the other members of the stack, each with where it stands."""
    if view.prepared is None:
        return
    if view.image.asset_id in view.prepared.stacking.instead:
        screen.line("It is the cover of the stack of the linked asset, in whose place it is written.", "dim")
    if not view.members:
        return
    _title(screen, "In the same stack")
    for one in view.members:
        if one.plan is not None and one.plan.changes:
            told, style = "something would be written", "cyan"
        else:
            told = _sentence(state(one.status), sentence(one.reasons, "command"))
            style = "green" if one.status == "in_sync" else "yellow"
        screen.line(f"{one.asset_id}  {told}", style, indent=2)


def _facts(image: CatalogueImage) -> Iterable[tuple[str, str]]:
    """Return what the catalogue knows, as it is after reading; what is absent is left out."""
    solution, target = image.solution, image.target
    names = (target.messier, target.name, *target.common_names) if target else (image.target_name,)
    width, height = (solution.width_arcsec, solution.height_arcsec) if solution else (None, None)
    rows = lights(image.acquisitions)
    frames = sum(row.frame_count for row in rows)
    seconds = sum(row.frame_count * row.exposure_s for row in rows)
    listed = {
        "file": image.filename,
        "path": image.path,
        "taken": f"{image.captured_at:%Y-%m-%d %H:%M} UTC" if image.captured_at else "",
        "target": ", ".join(filter(None, names)),
        "type": image.object_type or "",
        "solution": f"RA {solution.ra_deg}°, Dec {solution.dec_deg}°"
        if solution and solution.ra_deg is not None
        else "",
        "field": f"{width / 3600:.2f}° × {height / 3600:.2f}°" if width and height else "",
        "equipment": ", ".join(f"{piece.name} ({piece.kind})" for piece in image.equipment),
        "exposures": f"{frames} frames, {_duration(seconds)}" if rows else "",
        "site": image.site.name if image.site else "",
        "place": f"{image.latitude}, {image.longitude}" if image.latitude is not None else "",
        "tags": ", ".join(image.tags),
        "description": side(image.description) if image.description else "",
    }
    return [(label, text) for label, text in listed.items() if text]


def _sentence(status: str, reason: str) -> str:
    text = f"{status}: {reason}" if reason else status
    return text[0].upper() + text[1:]


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds:.0f} s"


def _show_decision(screen: Screen, decision: Decision) -> None:
    """Show one field: what was decided and why, and the sides where they differ."""
    text, style = say(ACTIONS[decision.action]), _STYLES[decision.action]
    why = f": {words(decision.reason, 'command')}" if decision.reason else ""
    screen.row(field(decision.field), f"{text}{why}", style)
    if decision.case == "in_sync":
        owned = _owned(decision)
        screen.row(
            "", f"{_short(decision.live)}  ({owned})" if decision.live else "(none on either side)", "dim"
        )
        return
    if decision.field in {"tags", "albums"}:
        show_tags(screen, _between(decision))
        return
    if decision.field == "block" and decision.live and decision.desired:
        screen.row("", "Immich → catalogue:", "dim")
        for one in _between(decision):
            show_difference(screen, one)
        return
    for label, value in (
        ("Immich", decision.live),
        ("applied", decision.base),
        ("catalogue", decision.desired),
    ):
        screen.row("", f"{label:10} {_short(value)}")


def _show_exact(screen: Screen, decision: Decision, view: View) -> None:
    """Show a place as the catalogue has it where Immich is told a coarser one."""
    if decision.field == "coordinates" and (exact := view.desired.exact_place) is not None:
        screen.row("", f"{'exact':10} {side(exact)}  (stays here; what is told is coarser)")


def _owned(decision: Decision) -> str:
    """Return who wrote a value that is in sync; of tags, how many are whose."""
    if not decision.base:
        return "not ours: it was equal by itself"
    if isinstance(decision.live, tuple) and isinstance(decision.base, tuple):
        ours = len(set(decision.live) & set(decision.base))
        if others := len(decision.live) - ours:
            return f"{ours} written by this program, {others} not"
    return "as written by this program"


def _short(value: object) -> str:
    if isinstance(value, tuple) and len(value) > 4:
        return counted(len(value), "tag")
    return side(value)


def _between(decision: Decision) -> tuple[Difference, ...]:
    """Compare Immich's side with the catalogue's; of tags only what would change counts."""
    if decision.field in {"tags", "albums"}:
        live, base, desired = (
            frozenset(side) if isinstance(side, tuple) else frozenset[str]()
            for side in (decision.live, decision.base, decision.desired)
        )
        return differences({decision.field: live}, {decision.field: (live | desired) - (base - desired)})
    return differences({decision.field: _lines(decision.live)}, {decision.field: _lines(decision.desired)})


def _lines(value: object) -> object:
    return value.split("\n") if isinstance(value, str) else None if isinstance(value, Value) else value
