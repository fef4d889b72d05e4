"""``history``: what was written, when, and what it replaced."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.app.wiring import store_of
from reconciler.cli.images import find_record, find_run, find_run_or_record
from reconciler.cli.output.history import show_entries, show_runs
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.engine.stack_watch import known_stacking
from reconciler.errors import ReconcilerError
from reconciler.models.images import Change
from reconciler.models.runs import Run


def command(
    what: Annotated[
        str | None, typer.Argument(metavar="IMAGE|RUN", help="An image, or a run.", show_default=False)
    ] = None,
    *,
    run: Annotated[
        str | None, typer.Option(metavar="RUN", help="What this run replaced.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="At most this many.")] = 20,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Show the last runs; or, of an image or of a run, each value that was replaced, before and after."""
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    with store_of(session.config, read_only=True) as store:
        if what is None and run is None:
            runs = store.runs(limit)
            if json:
                screen.json({"runs": [Run.of(one) for one in runs]})
                return 0
            show_runs(screen, runs)
            screen.line("Nothing has been done yet." if not runs else "What one replaced: history RUN", "dim")
            return 0
        records = store.records()
        found, record = None, None
        if run is not None:
            found = find_run(run, store)
            if found is None:
                raise ReconcilerError(f"No run is called {run}.", remedy="See: skymmich-reconciler history")
            if what is not None:
                record = find_record(what, records.values(), known_stacking(store).beside)
        elif what is not None:
            found, record = find_run_or_record(what, store, records.values())
        entries = store.journal_of(
            found.run_id if found else None, record.asset_id if record else None, limit
        )
    if json:
        screen.json({"entries": [Change.of(one) for one in entries]})
        return 0
    # By image; within one, and among them, the newest first.
    newest = {entry.asset_id: -number for number, entry in reversed(list(enumerate(entries)))}
    entries.sort(key=lambda entry: -newest[entry.asset_id])
    show_entries(screen, entries, {asset_id: record.title for asset_id, record in records.items()})
    if not entries:
        screen.line("Nothing was replaced there.", "dim")
    elif len(entries) == limit:
        screen.line(f"The newest {limit}; more: --limit {limit * 5}", "dim")
    return 0
