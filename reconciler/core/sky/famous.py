"""The objects people photograph most, by all their designations and names: ``data/famous.csv``.

The table says which name people use, and which designations are one object. It is asked before OpenNGC, whose
common names stand in the alphabet's order.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from reconciler.core.sky import constellations, designations

_KINDS: Final = frozenset(("nebula", "nebulae", "galaxy", "galaxies", "cluster", "region"))
_SIGNS: Final = re.compile(r"[\W_]+")
_MANY: Final = 2048


@dataclass(frozen=True, slots=True)
class Famous:
    """One object of the table."""

    designation: str
    """The one people use most, canonical: ``M 31``, ``NGC 7000``, ``Sh2-155``."""
    name: str = ""
    """The one people use most, or none."""
    other_names: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    """Its other designations, canonical; for a Messier object that of NGC or IC first."""
    type_code: str = ""
    """OpenNGC's, where it is sure."""
    constellation: str = ""
    wrong_names: tuple[str, ...] = ()
    """What OpenNGC calls it, and is another object's name or none."""


def find(text: str) -> Famous | None:
    """Return the object of a designation or a name, however it is written, if it is in the table."""
    return _find(text) if len(text) <= designations.LONGEST else None


@lru_cache(maxsize=_MANY)
def _find(text: str) -> Famous | None:
    if (designation := designations.canonical(text)) is not None:
        return _indexes()[0].get(designation)
    return named(text)


def identity(text: str) -> str:
    """Return one text for all spellings of an object; of what is not known, its words in plain form."""
    return _identity(text) if len(text) <= designations.LONGEST else text


@lru_cache(maxsize=_MANY)
def _identity(text: str) -> str:
    found = find(text)
    return found.designation if found else designations.canonical(text) or plain(text)


def identity_of(designation: str) -> str:
    """Return the same of a canonical designation, which needs no reading."""
    found = _indexes()[0].get(designation)
    return found.designation if found else designation


def named(text: str) -> Famous | None:
    """Return the object of a name that is no designation, if it is in the table."""
    if len(text) > designations.LONGEST:
        return None
    by_name = _indexes()[1]
    return by_name.get(plain(text)) or by_name.get(bare(plain(text)))


def plain(text: str) -> str:
    """Fold what spellings of a name differ in: case, accents, signs, a leading “the”."""
    return _plain(text) if len(text) <= designations.LONGEST else text


@lru_cache(maxsize=_MANY)
def _plain(text: str) -> str:
    letters = text.casefold().replace("'", "").replace("\u2019", "")
    if not letters.isascii():
        decomposed = unicodedata.normalize("NFD", letters)
        letters = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _SIGNS.sub(" ", letters).strip().removeprefix("the ")


@lru_cache(maxsize=_MANY)
def bare(plain_text: str) -> str:
    """Return a plain form without “nebula”, “galaxy”, “cluster” or “region”, if anything is left."""
    return " ".join(word for word in plain_text.split() if word not in _KINDS) or plain_text


@lru_cache(maxsize=_MANY)
def usable_names(names: tuple[str, ...], wrong: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return those of OpenNGC's common names that people would say, mended.

    Left out: the wrong ones, designations, and stars for whom a cluster is named in short (``gam Cyg``).
    """
    excluded = {plain(name) for name in wrong}
    return tuple(
        _mended(name)
        for name in names
        if name.strip()
        and plain(name) not in excluded
        and designations.canonical(name) is None
        and not _is_star(name)
    )


def chosen_name(names: tuple[str, ...], title: str) -> str:
    """Return the name that the title is, else the first; ``""`` of none."""
    if title and len(names) > 1 and len(title) <= designations.LONGEST:
        words = plain(title)
        folded = [plain(name) for name in names]
        if words in folded:
            return names[folded.index(words)]
        words, folded = bare(words), [bare(name) for name in folded]
        if words in folded:
            return names[folded.index(words)]
    return names[0] if names else ""


def _is_star(name: str) -> bool:
    """``gam Cyg``, ``omi Vel Cluster``, ``S Nor Cluster``, ``Gem A``, ``chi Persei``: short for stars."""
    words = name.split()
    if len(words) < 2:
        return False
    first, second = words[:2]
    if len(first) <= 3 and second in constellations.CONSTELLATIONS:
        return True
    if first in constellations.CONSTELLATIONS and len(second) == 1 and first not in _FULL_NAMES:
        return True
    return first.islower() and first != "the" and constellations.abbreviation_of(second) is not None


def _mended(name: str) -> str:
    words = name.strip().removeprefix("the ").strip()
    return words[:1].upper() + words[1:]


_FULL_NAMES: Final = frozenset(constellations.CONSTELLATIONS.values())


@cache
def table() -> tuple[Famous, ...]:
    """Return all objects."""
    text = (files(__package__) / "data" / "famous.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return tuple(
        Famous(
            row["designation"],
            row["name"],
            _several(row["other_names"]),
            _several(row["also"]),
            row["type"],
            row["constellation"],
            _several(row["wrong_names"]),
        )
        for row in csv.DictReader(lines)
    )


def _several(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, cell.split("|")))


@cache
def _indexes() -> tuple[dict[str, Famous], dict[str, Famous]]:
    """Return the objects by canonical designation, and by name in plain form.

    A name without its kind ("North America") counts where it is one object's alone and no constellation.
    """
    by_designation = {name: one for one in table() for name in (one.designation, *one.also)}
    names = [(name, one) for one in table() for name in (one.name, *one.other_names) if name]
    by_name = {plain(name): one for name, one in names}
    owners = Counter(key for key, _ in {(bare(plain(name)), one.designation) for name, one in names})
    for name, one in names:
        key = bare(plain(name))
        if owners[key] == 1 and constellations.abbreviation_of(key) is None and key not in _AMBIGUOUS:
            by_name.setdefault(key, one)
    return by_designation, by_name


_AMBIGUOUS: Final = frozenset(("crescent", "ring", "saturn", "bubble", "37", "sadr"))
"""Of the moon, around a star, a planet; a cluster's bare number; a star."""
