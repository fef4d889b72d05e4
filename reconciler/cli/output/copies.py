"""Copies of the state store, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.messages.nouns import counted

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.cli.output.screen import Screen
    from state.backup import Copy


def as_json(copy: Copy) -> dict[str, object]:
    """Return a copy as JSON."""
    return {
        "path": str(copy.path),
        "bytes": copy.size,
        "schema": copy.revision,
        "made_at": copy.made_at,
        "images": copy.images,
        "journal_entries": copy.journal,
        "newest_entry_at": copy.written_at,
    }


def show_copy(screen: Screen, copy: Copy) -> None:
    """Tell what is in a copy."""
    made = f", made {moment(copy.made_at)}" if copy.made_at else ""
    screen.row("Copy", f"{copy.path} ({counted(copy.size, 'byte')}{made})", indent=2)
    newest = f", the newest of {moment(copy.written_at)}" if copy.written_at else ""
    entries = counted(copy.journal, "entry")
    screen.row("Holds", f"{counted(copy.images, 'image')}, {entries}{newest}", indent=2)


def moment(at: datetime) -> str:
    """Return a moment in local time."""
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
