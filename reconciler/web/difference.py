"""Differences between two texts, marked in the text itself, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain
from typing import Literal

Kind = Literal["same", "added", "removed"]
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 4000
"""Beyond it, the time grows faster than the insight: the texts are shown as wholly different."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: in both, only in the new one, or only in the old one."""

    kind: Kind
    text: str


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Give the pieces of both texts in the order in which they read."""
    if old == new:
        return (Piece("same", new),) if new else ()
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) + len(after) > _MOST_WORDS:
        return _joined([Piece("removed", old), Piece("added", new)])
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return _joined(
        chain.from_iterable(
            (Piece("same", "".join(after[low:high])),)
            if tag == "equal"
            else (Piece("removed", "".join(before[start:end])), Piece("added", "".join(after[low:high])))
            for tag, start, end, low, high in matcher.get_opcodes()
        )
    )


def side(old: str, new: str, keep: Kind) -> tuple[Piece, ...]:
    """Give only one side of a difference, for columns: what is in both, and what is ``keep``."""
    return tuple(piece for piece in difference(old, new) if piece.kind in {"same", keep})


def _joined(pieces: chain[Piece] | list[Piece]) -> tuple[Piece, ...]:
    return tuple(piece for piece in pieces if piece.text)
