"""The sentence that Skymmich's worker leaves in every sidecar it writes: nobody's prose, on either side.

Immich reads it at a metadata refresh, as a description or in the place of one. Only a line that is the
sentence and nothing else is meant: what a person wrote around it on the same line is theirs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.text import trim

if TYPE_CHECKING:
    from reconciler.core.desired.block import Split

SENTENCE: Final = "Astronomical image plate solved by Astrometry.net"
"""As Skymmich 0.9.2 writes it (``xmp-sidecar.ts``)."""


def without_sentence(text: str) -> str:
    """Return a text without the lines that are the sentence; any other text as it is, byte for byte."""
    if SENTENCE not in text:
        return text
    kept: list[str] = []
    taken = False
    for line in text.split("\n"):
        if trim(line) == SENTENCE:
            taken = True
        elif taken and not trim(line) and (not kept or not trim(kept[-1])):
            continue  # the blank line that stood below it, where one above it stays
        else:
            kept.append(line)
            taken = False
    return "\n".join(kept) if len(kept) < text.count("\n") + 1 else text


def split_without_sentence(parts: Split) -> Split:
    """Return a description's parts without the sentence in its prose; the same where it is not there."""
    before, after = without_sentence(parts.before), without_sentence(parts.after)
    if (before, after) == (parts.before, parts.after):
        return parts
    return replace(parts, before=before, after=after)


def displaces(parts: Split) -> bool:
    """Return whether the prose is the sentence and nothing else: no person took out what stood there."""
    return bool(parts.prose) and not split_without_sentence(parts).prose
