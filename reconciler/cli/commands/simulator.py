"""``simulator``: a simulated Immich; its options are its own."""

from __future__ import annotations

from typing import Final

import typer  # noqa: TC002 - typer reads the annotations at run time

from reconciler.simulator.__main__ import main

CONTEXT: Final = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def command(context: typer.Context) -> int:
    """Run a simulated Immich until it is stopped."""
    return main(context.args)
