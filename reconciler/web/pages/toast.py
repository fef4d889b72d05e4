"""One answer to a click: what it says, in which tone, and of which run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.messages.formats import first_upper
from reconciler.messages.reasons import joined_reasons
from reconciler.messages.runs import summary
from reconciler.web.api.routes import is_over
from reconciler.web.tones import answer_of, run_tone

if TYPE_CHECKING:
    from reconciler.service.api import Control, RunState
    from reconciler.web.tones import Tone

TRACKED: Final = frozenset({"asked", "decided_run", "stopping"})
"""Answers that are exchanged for what came of the run they name."""


@dataclass(frozen=True, slots=True)
class Toast:
    """One message."""

    text: str
    tone: Tone
    run: str = ""
    """Of which run; empty: of none."""
    said: str = ""
    """What was said first, while the outcome is still to come."""


def toast_of(control: Control, said: str, run_id: str = "") -> Toast | None:
    """Return the answer that an address names; ``None`` if there is none of that name."""
    shown = answer_of(said)
    if shown is None:
        return None
    state = control.run_state(run_id) if run_id and said in TRACKED else None
    if state is None:
        return Toast(shown.label, shown.tone)
    if is_over(state):
        decided = answer_of("decided") if said == "decided_run" and not state.error else None
        text = f"{decided.label} {_outcome(state)}" if decided else _outcome(state)
        return Toast(text, run_tone(state), run_id)
    return Toast(shown.label, shown.tone, run_id, said)


def _outcome(state: RunState) -> str:
    """Return what came of a run: what was looked at and written, or why nothing was."""
    if state.report is not None:
        return first_upper(summary(state.report.run.summary)) + "."
    return joined_reasons(state.error, "daemon") or _nothing_done()


def _nothing_done() -> str:
    """Return what is said of a run that had nothing to do and left no trace."""
    shown = answer_of("nothing_done")
    return shown.label if shown else ""
