"""``backup``: copy the state store, also while the daemon runs."""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.store_place import place_of
from reconciler.cli.interrupts import Stopping
from reconciler.cli.output.copies import as_json, show_copy
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.errors import ReconcilerError
from reconciler.messages.nouns import counted
from state.backup import back_up, named

if TYPE_CHECKING:
    from reconciler.cli.output.screen import Screen
    from state.backup import Copy
    from state.postgres.place import PostgresPlace


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The copy to make; - for standard output.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Copy the state store: what was written, what it replaced, what you decided. The daemon may run.

    The copy shows one moment, is checked, and is yours alone (mode 0600). `restore` puts it back.
    """
    session = begin(config, as_json=json, verbose=verbose)
    screen, store, now = session.screen, place_of(session.config), datetime.now(UTC)
    with Stopping().listening():
        if file == "-":
            return _to_standard_output(screen, store, now, json=json)
        copy = _copied(store, named(file), now, replace=force)
    if json:
        screen.json({"store": str(store), "copy": as_json(copy)})
        return 0
    screen.line(f"Copied {store}", "bold green")
    show_copy(screen, copy)
    screen.line(f"To put it back: skymmich-reconciler restore {copy.path}", "dim")
    return 0


def _copied(store: Path | PostgresPlace, target: Path, now: datetime, *, replace: bool = False) -> Copy:
    if isinstance(store, Path):
        return back_up(store, target, now, replace=replace)
    # Who has a file pays nothing for it.
    from state.postgres import copies  # noqa: PLC0415  see above

    return copies.back_up(store, target, now, replace=replace)


def _to_standard_output(screen: Screen, store: Path | PostgresPlace, now: datetime, *, json: bool) -> int:
    if json or sys.stdout.isatty():
        raise ReconcilerError(
            "Standard output is for the copy itself.", remedy="skymmich-reconciler backup - > FILE"
        )
    with tempfile.TemporaryDirectory(prefix="skymmich-reconciler-") as folder:
        copy = _copied(store, Path(folder, "copy.sqlite3"), now)
        with copy.path.open("rb") as made:
            shutil.copyfileobj(made, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    screen.say(f"Copied {store} to standard output ({counted(copy.size, 'byte')}).")
    return 0
