"""The page's colours: a tone for each state, outcome, condition and answer.

A tone is never the only sign: each has its icon, and its words stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from reconciler.messages import vocabulary
from reconciler.messages.answers import SAID
from reconciler.messages.formats import first_upper, state
from reconciler.messages.translation import say
from reconciler.messages.vocabulary import MEANINGS, OUTCOMES, STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.records import AssetStatus
    from reconciler.service.api import RunState

Tone = Literal["ok", "attention", "trouble", "unknown", "off", "busy"]

STATE_TONES: Final[Mapping[str, Tone]] = {
    "new": "unknown",
    "in_sync": "ok",
    "pending": "busy",
    "conflict": "attention",
    "held": "attention",
    "not_sticking": "trouble",
    "undone": "off",
    "left_out": "off",
    "unknown_asset": "trouble",
    "not_writable": "attention",
    "failed": "trouble",
    "unlinked": "off",
}
OUTCOME_TONES: Final[Mapping[str, Tone]] = {
    "succeeded": "ok",
    "failed": "trouble",
    "stopped": "off",
    "running": "busy",
}
ANSWER_TONES: Final[Mapping[str, Tone]] = {
    "asked": "busy",
    "begun": "ok",
    "begun_first": "ok",
    "saved": "ok",
    "template": "ok",
    "reset": "ok",
    "parts": "ok",
    "parts_reset": "ok",
    "parts_same": "ok",
    "followed": "ok",
    "same": "ok",
    "stopping": "busy",
    "nothing": "unknown",
    "nothing_done": "ok",
    "nothing_chosen": "unknown",
    "paused": "attention",
    "resumed": "ok",
    "decided": "ok",
    "decided_run": "busy",
    "moved": "attention",
    "again": "ok",
    "reopened": "ok",
    "left_out": "ok",
    "taken_in": "ok",
    "carried_over": "ok",
    "carry_left": "ok",
    "seen": "ok",
    "unseen": "unknown",
    "notice_sent": "ok",
    "notice_unsent": "trouble",
    "notice_nobody": "unknown",
    "logout": "ok",
    "unkept": "attention",
}
URGENCY: Final[tuple[AssetStatus, ...]] = (
    "held",
    "not_sticking",
    "unknown_asset",
    "failed",
    "conflict",
    "not_writable",
    "pending",
)
MILD = frozenset({"InSync", "GuardClear", "CanaryClear", "ConfigurationCurrent", "Fresh", "NoticesSent"})
"""Conditions whose failing needs attention, and is no trouble."""
CROSSED = "crossed"
"""What the page's filter calls images of which an edit may be missing."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How something is shown: its words, its tone, and what it means."""

    label: str
    tone: Tone
    meaning: str = ""
    """What happened, what stays safe, what to do."""


def state_of(status: str) -> Shown:
    """Return how a state is shown, also one of a later version."""
    if status not in STATES:
        return Shown(status, "unknown")
    return Shown(first_upper(state(status)), STATE_TONES[status], say(MEANINGS[status]))


def states() -> dict[str, Shown]:
    """Return how all states are shown, in the order of an image's life; ``URGENCY`` has that of need."""
    return {status: state_of(status) for status in STATES}


def missing() -> Shown:
    """Return how images are shown of which an edit may be missing."""
    label = first_upper(say(vocabulary.CROSSED_LABEL))
    return Shown(label, "attention", say(vocabulary.MISSING_MEANING))


def outcome_of(outcome: str) -> Shown:
    """Return how the end of a run is shown."""
    label = first_upper(say(OUTCOMES[outcome])) if outcome in OUTCOMES else outcome
    return Shown(label, OUTCOME_TONES.get(outcome, "unknown"))


def run_tone(state: RunState) -> Tone:
    """Return the tone of a run that has ended: its own, whatever the library needs."""
    run = state.report.run if state.report is not None else None
    if state.state == "stopped":
        return "off"
    if state.state == "failed" or run is None:
        return "trouble" if state.error else "ok"
    return "attention" if run.counts.failed else OUTCOME_TONES.get(run.outcome, "unknown")


def answer_of(said: str) -> Shown | None:
    """Return how an answer is shown that a redirect names; ``None`` if there is none of that name."""
    return Shown(say(SAID[said]), ANSWER_TONES[said]) if said in SAID else None
