"""``plan``: what would be written, and nothing is."""

from __future__ import annotations

import shlex
from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import Annotated, Final

import typer

from reconciler.cli.beginning import show_permission
from reconciler.cli.context import working
from reconciler.cli.images import find_images
from reconciler.cli.output.another import show_another
from reconciler.cli.output.json_output import needs_work
from reconciler.cli.output.tables import has_conflict, show_choice, show_plan
from reconciler.cli.planfile import save_plan
from reconciler.cli.session import ConfigFile, Details, Every, Full, Json, Verbose, begin
from reconciler.engine.item import is_catalogues
from reconciler.engine.passes import Prepared, Selection
from reconciler.models.plans import Plan

SOMETHING_TO_DO: Final = 2

Images = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="IMAGE",
        help="A number in Skymmich, an asset's UUID, or a part of a title. None: all images.",
        show_default=False,
    ),
]


def command(  # noqa: PLR0913 - one parameter an option
    images: Images = None,
    *,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save it, to apply just this later.", show_default=False),
    ] = None,
    full: Full = False,
    every: Every = False,
    details: Details = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Show what would be written to Immich, field by field, and why. Writes nothing.

    Exits 0 when there is nothing to do, 2 when there is, 1 on an error, or where another instance of this
    program keeps the library.
    """
    session = begin(config, as_json=json, verbose=verbose)
    with working(session) as work:
        chosen = find_images(images or [], work.bench.source.read())
        selection = Selection(image_ids=chosen, full=full)
        prepared = work.do(work.bench.cycle.prepare(selection, work.bench.wishes))
        created, permission = work.bench.clock.now(), work.permission
    if out is not None:
        save_plan(out, prepared, created)
    if json:
        session.screen.json(dict(Plan.of(prepared, created)) | {"created": created})
        return exit_code(prepared)
    show_another(session.screen, prepared.another)
    show_plan(session.screen, prepared, details=details, every=every)
    if has_conflict(prepared):
        show_choice(session.screen)
    if not prepared.rules.switches.enabled:
        session.screen.line(
            "Metadata sync is switched off (metadataSyncEnabled), so apply will refuse.", "yellow"
        )
    if prepared.another is not None:
        return exit_code(prepared)
    show_permission(session.screen, permission)
    if permission.standing == "observing":
        return exit_code(prepared)
    if out is not None:
        session.screen.line(f"Saved. To write just this: skymmich-reconciler apply {out}")
    elif prepared.has_changes:
        named = shlex.join(["apply", *(images or []), *(["--full"] if full else [])])
        session.screen.line(f"Nothing was written. To write it: skymmich-reconciler {named}", "dim")
    return exit_code(prepared)


def exit_code(prepared: Prepared) -> int:
    """Return 0 for nothing to do, 2 for something, 1 where an image, or all, cannot be looked after."""
    if prepared.another is not None:
        return 1
    if any(item.status == "failed" and not is_catalogues(item.reasons) for item in prepared.items):
        return 1
    busy = any(needs_work(item) for item in prepared.items)
    return SOMETHING_TO_DO if busy or prepared.verdict.tripped else 0
