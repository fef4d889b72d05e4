"""What each reason's code says in English, with its parameters by name; its fields come before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from reconciler.errors import Again
from reconciler.messages import guard
from reconciler.messages.details import DETAILS
from reconciler.messages.formats import written
from reconciler.messages.guard import GUARD
from reconciler.messages.row_problems import ROW_PROBLEMS
from reconciler.messages.runs import RUNS
from reconciler.messages.translation import Message, joined, say
from reconciler.messages.vocabulary import FIELDS
from reconciler.messages.voice import advice

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.reasons import Code, Reason
    from reconciler.messages.voice import Voice

REASONS: Final[Mapping[Code, Message]] = {
    "fill": Message("Immich has none"),
    "conflict": Message("Immich holds a value that is not ours"),
    "told": Message("{text}"),
    "error": Message("{text}"),
    **ROW_PROBLEMS,
    **RUNS,
    **GUARD,
    **DETAILS,
}


def words(reason: Reason) -> str:
    """Return one reason as a sentence without its full stop: ``facts and words: Immich has none``."""
    text = say(REASONS[reason.code], **written(dict(reason.params)))
    if not reason.fields:
        return text
    return f"{joined([say(FIELDS[name]) if name in FIELDS else name for name in reason.fields])}: {text}"


def sentence(reasons: Iterable[Reason]) -> str:
    """Return several reasons as one text; empty for none."""
    return "; ".join(dict.fromkeys(map(words, reasons)))


def joined_reasons(reasons: Sequence[Reason], voice: Voice) -> str:
    """Return reasons that are sentences, one after the other; an error with what to do about it."""
    if reasons and reasons[0].code == "guard_holds":
        return guard.message(reasons)
    return " ".join(_with_advice(one, voice) for one in reasons)


def _with_advice(reason: Reason, voice: Voice) -> str:
    if reason.code != "error":
        return words(reason)
    again = next((one for one in get_args(Again) if one == reason.get("again")), None)
    what = advice(str(reason.get("remedy") or ""), again, voice)
    return " ".join(filter(None, (words(reason), what)))
