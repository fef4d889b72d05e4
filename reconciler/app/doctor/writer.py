"""Who has the right to write, and who keeps the lock beside the store: one process, or it is said why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.app.doctor.findings import Finding
from state.hostlock import lock_holder, lock_path
from state.process import this_process

if TYPE_CHECKING:
    from pathlib import Path

    from state.lease import LeaseHolder


def right_to_write(store: Path | None, holder: LeaseHolder | None, *, daemon: bool) -> list[Finding]:
    """Return what is to be said of the writer.

    Args:
        store: the store's file; ``None``: it has none, and no lock.
        holder: who is written down as having the right.
        daemon: whether it is the running daemon that asks.
    """
    findings = []
    ours = holder is not None and holder.process == this_process()
    alive = holder is not None and not holder.process.is_gone()
    if daemon and not ours:
        what = "This daemon has lost the right to write; it takes it back when it is free."
        findings.append(Finding("store", "warning", what))
    if holder is not None and alive:
        who = f": {holder.what}, process {holder.process.pid} on {holder.process.host}"
        who = " this daemon" if daemon and ours else who
        findings.append(Finding("store", "ok", f"the right to write is with{who}"))
    keeper = None if store is None else lock_holder(store)
    if store is None or keeper is None:
        return findings
    if holder is not None and alive and holder.lock is not None:
        findings.append(Finding("store", "ok", f"the lock {lock_path(store).name} is kept by {keeper}"))
    else:
        what = (
            f"The lock {lock_path(store)} is kept by {keeper}, whose right to write has ended: it stands "
            "still, or hangs. It writes nothing when it wakes up."
        )
        findings.append(Finding("store", "warning", what, "End that process if it is not meant to go on."))
    return findings
