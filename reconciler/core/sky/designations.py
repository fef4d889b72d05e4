"""Designations of objects in the sky, as people and capture programs write them, in one canonical form.

``sh2-155``, ``SH 2-155`` and ``Sharpless 155`` are ``Sh2-155``; ``NGC7000/IC5070`` are two objects; a panel
of a mosaic is no part of a name. What is no designation is left as words: nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

LONGEST: Final = 300
"""Characters of a target's name that are looked at; nobody calls an object by more."""


class _Catalogue(NamedTuple):
    prefix: str
    """Before the number, with what joins them."""
    last: int
    spellings: str
    suffix: str = ""
    """Whether a letter may follow: ``A`` or ``a``, as it is written."""


_CATALOGUES: Final = (
    _Catalogue("M ", 110, "m messier"),
    _Catalogue("NGC ", 7840, "ngc", "A"),
    _Catalogue("IC ", 5386, "ic", "A"),
    _Catalogue("C ", 109, "c caldwell"),
    _Catalogue("LBN ", 1125, "lbn"),
    _Catalogue("LDN ", 1802, "ldn"),
    _Catalogue("B ", 370, "b barnard"),
    _Catalogue("vdB ", 159, "vdb"),
    _Catalogue("Abell ", 4076, "a abell"),
    _Catalogue("ACO ", 4076, "aco"),
    _Catalogue("Arp ", 338, "arp"),
    _Catalogue("HCG ", 100, "hcg hickson", "a"),
    _Catalogue("Ced ", 215, "ced cederblad", "a"),
    _Catalogue("RCW ", 182, "rcw"),
    _Catalogue("Gum ", 85, "gum"),
    _Catalogue("Mel ", 245, "mel melotte"),
    _Catalogue("Cr ", 471, "cr collinder"),
    _Catalogue("Tr ", 37, "tr trumpler"),
    _Catalogue("St ", 24, "st stock"),
    _Catalogue("UGC ", 12921, "ugc"),
    _Catalogue("PGC ", 9_999_999, "pgc leda"),
    _Catalogue("HD ", 359_083, "hd"),
    _Catalogue("HR ", 9110, "hr"),
    _Catalogue("HIP ", 120_404, "hip"),
)
_BY_SPELLING: Final = {name: one for one in _CATALOGUES for name in one.spellings.split()}
_SHARPLESS: Final = 313
_LAST_NEBULA_OF_ABELL: Final = 86
_SHY: Final = ("C ", "A ", "B ")
_LOOSE: Final = ("", "_", "-")
"""Behind a blank or a dash alone, ``C14`` is a telescope."""

_NOT_DEEP_SKY: Final = frozenset(("", "HD", "HR", "HIP"))
"""Catalogues of stars; comets and planets have none."""

_BODIES: Final = {
    name.casefold(): name
    for name in ("Mercury", "Venus", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune", "Pluto", "Moon", "Sun")
}
_MINOR_PLANETS: Final = {"ceres": 1, "pallas": 2, "juno": 3, "vesta": 4, "hebe": 6, "iris": 7, "eros": 433}
_SURVEYS: Final = frozenset(("ATLAS", "LINEAR", "LONEOS", "NEAT", "NEOWISE", "PANSTARRS", "SOHO", "SWAN"))
"""Comets are named after them, in capitals."""

_LETTER: Final = r"A-Z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_NAME: Final = rf"[{_LETTER}]{{2,40}}(?:['.-][{_LETTER}]{{1,40}}){{0,3}}"
_DESIGNATION: Final = re.compile(
    rf"""(?:
    (?P<comet>[CPDXAI])(?:/[ ]?(?P<year>[0-9]{{3,4}})|[ _-]?(?P<bare_year>[0-9]{{4}}))
        [ _]?(?P<half>[A-HJ-Y][A-Z]?[0-9]{{1,3}})(?P<fragment>-[A-Z]{{1,2}}(?![A-Z]))?
    |0{{0,3}}(?P<periodic>[1-9][0-9]{{0,2}})(?P<kind>[PDI])
        (?:/[ ]?(?P<comet_name>{_NAME}(?:[ ][1-9](?![0-9]))?))?
    |\((?P<minor>[1-9][0-9]{{0,6}})\)(?:[ ]?(?P<minor_name>{_NAME}))?
    |(?P<known>[1-9][0-9]{{0,2}})[ ](?P<known_name>{"|".join(_MINOR_PLANETS)})
    |PK[ _]?0{{0,2}}(?P<pk_l>[0-9]{{1,3}})[ ]?(?P<pk_sign>[+-])[ ]?0?
        (?P<pk_b>[0-9]{{1,2}})(?:\.(?P<pk_n>[0-9]{{1,2}}))?
    |PN[ ]?G[ ]?(?P<g_l>[0-9]{{1,3}}\.[0-9])[ ]?(?P<g_sign>[+-])[ ]?(?P<g_b>[0-9]{{1,2}}\.[0-9])
    |(?:PN[ ]?)?A66[ ]0{{0,2}}(?P<abell>[1-9][0-9]?)
    |SH(?:ARPLESS)?[ _-]?2[ _-]{{1,2}}0{{0,4}}(?P<sharpless>[1-9][0-9]{{0,2}})
    |SHARPLESS[ _-]?0{{0,4}}(?P<sharpless_1>[1-9][0-9]{{0,2}})
    |(?P<letters>[A-Z]{{1,9}})(?P<joint>[ _-]{{0,2}})0{{0,6}}(?P<number>[1-9][0-9]{{0,6}})(?P<suffix>[A-Z]?)
    |(?P<body>{"|".join(_BODIES)})
    )(?![0-9{_LETTER}])""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_BEGINNINGS: Final = sorted((*_BY_SPELLING, "sh", "sharpless", "pk", "pn", *"pdxi"), key=len, reverse=True)
_LIKELY: Final = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(_BEGINNINGS)})"
    r"(?=[ _/-]{0,2}[0-9]| ?G ?[0-9]| A66)",
    re.IGNORECASE,
)
"""Where one of a catalogue may begin: a tenth of the time of trying at each letter."""
_BETWEEN: Final = re.compile(r" ?(?:[&/+,;_-]|and\b|und\b)? ?", re.IGNORECASE)
_SAME_CATALOGUE: Final = re.compile(rf" ?[&/] ?([1-9][0-9]{{0,4}})(?![0-9{_LETTER}])", re.IGNORECASE)
_PANEL: Final = re.compile(
    r"(?:^|[ _,(\[-]{1,3})(?P<panel>"
    r"(?:[0-9]{1,2} ?x ?[0-9]{1,2} )?mosai[ck](?:[ _-]?[0-9]{1,2} ?x ?[0-9]{1,2})?"
    r"(?:[ _-]?(?:panel|pane|tile|p)[ _#-]?[0-9]{1,3})?"
    r"|(?:panel|pane|tile|p)[ _#-]?[0-9]{1,3}(?:[x_-][0-9]{1,3}| ?(?:/|of) ?[0-9]{1,3})?"
    r")[)\]]?$",
    re.IGNORECASE,
)
_IN_BRACKETS: Final = re.compile(r"(?P<words>[^()]+)\((?P<inner>[^()]{1,40})\)")
_BLANKS: Final = re.compile(r"\s+")
_DASHES: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-") | {"\u2019": "'"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a target's name says."""

    objects: tuple[str, ...] = ()
    """Canonical designations, each once, as they stand."""
    rest: str = ""
    """The words that are no designation; all of them where there is none."""
    panel: str = ""
    """Of a mosaic: ``panel 2``, ``p1``, ``mosaic 2x2``."""


def parse(text: str) -> Target:
    """Read a target's name: designations first, then words, then a mosaic's panel."""
    return _parse(text) if len(text) <= LONGEST else Target(rest=text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Target:
    line = _BLANKS.sub(" ", unicodedata.normalize("NFC", text)).strip().translate(_DASHES)
    objects: list[str] = []
    end = 0
    while one := _next(line, end, objects):
        designation, end = one
        if designation not in objects:
            objects.append(designation)
    if not objects and (note := _IN_BRACKETS.fullmatch(line)) and (inner := canonical(note["inner"])):
        return Target((inner,), note["words"].strip())
    rest, panel = _without_panel(line[end:])
    if rest and objects and all(name.casefold() in _BODIES for name in objects):
        return Target(rest=_without_panel(line)[0], panel=panel)  # the Saturn Nebula is no planet
    return Target(tuple(objects), rest, panel)


def canonical(text: str) -> str | None:
    """Return the canonical form of a text that is one designation and nothing else."""
    target = parse(text)
    whole = len(target.objects) == 1 and not target.rest and not target.panel
    return target.objects[0] if whole else None


def catalogue_of(designation: str) -> str:
    """Return the catalogue of a canonical designation: ``NGC``, ``Sh2``; ``""`` of a comet or a planet."""
    prefix = re.match(r"[A-Za-z]+2?(?=[ -][0-9G])", designation)
    return prefix[0] if prefix else ""


def is_deep_sky(designation: str) -> bool:
    """Return whether a canonical designation is of a catalogue of nebulae, clusters or galaxies."""
    return catalogue_of(designation) not in _NOT_DEEP_SKY


def mentioned(text: str) -> tuple[str, ...]:
    """Return the designations of such catalogues that stand anywhere in a text: ``My view of M 31``."""
    line = _BLANKS.sub(" ", text[:LONGEST])
    found: dict[str, None] = {}
    end = 0
    for likely in _LIKELY.finditer(line):
        if likely.start() < end or (match := _DESIGNATION.match(line, likely.start())) is None:
            continue
        end = match.end()
        if (name := _written(match)) and is_deep_sky(name):
            found[name] = None
    return tuple(found)


def _next(line: str, start: int, before: list[str]) -> tuple[str, int] | None:
    """Return the designation that stands next, behind what may separate two, and where it ends."""
    joint = ""
    position = start
    if before:
        if (short := _SAME_CATALOGUE.match(line, start)) and (more := _of_the_same(before[-1], short[1])):
            return more, short.end()
        if (gap := _BETWEEN.match(line, start)) is None or gap.end() == start:
            return None
        joint, position = gap[0].strip(), gap.end()
    found = _DESIGNATION.match(line, position)
    name = _written(found) if found else None
    if found is None or name is None:
        return None
    if before and joint in _LOOSE and (found["body"] or (name[:2] in _SHY and name[:2] != before[-1][:2])):
        return None
    return name, found.end()


def _of_the_same(before: str, number: str) -> str | None:
    """Return the second of ``M 81/82``: a number as long as the first, of the same catalogue."""
    prefix, _, first = before.rpartition(" ")
    if not first.isdigit() or len(number) < len(first) or prefix.casefold() not in _BY_SPELLING:
        return None
    return _numbered(prefix, "", number, "")


def _without_panel(text: str) -> tuple[str, str]:
    found = _PANEL.search(text)
    rest = text[: found.start()] if found else text
    return rest.strip(" _-,;:"), found["panel"].replace("_", " ").casefold() if found else ""


def _written(found: re.Match[str]) -> str | None:
    """Write what the pattern found; ``None``: the catalogue has no such number."""
    get = found.groupdict().get
    if letters := get("letters"):
        return _numbered(letters, get("joint") or "", found["number"], get("suffix") or "")
    if number := get("sharpless") or get("sharpless_1"):
        return f"Sh2-{number}" if int(number) <= _SHARPLESS else None
    if number := get("abell"):
        return f"Abell {number}" if int(number) <= _LAST_NEBULA_OF_ABELL else None
    if body := get("body"):
        return _BODIES[body.casefold()]
    return _solar(found) or _planetary_nebula(found)


def _solar(found: re.Match[str]) -> str | None:
    get = found.groupdict().get
    if kind := get("comet"):
        year, half = get("year") or found["bare_year"], found["half"].upper()
        return f"{kind.upper()}/{int(year)} {half}{(get('fragment') or '').upper()}"
    if number := get("periodic"):
        # "12p" without a name is no more than two signs.
        name = get("comet_name")
        if name is None and found["kind"].islower():
            return None
        return f"{number}{found['kind'].upper()}" + (f"/{_cased(name)}" if name else "")
    if number := get("minor"):
        name = get("minor_name")
        return f"({number}) {_cased(name)}" if name else f"({number})"
    if number := get("known"):
        known = found["known_name"].casefold()
        return f"({number}) {known.capitalize()}" if _MINOR_PLANETS[known] == int(number) else None
    return None


def _planetary_nebula(found: re.Match[str]) -> str | None:
    get = found.groupdict().get
    if longitude := get("pk_l"):
        order = f".{int(found['pk_n'])}" if get("pk_n") else ""
        shown = f"PK {int(longitude)}{found['pk_sign']}{int(found['pk_b'])}{order}"
        return shown if int(longitude) < 360 and int(found["pk_b"]) <= 90 else None
    if (longitude := get("g_l")) and float(longitude) < 360 and float(found["g_b"]) <= 90:
        return f"PN G{float(longitude):05.1f}{found['g_sign']}{float(found['g_b']):04.1f}"
    return None


def _numbered(letters: str, joint: str, number: str, suffix: str) -> str | None:
    catalogue = _BY_SPELLING.get(letters.casefold())
    if catalogue is None or int(number) > catalogue.last or (suffix and not catalogue.suffix):
        return None
    if catalogue.prefix == "Abell ":
        if letters.casefold() == "a" and (joint or int(number) > _LAST_NEBULA_OF_ABELL):
            return None  # "A 7" may be anything
        if int(number) > _LAST_NEBULA_OF_ABELL:
            return f"ACO {number}"
    letter = suffix.upper() if catalogue.suffix == "A" else suffix.lower()
    return f"{catalogue.prefix}{number}{letter}"


def _cased(name: str) -> str:
    """Capitalise a name that is all small or all large; ``McNaught`` stays as it is."""
    if not (name.islower() or name.isupper()):
        return name
    words = (word if len(word) < 2 else word.capitalize() for word in re.split(r"([ '.-])", name.lower()))
    return "".join(word.upper() if word.upper() in _SURVEYS else word for word in words)
