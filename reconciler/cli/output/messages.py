"""Sentences of the engine, which a daemon runs again and again, as they hold for a command that ends."""

from __future__ import annotations

from typing import Final

_WORDS: Final = (
    ("it is tried again by itself", "run the command again"),
    ("it is tried again when", "apply tries it again when"),
    ("it is tried again", "run the command again"),
    ("the next pass looks again", "run apply again to look"),
    ("the next pass goes on", "run apply again"),
)
"""What the engine says, and what is true of a command; each also at the beginning of a sentence."""


def by_hand(text: str) -> str:
    """Return a sentence of the engine as it holds where nothing tries again by itself."""
    for said, instead in _WORDS:
        text = text.replace(said, instead)
        text = text.replace(said[0].upper() + said[1:], instead[0].upper() + instead[1:])
    return text
