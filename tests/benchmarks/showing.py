"""The rows that a pass on a simulated and on a real server have in common, with their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from report import Table

MOST_RATIO = 1.15
MOST_WINDOW = 15.0
FEW = 500
"""Up to so many images what is asked once for all of them weighs more."""


def most_requests(images: int) -> float:
    return 4.2 if images <= FEW else 3.3


def show_window(table: Table, first: dict) -> None:
    window = first["window"]
    note = f"of {window['writes']:,} texts, at most {window['most']:.0f} ms"
    table.limit("from reading to writing, median ms", window["median"], MOST_WINDOW, "{:.1f}")
    table.row("  99th percentile", f"{window['p99']:.1f}", note)
    table.limit("  texts written without a reading", window["unread"], 0, "{}")


def show_requests(table: Table, result: dict, images: int) -> None:
    for route, count in result["requests"].items():
        if route not in {"total", "writes", "reads"}:
            table.row(f"    {route}", f"{count:,}", f"{count / images:.3f} per image")
    table.limit("  requests per image", result["requests"]["total"] / images, most_requests(images), "{:.3f}")
    for what in ("overlaps", "lost", "rejected"):
        if result["faults"] is not None:
            table.limit(f"  writes {what}", result["faults"][what], 0, "{}")
    table.limit("  images not in sync", images - result["statuses"].get("in_sync", 0), 0, "{}")


def show_later(table: Table, later: dict) -> None:
    for title, result in (
        ("second apply", later["apply"]),
        ("a daemon's pass without a change", later["daemon"]),
    ):
        _show_pass(table, title, result)
        table.limit("  writes", result["requests"]["writes"], 0, "{}")
    _show_pass(table, "a daemon's pass with one image changed", later["change"])


def show_undo(table: Table, undo: dict, first: dict, images: int) -> None:
    _show_pass(table, "undo of the first apply", undo)
    table.row("  images taken back", f"{undo['images']:,}", f"{undo['left']:,} values left")
    most = first["requests"]["total"] / images
    table.limit("  requests per image", undo["requests"]["total"] / max(1, undo["images"]), most, "{:.3f}")


def _show_pass(table: Table, title: str, result: dict) -> None:
    requests = result["requests"]
    note = (
        f"{result['cpu']:.2f} s of CPU, {requests['total']:,} requests, {requests['writes']:,} of them writes"
    )
    table.row(title, f"{result['seconds']:.2f} s", note)
