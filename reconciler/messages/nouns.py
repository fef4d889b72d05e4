"""Numbers with their nouns, for whatever face counts something: ``1 image``, ``5,001 images``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from reconciler.messages.translation import Message, say

if TYPE_CHECKING:
    from collections.abc import Mapping

Noun = Literal[
    "address", "asset", "byte", "change", "character", "copy", "date", "description", "entry", "image",
    "line", "name", "newer_entry", "place", "problem", "request", "row", "stack", "tag", "thing", "time",
    "value", "write",
]  # fmt: skip
NOUNS: Final[Mapping[Noun, Message]] = {
    "address": Message("{number} address", "{number} addresses"),
    "asset": Message("{number} asset", "{number} assets"),
    "byte": Message("{number} byte", "{number} bytes"),
    "change": Message("{number} change", "{number} changes"),
    "character": Message("{number} character", "{number} characters"),
    "copy": Message("{number} copy", "{number} copies"),
    "description": Message("{number} description", "{number} descriptions"),
    "entry": Message("{number} journal entry", "{number} journal entries"),
    "image": Message("{number} image", "{number} images"),
    "line": Message("{number} line", "{number} lines"),
    "name": Message("{number} name", "{number} names"),
    "newer_entry": Message("{number} newer journal entry", "{number} newer journal entries"),
    "date": Message("{number} date", "{number} dates"),
    "place": Message("{number} place", "{number} places"),
    "problem": Message("{number} problem", "{number} problems"),
    "request": Message("{number} request", "{number} requests"),
    "row": Message("{number} row", "{number} rows"),
    "stack": Message("{number} stack", "{number} stacks"),
    "tag": Message("{number} tag", "{number} tags"),
    "thing": Message("{number} thing", "{number} things"),
    "time": Message("{number} time", "{number} times"),
    "value": Message("{number} value", "{number} values"),
    "write": Message("{number} write", "{number} writes"),
}


def counted(count: int, noun: Noun, number: str = "") -> str:
    """Return a count with its noun, in the reader's language; ``number`` is the count as a face writes it."""
    return say(NOUNS[noun], count=count, number=number or count)
