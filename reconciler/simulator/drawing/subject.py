"""What a drawn astrophotograph shows: guessed from what the catalogue and the file's name say of it.

A guess for a pretty page, and nothing more: what an object is, says `core`.
"""

from __future__ import annotations

import re

_BY_CODE = {
    "G": "galaxy",
    "GCl": "globular",
    "OCl": "open cluster",
    "PN": "planetary",
    "SNR": "remnant",
    "RfN": "reflection",
    "HII": "nebula",
    "Neb": "nebula",
    "Cl+N": "nebula",
}
"""By the type in Skymmich's ``catalog_objects``."""
_BY_WORD = (
    ("pleiades|seven sisters", "nebulous cluster"),
    ("magellanic", "irregular"),
    ("needle|edge.on|hamburger|silver coin", "edge-on"),
    ("centaurus a", "elliptical"),
    ("whirlpool|pinwheel|m ?83", "face-on"),
    ("andromeda galaxy", "inclined"),
    ("rho oph", "reflection"),
    ("moon", "moon"),
    ("milky way|wide.?field|barnard's loop", "milky way"),
    ("supernova remnant", "remnant"),
    ("galax", "galaxy"),
    ("globular", "globular"),
    ("cluster", "open cluster"),
    ("nebula", "nebula"),
    ("light frame|light_", "sky"),
)
"""By a word in any name of it; the first that is found."""
_EXACT = 7
"""So many of them come before the catalogue's type."""


def kind_of(code: str, *names: str) -> str:
    """Return the kind of light that `drawing.kinds` draws; empty where nothing is known.

    Args:
        code: the type in ``catalog_objects``, empty for none.
        names: title, target, common names, object type.
    """
    text = " | ".join(filter(None, names)).casefold()
    for pattern, kind in _BY_WORD[:_EXACT]:
        if re.search(pattern, text):
            return kind
    if code in _BY_CODE:
        return _BY_CODE[code]
    return next((kind for pattern, kind in _BY_WORD[_EXACT:] if re.search(pattern, text)), "")


def filters_of(filename: str) -> str:
    """Return the palette that a file's name tells, as astrophotographers write it: ``NGC281_SHO.jpg``."""
    name = filename.casefold()
    if re.search(r"sho|hubble", name):
        return "sho"
    return "hoo" if re.search(r"hoo|ultimate|dual|bicolou?r", name) else "lrgb"
