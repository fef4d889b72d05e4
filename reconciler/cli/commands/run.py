"""``run``: the daemon in the foreground, as systemd starts it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from reconciler import logging as logs
from reconciler.cli.session import ConfigFile, begin
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.cli.screen import Screen
    from reconciler.config import Config


def command(*, config: ConfigFile = None) -> int:
    """Run the daemon: keep Immich in sync until it is stopped. Needs no terminal, asks nothing."""
    session = begin(config)
    return serve(session.config, session.screen)


def serve(config: Config, screen: Screen) -> int:
    """Run the daemon until it is stopped; give its exit code."""
    logs.log_uncaught()
    try:
        daemon = import_module("reconciler.daemon.main")
    except ModuleNotFoundError as error:
        if error.name != "reconciler.daemon.main":
            raise
        raise ReconcilerError(
            "This version has no daemon yet.", remedy="skymmich-reconciler apply reconciles once."
        ) from error
    if config.status.port:
        screen.say(f"The page: http://{config.status.host}:{config.status.port}/ (Ctrl-C ends it)")
    code: int = daemon.run(config)
    return code
