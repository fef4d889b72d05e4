"""Whether a title says more than what is said already: the heading's names, and the file's name."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_APOSTROPHES: Final = re.compile("['’ʼ‘`´]")
_WORDS: Final = re.compile(r"[0-9]+|[^0-9 ]+")
_FILLING: Final = frozenset({"the", "and"})
_SPELT_OUT: Final = {"messier": "m", "caldwell": "c", "barnard": "b", "sharpless": "sh"}
"""Catalogues that people also write in full."""


def tells_more(title: str, names: Iterable[str], filename: str) -> bool:
    """Return whether a title says something else than the heading and the file's name.

    Args:
        title: one line.
        names: those in the heading. A title made of nothing but some of them, in whatever order, spelling and
            punctuation (``M42 - Orion Nebula``, ``orion nebula (M 42)``), says nothing new.
        filename: with or without its ending.
    """
    plain, names = title.casefold(), tuple(names)
    if not plain or plain in {name.casefold() for name in names}:
        return False
    said = _words(title)
    if not said:  # signs only: ★
        return plain != filename.casefold()
    if said in {_words(filename), _words(filename.rpartition(".")[0])}:
        return False
    return not _is_made_of(said, {words for name in names if (words := _words(name))})


@lru_cache(maxsize=512)
def _words(text: str) -> tuple[str, ...]:
    """Return letters and numbers apart, without case, accents, padding and what only joins: ``m``, ``42``."""
    decomposed = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    bare = "".join(
        sign if unicodedata.category(sign)[0] in "LMN" else " "
        for sign in decomposed
        if not unicodedata.combining(sign)
    )
    words = (_SPELT_OUT.get(word, word.lstrip("0") or word) for word in _WORDS.findall(bare))
    return tuple(word for word in words if word not in _FILLING)


def _is_made_of(said: tuple[str, ...], names: set[tuple[str, ...]]) -> bool:
    reached = {0}
    for place in range(len(said)):
        if place in reached:
            reached.update(place + len(name) for name in names if said[place : place + len(name)] == name)
    return len(said) in reached
