"""What a page says after a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

SAID: Final[Mapping[str, Message]] = {
    "asked": Message("Requested. The result is shown here."),
    "begun": Message("Begun. The first images are checked before all others are written."),
    "begun_first": Message("The first images are written. Nothing else is, before you go on."),
    "saved": Message("The settings were changed and read back."),
    "template": Message(
        "The template is used from the next run on. The first images that it changes are "
        "checked before the rest."
    ),
    "reset": Message("The configured template is in use again."),
    "parts": Message(
        "The parts are used from the next run on. The first images that they change are "
        "checked before the rest."
    ),
    "parts_reset": Message("The configured parts are in use again."),
    "parts_same": Message("The parts were already like that; nothing was changed."),
    "followed": Message("Skymmich's own settings apply again."),
    "same": Message("The settings were already like that; nothing was changed."),
    "stopping": Message("The run stops once the writes that have begun are finished."),
    "nothing": Message("No run is in progress, so there was nothing to stop."),
    "nothing_done": Message("There was nothing to write."),
    "nothing_chosen": Message("No image was chosen, so nothing was done."),
    "paused": Message("Paused. Nothing starts by itself until you resume."),
    "resumed": Message("Resumed. What changed meanwhile is looked at now."),
    "decided": Message("Decided. The decision holds until Skymmich's or Immich's value changes."),
    "decided_run": Message("Decided. What came of it is shown here."),
    "moved": Message(
        "Nothing was decided: a value changed after it was shown. Both sides are shown below as they are now."
    ),
    "again": Message("It was tried again; the result is shown beside the image."),
    "reopened": Message("It is a conflict again; nothing was changed in Immich."),
    "left_out": Message("Left out. What was written before stays; it is not written any more."),
    "taken_in": Message("Taken in again. What came of it is shown beside the image."),
    "carried_over": Message("It is carried over. What came of it is shown with the image."),
    "carry_left": Message("Left. It is not offered any more, and stays known here."),
    "seen": Message("Noted. You are told again only if it happens again."),
    "unseen": Message("There was nothing left to look at."),
    "notice_sent": Message("A test notice was sent to every address. Check that it arrives."),
    "notice_unsent": Message(
        "The test notice could not be sent to every address; what went wrong is shown below."
    ),
    "notice_nobody": Message("No address for notices is configured, so none was sent."),
    "logout": Message("Logged out."),
    "unkept": Message(
        "You are logged in until the daemon stops, because the state store cannot be "
        "written now. The doctor's page says why."
    ),
}
"""Sentences that a redirect can name."""
