"""How long the event loop is held, and what a look costs, with many images: the limits of what ``loop.py`` measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from report import Table

SIZES = (10_000, 100_000)
MILLION = 1_000_000
MOST_HELD = 50.0
"""Milliseconds that this process works on the loop between two turns; other programs may make a gap longer."""
MOST_IDLE_CPU = 5.0
MOST_IDLE_REQUESTS = 1
MOST_CHANGE_CPU = 3000.0
MOST_MEMORY = {10_000: 250.0, 100_000: 250.0, MILLION: 600.0}
IDLE, CHANGE = "idle look, each", "one image changed"
"""How the names of phases begin."""
WHOLE = frozenset({"first plan", "look after a start", "re-plan, another tag root", "audit"})
"""Phases that go through all images: of each the time an image is told, which does not grow."""


def measure_loop(table: Table, child: Callable[..., dict], images: int) -> None:
    """Measure with so many images, in processes of their own."""
    more = ("--short",) if images >= MILLION else ()
    show(table, child("loop.py", images, "--json", *more), images)


def show(table: Table, found: dict[str, dict], images: int) -> None:
    table.heading(f"The event loop and one look with {images:,} images")
    for phase, row in found.items():
        cpu, requests = row["cpu_ms"], row["requests"]
        each = f" ({cpu / images:.2f} an image)" if phase in WHOLE else ""
        table.row(
            phase, f"{cpu:,.1f} ms", f"of CPU{each}, {requests:g} requests, at most {row['peak']:.0f} MiB"
        )
        table.row("  longest gap of the loop", f"{row['gap_ms']:.0f} ms")
        table.limit("  longest time that it is held, ms", row["held_ms"], MOST_HELD, "{:.0f}")
        if phase.startswith(IDLE):
            table.limit("  CPU, ms", cpu, MOST_IDLE_CPU, "{:.1f}")
            table.limit("  requests", requests, MOST_IDLE_REQUESTS, "{:g}")
        if phase.startswith(CHANGE):
            # All rows are digested to see which changed: beyond a hundred thousand that grows with them.
            most = MOST_CHANGE_CPU * max(1.0, images / 100_000)
            table.limit("  CPU, ms", cpu, most, "{:,.0f}")
    missing = [name for name in (IDLE, CHANGE) if not any(phase.startswith(name) for phase in found)]
    if missing:
        table.fail(f"{images:,} images: nothing was measured of: {', '.join(missing)}")
    peak = max(row["peak"] for row in found.values())
    table.limit("peak memory, MiB", peak, MOST_MEMORY.get(images, 250.0), "{:.0f}")
