"""``adopt``: show what Immich tells of what is ours, and take it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.consent import ask
from reconciler.cli.context import Work, working
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.core.store_keys import PAUSED
from reconciler.engine.ownership import leave_wishes
from reconciler.engine.passes import Selection
from reconciler.errors import ReconcilerError
from reconciler.messages.nouns import counted

if TYPE_CHECKING:
    from reconciler.cli.output.screen import Screen
    from reconciler.engine.passes import Prepared
    from reconciler.engine.standpoint import Taken, Wish


def command(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Take the place of another instance that keeps this library.")
    ] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Show what was written from here that a new or older state store does not know, and take it up.

    Writes no value in Immich. Each asset's record in Immich says what was written from here (from Immich 2.5
    on); a run takes that up by itself. Tags below the root that the catalogue would give, and blocks whose
    lines may be a person's, are only taken up by this command. Exits 0, or 1 where another instance keeps
    the library.
    """
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    with working(session) as work:
        work.permission.require_mode()
        prepared, taken = _look(work)
        if not json:
            _show(screen, prepared, taken)
        if taken.another is not None and not take_over:
            if json:
                screen.json(_as_json(taken, "nothing"))
                return 1
            raise taken.another.error()
        wishes: set[Wish] = {"take_over"} if take_over else set()
        if taken.offered or taken.offered_blocks:
            wishes.add("offered")
        if not (wishes or taken.news):
            if json:
                screen.json(_as_json(taken, "nothing"))
            return 0
        if not _agreed(screen, yes=yes):
            screen.json(_as_json(taken, "nothing"))
            return 0
        if work.daemon_writes:
            leave_wishes(work.bench.store, wishes)
            when = "once it is resumed" if PAUSED.is_kept(work.bench.store) else "at its next look"
            return _done(screen, taken, f"The daemon takes it up {when}.", "daemon")
        with work.right_to_write("adopt"):
            leave_wishes(work.bench.store, wishes)
            prepared, taken = _look(work)
            count = work.write(lambda _: work.bench.cycle.adopt(prepared))
        many = counted(count, "image")
        return _done(screen, taken, f"Taken up: {many}. See what is to be written: plan", "now")


def _look(work: Work) -> tuple[Prepared, Taken]:
    prepared = work.do(work.bench.cycle.prepare(Selection(full=True), work.bench.wishes))
    if prepared.taken is None:
        raise ReconcilerError("The records in Immich were not looked at; nothing was changed.")
    return prepared, prepared.taken


def _agreed(screen: Screen, *, yes: bool) -> bool:
    """Ask a person; false: only the JSON was wanted.

    Raises:
        ReconcilerError: nobody is there to be asked, or the answer was no.
    """
    if yes:
        return True
    if screen.as_json:
        return False
    ask(screen, "Take it up?", command="adopt --yes", otherwise="nothing was taken up")
    return True


def _show(screen: Screen, prepared: Prepared, taken: Taken) -> None:
    owner = taken.standpoint.owner
    screen.row("This store", f"instance {owner.instance}, since {owner.since:%Y-%m-%d %H:%M} UTC", indent=0)
    if not taken.standpoint.notes:
        version = prepared.server.version
        screen.line(
            f"Immich {version} cannot keep records of what was written from here; 2.5 and newer can.",
            "yellow",
        )
    told = (
        (taken.adopted, f"known by their records in Immich, with {counted(taken.tags, 'tag')}"),
        (taken.recognised, "whose block is known by its markers"),
        (taken.offered_blocks, "with a block that may be ours, and has lines that may be a person's"),
        (taken.odd, "with a record that cannot be understood: it says nothing"),
    )
    for count, what in told:
        if count:
            screen.line(f"{counted(count, 'image')} {what}")
    if taken.another is not None:
        screen.line(
            "What people decided in conflicts, what they left out and the history are in the other one's "
            "state store alone, and do not come along with a take-over: to keep them, copy that store with "
            "backup and restore instead.",
            "yellow",
        )
    if taken.offered:
        screen.line(
            f"{counted(taken.offered, 'tag')} below the root that the rules would make: maybe from here"
        )
    if not (taken.news or taken.offered or taken.offered_blocks or taken.another):
        screen.line("There is nothing to take up.", "green")


def _done(screen: Screen, taken: Taken, text: str, carried_out: str) -> int:
    if screen.as_json:
        screen.json(_as_json(taken, carried_out))
    else:
        screen.line(text, "bold green")
    return 0


def _as_json(taken: Taken, carried_out: str) -> dict[str, object]:
    point, another = taken.standpoint, taken.another
    return {
        "instance": point.owner.instance,
        "since": point.owner.since.isoformat(),
        "records_kept": point.notes,
        "adopted": taken.adopted,
        "tags": taken.tags,
        "recognised_blocks": taken.recognised,
        "offered_blocks": taken.offered_blocks,
        "offered_tags": taken.offered,
        "odd_records": taken.odd,
        "another": another.to_json() if another else None,
        "carried_out": carried_out,
    }
