"""What is said of a run's end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from reconciler.messages.formats import field, state, written
from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.core.reasons import Code, Reason
    from reconciler.core.records import Run, RunCounts

RUNS: Final[Mapping[Code, Message]] = {
    "run_images": Message("Checked {count} image", "Checked {count} images"),
    "run_changed": Message("wrote {count}"),
    "run_failed": Message("failed {count}"),
    "run_nothing": Message("nothing to write"),
    "run_stopped_at": Message("stopped at {done} of {total}"),
    "run_status": Message("{count} {status}"),
    "run_guarded": Message("the guard holds back part of it"),
    "run_adopted": Message(
        "{count} image was recognised by this program's record of it in Immich",
        "{count} images were recognised by this program's records of them in Immich",
    ),
    "run_stacks_unknown": Message("stacks are left as they are: the API key lacks {lacking}"),
    "run_renamed": Message(
        "renamed {before} → {after} ({count} tag)", "renamed {before} → {after} ({count} tags)"
    ),
    "run_tags_deleted": Message(
        "deleted {count} empty tag of the old branch", "deleted {count} empty tags of the old branch"
    ),
    "run_albums_made": Message("made {count} album", "made {count} albums"),
    "run_albums_deleted": Message("deleted {count} empty album", "deleted {count} empty albums"),
    "run_ended_early": Message("ended early: {text}"),
    "run_broke": Message("ended by an unexpected error ({kind})"),
    "run_stopped": Message("stopped before its end"),
    "run_waiting": Message("{count} of them waiting for Immich"),
    "stopped_reading": Message("Stopped while Immich was read; nothing was written."),
    "undo_images": Message("{count} image taken back", "{count} images taken back"),
    "undo_tags": Message("{count} tag deleted", "{count} tags deleted"),
    "undo_albums": Message("{count} album deleted", "{count} albums deleted"),
    "undo_unrecorded": Message(
        "left {count} tag that nothing carries below {tags}: who made it is not on record here",
        "left {count} tags that nothing carries below {tags}: who made them is not on record here",
    ),
    "undo_left": Message("{count} value left as it is", "{count} values left as they are"),
    "daemon_stopped": Message("The daemon was stopped."),
    "pass_broke": Message("An unexpected error ended the run; the log has the details."),
}
_APART: Final = frozenset(
    {
        "run_guarded",
        "run_adopted",
        "run_stacks_unknown",
        "run_renamed",
        "run_tags_deleted",
        "run_albums_made",
        "run_albums_deleted",
        "run_ended_early",
        "run_stopped_at",
        "undo_unrecorded",
    }
)
"""What is said beside the counts."""
_IMAGES: Final = Message("{number} image", "{number} images")
_STANDING: Final = Message("{number} {status}")
_STAND: Final = Message("{images}: {standings}")
_OLD: Final = frozenset({"told"})


def summary(reasons: Sequence[Reason]) -> str:
    """Return how a run ended, in one sentence without its full stop."""
    text = ""
    for one in reasons:
        if text:
            text += "; " if one.code in _APART else ", "
        message = RUNS.get(one.code)
        text += say(message, **written(dict(one.params))) if message else str(one.get("text") or one.code)
    return text


def standings(counts: RunCounts) -> str:
    """Return where the images of a run stand at its end: ``3 images: 2 in sync, 1 in conflict``."""
    many = Counter(counts.statuses).most_common()
    text = ", ".join(
        say(_STANDING, count=count, number=f"{count:,}", status=state(one)) for one, count in many
    )
    images = say(_IMAGES, count=counts.images, number=f"{counts.images:,}")
    return say(_STAND, images=images, standings=text) if text else images


def wrote(run: Run) -> list[tuple[str, int]]:
    """Return how many of each kind of value a run wrote; empty where its own summary tells more."""
    if run.outcome != "succeeded" or any(one.code in _APART | _OLD for one in run.summary):
        return []
    return [(field(name), count) for name, count in run.counts.wrote.items() if count]
