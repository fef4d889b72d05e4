"""Names with right-to-left letters, set apart so that they cannot move what is written around them.

A Hebrew filter's name before `` : 60 × 300 s`` takes the numbers to its own side when a browser lays the line
out: neutral signs and digits follow the letters before them. Within an isolate (FIRST STRONG ISOLATE … POP
DIRECTIONAL ISOLATE) a name has its own direction and the line keeps its own: Unicode's Bidirectional
Algorithm, https://www.unicode.org/reports/tr9/. A text without such letters stays as it is, sign for sign.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

FSI: Final = "\N{FIRST STRONG ISOLATE}"
PDI: Final = "\N{POP DIRECTIONAL ISOLATE}"

_ISOLATES: Final = "\u2066\u2067\u2068"  # LRI, RLI, FSI
_EMBEDDINGS: Final = "\u202a\u202b\u202d\u202e"  # LRE, RLE, LRO, RLO
_PDF: Final = "\N{POP DIRECTIONAL FORMATTING}"
CONTROLS: Final = frozenset(f"{_ISOLATES}{PDI}{_EMBEDDINGS}{_PDF}")
"""All signs that are not seen and turn what follows them."""
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
# All of these directions lie in these ranges (and others with them): a quick look that spares most texts.
_SUSPECT: Final = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def isolated(text: str) -> str:
    """Return a text that may stand within a line without moving anything around it.

    Controls of direction that a person left open or closed twice are taken out. What is in an isolate of
    its own already gets no second one, so that ``isolated(isolated(text)) == isolated(text)``.
    """
    if text.isascii() or not _SUSPECT.search(text):
        return text
    balanced, reaches_out = _balanced(text)
    return f"{FSI}{balanced}{PDI}" if reaches_out else balanced


def _balanced(text: str) -> tuple[str, bool]:
    """Take out the controls without a partner; return whether what is left acts outside an isolate."""
    unpaired: set[int] = set()
    open_isolates: list[int] = []
    open_embeddings: list[list[int]] = [[]]
    """Those within each open isolate, and before them those within none."""
    for place, sign in enumerate(text):
        if sign in _ISOLATES:
            open_isolates.append(place)
            open_embeddings.append([])
        elif sign == PDI:
            if open_isolates:
                open_isolates.pop()
                unpaired.update(open_embeddings.pop())
            else:
                unpaired.add(place)
        elif sign in _EMBEDDINGS:
            open_embeddings[-1].append(place)
        elif sign == _PDF:
            if open_embeddings[-1]:
                open_embeddings[-1].pop()
            else:
                unpaired.add(place)
    unpaired.update(open_isolates, *open_embeddings)
    kept = "".join(sign for place, sign in enumerate(text) if place not in unpaired)
    return kept, _reaches_out(kept)


def _reaches_out(balanced: str) -> bool:
    depth = 0
    for sign in balanced:
        if sign in _ISOLATES:
            depth += 1
        elif sign == PDI:
            depth -= 1
        elif not depth and (sign in CONTROLS or unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT):
            return True
    return False
