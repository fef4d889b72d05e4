"""Deep-sky objects in words: OpenNGC's type codes and catalogue names as people write them.

What Skymmich's catalogue holds about an object is `catalogue.CatalogueObject`; nothing is looked up here.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.core.sky import designations
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

_NEBULAE: Final = frozenset(("PN", "HII", "DrkN", "EmN", "Neb", "RfN", "SNR", "Cl+N"))
_CLUSTERS: Final = frozenset(("OCl", "GCl", "Cl+N"))
_KINDS: Final = {
    "nebula": _NEBULAE,
    "galaxy": frozenset(("G", "GPair", "GTrpl", "GGroup")),
    "cluster": _CLUSTERS,
    "star cluster": _CLUSTERS,
}
_PADDED: Final = re.compile(r"(Cl) ?0*([1-9][0-9]{0,5})([A-Z]?)")

_BLANKS: Final = re.compile(r"\s+")
_PADDING: Final = re.compile(r"(?<!\d)0+(?=\d)")
_COLLINDER: Final = re.compile(r"^cl(?=\d)")


def type_name(code: str | None) -> str | None:
    """Say a type code in English: ``PN`` → ``Planetary nebula``; an unknown one is ``None``."""
    return None if code is None else TYPE_NAMES.get(code.strip())


def spelt(words: str) -> str:
    """Spell a type as `type_name` does, if it is one of its words in another case; else leave it."""
    return _SPELLINGS.get(words.casefold(), words)


def name_key(name: str) -> str:
    """Fold case, blanks and padding, so that spellings of a catalogue's name meet: ``C 009`` and ``c9``.

    ``Cl`` is how OpenNGC writes Collinder's ``Cr``.
    """
    return _COLLINDER.sub("cr", _PADDING.sub("", _BLANKS.sub("", name).casefold()))


def translated(words: str, language: str) -> str:
    """Say a type in a language: ``Open cluster`` → ``Offener Sternhaufen``; other words stay as they are."""
    return table("object_types", language).get(words.casefold(), words)


def is_kind_of(code: str, words: str) -> bool:
    """Return whether a code says more exactly what general words say: a ``PN`` is a nebula."""
    return code in _KINDS.get(words.casefold(), ())


def format_name(name: str) -> str:
    """Write a catalogue name as people do: ``NGC0224`` → ``NGC 224``, ``Mel022`` → ``Mel 22``.

    Args:
        name: OpenNGC's name, or a person's own words.

    Returns:
        The canonical designation where the name is one and nothing else, else the name unchanged.
    """
    if (designation := designations.canonical(name)) is not None:
        return designation
    match = _PADDED.fullmatch(name.strip())
    return f"{match[1]} {match[2]}{match[3]}" if match else name
