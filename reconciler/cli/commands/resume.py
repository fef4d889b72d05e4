"""``resume``: see ``reconciler.cli.pausing``."""

from __future__ import annotations

from reconciler.cli.pausing import set_paused
from reconciler.cli.session import ConfigFile, Json, Verbose, begin


def command(*, config: ConfigFile = None, json: Json = False, verbose: Verbose = False) -> int:
    """Let the daemon start runs by itself again, after a pause.

    Exits 0.
    """
    return set_paused(begin(config, as_json=json, verbose=verbose), paused=False)
