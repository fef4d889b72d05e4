"""What an undo does to descriptions, before it is done: a sentence for each kind, with how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.nouns import counted
from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.plan.undo import Return, TextReturn

TEXTS: Final[Mapping[tuple[Return, Return], Message]] = {
    ("removed", "stays"): Message("{descriptions}: the block is removed."),
    ("former", "stays"): Message("{descriptions}: the block becomes what it was before."),
    ("again", "stays"): Message("{descriptions}: the block comes back."),
    ("stays", "removed"): Message("{descriptions}: only the prose is removed."),
    ("stays", "former"): Message("{descriptions}: only the prose becomes what it was before."),
    ("stays", "again"): Message("{descriptions}: only the prose comes back."),
    ("removed", "removed"): Message("{descriptions}: block and prose are removed."),
    ("removed", "former"): Message(
        "{descriptions}: the block is removed, and the prose becomes what it was before."
    ),
    ("removed", "again"): Message("{descriptions}: the block is removed, and the prose comes back."),
    ("former", "removed"): Message(
        "{descriptions}: the block becomes what it was before, and the prose is removed."
    ),
    ("former", "former"): Message("{descriptions}: block and prose become what they were before."),
    ("former", "again"): Message(
        "{descriptions}: the block becomes what it was before, and the prose comes back."
    ),
    ("again", "removed"): Message("{descriptions}: the block comes back, and the prose is removed."),
    ("again", "former"): Message(
        "{descriptions}: the block comes back, and the prose becomes what it was before."
    ),
    ("again", "again"): Message("{descriptions}: block and prose come back."),
    ("stays", "stays"): Message("{descriptions}: it becomes what it was before."),
}
"""By what becomes of the block, and of the prose."""


def texts(found: Mapping[TextReturn, int], number: Callable[[int], str] = "{:,}".format) -> tuple[str, ...]:
    """Return what becomes of descriptions, a sentence for each kind, in the order of the table above."""
    counts = {(one.block, one.prose): count for one, count in found.items()}
    return tuple(
        say(message, descriptions=counted(count, "description", number(count)))
        for kind, message in TEXTS.items()
        if (count := counts.get(kind, 0))
    )
