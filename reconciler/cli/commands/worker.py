"""``worker``: take tasks for many installations, on any number of machines."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from reconciler import config as configuration
from reconciler.cli.session import ConfigFile  # noqa: TC001 - typer reads the annotation when it runs
from reconciler.errors import ConfigurationError


def command(
    *,
    concurrency: Annotated[
        int,
        typer.Option(min=1, max=500, metavar="N", help="Installations that are visited at once."),
    ] = 8,
    config: ConfigFile = None,
) -> int:
    """Keep many installations in sync, together with other workers, until it is stopped.

    Their state is in one PostgreSQL database, their configurations are in the folder that `folder` in the
    section `fleet` names. One machine with one library needs no worker: use `run`.
    """
    loaded = configuration.load(config, os.environ)
    need_fleet()
    from reconciler.fleet import worker  # noqa: PLC0415 - only needed here, and an optional extra

    return worker.run(loaded, concurrency)


def need_fleet() -> None:
    """Make sure that what workers need is installed.

    Raises:
        ConfigurationError: it is not.
    """
    try:
        import procrastinate  # noqa: F401, PLC0415 - an optional extra
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"Workers need {error.name}, which is not installed here.",
            remedy="pip install 'skymmich-reconciler[fleet]'",
        ) from error
