"""``undo``: write back what a run, or the last change of an image, replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from reconciler.app.wiring import listener, new_run_id
from reconciler.cli.context import Work, working
from reconciler.cli.images import find_run_or_record
from reconciler.cli.output.tables import FULL_UP_TO, heading, overview, show_changes
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.engine.undo import Undo, UndoReport
from reconciler.errors import ReconcilerError
from reconciler.messages.reasons import words
from reconciler.messages.runs import summary
from reconciler.models.plans import AssetPlan
from reconciler.models.reasons import Reason
from reconciler.models.runs import Requests, Run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.cli.output.screen import Screen
    from reconciler.core.reasons import Reason as CoreReason
    from reconciler.core.records import JournalEntry
    from reconciler.engine.undo_plan import PreparedUndo

_ALL: Final = 10_000_000


def command(
    what: Annotated[
        str, typer.Argument(metavar="RUN|IMAGE", help="A run (see history), or an image: its last change.")
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Write back what was replaced, where Immich still shows what was written: never over newer words.

    What was undone is left alone by later passes, until the catalogue's value changes or `apply --force`.
    """
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    with working(session) as work, work.right_to_write("undo"):
        entries = _entries(work, what)
        bench = work.bench
        undo = Undo(bench.cycle, bench.target, bench.store, bench.clock, listener(work.progress))
        prepared = work.do(undo.prepare(entries, bench.wishes))
        if not json:
            _show(screen, prepared)
        if not prepared.changes:
            raise ReconcilerError("There is nothing to write back; nothing was written.")
        _consent(screen, len(prepared.changes), yes=yes)
        report = work.write(lambda stop: undo.apply(prepared, run_id=new_run_id(), stop=stop))
        requests = Requests.of(bench.target.requests)
    if json:
        plans = [
            dict(AssetPlan.of(plan, compared=True)) | {"image_id": plan.image_id} for plan in prepared.changes
        ]
        screen.json({"run": Run.of(report.run), "undone": list(report.undone),
                     "left": [[asset_id, words(why, "command")] for asset_id, why in report.left],
                     "reasons": [{"asset_id": key} | dict(Reason.of(why)) for key, why in report.left],
                     "plan": plans, "requests": requests})  # fmt: skip
    else:
        _show_report(screen, report, prepared)
    if work.stopping.received is not None:
        return 128 + work.stopping.received
    return 1 if report.error or len(report.undone) < len(prepared.changes) else 0


def _entries(work: Work, what: str) -> list[JournalEntry]:
    store = work.bench.store
    run, record = find_run_or_record(what, store, store.records().values())
    if run is not None:
        entries = store.journal_of(run_id=run.run_id, limit=_ALL)
    else:
        asset_id = record.asset_id if record else ""
        newest = store.journal_of(asset_id=asset_id, limit=1)
        entries = store.journal_of(newest[0].run_id, asset_id, _ALL) if newest else []
    if not entries:
        raise ReconcilerError(
            f"Nothing was written by or to “{what}”.", remedy="See: skymmich-reconciler history"
        )
    return entries


def _show(screen: Screen, prepared: PreparedUndo) -> None:
    changing = [step for step in prepared.steps if step.found and step.found.plan.changes]
    if len(changing) > FULL_UP_TO:
        overview(screen, [replace(step.item, plan=step.found.plan) for step in changing if step.found])
    else:
        for step in changing:
            screen.line()
            screen.line(heading(step.item.title, step.item.image_id))
            if step.found:
                show_changes(screen, step.found.plan)
    screen.line()
    titles = [(step.item.title, why) for step in prepared.steps for why in step.left]
    _show_left(screen, titles, "Will be left as it is")


def _show_left(screen: Screen, left: Iterable[tuple[str, CoreReason]], title: str) -> None:
    by_reason: dict[str, list[str]] = {}
    for name, why in left:
        by_reason.setdefault(words(why, "command"), []).append(name)
    if by_reason:
        screen.line(f"{title}:", "yellow")
    for reason, names in by_reason.items():
        listed = ", ".join(f"“{name}”" for name in names[:FULL_UP_TO])
        more = f" and {len(names) - FULL_UP_TO} more" if len(names) > FULL_UP_TO else ""
        screen.line(f"{reason}: {listed}{more}", indent=2)


def _consent(screen: Screen, count: int, *, yes: bool) -> None:
    if yes:
        return
    if not screen.interactive:
        raise ReconcilerError(
            "Nobody is there to be asked, so nothing was written.",
            remedy="Say it beforehand: skymmich-reconciler undo --yes …",
        )
    if not typer.confirm(f"Write this back to {count} asset{'' if count == 1 else 's'} in Immich?"):
        raise ReconcilerError("As you wish: nothing was written.")


def _show_report(screen: Screen, report: UndoReport, prepared: PreparedUndo) -> None:
    titles = {step.item.asset_id: step.item.title for step in prepared.steps}
    _show_left(screen, [(titles[asset_id], why) for asset_id, why in report.left], "Left as it is")
    if report.error:
        screen.say(f"✗ {report.error.message}", "red")
    screen.line(f"{summary(report.run.summary)} (run {report.run.run_id}).", "bold")
    screen.line(
        "What was taken back is left alone until the catalogue's value changes, or apply --force IMAGE.",
        "dim",
    )
