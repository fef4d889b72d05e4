"""The one vocabulary: how every face calls states, fields, cases, outcomes, triggers and levels.

All are written as within a sentence; a face that begins one with them begins it with a capital.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS: Final[Mapping[str, Message]] = {
    "block": Message("block"),
    "prose": Message("prose"),
    "description": Message("description"),
    "coordinates": Message("place"),
    "taken_at": Message("date"),
    "tags": Message("tags"),
    "favorite": Message("favourite"),
    "memberships": Message("albums"),
    "albums": Message("albums"),
}
FIELD_TITLES: Final[Mapping[str, Message]] = {
    "block": Message("Description: block"),
    "prose": Message("Description: prose"),
    "description": Message("Description"),
    "coordinates": Message("Place"),
    "taken_at": Message("Date"),
    "tags": Message("Tags"),
    "favorite": Message("Favourite"),
    "memberships": Message("Albums"),
    "albums": Message("Albums"),
}
"""Above a field's values."""
STATES: Final[Mapping[str, Message]] = {
    "new": Message("not synced yet"),
    "in_sync": Message("in sync"),
    "pending": Message("settling"),
    "conflict": Message("in conflict"),
    "held": Message("held back"),
    "not_sticking": Message("not kept"),
    "undone": Message("taken back"),
    "left_out": Message("left out"),
    "unknown_asset": Message("not in Immich"),
    "not_writable": Message("not writable"),
    "failed": Message("failed"),
    "unlinked": Message("left Skymmich"),
}
"""In the order of an image's life."""
MEANINGS: Final[Mapping[str, Message]] = {
    "new": Message("The next look brings it in sync."),
    "in_sync": Message("Immich shows what Skymmich knows."),
    "pending": Message("Written; Immich has not processed it yet. The next look checks it."),
    "conflict": Message(
        "A person's value in Immich differs from Skymmich's. Immich's is kept until you decide."
    ),
    "held": Message("This change would take something away, so the guard holds it back. Nothing was lost."),
    "not_sticking": Message(
        "Immich accepted the value and put the old one back. It is tried again once "
        "something about it changes."
    ),
    "undone": Message(
        "A person took back what was written. It is left alone until Skymmich's or Immich's value changes."
    ),
    "left_out": Message(
        "A person, a tag in Skymmich or a rule of the configuration leaves it out: it is looked at and never "
        "written. What was written before stays; to take that back, undo it."
    ),
    "unknown_asset": Message(
        "Immich does not show this asset to the key: it is deleted, locked, or belongs "
        "to another user. Correct the link in Skymmich."
    ),
    "not_writable": Message("It cannot be written as it is now; the reason says why."),
    "failed": Message(
        "The last attempt failed and is made again by itself, or what Skymmich has "
        "cannot be read: the reason says which."
    ),
    "unlinked": Message("It is no longer in the catalogue. What was written stays."),
}
"""What each state says of an image: what happened, what stays safe, what to do."""
MISSING: Final = Message("an edit may be missing")
"""Of images that somebody saved between our reading and our write: no state, for they may be in sync."""
MISSING_MEANING: Final = Message(
    "Somebody saved it in Immich at the very moment this program wrote. Only they "
    "can tell whether what they entered is still there: please check, and confirm "
    "that you have looked."
)
CROSSED_LABEL: Final = Message("edit may be missing")
"""The same as a label."""
LEVELS: Final[Mapping[str, Message]] = {
    "ok": Message("in sync"),
    "attention": Message("needs attention"),
    "trouble": Message("trouble"),
    "unknown": Message("not certain"),
    "off": Message("switched off"),
}
OUTCOMES: Final[Mapping[str, Message]] = {
    "succeeded": Message("succeeded"),
    "failed": Message("failed"),
    "stopped": Message("stopped"),
    "running": Message("running"),
    "quiet": Message("nothing to do"),
    "unexpected": Message("broke off"),
}
"""How passes end; the last two leave no run."""
TRIGGERS: Final[Mapping[str, Message]] = {
    "api": Message("requested over the API"),
    "audit": Message("daily audit"),
    "catalogue": Message("catalogue changed"),
    "cli": Message("command line"),
    "decision": Message("a person decided"),
    "event": Message("Skymmich reported a change"),
    "immich": Message("scheduled look at Immich"),
    "lease": Message("the right to write came back"),
    "page": Message("requested on this page"),
    "probe": Message("Immich was down"),
    "redo": Message("written again"),
    "reload": Message("configuration read again"),
    "retry": Message("tried again"),
    "schedule": Message("schedule"),
    "settings": Message("settings changed"),
    "signal": Message("signal"),
    "skymmich": Message("Skymmich's button"),
    "start": Message("start"),
    "store": Message("the state store came back"),
    "template": Message("template changed"),
    "undo": Message("undo"),
}
CASES: Final[Mapping[str, Message]] = {
    "in_sync": Message("same on both sides"),
    "fill": Message("will be written"),
    "conflict": Message("Immich's is kept"),
    "update": Message("will be updated"),
    "drift": Message("changed in Immich"),
    "both_changed": Message("changed on both sides"),
    "withdraw": Message("will be taken away"),
    "not_ours": Message("left alone"),
    "switched_off": Message("switched off"),
    "not_sticking": Message("not kept by Immich"),
    "undone": Message("taken back and left alone"),
    "left_out": Message("left out"),
    "not_writable": Message("cannot be written"),
    "resolved": Message("you decided"),
    "contested": Message("somebody else writes here"),
}
ACTIONS: Final[Mapping[str, Message]] = {
    "nothing": Message("nothing to do"),
    "write": CASES["fill"],
    "remove": CASES["withdraw"],
    "keep": CASES["conflict"],
}
