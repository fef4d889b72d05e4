"""``restore``: put a copy of the state store back."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.store_place import is_absent, place_of
from reconciler.cli.consent import ask
from reconciler.cli.interrupts import Stopping
from reconciler.cli.output.copies import as_json, show_copy
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.engine.restored import begin_again
from reconciler.errors import ReconcilerError
from reconciler.messages.nouns import counted
from state.backup import look_into, named
from state.restoring import restore

if TYPE_CHECKING:
    from reconciler.cli.output.screen import Screen
    from reconciler.config import Config
    from state.restoring import Restored


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The copy; - for standard input.")],
    *,
    exactly: Annotated[
        bool, typer.Option("--exactly", help="Take nothing over from the store that is replaced.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Put a copy of the state store back, with the daemon stopped. Nothing is written to Immich by this.

    The store that is replaced stays beside it. Where the copy is an earlier moment of it, its journal and its
    knowledge of what was written since are taken over. Then everything is looked at again: by the daemon when
    it starts, or by the next `apply`.
    """
    session = begin(config, as_json=json, verbose=verbose)
    screen, store, now = session.screen, place_of(session.config), datetime.now(UTC)
    with ExitStack() as stack:
        stack.enter_context(Stopping().listening())
        if file == "-":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="skymmich-reconciler-"))
            source = _received(Path(folder, "copy.sqlite3"))
        else:
            source = named(file)
        copy = look_into(source)
        if not json:
            show_copy(screen, copy)
            screen.row("Store", f"{store}{' (there is none)' if is_absent(session.config) else ''}", indent=2)
        _consent(screen, yes=yes, piped=file == "-")
        done = _restored(source, session.config, now, exactly=exactly)
    if json:
        screen.json({
            "store": str(store), "copy": as_json(copy), "former": str(done.former) if done.former else None,
            "carried": {"journal_entries": done.carried.journal, "images": done.carried.images}
            if done.carried else None,
        })  # fmt: skip
    else:
        _show(screen, done, exactly=exactly)
    return 0


def _restored(source: Path, config: Config, now: datetime, *, exactly: bool) -> Restored:
    store, settle = place_of(config), partial(begin_again, now=now)
    if isinstance(store, Path):
        return restore(source, store, now, settle, exactly=exactly)
    # Who has a file pays nothing for it.
    from state.postgres.copies import restore_into  # noqa: PLC0415  see above

    return restore_into(source, store, config.beside, now, settle, exactly=exactly)


def _received(path: Path) -> Path:
    """Keep what comes on standard input: SQLite reads files only."""
    if sys.stdin.isatty():
        raise ReconcilerError(
            "Standard input is for the copy itself.", remedy="skymmich-reconciler restore - --yes < FILE"
        )
    with path.open("wb") as made:
        shutil.copyfileobj(sys.stdin.buffer, made)
    return path


def _consent(screen: Screen, *, yes: bool, piped: bool) -> None:
    if yes:
        return
    question = "Put this copy in the place of the store?"
    ask(screen, question, command="restore --yes …", otherwise="nothing was restored", piped=piped)


def _show(screen: Screen, done: Restored, *, exactly: bool) -> None:
    screen.line("Restored.", "bold green")
    if done.former:
        screen.row("Former", f"{done.former}", indent=2)
    if done.carried:
        entries = done.carried.journal
        newer = counted(entries, "newer_entry")
        screen.row(
            "Taken over",
            f"{newer}, and what is known to be written of {counted(done.carried.images, 'image')}",
        )
    elif done.former and not exactly:
        screen.line(
            "The copy is no earlier moment of the store that was there: nothing was taken over.", "dim"
        )
    if not done.carried:
        screen.line(
            "What was written to Immich after the copy was made is not in it: where it differs from the "
            "catalogue by now, it counts as a person's.",
            "yellow", indent=2,
        )  # fmt: skip
    screen.line(
        "Next: start the daemon (systemctl start skymmich-reconciler), or skymmich-reconciler plan. "
        "Everything is looked at again.",
        "dim",
    )
