"""``redo``: write again what was taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.wiring import new_run_id
from reconciler.cli.consent import ask
from reconciler.cli.context import Work, working
from reconciler.cli.handover import carried_out
from reconciler.cli.images import find_run, find_with_stacks
from reconciler.cli.output.outcome import exit_code, show_report
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.core.plan.taken_back import is_taken_back
from reconciler.engine.passes import Selection
from reconciler.engine.redo import taken_back_in, write_again
from reconciler.errors import UndoError
from reconciler.messages.nouns import counted
from reconciler.models.runs import Report, Requests

if TYPE_CHECKING:
    from reconciler.core.records import AssetRecord


def command(
    images: Annotated[
        list[str] | None, typer.Argument(metavar="IMAGE", help="Images.", show_default=False)
    ] = None,
    *,
    run: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="All that this run, or this undo, wrote to.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that was taken back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Write again what was taken back, of some images, of a run, or of all.

    What people wrote in the meantime is kept, as always. Exits as `apply` does.
    """
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    if sum([bool(images), run is not None, everything]) != 1:
        raise UndoError("It is not clear what to write again.", remedy="Name images, or --run RUN, or --all.")
    with working(session) as work:
        work.permission.require_mode()
        if work.daemon_writes:
            records = _records(work, images or [], run)
            _consent(work, records, yes=yes)
            ids = sorted({record.image_id for record in records})
            body: dict[str, object] = {"everything": True} if everything else {"image_ids": ids}
            state = carried_out(session, "/redo", body)
            if json:
                screen.json({"state": state})
            return 0 if state.get("state") == "done" else 1
    with working(session) as work, work.right_to_write("redo"):
        records = _records(work, images or [], run)
        _consent(work, records, yes=yes)
        bench = work.bench
        work.permission.require({record.image_id for record in records})
        asset_ids = None if everything else [record.asset_id for record in records]
        selection = Selection(image_ids=write_again(bench.store, asset_ids))
        prepared = work.do(bench.cycle.prepare(selection, bench.wishes))
        report = work.write(
            lambda stop: bench.cycle.apply(
                prepared, selection, run_id=new_run_id(), trigger="redo", stop=stop
            )
        )
        requests = Requests.of(bench.target.requests)
    if json:
        screen.json(dict(Report.of(report, None, voice="command")) | {"requests": requests})
    else:
        show_report(screen, report, requests)
    if work.stopping.received is not None:
        return 128 + work.stopping.received
    return exit_code(report)


def _records(work: Work, images: list[str], run: str | None) -> list[AssetRecord]:
    """Return the records of what was taken back and is meant.

    Raises:
        UndoError: there is none.
    """
    store = work.bench.store
    records = list(store.records().values())
    if images:
        records = find_with_stacks(images, store)
    elif run is not None:
        found = find_run(run, store)
        if found is None:
            raise UndoError(f"No run is called {run}.", remedy="See: skymmich-reconciler history")
        of_run = taken_back_in(store, found.run_id)
        records = [record for record in records if record.image_id in of_run]
    records = [record for record in records if is_taken_back(record)]
    if not records:
        raise UndoError("Nothing of it was taken back, so there is nothing to write again.")
    return records


def _consent(work: Work, records: list[AssetRecord], *, yes: bool) -> None:
    screen, count = work.session.screen, len(records)
    if not screen.as_json:
        named = ", ".join(f"“{record.title}” ({record.image_id})" for record in records[:6])
        screen.line(f"To be written again: {named}{f' and {count - 6} more' if count > 6 else ''}.")
    if not yes:
        ask(screen, f"Write {counted(count, 'image')} again?", command="redo --yes …")
