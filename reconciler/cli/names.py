"""What the program is called, and the variable by which a shell asks it to complete a line."""

from __future__ import annotations

from typing import Final

PROGRAM: Final = "skymmich-reconciler"
COMPLETING: Final = "_SKYMMICH_RECONCILER_COMPLETE"
"""Typer's own name for it; the shells' scripts set it."""
