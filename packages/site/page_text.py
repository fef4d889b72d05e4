"""What the pages of the reference have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def made(command: str) -> str:
    """Return the remark that opens a generated page."""
    return f"<!-- {command} writes this page; what is changed here by hand is lost. -->\n\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a ``|`` in a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def code(text: str) -> str:
    """Return a text as code, or nothing where it is empty."""
    return f"`{text}`" if text else ""
