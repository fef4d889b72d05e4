"""The 88 constellations: which one a position lies in, and their names.

Skymmich guesses constellations from rectangular boxes and is wrong for half of the objects people
photograph; this goes by the boundaries of the International Astronomical Union.
"""

from __future__ import annotations

import csv
import math
import unicodedata
from bisect import bisect_left
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Final

from reconciler.core.sky.translations import table

# Abbreviation, name, genitive; the IAU's spelling: https://iauarchive.eso.org/public/themes/constellations/
_NAMES: Final = """
And Andromeda|Andromedae; Ant Antlia|Antliae; Aps Apus|Apodis; Aqr Aquarius|Aquarii; Aql Aquila|Aquilae;
Ara Ara|Arae; Ari Aries|Arietis; Aur Auriga|Aurigae; Boo Boötes|Boötis; Cae Caelum|Caeli;
Cam Camelopardalis|Camelopardalis; Cnc Cancer|Cancri; CVn Canes Venatici|Canum Venaticorum;
CMa Canis Major|Canis Majoris; CMi Canis Minor|Canis Minoris; Cap Capricornus|Capricorni;
Car Carina|Carinae; Cas Cassiopeia|Cassiopeiae; Cen Centaurus|Centauri; Cep Cepheus|Cephei; Cet Cetus|Ceti;
Cha Chamaeleon|Chamaeleontis; Cir Circinus|Circini; Col Columba|Columbae; Com Coma Berenices|Comae Berenices;
CrA Corona Australis|Coronae Australis; CrB Corona Borealis|Coronae Borealis; Crv Corvus|Corvi;
Crt Crater|Crateris; Cru Crux|Crucis; Cyg Cygnus|Cygni; Del Delphinus|Delphini; Dor Dorado|Doradus;
Dra Draco|Draconis; Equ Equuleus|Equulei; Eri Eridanus|Eridani; For Fornax|Fornacis; Gem Gemini|Geminorum;
Gru Grus|Gruis; Her Hercules|Herculis; Hor Horologium|Horologii; Hya Hydra|Hydrae; Hyi Hydrus|Hydri;
Ind Indus|Indi; Lac Lacerta|Lacertae; Leo Leo|Leonis; LMi Leo Minor|Leonis Minoris; Lep Lepus|Leporis;
Lib Libra|Librae; Lup Lupus|Lupi; Lyn Lynx|Lyncis; Lyr Lyra|Lyrae; Men Mensa|Mensae;
Mic Microscopium|Microscopii; Mon Monoceros|Monocerotis; Mus Musca|Muscae; Nor Norma|Normae;
Oct Octans|Octantis; Oph Ophiuchus|Ophiuchi; Ori Orion|Orionis; Pav Pavo|Pavonis; Peg Pegasus|Pegasi;
Per Perseus|Persei; Phe Phoenix|Phoenicis; Pic Pictor|Pictoris; Psc Pisces|Piscium;
PsA Piscis Austrinus|Piscis Austrini; Pup Puppis|Puppis; Pyx Pyxis|Pyxidis; Ret Reticulum|Reticuli;
Sge Sagitta|Sagittae; Sgr Sagittarius|Sagittarii; Sco Scorpius|Scorpii; Scl Sculptor|Sculptoris;
Sct Scutum|Scuti; Ser Serpens|Serpentis; Sex Sextans|Sextantis; Tau Taurus|Tauri;
Tel Telescopium|Telescopii; Tri Triangulum|Trianguli; TrA Triangulum Australe|Trianguli Australis;
Tuc Tucana|Tucanae; UMa Ursa Major|Ursae Majoris; UMi Ursa Minor|Ursae Minoris; Vel Vela|Velorum;
Vir Virgo|Virginis; Vol Volans|Volantis; Vul Vulpecula|Vulpeculae
"""

# Serpens lies in two parts, and OpenNGC gives each an abbreviation of its own.
_OTHER_NAMES: Final = {
    "se1": "Ser",
    "se2": "Ser",
    "serpens caput": "Ser",
    "serpens cauda": "Ser",
    "serpens (caput)": "Ser",
    "serpens (cauda)": "Ser",
}


def _split_names() -> tuple[dict[str, str], dict[str, str]]:
    names: dict[str, str] = {}
    lookup = dict(_OTHER_NAMES)
    for entry in _NAMES.split(";"):
        abbreviation, both = entry.strip().split(" ", 1)
        name, genitive = both.split("|")
        names[abbreviation] = name
        lookup |= dict.fromkeys(map(_plain, (abbreviation, name, genitive)), abbreviation)
    return names, lookup


def _plain(text: str) -> str:
    """Fold case, accents and blanks, in which people's spellings differ."""
    decomposed = unicodedata.normalize("NFD", text)
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return " ".join(bare.casefold().split())


CONSTELLATIONS, _LOOKUP = _split_names()
"""IAU abbreviation → name, all 88."""


def name_of(abbreviation: str) -> str:
    """Name a constellation: ``And`` → ``Andromeda``. Takes whatever `abbreviation_of` does.

    Raises:
        KeyError: There is no such constellation.
    """
    known = abbreviation_of(abbreviation)
    if known is None:
        raise KeyError(abbreviation)
    return CONSTELLATIONS[known]


def abbreviation_of(text: str) -> str | None:
    """Find the IAU abbreviation of a constellation.

    Args:
        text: Its abbreviation, name or genitive, in any case, with or without accents (``Bootes``); for
            Serpens its parts too (``Serpens Caput``, OpenNGC's ``Se1``).

    Returns:
        The abbreviation as the IAU spells it, or ``None``.
    """
    return _LOOKUP.get(_plain(text))


def translated(name: str, language: str) -> str:
    """Name a constellation in a language: ``Cygnus`` → ``Schwan``; what is none stays as it is."""
    if language == "en" or (known := abbreviation_of(name)) is None:
        return name
    return table("constellations", language).get(known, name)


def constellation_at(ra_deg: float, dec_deg: float) -> str:
    """Find the constellation of a position.

    The position is brought to the equinox of the boundaries and looked up in them, after Roman 1987,
    PASP 99, 695. Right except within a few arcseconds of a boundary.

    Args:
        ra_deg: Right ascension, J2000/ICRS, degrees; any finite angle.
        dec_deg: Declination, −90 … 90.

    Returns:
        The IAU abbreviation, for example ``And``.

    Raises:
        ValueError: The position is not one.
    """
    if not (math.isfinite(ra_deg) and -90 <= dec_deg <= 90):
        raise ValueError(f"no position on the sky: right ascension {ra_deg}°, declination {dec_deg}°")
    ra, dec = to_b1875(ra_deg, dec_deg)
    hours = ra / 15
    rows, southward = _boundaries()
    for ra_lower, ra_upper, dec_lower, abbreviation in islice(rows, bisect_left(southward, -dec), None):
        if ra_lower <= hours < ra_upper and dec_lower <= dec:
            return abbreviation
    raise AssertionError("the boundaries cover the whole sky")


def to_b1875(ra_deg: float, dec_deg: float) -> tuple[float, float]:
    """Precess a position from J2000 to the mean equator and equinox of B1875.0.

    Uses the precession angles of IAU 2006 (Capitaine et al. 2003, A&A 412, 567, eq. 40). The frame bias of
    the ICRS, and Newcomb's constants of 1875 in their place, would change an arcsecond or two.

    Args:
        ra_deg: Right ascension, degrees.
        dec_deg: Declination, degrees.

    Returns:
        Right ascension (0 ≤ ra < 360) and declination, degrees.
    """
    alpha, delta = math.radians(ra_deg) + _ZETA, math.radians(dec_deg)
    x = math.cos(_THETA) * math.cos(delta) * math.cos(alpha) - math.sin(_THETA) * math.sin(delta)
    y = math.cos(delta) * math.sin(alpha)
    z = math.sin(_THETA) * math.cos(delta) * math.cos(alpha) + math.cos(_THETA) * math.sin(delta)
    ra = math.degrees(math.atan2(y, x) + _Z) % 360
    # A tiny negative angle is 360.0 after the modulo.
    return (0.0 if ra == 360 else ra), math.degrees(math.atan2(z, math.hypot(x, y)))


def _precession_angles(julian_date: float) -> tuple[float, float, float]:
    """ζ, z and θ from J2000 to a date, radians."""
    t = (julian_date - 2_451_545.0) / 36_525
    zeta = 2.650545 + t * (2306.083227 + t * (0.2988499 + t * 0.01801828))
    z = -2.650545 + t * (2306.077181 + t * (1.0927348 + t * 0.01826837))
    theta = t * (2004.191903 + t * (-0.4294934 - t * 0.04182264))
    return math.radians(zeta / 3600), math.radians(z / 3600), math.radians(theta / 3600)


_ZETA, _Z, _THETA = _precession_angles(2_405_889.25855)  # B1875.0

_Row = tuple[float, float, float, str]


@cache
def _boundaries() -> tuple[tuple[_Row, ...], tuple[float, ...]]:
    """Roman's rows, and their lower declinations negated (ascending, to find the first that can match)."""
    text = (files(__package__) / "data" / "constellations_roman1987.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    rows = tuple(
        (
            float(row["ra_lower"]),
            float(row["ra_upper"]),
            float(row["dec_lower"]),
            row["constellation"],
        )
        for row in csv.DictReader(lines)
    )
    return rows, tuple(-row[2] for row in rows)
