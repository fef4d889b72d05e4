"""``demo``: a sample catalogue, a simulated Immich, and what this program does between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.context import working
from reconciler.cli.demo_stage import stage
from reconciler.cli.demo_story import Story
from reconciler.cli.interrupts import Interrupted
from reconciler.cli.output.screen import Screen
from reconciler.cli.session import Json, Session, Verbose, log_to_stderr

if TYPE_CHECKING:
    from reconciler.cli.demo_story import Told


def command(
    *,
    serve: Annotated[
        bool, typer.Option("--serve", help="Afterwards run the daemon with its page, until Ctrl-C.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, metavar="PORT", help="The page's port; 0 takes any.", show_default=False
        ),
    ] = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Watch a sample catalogue being reconciled with a simulated Immich. Nothing of yours is touched.

    Exits 1 if anything that it claims does not hold.
    """
    log_to_stderr(verbose=verbose, quiet=True)
    screen = Screen(as_json=json)
    story_screen = screen if not json else Screen.silent()
    with stage(port) as built:
        story_screen.line(
            "A catalogue of true astronomy (55 linked images), and a simulated Immich that is as unkind "
            "as the real one. Nothing of yours is touched. It ends by itself, in about 20 seconds.",
        )
        try:
            with working(Session(built.config, story_screen)) as work:
                told = Story(built, work, story_screen).tell()
        except Interrupted as stopped:
            raise Interrupted(stopped.number, "Stopped.") from None
        finish(screen, told, serve=serve)
        if serve:
            from reconciler.cli.commands import run  # noqa: PLC0415 - the daemon is only needed here

            return run.serve(built.config, screen)
    return 1 if told.untrue else 0


def finish(screen: Screen, told: Told, *, serve: bool = False) -> None:
    """Say how it went, and what to do next; the page is named unless it comes at once."""
    if screen.as_json:
        screen.json(told.counts | {"untrue": told.untrue})
        return
    screen.line()
    for claim in told.untrue:
        screen.line(f"✗ This did not hold: {claim}", "bold red")
    if not serve:
        screen.line(
            "The same on a page, with pictures: make demo SERVE=1 (or skymmich-reconciler demo --serve); "
            "PORT=8080 (--port 8080) says where."
        )
    if not told.untrue:
        screen.line("Yours next: skymmich-reconciler doctor, then plan. Neither writes anything.", "bold")
