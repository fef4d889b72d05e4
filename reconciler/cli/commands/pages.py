"""``pages``: the pages of many installations, in one place."""

from __future__ import annotations

import os

from reconciler import config as configuration
from reconciler.cli.commands.worker import need_fleet
from reconciler.cli.session import ConfigFile  # noqa: TC001 - typer reads the annotation when it runs


def command(*, config: ConfigFile = None) -> int:
    """Serve the pages of all installations of one PostgreSQL database, until it is stopped.

    The list with each one's headline is at the host name that `domain` in the section `fleet` names, and each
    one's pages are at its own name below that. While somebody looks at them, this process keeps the
    installation, instead of a worker. One machine with one library needs none of this: `run` has a page.
    """
    loaded = configuration.load(config, os.environ)
    need_fleet()
    from reconciler.fleet.pages import process  # noqa: PLC0415 - only needed here, and an optional extra

    return process.run(loaded)
