"""The page's vocabulary: how states, fields, outcomes and triggers are called, coloured and explained.

A tone is never the only sign: each has its icon, and its words stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Tone = Literal["ok", "attention", "trouble", "unknown", "off", "busy"]


@dataclass(frozen=True, slots=True)
class State:
    """How a state of an image is shown."""

    label: str
    tone: Tone
    meaning: str
    """What happened, what stays safe, what to do."""


STATES: dict[str, State] = {
    "new": State("Not synced yet", "unknown", "The next look brings it in sync."),
    "in_sync": State("In sync", "ok", "Immich shows what Skymmich knows."),
    "pending": State("Settling", "busy", "Written; Immich has not digested it yet. The next look checks it."),
    "conflict": State(
        "In conflict",
        "attention",
        "A person's value in Immich differs from Skymmich's. Immich's is kept until you decide.",
    ),
    "held": State(
        "Held back",
        "attention",
        "The guard holds back what this change would take away. Nothing was lost.",
    ),
    "not_sticking": State(
        "Not kept",
        "trouble",
        "Immich took the value and put the old one back. It is tried again once something about it changes.",
    ),
    "undone": State(
        "Undone",
        "off",
        "A person took back what was written. It is left alone until Skymmich's value or Immich's changes.",
    ),
    "unknown_asset": State(
        "Not in Immich",
        "trouble",
        "Immich does not show this asset to the key: deleted, locked away, or another user's. "
        "Mend the link in Skymmich.",
    ),
    "not_writable": State(
        "Not writable", "attention", "It cannot be written as it is now; the reason says why."
    ),
    "failed": State("Failed", "trouble", "The last attempt met an error. It is tried again by itself."),
    "unlinked": State("Left Skymmich", "off", "It is no longer in the catalogue. What was written stays."),
}
"""In the order of an image's life; ``URGENCY`` has the order of need."""

CROSSED = "crossed"
"""What the page's filter calls images of which an edit may be missing: no state, for they may be in sync."""
MISSING = State(
    "Edit may be missing",
    "attention",
    "Somebody saved in Immich in the very moment in which this program wrote. "
    "Only they can tell whether what they entered is there: look, and say so.",
)
URGENCY = ("held", "not_sticking", "unknown_asset", "failed", "conflict", "not_writable", "pending")

LEVELS: dict[str, str] = {
    "ok": "In sync",
    "attention": "Needs attention",
    "trouble": "Trouble",
    "unknown": "Not certain",
    "off": "Switched off",
}
OUTCOMES: dict[str, tuple[str, Tone]] = {
    "ok": ("In sync", "ok"),
    "attention": ("Needs attention", "attention"),
    "failed": ("Failed", "trouble"),
    "interrupted": ("Interrupted", "off"),
    "running": ("Running", "busy"),
}
TRIGGERS: dict[str, str] = {
    "api": "asked for over the API",
    "audit": "daily audit",
    "catalogue": "Skymmich changed",
    "cli": "command line",
    "decision": "a conflict was decided",
    "immich": "Immich changed",
    "page": "asked for on this page",
    "probe": "Immich was down",
    "reload": "configuration read again",
    "schedule": "schedule",
    "settings": "settings changed",
    "signal": "signal",
    "skymmich": "Skymmich's button",
    "start": "start",
    "undo": "undo",
}
FIELDS: dict[str, str] = {
    "block": "Description: facts",
    "prose": "Description: words",
    "description": "Description",
    "coordinates": "Coordinates",
    "tags": "Tags",
}
CASES: dict[str, str] = {
    "in_sync": "Same on both sides",
    "fill": "Will be written",
    "conflict": "Immich's is kept",
    "update": "Will be updated",
    "drift": "Changed in Immich",
    "both_changed": "Changed on both sides",
    "withdraw": "Will be taken away",
    "not_ours": "Left alone",
    "switched_off": "Switched off",
    "not_sticking": "Not kept by Immich",
    "undone": "Undone and left alone",
    "not_writable": "Cannot be written",
    "resolved": "You decided",
}
CONDITIONS: dict[str, str] = {
    "StoreWritable": "The state store can be written",
    "Configured": "The configuration is complete",
    "ConfigurationCurrent": "The configuration on the disk is in use",
    "Writer": "This process holds the right to write",
    "Working": "Passes go through",
    "CatalogueReadable": "Skymmich's catalogue can be read",
    "SyncEnabled": "Metadata sync is switched on",
    "ImmichReachable": "Immich answers",
    "Permitted": "The API key allows what is needed",
    "GuardClear": "The guard holds nothing back",
    "CanaryClear": "The first writes stuck",
    "InSync": "Every image is in sync",
    "Fresh": "Everything was looked at lately",
}
BROKEN: dict[str, str] = {
    "StoreWritable": "The state store cannot be written",
    "Configured": "The configuration is not complete",
    "ConfigurationCurrent": "The changed configuration is not in use",
    "Writer": "Another process holds the right to write",
    "Working": "A pass broke off",
    "CatalogueReadable": "Skymmich's catalogue cannot be read",
    "SyncEnabled": "Metadata sync is switched off",
    "ImmichReachable": "Immich does not answer",
    "Permitted": "The API key lacks a permission",
    "GuardClear": "The guard holds something back",
    "CanaryClear": "The first writes did not stick",
    "InSync": "Not every image is in sync",
    "Fresh": "The last look is too long ago",
}
MILD = frozenset({"InSync", "GuardClear", "CanaryClear", "ConfigurationCurrent", "Fresh"})
"""Conditions whose failing needs attention, and is no trouble."""
SAID: dict[str, tuple[str, Tone]] = {
    "asked": ("Asked for. It starts as soon as the pass before has ended.", "busy"),
    "saved": ("The settings were changed and read back.", "ok"),
    "template": (
        "The template holds from the next pass on. The first images it changes are checked first.",
        "ok",
    ),
    "reset": ("The configured template holds again.", "ok"),
    "followed": ("Skymmich's own settings hold again.", "ok"),
    "same": ("The settings already were like that; nothing was changed.", "ok"),
    "stopping": ("The pass stops; what is on its way finishes first.", "busy"),
    "nothing": ("No pass is running.", "unknown"),
    "paused": ("Paused. Nothing is done by itself until it is resumed.", "attention"),
    "resumed": ("Resumed.", "ok"),
    "decided": ("Decided. It holds until Skymmich or Immich changes.", "ok"),
    "moved": (
        "Nothing was decided: it changed since it was shown. Both sides stand below as they are now.",
        "attention",
    ),
    "again": ("It was tried once more; what became of it stands beside the image.", "ok"),
    "reopened": ("The decision was taken back; nothing was changed in Immich.", "ok"),
    "seen": ("Good. It is said again only if it happens again.", "ok"),
    "unseen": ("There was nothing left to look at.", "unknown"),
    "logout": ("Logged out.", "ok"),
    "unkept": (
        "Logged in until the daemon stops: the state store cannot be written now. See its condition.",
        "attention",
    ),
}
"""Sentences that a redirect can name."""


def state_of(status: str) -> State:
    """Return how a state is shown, also one of a later version."""
    return STATES.get(status) or State(status, "unknown", "")
