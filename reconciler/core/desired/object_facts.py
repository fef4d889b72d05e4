"""What the picture shows: the target's names, its kind and its constellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.catalogue import PlateSolution
from reconciler.core.desired.solution_facts import position_of
from reconciler.core.sky import constellations, object_names
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from reconciler.core.catalogue import CatalogueImage

_TELLS_NOTHING = {None, "Dup", "NonEx", "Other"}
_PART_OF = "part of the constellation "


def constellation_of(image: CatalogueImage) -> str:
    """Return the constellation's full name, from the best source there is.

    The target's own, by its position and the IAU boundaries, else as its catalogue says: the field's centre
    may lie in another. Without a target the centre decides; without a position the tag “Part of the
    constellation …”, then Skymmich's own column (wrong half the time).
    """
    target = image.target
    if target is not None:
        if target.ra_deg is not None and target.dec_deg is not None:
            own = position_of(PlateSolution(target.ra_deg, target.dec_deg))
            if own is not None:
                return constellations.name_of(constellations.constellation_at(*own))
        if abbreviation := constellations.abbreviation_of((target.constellation or "").strip()):
            return constellations.name_of(abbreviation)
    if position := position_of(image.solution):
        return constellations.name_of(constellations.constellation_at(*position))
    candidates = [
        tag.strip()[len(_PART_OF) :].split("(")[0]
        for tag in image.tags
        if tag.strip().lower().startswith(_PART_OF)
    ]
    for text in (*candidates, image.constellation):
        if text and (abbreviation := constellations.abbreviation_of(text.strip())):
            return constellations.name_of(abbreviation)
    return ""


def object_type_of(image: CatalogueImage) -> str:
    """Return the kind of object: the catalogue object's, else Skymmich's own, but not its default.

    Spelt alike from both: "Supernova Remnant" beside "Supernova remnant" would be two tags in Immich.
    """
    code = image.target.type_code if image.target else None
    if code not in _TELLS_NOTHING and (words := object_names.type_name(code)):
        return words
    text = one_line(image.object_type or "")
    return "" if text.casefold() in {"deep sky", "unknown"} else object_names.spelt(text)


def target_names(image: CatalogueImage) -> tuple[str, ...]:
    """Return the target's names, best known first: Messier, catalogue, common; each once."""
    names: list[str] = []
    if image.target:
        names = [image.target.messier or "", object_names.format_name(image.target.name)]
        names += list(image.target.common_names[:1])
    elif image.target_name:
        names = [object_names.format_name(image.target_name)]
    unique: dict[str, str] = {}
    for name in names:
        if clean := one_line(name):
            unique.setdefault(clean.casefold().replace(" ", ""), clean)
    return tuple(unique.values())


def common_name_of(image: CatalogueImage) -> str:
    """Return the name of the target that is no designation, or ``""``."""
    return one_line(image.target.common_names[0]) if image.target and image.target.common_names else ""
