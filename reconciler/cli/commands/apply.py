"""``apply``: write what the plan shows, verify it, and say what became of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.wiring import new_run_id
from reconciler.cli.beginning import begun, begun_beside_daemon
from reconciler.cli.beside_daemon import have_looked
from reconciler.cli.consent import ask
from reconciler.cli.context import Work, working
from reconciler.cli.handover import broken_off
from reconciler.cli.images import find_images
from reconciler.cli.output.another import ours
from reconciler.cli.output.outcome import exit_code, show_report
from reconciler.cli.output.tables import has_conflict, show_choice, show_plan
from reconciler.cli.planfile import SavedPlan, is_plan_file, read_plan
from reconciler.cli.session import ConfigFile, Details, Full, Json, Verbose, begin
from reconciler.core.store_keys import PAUSED
from reconciler.engine.approvals import leave_approval
from reconciler.engine.passes import Prepared, Selection
from reconciler.engine.undo_wish import unfinished
from reconciler.errors import ReconcilerError
from reconciler.messages import guard
from reconciler.messages.nouns import counted
from reconciler.messages.voice import remedy_of
from reconciler.models.plans import Plan
from reconciler.models.runs import Report, Requests

if TYPE_CHECKING:
    from reconciler.cli.output.screen import Screen

What = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="IMAGE|PLANFILE",
        help="Images, or a plan that was saved with plan --out. None: all images.",
        show_default=False,
    ),
]


def command(  # noqa: PLR0913 - one parameter an option
    what: What = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Overwrite what differs from the catalogue, for these images only."),
    ] = False,
    approve: Annotated[
        str, typer.Option(metavar="HASH", help="Approve what the guard holds back.", show_default=False)
    ] = "",
    full: Full = False,
    details: Details = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Write to Immich what `plan` shows, check that Immich kept it, and report on each image.

    In a new installation this also begins it: once all images were agreed to, a daemon writes by itself.
    With images by name, only these are begun with.

    Exits 0 when everything that could be written was, 1 when something is left or held back, 130 or 143 when
    stopped.
    """
    named, saved = _understood(what or [], force=force)
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    with working(session) as work:
        work.permission.require_mode()
        if approve and not (what or force) and work.daemon_writes:
            return _approved_beside_daemon(work, approve, details=details)
        if work.permission.waits and not (what or force or full or approve) and work.daemon_writes:
            return begun_beside_daemon(work, yes=yes, details=details)
    with working(session) as work, work.right_to_write("apply"):
        if left := unfinished(work.bench.store):
            screen.say(f"! {broken_off(left)}", "yellow")
        selection = _selection(work, named, saved)
        selection = replace(selection, force=force, full=full, approved=approve)
        prepared = ours(work.do(work.bench.cycle.prepare(selection, work.bench.wishes)))
        gone = saved.gone(prepared.catalogue) if saved else ()
        if not json:
            show_plan(screen, prepared, details=details, attention=not yes)
            for title in gone:
                screen.line(f"! “{title}” left the catalogue since the plan was made", "yellow")
        consent(screen, prepared, yes=yes)
        begun(work, prepared, selection.image_ids)
        report = work.write(
            lambda stop: work.bench.cycle.apply(
                prepared, selection, run_id=new_run_id(), trigger="decision" if approve else "cli", stop=stop
            )
        )
        requests = Requests.of(work.bench.target.requests)
    if json:
        plan = Plan.of(prepared, work.bench.clock.now())
        screen.json(
            dict(Report.of(report, None, voice="command"))
            | {"plan": plan, "requests": requests, "gone": gone}
        )
    else:
        show_report(screen, report, requests)
        if has_conflict(prepared):
            show_choice(screen)
        if report.error and (remedy := remedy_of(report.error, "command")):
            screen.say(f"→ {remedy}")
    if work.stopping.received is not None:
        total = prepared.items.tally.jobs
        done = total - sum(outcome.status == "new" for outcome in report.outcomes)
        screen.say(
            f"Stopped at {done:,} of {total:,}. What was sent is on record; run apply again, and it goes on "
            "from here."
        )
        return 128 + work.stopping.received
    return exit_code(report) or (1 if gone else 0)


def _approved_beside_daemon(work: Work, approve: str, *, details: bool) -> int:
    """Leave an approval for the daemon, which has the right to write, if it is of what the guard holds now.

    Raises:
        ReconcilerError: the guard holds nothing, or other harm, or another instance keeps this library;
            nothing was approved.
    """
    bench, screen = work.bench, work.session.screen
    selection = Selection(approved=approve)
    prepared = ours(work.do(bench.cycle.prepare(selection, bench.wishes)))
    verdict = prepared.verdict
    if verdict.hash != approve:
        now = (
            f"it holds {verdict.hash} now: {'; '.join(guard.lines(verdict.reasons))}"
            if verdict.tripped
            else "it holds nothing"
        )
        raise ReconcilerError(
            f"Not approved: {approve} does not name what the guard holds back; {now}. Nothing was written.",
            remedy="Look at it as it is now: skymmich-reconciler plan",
        )
    leave_approval(bench.store, approve)
    taken = have_looked(work.session.config, approve=approve)
    if taken.run_id:
        if screen.as_json:
            plan = Plan.of(prepared, bench.clock.now())
            screen.json(
                {"plan": plan, "approved": approve, "carried_out": taken.words, "run_id": taken.run_id}
            )
        else:
            show_plan(screen, prepared, details=details, attention=False)
            screen.line(f"Approved. {taken.words}", "bold green")
        return 0
    when = "once it is resumed" if PAUSED.is_kept(bench.store) else "at its next look"
    if not prepared.rules.switches.enabled:
        when = "once metadata sync is switched on"
    if screen.as_json:
        screen.json({"plan": Plan.of(prepared, bench.clock.now()), "approved": approve, "carried_out": when})
    else:
        show_plan(screen, prepared, details=details, attention=False)
        screen.line(f"Approved: the daemon carries it out {when}.", "bold green")
    return 0


def _understood(what: list[str], *, force: bool) -> tuple[list[str], SavedPlan | None]:
    saved = read_plan(Path(what[0])) if len(what) == 1 and is_plan_file(what[0]) else None
    if force and (saved or not what):
        raise ReconcilerError(
            "--force overwrites what people wrote, so it needs the images by name.",
            remedy="Name them: skymmich-reconciler apply --force IMAGE… Which: skymmich-reconciler conflicts",
        )
    return ([] if saved else what), saved


def _selection(work: Work, named: list[str], saved: SavedPlan | None) -> Selection:
    catalogue = work.bench.source.read()
    if saved is None:
        return Selection(image_ids=find_images(named, catalogue))
    return Selection(image_ids=saved.image_ids(catalogue), expected=saved.expected)


def consent(screen: Screen, prepared: Prepared, *, yes: bool) -> None:
    """Ask before anything is written; with nothing to write, or where the pass refuses anyway, do not.

    Raises:
        ReconcilerError: nobody is there to be asked, or the answer was no.
    """
    count = prepared.changing
    if yes or not count or not prepared.rules.switches.enabled:
        return
    ask(screen, f"Write to {counted(count, 'asset')} in Immich?", command="apply --yes")
