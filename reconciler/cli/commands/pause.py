"""``pause``: see ``reconciler.cli.pausing``."""

from __future__ import annotations

from reconciler.cli.pausing import set_paused
from reconciler.cli.session import ConfigFile, Json, Verbose, begin


def command(*, config: ConfigFile = None, json: Json = False, verbose: Verbose = False) -> int:
    """Stop the daemon from starting runs by itself, until you resume it.

    What you ask for still runs: a sync on the page, a decision, an approval. It holds over restarts. Exits 0.
    """
    return set_paused(begin(config, as_json=json, verbose=verbose), paused=True)
