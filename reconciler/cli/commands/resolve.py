"""``resolve``: decide a conflict, for as long as neither side changes."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from reconciler.cli.images import find_images
from reconciler.cli.outcome import exit_code, show_report
from reconciler.cli.plain import report_json, request_counts
from reconciler.cli.rendering import heading, show_conflict
from reconciler.cli.session import ConfigFile, Details, Json, Verbose, begin
from reconciler.cli.working import Work, working
from reconciler.engine.deciding import open_conflicts, take_decision
from reconciler.engine.passes import Report, Selection
from reconciler.errors import DecisionError, LeaseHeldError, ReconcilerError
from reconciler.wiring import new_run_id

Side = Literal["immich", "skymmich", "both"]


def command(  # noqa: PLR0913 - one parameter an option
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", show_default=False)],
    *,
    keep: Annotated[
        Side | None,
        typer.Option(
            help="The side that stays; both: Immich's words, and Skymmich's below.", show_default=False
        ),
    ] = None,
    field: Annotated[
        Literal["prose", "block", "coordinates"] | None,
        typer.Option(help="Decide this field only; all that are in conflict by default.", show_default=False),
    ] = None,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Take a decision back: it is a conflict again.")
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
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    with working(session) as work:
        image_ids = find_images(images, work.bench.source.read())
        decided = _decide(work, image_ids, keep, field, details=details, as_json=json)
        report, left_to = _carry_out(work, image_ids)
        requests = request_counts(work.bench.target.requests)
    if json:
        carried = report_json(report, requests) if report else {}
        screen.json({"decided": decided, "left_to": left_to} | carried)
    elif report:
        show_report(screen, report, requests)
    else:
        screen.line(f"It is on record, and the next pass carries it out. {left_to}")
    return exit_code(report) if report else 0


def _decide(
    work: Work,
    image_ids: frozenset[int] | None,
    keep: Side | None,
    field: Literal["prose", "block", "coordinates"] | None,
    *,
    details: bool,
    as_json: bool,
) -> list[dict[str, object]]:
    """Show both sides of each image's conflicts and keep the decision.

    Raises:
        DecisionError: one of the images has none, or can not be decided so. Nothing was changed for any.
    """
    prepared = work.do(work.bench.cycle.prepare(Selection(image_ids=image_ids), work.bench.wishes))
    made: list[dict[str, object]] = []
    with work.bench.store.transaction():
        for item in prepared.items:
            if item.plan is None:
                raise DecisionError(f"“{item.title}” can not be decided now: {item.reason}.")
            fields = take_decision(
                work.bench.store,
                item.plan,
                keep,
                markers=prepared.rules.markers,
                at=work.bench.clock.now(),
                field=field,
            )
            made.append(
                {"image_id": item.image_id, "title": item.title, "fields": list(fields), "keep": keep}
            )
            if as_json:
                continue
            screen = work.session.screen
            screen.line(heading(item.title, item.image_id))
            for decision in open_conflicts(item.plan):
                if decision.field in fields:
                    show_conflict(screen, decision, details=details)
            stays = {
                "immich": "Immich's stays.",
                "skymmich": "Skymmich's is taken.",
                "both": "Both are kept.",
            }
            screen.line(stays[keep] if keep else "It is a conflict again.", "green", indent=1)
    return made


def _carry_out(work: Work, image_ids: frozenset[int] | None) -> tuple[Report | None, str]:
    """Run a pass over the images, unless somebody else writes; then say who."""
    selection = Selection(image_ids=image_ids)
    try:
        with work.right_to_write("resolve"):
            report = work.write(
                lambda stop: work.bench.cycle.run(
                    selection, work.bench.wishes, run_id=new_run_id(), trigger="decision", stop=stop
                )
            )
    except LeaseHeldError as error:
        return None, error.message
    return report, ""
