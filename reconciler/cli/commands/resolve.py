"""``resolve``: decide a conflict, for as long as neither side changes."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from reconciler.cli.carrying_out import carry_out
from reconciler.cli.consent import ask
from reconciler.cli.context import Work, working
from reconciler.cli.images import find_images
from reconciler.cli.output.outcome import exit_code, show_report
from reconciler.cli.output.tables import heading, show_conflict
from reconciler.cli.session import ConfigFile, Details, Json, Verbose, begin
from reconciler.core.plan.conflicts import CONFLICTS
from reconciler.core.records import Field, Keep  # noqa: TC001 - typer asks for them
from reconciler.engine.conflicts import decidable, take_decision
from reconciler.engine.members import meant
from reconciler.engine.passes import Prepared, Selection
from reconciler.errors import DecisionError, ReconcilerError
from reconciler.messages.reasons import sentence
from reconciler.models import runs as models

if TYPE_CHECKING:
    from collections.abc import Mapping

Named = Literal["block", "prose", "place", "date", "tags", "coordinates", "taken_at", "albums"]
_FIELDS: Final[Mapping[Named, Field]] = {
    "block": "block",
    "prose": "prose",
    "place": "coordinates",
    "tags": "tags",
    "coordinates": "coordinates",
    "date": "taken_at",
    "taken_at": "taken_at",
    "albums": "albums",
}
"""A field may be named as people are told of it, or as it is in JSON."""
_SAID: dict[Keep | None, str] = {
    "immich": "Immich's stays.",
    "skymmich": "Skymmich's is taken.",
    "both": "Both are kept.",
    None: "It is a conflict again.",
}


def command(  # noqa: PLR0913 - one parameter an option
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE", help="A number in Skymmich, a UUID, or a part of a title.", show_default=False
        ),
    ],
    *,
    keep: Annotated[
        Keep | None,
        typer.Option(
            metavar="SIDE",
            help="The side that stays, immich or skymmich; both: Immich's prose, and Skymmich's below it.",
            show_default=False,
        ),
    ] = None,
    field: Annotated[
        Named | None,
        typer.Option(
            metavar="FIELD",
            help="Decide this field only (block, prose, place or tags), even one that Immich did not keep or "
            "that was left as a person changed it. Default: all that are in conflict.",
            show_default=False,
        ),
    ] = None,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Give up a decision: it is a conflict again.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before Immich's side is given up.")
    ] = False,
    details: Details = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Decide the conflicts of some images: keep Immich's side, take Skymmich's, or keep both.

    A decision holds until either side changes; then it is a conflict again, and nothing is overwritten. It is
    carried out at once, or by the daemon where one runs. What is replaced stays in the journal.
    Exits 0 when it was carried out or left to the daemon, 1 when something is left.
    """
    if (keep is None) != reopen:
        raise ReconcilerError(
            "Say which side stays; nothing was changed.",
            remedy="resolve IMAGE --keep immich|skymmich|both, or --reopen to take a decision back.",
        )
    which = _FIELDS[field] if field else None
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    with working(session) as work:
        image_ids = find_images(images, work.bench.source.read())
        prepared = work.do(work.bench.cycle.prepare(Selection(image_ids=image_ids), work.bench.wishes))
        if not json:
            _show(work, prepared, which, details=details)
        work.permission.require_mode()
        if keep == "skymmich" and not yes:
            _ask(work)
        decided = _decide(work, prepared, keep, which)
        report, taken = carry_out(work, image_ids, "resolve")
        left_to = "" if taken is None else taken.words
        requests = models.Requests.of(work.bench.target.requests)
    if json:
        carried = (
            dict(models.Report.of(report, None, voice="command")) | {"requests": requests} if report else {}
        )
        beside = {"run_id": taken.run_id, "carried_out": taken.done} if taken else {}
        screen.json({"decided": decided, "left_to": left_to} | beside | carried)
        return exit_code(report) if report else 0
    screen.line(_SAID[keep], "green")
    if report:
        show_report(screen, report, requests)
    else:
        screen.line(f"It is on record. {left_to}")
    return exit_code(report) if report else 0


def _show(work: Work, prepared: Prepared, field: Field | None, *, details: bool) -> None:
    """Show both sides of what is to be decided."""
    screen = work.session.screen
    for item in prepared.items:
        screen.line(heading(item.title, item.image_id))
        for decision in decidable(item.plan) if item.plan else ():
            meant = decision.field == field if field else decision.case in {*CONFLICTS, "resolved"}
            if meant:
                show_conflict(screen, decision, details=details)


def _ask(work: Work) -> None:
    """Ask before a person's side is given up.

    Raises:
        ReconcilerError: nobody is there to be asked, or the answer was no. Nothing was changed.
    """
    ask(
        work.session.screen,
        "Replace what Immich shows by Skymmich's? The journal keeps what is replaced.",
        command="resolve IMAGE --keep skymmich --yes",
        otherwise="nothing was changed",
        about=" whether Immich's side may go",
    )


def _decide(
    work: Work, prepared: Prepared, keep: Keep | None, field: Field | None
) -> list[dict[str, object]]:
    """Keep the decision for the values that were shown.

    Raises:
        DecisionError: one of the images has none, or cannot be decided so. Nothing was changed for any.
    """
    made: list[dict[str, object]] = []
    store, now = work.bench.store, work.bench.clock.now()
    with store.transaction():
        for _, several in groupby(prepared.items, key=lambda item: item.image_id):
            items = list(several)
            item = items[0]
            if item.plan is None:
                why = sentence(item.reasons, "command")
                raise DecisionError(f"“{item.title}” cannot be decided now: {why}.")
            for plan in meant(items, keep, field):
                fields = take_decision(store, plan, keep, rules=prepared.rules, at=now, field=field)
                made.append(
                    {"image_id": item.image_id, "title": item.title, "fields": list(fields), "keep": keep}
                )
    return made
