"""Why a button can do nothing just now, beside the button."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

Block = Literal[
    "store",
    "writer",
    "catalogue",
    "off",
    "immich",
    "key",
    "running",
    "taken_back",
    "stopping",
    "not_begun",
    "first_only",
    "observes",
]

BLOCKED: Final[Mapping[Block, Message]] = {
    "store": Message("Nothing can be recorded now, so nothing is written: see the state store above."),
    "writer": Message("Another process or installation writes to this library now."),
    "catalogue": Message("The catalogue cannot be read now."),
    "off": Message("Metadata sync is switched off."),
    "immich": Message("Immich cannot be reached now. It is tried again by itself."),
    "key": Message("Immich refuses the key, so nothing can be written."),
    "running": Message("A run is under way."),
    "taken_back": Message("It was taken back: write it again first."),
    "stopping": Message("It stops after the writes under way."),
    "not_begun": Message("Nothing is written yet: begin on the overview first."),
    "first_only": Message("Only the first images are written yet: go on with all on the overview first."),
    "observes": Message("This installation only observes, so nothing is written."),
}
