"""``run``: the daemon in the foreground, as systemd starts it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.cli.session import ConfigFile  # noqa: TC001 - typer reads the annotation when it runs

if TYPE_CHECKING:
    from reconciler.cli.output.screen import Screen
    from reconciler.config import Config


def command(*, config: ConfigFile = None) -> int:
    """Run the daemon: keep Immich in sync until it is stopped. Needs no terminal, asks nothing."""
    from reconciler.daemon import main  # noqa: PLC0415 - only needed here, and slow to import

    return main.run(config, os.environ)


def serve(config: Config, screen: Screen) -> int:
    """Run the daemon with a configuration that is loaded, until it is stopped, and return its exit code."""
    from reconciler.daemon import main  # noqa: PLC0415 - as above

    screen.say(f"The page: http://{config.status.host}:{config.status.port}/ (Ctrl-C ends it)")
    return main.serve(config, lambda: config)
