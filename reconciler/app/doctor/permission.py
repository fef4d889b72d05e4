"""Whether anything is written, and what has to happen before it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.app.doctor.findings import Finding
from reconciler.messages.nouns import counted

if TYPE_CHECKING:
    from reconciler.core.permission import Permission


def may_write(permission: Permission) -> Finding:
    """Say what may be written."""
    if permission.standing == "observing":
        what = 'it only observes ([policy] mode = "observe"): nothing is ever written'
        return Finding("store", "ok", what)
    if permission.waits:
        what = "Nothing is written yet: it waits until a person begins."
        if permission.begun is not None and permission.begun.first:
            many = counted(len(permission.begun.first), "image")
            what = f"It was begun with {many}, and waits until a person goes on."
        remedy = (
            "See what would be written, and begin: on the daemon's page, or with skymmich-reconciler apply. "
            'For good, without being asked: [policy] mode = "sync".'
        )
        return Finding("store", "warning", what, remedy)
    begun = permission.begun
    since = f", begun {begun.at.astimezone():%Y-%m-%d %H:%M %Z} ({begun.by})" if begun and begun.at else ""
    return Finding("store", "ok", f'Immich may be written to ([policy] mode = "{permission.mode}"{since})')
