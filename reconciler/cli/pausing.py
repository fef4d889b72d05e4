"""``pause`` and ``resume``: whether the daemon starts passes by itself, told to it, or left in its store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.app.wiring import store_of
from reconciler.cli.daemon_client import find_daemon, tell_daemon
from reconciler.core.store_keys import PAUSED
from state.lease import Lease

if TYPE_CHECKING:
    from reconciler.cli.session import Session
    from reconciler.config import Config

_MEANT: Final = {
    True: "Paused: no run starts by itself, not even after a restart. What you ask for still runs.",
    False: "Resumed: runs start by themselves again.",
}


def set_paused(session: Session, *, paused: bool) -> int:
    """Pause, or resume; say from when on it holds."""
    config, screen = session.config, session.screen
    daemon = find_daemon(config)
    if daemon is not None and daemon.is_open:
        tell_daemon(config, "POST", f"/api/v1/{'pause' if paused else 'resume'}")
        runs, when = True, "It holds at once."
    else:
        runs, when = _left(config, paused=paused)
    if screen.as_json:
        screen.json({"paused": paused, "daemon": runs, "at_once": daemon is not None and daemon.is_open})
        return 0
    screen.line(_MEANT[paused], "bold yellow" if paused else "bold green")
    screen.line(when, "dim")
    if paused:
        screen.line("To go on: skymmich-reconciler resume", "dim")
    return 0


def _left(config: Config, *, paused: bool) -> tuple[bool, str]:
    """Leave the wish in the store; tell whether a daemon runs that has it, and when it takes it."""
    with store_of(config) as store:
        now = datetime.now(UTC)
        if paused:
            PAUSED.write(store, now)
        else:
            PAUSED.forget(store)
        holder = Lease(store, lambda: now).current()
    if holder is None or holder.what != "daemon" or holder.process.is_gone():
        return False, "No daemon runs; the next one that is started goes by it."
    return True, "The daemon could not be told, and goes by it from its next look on."
