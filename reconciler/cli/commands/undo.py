"""``undo``: take back a run, an image's changes, or everything; beside a running daemon, too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.wiring import listener, new_run_id
from reconciler.cli.consent import ask
from reconciler.cli.context import Work, working
from reconciler.cli.handover import carried_out
from reconciler.cli.images import find_record, find_run_or_record
from reconciler.cli.output.another import ours
from reconciler.cli.output.tables import FULL_UP_TO, heading, overview, show_changes
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.engine.stack_watch import known_stacking
from reconciler.engine.undo import Undo
from reconciler.engine.undo_wish import UndoWish
from reconciler.errors import UndoError
from reconciler.messages.nouns import counted
from reconciler.messages.reasons import words
from reconciler.messages.runs import summary
from reconciler.messages.undo import texts
from reconciler.models.plans import AssetPlan
from reconciler.models.reasons import Reason
from reconciler.models.runs import Requests, Run
from reconciler.models.undo import asset_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.cli.output.screen import Screen
    from reconciler.core.reasons import Reason as CoreReason
    from reconciler.engine.undo_plan import PreparedUndo
    from reconciler.engine.undo_report import UndoReport


def command(  # noqa: PLR0913 - one parameter an option
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|IMAGE",
            help="A run (see history), or an image: its last change.",
            show_default=False,
        ),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that this program ever wrote.")
    ] = False,
    image: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help="The image to take back to the time of --to.", show_default=False),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="With --image: as it was then (2026-11-27T20:00).", show_default=False
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Take back what was written, as far as Immich still shows it: what people wrote stays.

    Later runs leave alone what was taken back until the catalogue's value changes; after --all, they leave
    it alone whatever changes. `redo` writes it again. Exits 1 when something that could be taken back was
    not.
    """
    session = begin(config, as_json=json, verbose=verbose)
    moment = _moment(to)
    if sum([what is not None, everything, image is not None]) != 1 or (moment is None) != (image is None):
        raise UndoError(
            "It is not clear what to undo; nothing was written.",
            remedy="Name a run or an image, or --all, or --image IMAGE --to TIME.",
        )
    with working(session) as work:
        work.permission.require_mode()
        beside = work.daemon_writes
        if beside:
            return _beside_daemon(work, _wish(work, what or image, moment, everything=everything), yes=yes)
    with working(session) as work, work.right_to_write("undo"):
        wish = _wish(work, what or image, moment, everything=everything)
        undo, prepared = _prepared(work, wish, yes=yes)
        report = work.write(lambda stop: undo.apply(prepared, run_id=new_run_id(), stop=stop))
        requests, address = Requests.of(work.bench.target.requests), work.bench.target.address
    if json:
        session.screen.json(
            _plan_json(prepared)
            | {
                "run": Run.of(report.run),
                "undone": list(report.undone),
                "left": [[asset_id, words(why, "command")] for asset_id, why in report.left],
                "reasons": [{"asset_id": key} | dict(Reason.of(why)) for key, why in report.left],
                "tags": {
                    "deleted": list(report.tags.deleted),
                    "kept": _kept(report.tags.kept),
                    "unrecorded": _kept(report.tags.unrecorded),
                },
                "requests": requests,
            }
        )
    else:
        _show_report(session.screen, report, prepared, address)
    if work.stopping.received is not None:
        return 128 + work.stopping.received
    return 1 if report.error or len(report.undone) < prepared.steps.jobs else 0


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise UndoError(
            f"“{text}” is not a moment; nothing was written.", remedy="Write it as 2026-11-27T20:00."
        ) from error


def _wish(work: Work, what: str | None, to: datetime | None, *, everything: bool) -> UndoWish:
    if everything or what is None:
        return UndoWish(everything=True)
    store = work.bench.store
    records = store.records().values()
    if to is not None:
        return UndoWish(asset_id=find_record(what, records, known_stacking(store).beside).asset_id, to=to)
    run, record = find_run_or_record(what, store, records)
    return (
        UndoWish(run_id=run.run_id)
        if run is not None
        else UndoWish(asset_id=record.asset_id if record else "")
    )


def _prepared(work: Work, wish: UndoWish, *, yes: bool) -> tuple[Undo, PreparedUndo]:
    """Plan an undo, show it, and ask.

    Raises:
        ReconcilerError: there is nothing to do, another instance keeps this library, or the answer was no.
    """
    bench, screen = work.bench, work.session.screen
    undo = Undo(bench.cycle, bench.target, bench.store, bench.clock, listener(work.progress))
    prepared = work.do(undo.prepare(wish, bench.wishes))
    ours(prepared.prepared)
    if not screen.as_json:
        _show(screen, prepared, bench.target.address)
    if not prepared.has_work and not wish.everything:
        raise UndoError("There is nothing left to take back; nothing was written.")
    _consent(screen, prepared, yes=yes)
    return undo, prepared


def _beside_daemon(work: Work, wish: UndoWish, *, yes: bool) -> int:
    """Have the daemon do it, which has the right to write."""
    _, prepared = _prepared(work, wish, yes=yes)
    body: dict[str, object] = dict(wish.to_json())
    state = carried_out(work.session, "/undo", body)
    if work.session.screen.as_json:
        work.session.screen.json(_plan_json(prepared) | {"state": state})
    return 0 if state.get("state") == "done" else 1


def _plan_json(prepared: PreparedUndo) -> dict[str, object]:
    plans = [
        dict(AssetPlan.of(plan, compared=True)) | {"image_id": plan.image_id} for plan in prepared.changes
    ]
    return {
        "plan": plans,
        "counts": prepared.counts,
        "made_tags": list(prepared.tags),
        "unrecorded_tags": list(prepared.unrecorded),
    }


def _kept(tags: Iterable[tuple[str, CoreReason]]) -> list[list[str]]:
    return [[path, words(why, "command")] for path, why in tags]


def _show(screen: Screen, prepared: PreparedUndo, address: str) -> None:
    changing = (step for step in prepared.steps if step.change is not None)
    if prepared.counts["images"] > FULL_UP_TO:
        overview(screen, [replace(step.item, plan=step.change) for step in changing])
    else:
        for step in changing:
            screen.line()
            screen.line(heading(step.item.title, step.item.image_id))
            if step.change is not None:
                show_changes(screen, step.change)
    screen.line()
    _show_left(
        screen,
        prepared,
        ((s.item.asset_id, why) for s, why in prepared.left),
        address,
        "Will be left as it is",
    )
    counts = prepared.counts
    if prepared.wish.everything:
        dates = f"{counted(counts['dates'], 'date')}, " if counts.get("dates") else ""
        screen.line(
            f"{counted(counts['images'], 'image')}: {counted(counts['descriptions'], 'description')}, "
            f"{counted(counts['places'], 'place')}, {dates}{counted(counts['tags_off'], 'tag')} to take off; "
            f"made from here and to be deleted: {counted(counts['tags_made'], 'tag')}.",
            "bold",
        )
        for line in texts(prepared.steps.texts):
            screen.line(line, indent=2)
    if prepared.unrecorded:
        screen.line(_unrecorded(prepared.unrecorded))


def _unrecorded(tags: Sequence[str]) -> str:
    listed = ", ".join(f"“{path}”" for path in tags[:FULL_UP_TO])
    more = f" and {len(tags) - FULL_UP_TO} more" if len(tags) > FULL_UP_TO else ""
    return (
        f"Not on record here as made from here, so left as it is: {counted(len(tags), 'tag')} "
        f"({listed}{more}). Those that nothing carries afterwards are named then."
    )


def _show_left(
    screen: Screen,
    prepared: PreparedUndo,
    left: Iterable[tuple[str, CoreReason]],
    address: str,
    title: str,
) -> None:
    titles = {step.item.asset_id: step.item.title for step in prepared.steps}
    by_reason: dict[str, list[str]] = {}
    by_hand: list[str] = []
    for asset_id, why in left:
        by_reason.setdefault(words(why, "command"), []).append(titles.get(asset_id, asset_id))
        if why.code == "no_place_before":
            by_hand.append(asset_id)
    if by_reason:
        screen.line(f"{title}:", "yellow")
    for reason, names in by_reason.items():
        listed = ", ".join(f"“{name}”" for name in names[:FULL_UP_TO])
        more = f" and {len(names) - FULL_UP_TO} more" if len(names) > FULL_UP_TO else ""
        screen.line(f"{reason}: {listed}{more}", indent=2)
    if prepared.wish.everything:
        for asset_id in by_hand:
            screen.line(f"{titles.get(asset_id, '')} {asset_url(address, asset_id)}", "dim", indent=4)


def _consent(screen: Screen, prepared: PreparedUndo, *, yes: bool) -> None:
    if yes:
        return
    count = prepared.counts["images"]
    what = "Undo everything, on" if prepared.wish.everything else "Write this back to"
    question = f"{what} {counted(count, 'asset')} in Immich?"
    ask(screen, question, command="undo --yes …")


def _show_report(screen: Screen, report: UndoReport, prepared: PreparedUndo, address: str) -> None:
    _show_left(screen, prepared, report.left, address, "Left as it is")
    if report.tags.kept:
        screen.line("Tags that were made and are still there:", "yellow")
        for path, why in _kept(report.tags.kept):
            screen.line(f"{path}: {why}", indent=2)
    if report.tags.unrecorded:
        screen.line("Tags that are left as they are:", "yellow")
        for path, why in _kept(report.tags.unrecorded):
            screen.line(f"{path}: {why}", indent=2)
    if report.error:
        screen.say(f"✗ {report.error.message}", "red")
    screen.line(f"{summary(report.run.summary)} (run {report.run.run_id}).", "bold")
    if not prepared.wish.everything:
        screen.line(
            "What was taken back is left alone until the catalogue's value changes. To have it written "
            "again: skymmich-reconciler redo",
            "dim",
        )
        return
    screen.line("All of it stays taken back, whatever changes, until: skymmich-reconciler redo --all", "dim")
    if prepared.prepared.rules.switches.enabled:
        screen.line(
            "New images are still written. To stop that, too: "
            "skymmich-reconciler settings set metadataSyncEnabled=off",
            "dim",
        )
