"""The plate solver's annotations among an image's tags, whole or in pieces, and which of them are a person's.

nova.astrometry.net annotates stars (``The star Nunki``, ``Sadira (σ Sgr, 34 Sgr)``, ``HD 37742``) and
constellations, and older versions of Skymmich split these at their commas into tags. What is not certain to
be such a piece is kept: a tag that is one too many costs less than one of a person's.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from reconciler.core.sky.constellations import CONSTELLATIONS, abbreviation_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_LETTER_NAMES: Final = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau "
    "upsilon phi chi psi omega"
)
_GREEK: Final = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _LETTER_NAMES.split(), strict=True)) | {
    "ς": "sigma", "ϑ": "theta", "ϕ": "phi", "ϵ": "epsilon",
}  # fmt: skip
_SPELT: Final = frozenset(_GREEK.values())
_LETTERS: Final = {word[:3]: word for word in _SPELT}
"""``alp`` → ``alpha``, as star catalogues write."""

# Flamsteed numbered the stars that he saw from Greenwich; 47 Tuc and 30 Dor are no stars, nor numbers of his.
_SOUTHERN: Final = (
    "Ant Aps Ara Cae Car Cha Cir Col CrA Cru Dor For Gru Hor Hyi Ind Men Mic Mus Nor Oct Pav Phe Pic Pyx Ret "
    "Scl Tel TrA Tuc Vel Vol"
)
_FLAMSTEED: Final = frozenset(CONSTELLATIONS) - set(_SOUTHERN.split())
_NO_STARS: Final = frozenset({("omega", "Cen"), ("chi", "Per")})
"""Clusters that have a star's letter."""

_NUMBERED: Final = re.compile(
    r"(?:(?:HD|HIP|HR|SAO|PPM|ADS) ?\d+(?: ?[A-Z]{1,2})?"
    r"|(?:TYC|GSC) ?\d+-\d+(?:-\d+)?|GSC ?\d+"
    r"|(?:BD|CD|CPD) ?[+\-−]\d{1,2}[ °]? ?\d+ ?[A-Z]?"
    r"|2MASS ?J?\d[\d.]*[+\-−]\d[\d.]*|UCAC\d? ?\d[\d\-]+"
    r"|Gaia (?:E?DR\d )?\d{6,}|WDS ?J?\d{5}[+\-−]\d{4}\w*)",
    re.IGNORECASE,
)
_STAR: Final = re.compile(
    r"(?P<sign>\d{1,3}|[Α-Ωα-ωϑϕϵ]|[a-z]{2,7})(?:[¹²³]| ?\d{1,2})? ?(?P<place>[A-Z][A-Za-z]{2})(?: [A-Z])?"
)
_GENITIVE: Final = re.compile(
    r"(?P<sign>\d{1,3}|[Α-Ωα-ωϑϕϵ])(?:[¹²³]|\d{1,2})? (?P<place>[A-Z][a-zö]+(?: [A-Z][a-z]+)?)"
)
_SENTENCE: Final = re.compile(
    r"(?:part of )?the constellation (?P<name>[^()]+?)(?: ?\((?P<short>[a-z]{3})?\)?)?", re.IGNORECASE
)
_NAMED_STAR: Final = re.compile(r"[Tt]he star (?P<name>[^()]+?)(?: ?\((?P<sign>[^()]*)\)?)?")
_NOT_A_STAR: Final = frozenset(
    {"camp", "chart", "cloud", "cluster", "map", "night", "party", "trail", "trails"}
)
_BRACKET: Final = re.compile(r"(?P<name>.*?) ?\((?P<sign>[^()]+)\)?")
_DEEP_SKY: Final = re.compile(
    r"\b(?:nebula|galaxy|cluster|cloud|complex|region|remnant|comet)\b"
    r"|\b(?:M|NGC|IC|C|B|Sh ?2|LBN|LDN|vdB|Mel|Cr|Abell|Arp) ?-?\d",
    re.IGNORECASE,
)
_LONG_NUMBER: Final = re.compile(r"[1-9][0-9]{2,}")
_WORDS: Final = re.compile(r"[^\W\d_]+|\d+")
_PREFIXES: Final = "m messier ngc ic c caldwell b barnard lbn ldn vdb mel cr tr st abell arp hd hr hip ugc"
_CATALOGUES: Final = frozenset(_PREFIXES.split())
"""A number that follows one of these is no star's."""


@lru_cache(maxsize=8_192)
def is_solvers(name: str) -> bool:
    """Return whether a tag is certain to be an annotation of the plate solver's, or a piece of one."""
    if (sentence := _SENTENCE.fullmatch(name)) is not None:
        return abbreviation_of(sentence["name"]) is not None
    if (star := _NAMED_STAR.fullmatch(name)) is not None:
        return _names_a_star(star["name"]) or _is_star(star["sign"] or "", in_piece=True)
    return name == "Small Sgr Star Cloud" or _is_annotation(name)


def _is_annotation(name: str) -> bool:
    """Return whether it is a designation, alone or in a bracket of which an end may be missing."""
    if "(" not in name:
        return _is_star(name.removesuffix(")"), in_piece=name.endswith(")"))
    found = _BRACKET.fullmatch(name)
    if found is None or _DEEP_SKY.search(found["name"]):
        return False
    whole = name.endswith(")")
    if whole and found["name"] and _NUMBERED.fullmatch(found["sign"]):
        return False  # Red Rectangle (HD 44179): the solver gives no number beside a name
    return _is_star(found["sign"], in_piece=not whole)


def is_persons(name: str, texts: Sequence[str]) -> bool:
    """Return whether a tag of the solver's form is a person's: it stands in one of an image's texts.

    Args:
        name: the tag.
        texts: the title and the target's names; spellings do not matter (``ρ Oph``, ``Rho Ophiuchi``).
    """
    if (number := _LONG_NUMBER.search(name)) and not any(number[0] in text for text in texts):
        return False  # most of them: what follows takes longer
    whole = name.count("(") == name.count(")")
    wanted = folded(name)
    for text in filter(None, texts):
        words = folded(text)
        if wanted and words == wanted and (whole or name.casefold() == text.strip().casefold()):
            return True
        if whole and _holds(words, wanted):
            return True
    return False


@lru_cache(maxsize=4_096)
def folded(text: str) -> tuple[str, ...]:
    """Return a text's words as they are compared: Greek letters and constellations in one spelling."""
    plain = unicodedata.normalize("NFKD", text[:500])
    words = _WORDS.findall("".join(_GREEK.get(sign, sign) for sign in plain.casefold()))
    found: list[str] = []
    at = 0
    while at < len(words):
        for length in (2, 1):
            short = abbreviation_of(" ".join(words[at : at + length]))
            if short or length == 1:
                found.append((short or words[at].lstrip("0") or "0").casefold())
                at += length
                break
    return tuple(_LETTERS.get(word, word) for word in found)


def _holds(words: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    for at in range(len(words) - len(wanted) + 1 if wanted else 0):
        if words[at : at + len(wanted)] == wanted:
            before = words[at - 1] if at else ""
            if not (wanted[0].isdecimal() and (before.isdecimal() or before in _CATALOGUES)):
                return True
    return False


def _names_a_star(text: str) -> bool:
    """Return whether it is a proper name as the solver writes it (``Kaus Australis``), or a designation."""
    if _is_star(text):
        return True
    words = text.split()
    return len(words) <= 4 and all(
        word[0].isupper()
        and not any(sign.isdecimal() for sign in word)
        and word.casefold() not in _NOT_A_STAR
        for word in words
    )


def _is_star(text: str, *, in_piece: bool = False) -> bool:
    """Return whether it is a star's designation; ``in_piece``: or with a genitive, which people write."""
    if _NUMBERED.fullmatch(text):
        return True
    if (found := _STAR.fullmatch(text)) and found["place"] in CONSTELLATIONS:
        return _is_sign(found["sign"], found["place"])
    if in_piece and (found := _GENITIVE.fullmatch(text)) and (place := abbreviation_of(found["place"])):
        return _is_sign(found["sign"], place)
    return False


def _is_sign(sign: str, place: str) -> bool:
    if sign.isdecimal():
        return 1 <= int(sign) <= 140 and place in _FLAMSTEED
    plain = _GREEK.get(sign.casefold(), _LETTERS.get(sign, sign))
    return plain in _SPELT and (plain, place) not in _NO_STARS
