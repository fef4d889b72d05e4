"""What a command leaves in the store for the daemon that has the right to write, and when that takes it.

A daemon that lets this command in is asked to take it at once, over its API; one that does not takes it at
its next look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.cli.daemon_client import find_daemon, tell_daemon
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.config import Config

WAIT_S: Final = 20
"""Seconds that a command waits for what the daemon does for it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What the daemon made of it."""

    words: str
    run_id: str = ""
    """The pass that carries it out; empty: it was not asked for one."""
    done: bool = False
    """Whether that pass has ended."""


def have_looked(
    config: Config, image_ids: Collection[int] | None = None, *, approve: str = "", wait: int = WAIT_S
) -> Taken:
    """Have the daemon look at some images now, or all, and wait for the end for a while.

    Args:
        config: says where the daemon is.
        image_ids: ``None``: all.
        approve: the hash of what a person approved.
        wait: seconds.
    """
    daemon = find_daemon(config)
    if daemon is None or not daemon.is_open:
        return Taken("The daemon takes it at its next look.")
    chosen = {} if image_ids is None else {"image_ids": sorted(image_ids)}
    wish = chosen | ({"approve": approve} if approve else {})
    try:
        told = tell_daemon(config, "POST", f"/api/v1/reconcile?wait={wait}", wish, wait=wait)
    except ReconcilerError:
        return Taken("The daemon takes it at its next look.")
    run_id, state = str(told.get("run_id") or ""), told.get("state")
    if state == "done":
        report = told.get("report")
        summary = report.get("summary") if isinstance(report, dict) else ""
        return Taken(f"The daemon has carried it out: {summary}." if summary else "Done.", run_id, done=True)
    if state == "failed":
        return Taken(f"The daemon has tried, and met an error: {told.get('error')}", run_id, done=True)
    return Taken(f"The daemon is at it. To see how it went: skymmich-reconciler history {run_id}", run_id)
