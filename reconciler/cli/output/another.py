"""Saying first that another instance keeps the library: what follows is then what this store knows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.messages.voice import remedy_of

if TYPE_CHECKING:
    from reconciler.cli.output.screen import Screen
    from reconciler.engine.passes import Prepared
    from reconciler.engine.standpoint import Another


def ours(prepared: Prepared) -> Prepared:
    """Return what was prepared, before it is shown and asked about.

    Raises:
        AnotherInstanceError: another instance keeps this library; nothing may be written.
    """
    if prepared.another is not None:
        raise prepared.another.error()
    return prepared


def show_another(screen: Screen, another: Another | None, *, counts: bool = True) -> None:
    """Say who keeps the library, since when, and what to do; nothing where nobody else does.

    Args:
        screen: where to.
        another: who does.
        counts: say of the counts below what they are.
    """
    if another is None:
        return
    error = another.error()
    screen.line(error.message, "bold yellow")
    screen.line(f"→ {remedy_of(error, 'command') or error.remedy}")
    if counts:
        screen.line(
            "What follows is what this state store knows alone: what the other one wrote or took back since "
            "is not in it, and none of it is written.",
            "yellow",
        )
    screen.line()
