"""Differences between two texts, marked in the text itself, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import chain
from typing import TYPE_CHECKING, Literal

from reconciler.messages.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["same", "added", "removed", "only", "gap"]
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 4000
"""Beyond it, the time grows faster than the insight: the texts are shown as wholly different."""
_ALIKE = 0.3
_SHORT = 40
"""Texts longer than this that share less of their letters have a word in common by chance: so, too."""
_WORTH = 3
"""Fewer lines are not worth a gap."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: in both, only in the new one, or only in the old one; or what was left out of it.

    ``only``: on this side only, and nothing comes or goes.
    """

    kind: Kind
    text: str


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """Return the pieces of both texts in the order in which they read."""
    if old == new:
        return (Piece("same", new),) if new else ()
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) + len(after) > _MOST_WORDS:
        return _joined([Piece("removed", old), Piece("added", new)])
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if _strangers(old, new, before, matcher):
        return _joined([Piece("removed", old), Piece("added", new)])
    steps = [
        _Step("".join(before[start:end]), "".join(after[low:high]), same=tag == "equal")
        for tag, start, end, low, high in matcher.get_opcodes()
    ]
    return _joined(chain.from_iterable(step.pieces() for step in _phrases(steps)))


def condensed(pieces: Iterable[Piece], around: int = 1) -> tuple[Piece, ...]:
    """Leave out lines that did not change, but for some around each change; a gap says how many."""
    whole = tuple(pieces)
    short: list[Piece] = []
    for at, piece in enumerate(whole):
        lines = piece.text.split("\n")
        head = around + 1 if at else 0
        tail = around + 1 if at < len(whole) - 1 else 0
        left_out = [line for line in lines[head : len(lines) - tail] if line.strip()]
        if piece.kind != "same" or len(whole) == 1 or len(left_out) < _WORTH:
            short.append(piece)
            continue
        short += [
            Piece("same", "\n".join(lines[:head])),
            Piece("gap", f"{counted(len(left_out), 'line')} as before"),
            Piece("same", "\n".join(lines[len(lines) - tail :]) if tail else ""),
        ]
    return _joined(short)


def extent(pieces: Iterable[Piece]) -> str:
    """Say how much changed: ``22 lines added, 1 removed``. Lines of which a part changed count once."""
    counts = {"added": 0, "removed": 0}
    for piece in pieces:
        if piece.kind in counts:
            counts[piece.kind] += sum(1 for line in piece.text.split("\n") if line.strip())
    parts = [f"{count} {kind}" for kind, count in counts.items() if count]
    return ", ".join(parts).replace(" ", " line " if parts and parts[0].startswith("1 ") else " lines ", 1)


def _strangers(old: str, new: str, words: list[str], matcher: SequenceMatcher[str]) -> bool:
    """Return whether two texts have so little in common that marking their words would be confetti."""
    shared = [word for one in matcher.get_matching_blocks() for word in words[one.a : one.a + one.size]]
    shorter = min(len(old), len(new))
    return shorter > _SHORT and len("".join(shared).replace(" ", "")) < _ALIKE * shorter


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


def side(old: str, new: str, keep: Kind, shown: Kind | None = None) -> tuple[Piece, ...]:
    """Return only one side of a difference, for columns: what is in both, and what is ``keep``.

    ``shown``: as what that is marked instead.
    """
    found = (piece for piece in difference(old, new) if piece.kind in {"same", keep})
    return tuple(replace(piece, kind=shown) if shown and piece.kind == keep else piece for piece in found)


def _joined(pieces: chain[Piece] | list[Piece]) -> tuple[Piece, ...]:
    return tuple(piece for piece in pieces if piece.text)
