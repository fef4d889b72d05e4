"""Who speaks: a daemon goes on by itself, a command ends. An error's ``again`` is said in each one's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message, Voice, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.errors import Again, ReconcilerError

AGAIN: Final[Mapping[Voice, Mapping[Again, Message]]] = {
    "daemon": {
        "by_itself": Message("It is tried again by itself."),
        "next_pass": Message("The next run looks again."),
        "when_changed": Message("It is tried again when something about it changes."),
    },
    "command": {
        "by_itself": Message("Run the command again."),
        "next_pass": Message("Run apply again to look."),
        "when_changed": Message("Apply tries it again when something about it changes."),
    },
}


def advice(remedy: str, again: Again | None, voice: Voice) -> str:
    """Return what to do: whether it is tried again, then the remedy; empty for neither."""
    return " ".join(filter(None, (say(AGAIN[voice][again]) if again else "", remedy)))


def remedy_of(error: ReconcilerError, voice: Voice) -> str:
    """Return what to do about an error."""
    return advice(error.remedy, error.again, voice)


def told(error: ReconcilerError, voice: Voice) -> str:
    """Return an error with what to do about it."""
    return " ".join(filter(None, (error.message, remedy_of(error, voice))))
