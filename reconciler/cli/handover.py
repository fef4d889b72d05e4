"""Handing something over to the running daemon, which has the right to write, and waiting for its end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from reconciler.cli.daemon_client import require_daemon, tell_daemon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.session import Session
    from reconciler.engine.undo_wish import UndoWish

_WAIT: Final = 50
"""Seconds for which the first answer waits."""
_AGAIN: Final = 2.0
"""Seconds between two questions after that."""


def carried_out(session: Session, path: str, body: Mapping[str, object]) -> dict[str, object]:
    """Ask the daemon for a run and wait for its end; says what became of it, and gives its last state.

    Raises:
        DaemonRefusedError: it cannot be reached, or does not let this command in.
        ReconcilerError: it refuses, in its own words.
    """
    screen, config = session.screen, session.config
    require_daemon(config)
    screen.say("The daemon does it, and goes on even if you leave.")
    state = tell_daemon(config, "POST", f"/api/v1{path}?wait={_WAIT}", body, wait=_WAIT)
    run_id = str(state.get("run_id", ""))
    while state.get("state") in {"queued", "running"}:
        time.sleep(_AGAIN)
        found = tell_daemon(config, "GET", f"/api/v1/runs/{run_id}?limit=1").get("state")
        if not isinstance(found, dict):
            break
        state = found
    if not screen.as_json:
        report = state.get("report")
        said = report.get("summary") if isinstance(report, dict) else state.get("error")
        screen.line(f"{said or state.get('state')} (run {run_id}).", "bold")
    return state


def broken_off(wishes: Sequence[UndoWish]) -> str:
    """Say which undos were begun and broken off, and how they are gone on with."""
    ways: list[str] = []
    for one in wishes:
        named = [asset_id for asset_id, _ in one.images] or [one.run_id or one.asset_id]
        ways += ["undo --all"] if one.everything else [f"undo {name}" for name in named]
    return "An undo was broken off; what it is about is left alone until it is gone on with: " + ", ".join(
        f"skymmich-reconciler {way}" for way in ways
    )
