"""Listing what is offered from replaced assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.messages.carry_over import kept_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.output.screen import Screen
    from reconciler.core.carry_over import CarryOver


def show_offers(screen: Screen, found: Sequence[CarryOver]) -> None:
    """List what is offered, and say how it is decided."""
    screen.line("Another asset now; what people had on the former one can be carried over:", "yellow")
    for one in found:
        what = ", ".join(title for title, _ in kept_lines(one.kept))
        screen.row(f"{one.image_id:>5}", f"{one.title} — {what}", "yellow", indent=0, width=7)
    screen.line("skymmich-reconciler carry-over IMAGE, or carry-over IMAGE --leave", "dim")
