"""What a page says of what is to be done with some images, before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

Action = Literal[
    "sync", "undo", "redo", "approve", "immich", "skymmich", "both", "take_over", "pause", "resume"
]

ACTIONS: Final[Mapping[Action, Message]] = {
    "sync": Message("Sync to Immich"),
    "undo": Message("Undo the last change"),
    "redo": Message("Write again what was taken back"),
    "immich": Message("Conflicts: keep Immich's"),
    "skymmich": Message("Conflicts: use Skymmich's"),
    "both": Message("Conflicts: keep both"),
    "approve": Message("Approve what the guard holds"),
}
"""In a list to choose from: what may be done with some images."""
TITLES: Final[Mapping[Action, Message]] = {
    "sync": Message("{number} image would be written", "{number} images would be written"),
    "undo": Message(
        "The last change would be taken back from {number} image",
        "The last change would be taken back from {number} images",
    ),
    "redo": Message("{number} image would be written again", "{number} images would be written again"),
    "immich": Message("Immich's would stay in {number} image", "Immich's would stay in {number} images"),
    "skymmich": Message(
        "Skymmich's would take the place of Immich's in {number} image",
        "Skymmich's would take the place of Immich's in {number} images",
    ),
    "both": Message("Both would be kept in {number} image", "Both would be kept in {number} images"),
    "approve": Message("{number} image would lose something", "{number} images would lose something"),
    "take_over": Message("This installation would take the place of the other"),
    "pause": Message(
        "{number} image would wait until you resume", "{number} images would wait until you resume"
    ),
    "resume": Message(
        "Runs would start by themselves again, and {number} image would be written",
        "Runs would start by themselves again, and {number} images would be written",
    ),
}
NOTHING: Final[Mapping[Action, Message]] = {
    "sync": Message("There is nothing to write"),
    "undo": Message("There is nothing to take back"),
    "redo": Message("There is nothing to write again"),
    "immich": Message("There is no conflict to decide"),
    "skymmich": Message("There is no conflict to decide"),
    "both": Message("There is no conflict of which both could be kept"),
    "approve": Message("The guard holds nothing back"),
    "take_over": Message("No other installation keeps this library"),
    "pause": Message("No run would start by itself until you resume"),
    "resume": Message("Runs would start by themselves again"),
}
NOTES: Final[Mapping[Action, Message]] = {
    "sync": Message("What people wrote stays."),
    "undo": Message("What people wrote stays."),
    "redo": Message("What people wrote since stands against it as always."),
    "immich": Message("Immich is not written to. It holds until either side changes."),
    "skymmich": Message("What is replaced stays in the journal. It holds until either side changes."),
    "both": Message("Immich's prose stays where it is, and Skymmich's is added."),
    "approve": Message("Approving writes just what is shown here; the journal keeps what is replaced."),
    "take_over": Message(
        "The other one then stands back. Take over only if it is gone, or is this one's former state store. "
        "What people decided in conflicts, what they left out and the history are in its state store alone, "
        "and do not come along: to keep them, copy that store with backup and restore instead."
    ),
    "pause": Message(
        "What changes in Skymmich or Immich waits until you resume, also over a restart. What you ask for "
        "yourself, as “Sync all images”, is still done."
    ),
    "resume": Message("What changes in Skymmich or Immich is then written again. What people wrote stays."),
}
BUTTONS: Final[Mapping[Action, Message]] = {
    "sync": Message("Write this"),
    "undo": Message("Undo this"),
    "redo": Message("Write again"),
    "immich": Message("Keep Immich's"),
    "skymmich": Message("Use Skymmich's"),
    "both": Message("Keep both"),
    "approve": Message("Approve just this"),
    "take_over": Message("Take over"),
    "pause": Message("Pause"),
    "resume": Message("Resume"),
}
COUNTS: Final[Mapping[str, Message]] = {
    "descriptions": Message("{number} description", "{number} descriptions"),
    "places": Message("{number} place", "{number} places"),
    "dates": Message("{number} date", "{number} dates"),
    "tags_on": Message("{number} tag put on", "{number} tags put on"),
    "tags_off": Message("{number} tag taken off", "{number} tags taken off"),
    "albums_on": Message("put into {number} album", "put into {number} albums"),
    "albums_off": Message("taken out of {number} album", "taken out of {number} albums"),
    "decided": Message("{number} value decided", "{number} values decided"),
    "left": Message("{number} image left as it is, see below", "{number} images left as they are, see below"),
    "values_left": Message(
        "{number} value left as it is, see below", "{number} values left as they are, see below"
    ),
    "known": Message("{number} image is known by its record", "{number} images are known by their records"),
}
TAKE_OVER_BEFORE_BEGUN: Final = Message(
    "Nothing is written by that: begin on the overview then. Until you begin, the other one goes on, and "
    "stands back from then on. Take over only if it is gone, or is this one's former state store."
)
"""Instead of the note, where nobody has begun."""
NO_CONFLICT: Final = Message("it has no conflict that can be decided so")
NO_CHANGE: Final = Message("there is nothing to write")
OTHER: Final = Message(
    "The other installation calls itself {instance}; it began on {since}, and its last sign of life seen "
    "from here was at {seen}."
)
KNOWN_ALONE: Final = Message(
    "What is shown is what this state store knows alone: what the other one wrote or took back since is not "
    "in it."
)
NOTHING_WAITS: Final = Message("Nothing waits to be written now")
NO_RUN: Final = Message("No run is under way")
UNDER_WAY: Final = Message("A run is under way, and goes on to its end")
UNDER_WAY_DONE: Final = Message("A run is under way, and goes on to its end: {done} of {total} done")
UNKNOWN: Final = Message("What waits cannot be told now: {why}")
