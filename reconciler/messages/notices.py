"""What a page says after a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

SAID: Final[Mapping[str, Message]] = {
    "asked": Message("Asked for. What comes of it is said here."),
    "saved": Message("The settings were changed and read back."),
    "template": Message(
        "The template holds from the next pass on. The first images it changes are checked first."
    ),
    "reset": Message("The configured template holds again."),
    "parts": Message("The parts hold from the next pass on. The first images they change are checked first."),
    "parts_reset": Message("The configured parts hold again."),
    "parts_same": Message("The parts already were like that; nothing was changed."),
    "followed": Message("Skymmich's own settings hold again."),
    "same": Message("The settings already were like that; nothing was changed."),
    "stopping": Message("It stops after the writes under way."),
    "nothing": Message("No run is under way, so there was nothing to stop."),
    "nothing_done": Message("Looked: nothing to write."),
    "nothing_chosen": Message("No image was chosen, so nothing was done."),
    "paused": Message("Paused. Nothing is done by itself until it is resumed."),
    "resumed": Message("Resumed. What changed meanwhile is looked at now."),
    "decided": Message("Decided. It holds until Skymmich or Immich changes."),
    "moved": Message(
        "Nothing was decided: it changed since it was shown. Both sides stand below as they are now."
    ),
    "again": Message("It was tried once more; what became of it stands beside the image."),
    "reopened": Message("The decision was taken back; nothing was changed in Immich."),
    "seen": Message("Good. It is said again only if it happens again."),
    "unseen": Message("There was nothing left to look at."),
    "notice_sent": Message("A test notice was sent to every address. Look whether it arrives."),
    "notice_unsent": Message("The test notice did not go to every address; what went wrong stands below."),
    "notice_nobody": Message("No address for notices is configured, so none was sent."),
    "logout": Message("Logged out."),
    "unkept": Message(
        "Logged in until the daemon stops: the state store cannot be written now. See its condition."
    ),
}
"""Sentences that a redirect can name."""
