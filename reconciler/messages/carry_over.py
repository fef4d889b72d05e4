"""What is offered from a replaced asset, in words: the page and the command line say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.fields import VALUE_FIELDS, text_of
from reconciler.messages.translation import Message, say
from reconciler.messages.vocabulary import FIELD_TITLES

if TYPE_CHECKING:
    from reconciler.core.carry_over import CarryOver, CarryState, Kept

OFFERED: Final = Message(
    "{count} image has another asset now: what people had on the former one can be carried over",
    "{count} images have another asset now: what people had on the former ones can be carried over",
)
OFFERED_MEANING: Final = Message(
    "Look at each, and carry it over or leave it. Nothing is done by itself, and what is offered stays "
    "known, also when the former asset is deleted."
)
_YES: Final = Message("yes")
STATES: Final[dict[CarryState, Message]] = {
    "offered": Message("offered"),
    "wanted": Message("to be carried over at the next run"),
    "carried": Message("carried over"),
    "dismissed": Message("left"),
    "empty": Message("nothing to carry over"),
}
FROM_ASSET: Final = Message("Read from asset {asset}, when the link changed on {day}.")
FROM_TRASH: Final = Message("Read from asset {asset} in the trash, when the link changed on {day}.")
FROM_MEMORY: Final = Message(
    "Asset {asset} could not be read when the link changed on {day}: this is what the journal knows of it."
)


def kept_lines(kept: Kept) -> list[tuple[str, str]]:
    """Return what a person had, as titles and texts; empty: nothing."""
    found = [(say(FIELD_TITLES["prose"]), kept.prose)] if kept.prose else []
    if kept.tags:
        found.append((say(FIELD_TITLES["tags"]), ", ".join(sorted(kept.tags))))
    found += [
        (say(FIELD_TITLES[one.name]), text_of(value))
        for one in VALUE_FIELDS
        if (value := one.of(kept)) is not None
    ]
    if kept.favorite:
        found.append((say(FIELD_TITLES["favorite"]), say(_YES)))
    if kept.albums:
        found.append((say(FIELD_TITLES["memberships"]), ", ".join(one.name for one in kept.albums)))
    return found


def whence(offer: CarryOver) -> str:
    """Say from where it is known."""
    message = FROM_MEMORY if offer.source == "memory" else FROM_TRASH if offer.was_trashed else FROM_ASSET
    return say(message, asset=offer.from_asset, day=f"{offer.at:%Y-%m-%d}")


def state_of(offer: CarryOver) -> str:
    """Return in a word what became of it."""
    return say(STATES[offer.state])
