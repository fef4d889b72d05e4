"""Deep-sky objects in words: OpenNGC's type codes and catalogue names as people write them.

What Skymmich's catalogue holds about an object is `catalogue.CatalogueObject`; nothing is looked up here.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.core.sky.translations import table

TYPE_NAMES: Final = {
    "*": "Star",
    "**": "Double star",
    "*Ass": "Stellar association",
    "OCl": "Open cluster",
    "GCl": "Globular cluster",
    "Cl+N": "Cluster with nebulosity",
    "G": "Galaxy",
    "GPair": "Galaxy pair",
    "GTrpl": "Galaxy triplet",
    "GGroup": "Group of galaxies",
    "PN": "Planetary nebula",
    "HII": "H II region",
    "DrkN": "Dark nebula",
    "EmN": "Emission nebula",
    "Neb": "Nebula",
    "RfN": "Reflection nebula",
    "SNR": "Supernova remnant",
    "Nova": "Nova",
    "NonEx": "Nonexistent object",
    "Dup": "Duplicate entry",
    "Other": "Other object",
}
"""OpenNGC's codes (https://github.com/mattiaverga/OpenNGC, NGC_guide.txt) → English."""

_SPELLINGS: Final = {words.casefold(): words for words in TYPE_NAMES.values()}

# OpenNGC pads numbers to a fixed width. Single letters count only so padded: "C14" is also a telescope.
_PADDED: Final = re.compile(r"(NGC|IC|Mel|HCG|UGC|PGC|LBN|LDN|Cr|Tr|Cl) ?0*([1-9][0-9]*)([A-Z]?)")
_BARNARD_CALDWELL: Final = re.compile(r"([BC])(?=[0-9]{3}$)0*([1-9][0-9]*)()")
_MESSIER: Final = re.compile(r"(M) ?0*([1-9][0-9]?|10[0-9]|110)()")

_BLANKS: Final = re.compile(r"\s+")
_PADDING: Final = re.compile(r"(?<!\d)0+(?=\d)")


def type_name(code: str | None) -> str | None:
    """Say a type code in English: ``PN`` → ``Planetary nebula``; an unknown one is ``None``."""
    return None if code is None else TYPE_NAMES.get(code.strip())


def spelt(words: str) -> str:
    """Spell a type as `type_name` does, if it is one of its words in another case; else leave it."""
    return _SPELLINGS.get(words.casefold(), words)


def name_key(name: str) -> str:
    """Fold case, blanks and padding, so that spellings of a catalogue's name meet: ``C 009`` and ``c9``."""
    return _PADDING.sub("", _BLANKS.sub("", name).casefold())


def translated(words: str, language: str) -> str:
    """Say a type in a language: ``Open cluster`` → ``Offener Sternhaufen``; other words stay as they are."""
    return table("object_types", language).get(words.casefold(), words)


def format_name(name: str) -> str:
    """Write a catalogue name as people do: ``NGC0224`` → ``NGC 224``, ``Mel022`` → ``Mel 22``.

    Args:
        name: OpenNGC's name, or a person's own words.

    Returns:
        The name with one blank and no padding where it is one of a known catalogue, else unchanged.
    """
    stripped = name.strip()
    for pattern in (_PADDED, _MESSIER, _BARNARD_CALDWELL):
        if match := pattern.fullmatch(stripped):
            return f"{match[1]} {match[2]}{match[3]}"
    return name
