"""What is said of a run's end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.formats import field, written
from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.reasons import Code, Reason
    from reconciler.core.records import Run

RUNS: Final[Mapping[Code, Message]] = {
    "run_images": Message("{count} image", "{count} images"),
    "run_changed": Message("{count} changed"),
    "run_status": Message("{count} {status}"),
    "run_guarded": Message("the guard holds back part of it"),
    "run_adopted": Message(
        "{count} image was recognised by this program's record of it in Immich",
        "{count} images were recognised by this program's records of them in Immich",
    ),
    "run_ended_early": Message("ended early: {text}"),
    "run_broke": Message("ended by an unexpected error ({kind})"),
    "run_stopped": Message("stopped before its end"),
    "undo_images": Message("{count} image taken back", "{count} images taken back"),
    "undo_tags": Message("{count} tag deleted", "{count} tags deleted"),
    "undo_left": Message("{count} value left as it is", "{count} values left as they are"),
    "daemon_stopped": Message("The daemon was stopped."),
    "pass_broke": Message("An unexpected error ended the run; the log has the details."),
}
_APART: Final = frozenset({"run_guarded", "run_adopted", "run_ended_early"})
"""What is said beside the counts."""
_OLD: Final = frozenset({"told"})


def summary(reasons: Sequence[Reason]) -> str:
    """Return how a run ended, in one sentence without its full stop."""
    text, before = "", None
    for one in reasons:
        if before is not None:
            text += "; " if one.code in _APART else ": " if before == "run_images" else ", "
        message = RUNS.get(one.code)
        text += say(message, **written(dict(one.params))) if message else str(one.get("text") or one.code)
        before = one.code
    return text


def wrote(run: Run) -> list[tuple[str, int]]:
    """Return how many of each kind of value a run wrote; empty where its own summary tells more."""
    if run.outcome not in {"ok", "attention"} or any(one.code in _APART | _OLD for one in run.summary):
        return []
    return [(field(name), count) for name, count in run.counts.wrote.items() if count]
