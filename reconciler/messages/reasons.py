"""What each reason's code says in English, with its parameters by name; its fields come before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.row_problems import ROW_PROBLEMS
from reconciler.messages.translation import Message, joined, say
from reconciler.messages.vocabulary import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.reasons import Code, Reason

REASONS: Final[Mapping[Code, Message]] = {
    "fill": Message("Immich has none"),
    "conflict": Message("Immich holds a value that is not ours"),
    "told": Message("{text}"),
    "error": Message("{text}"),
    **ROW_PROBLEMS,
}


def words(reason: Reason) -> str:
    """Return one reason as a sentence without its full stop: ``facts and words: Immich has none``."""
    text = say(REASONS[reason.code], **dict(reason.params))
    if not reason.fields:
        return text
    return f"{joined([say(FIELDS[name]) if name in FIELDS else name for name in reason.fields])}: {text}"


def sentence(reasons: Iterable[Reason]) -> str:
    """Return several reasons as one text; empty for none."""
    return "; ".join(dict.fromkeys(map(words, reasons)))
