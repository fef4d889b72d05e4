"""The counts of what a plan adds, changes and removes, a line a field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.plan.kinds import KIND_FIELDS, Kinds, kinds_of
from reconciler.messages.formats import field

if TYPE_CHECKING:
    from reconciler.cli.output.screen import Screen
    from reconciler.core.plan.diff import Kind

__all__ = ["Kinds", "kinds_of", "show_kinds"]
_KINDS: Final[dict[Kind, str]] = {"added": "to add", "changed": "to change", "removed": "to remove"}


def show_kinds(screen: Screen, found: Kinds) -> None:
    """Show the counts, a line a field."""
    for name in KIND_FIELDS:
        listed = [f"{found[name, kind]:,} {words}" for kind, words in _KINDS.items() if found[name, kind]]
        if listed:
            screen.row(field(name), ", ".join(listed))
