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
    steps = [
        _Step("".join(before[start:end]), "".join(after[low:high]), same=tag == "equal")
        for tag, start, end, low, high in matcher.get_opcodes()
    ]
    return _joined(chain.from_iterable(step.pieces() for step in _phrases(steps)))


@dataclass(slots=True)
class _Step:
    old: str
    new: str
    same: bool

    def pieces(self) -> tuple[Piece, ...]:
        if self.same:
            return (Piece("same", self.new),)
        return Piece("removed", self.old), Piece("added", self.new)


def _phrases(steps: list[_Step]) -> list[_Step]:
    """Join changes with only a blank between them: people change phrases, not one word and the next."""
    joined: list[_Step] = []
    for at, step in enumerate(steps):
        blank = step.same and not step.new.strip() and "\n" not in step.new and 0 < at < len(steps) - 1
        if joined and not joined[-1].same and (blank or not step.same):
            joined[-1] = _Step(joined[-1].old + step.old, joined[-1].new + step.new, same=False)
        else:
            joined.append(step)
    return joined


def side(old: str, new: str, keep: Kind) -> tuple[Piece, ...]:
    """Give only one side of a difference, for columns: what is in both, and what is ``keep``."""
    return tuple(piece for piece in difference(old, new) if piece.kind in {"same", keep})


def _joined(pieces: chain[Piece] | list[Piece]) -> tuple[Piece, ...]:
    return tuple(piece for piece in pieces if piece.text)
