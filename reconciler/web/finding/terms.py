"""What a person types to find images, taken apart: objects of the sky, states, and words.

``m31``, ``M 31`` and ``NGC 224`` are one object, however a title or a target spells it; ``in sync`` is a
state; all else is a part of a word. Every term has to be found somewhere in an image.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.sky import designations, famous

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SIGNS: Final = re.compile(r"[\W_]+")
_DASHES: Final = str.maketrans({"_": " ", "\u2013": "-", "\u2014": "-"})
_LONGEST: Final = 4
"""Words that are tried as one name: ``North America Nebula``, ``C/2023 A3``."""
_MOST: Final = 12
"""Terms that are looked for; a whole sentence finds nothing anyway."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that an image has to have."""

    words: str
    """Folded: found where a text has them within."""
    is_whole: bool = False
    """Whether they count only as whole words: ``M 3`` is not within ``M 31``."""
    identity: str = ""
    """The object of the sky that they name, in one spelling for all; empty: none."""
    names: tuple[str, ...] = ()
    """The names that people have for that object, folded; they count as whole words."""
    states: frozenset[str] = frozenset()
    """The states that they name."""


def folded(text: str) -> str:
    """Fold what spellings differ in: case, accents, signs."""
    letters = text.casefold()
    if not letters.isascii():
        decomposed = unicodedata.normalize("NFKD", letters)
        letters = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _SIGNS.sub(" ", letters).strip()


def mentioned(text: str) -> frozenset[str]:
    """Return the objects that stand in a text, each in one spelling."""
    return frozenset(map(famous.identity_of, designations.mentioned(text.translate(_DASHES))))


def identities(spellings: Iterable[str | None]) -> frozenset[str]:
    """Return the objects that any of these spellings is, or mentions."""
    found: set[str] = set()
    for text in filter(None, spellings):
        if (known := famous.find(text)) is not None:
            found.add(known.designation)
        found |= mentioned(text)
    return frozenset(found)


def terms_of(text: str, states: Mapping[str, str]) -> tuple[Term, ...]:
    """Read what was typed.

    Args:
        text: as typed.
        states: state → its name, for people.
    """
    named = {folded(label): state for state, label in states.items()}
    words = text.translate(_DASHES).split()
    found: list[Term] = []
    start = 0
    while start < len(words) and len(found) < _MOST:
        for count in range(min(_LONGEST, len(words) - start), 0, -1):
            if (term := _named(" ".join(words[start : start + count]), named)) is not None:
                found.append(term)
                start += count
                break
        else:
            found += _words(words[start])
            start += 1
    return tuple(dict.fromkeys(found[:_MOST]))


def _named(text: str, states: Mapping[str, str]) -> Term | None:
    plain = folded(text)
    wanted = frozenset(state for label, state in states.items() if plain and _within(plain, label))
    if (designation := designations.canonical(text)) is not None:
        return replace(_object(plain, famous.identity(designation)), is_whole=True, states=wanted)
    if (known := famous.named(text)) is not None:
        return replace(_object(plain, known.designation), states=wanted)
    return Term(plain, states=wanted) if wanted else None


def _object(plain: str, identity: str) -> Term:
    entry = famous.find(identity)
    names = (entry.name, *entry.other_names) if entry is not None else ()
    return Term(plain, identity=identity, names=tuple(folded(name) for name in names if name))


def _words(text: str) -> list[Term]:
    """Read a word that is no name: two objects in one, as a target's name has them, or words."""
    read = designations.parse(text)
    if read.objects and not read.rest:
        return [replace(_object(folded(name), famous.identity(name)), is_whole=True) for name in read.objects]
    return [Term(word) for word in folded(text).split()]


def _within(words: str, label: str) -> bool:
    """Return whether words are a state's name, or its last one: ``conflict`` of “in conflict”."""
    return words == label or (len(words) > 3 and label.endswith(f" {words}"))
