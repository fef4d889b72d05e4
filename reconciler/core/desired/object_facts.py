"""What the picture shows: the target's names, its kind and its constellation."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.core.catalogue import PlateSolution
from reconciler.core.desired.solution_facts import position_of
from reconciler.core.sky import constellations, designations, famous, object_names
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from reconciler.core.catalogue import CatalogueImage, CatalogueObject
    from reconciler.core.sky.famous import Famous

_TELLS_NOTHING = {None, "", "Dup", "NonEx", "Other"}
_NO_TYPE = {"", "deep sky", "unknown", "wide field"}
"""Skymmich's defaults: nobody chose them."""
_PART_OF = "part of the constellation "
_COMETS = ("C/", "P/", "D/", "X/", "A/", "I/")


def constellation_of(image: CatalogueImage) -> str:
    """Return the constellation's full name, from the best source there is.

    The target's own, by its position and the IAU boundaries, else as its catalogue says: the field's centre
    may lie in another. Without a target the centre decides; without a position the tag “Part of the
    constellation …”, then Skymmich's own column (wrong half the time).
    """
    target = image.target
    if target is not None and len(designations.parse(image.target_name or "").objects) < 2:
        if target.ra_deg is not None and target.dec_deg is not None:
            own = position_of(PlateSolution(target.ra_deg, target.dec_deg))
            if own is not None:
                return constellations.name_of(constellations.constellation_at(*own))
        if abbreviation := constellations.abbreviation_of((target.constellation or "").strip()):
            return constellations.name_of(abbreviation)
    if abbreviation := _shared({known.constellation if known else "" for _, known in _objects(image)}):
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
    """Return the kind of object: what the user says, unless the catalogue says the same more exactly.

    Without the user's word it is the table's of famous objects, else the catalogue object's. Spelt alike from
    all: "Supernova Remnant" beside "Supernova remnant" would be two tags in Immich.
    """
    found = _objects(image)
    code = _shared({known.type_code if known else "" for _, known in found})
    if not code and len(found) < 2 and image.target:
        code = (image.target.type_code or "").strip()
    words = "" if code in _TELLS_NOTHING else object_names.type_name(code) or ""
    own = object_names.spelt(one_line(image.object_type or ""))
    if own.casefold() in _NO_TYPE:
        return words
    return words if words and object_names.is_kind_of(code, own) else own


def target_names(image: CatalogueImage) -> tuple[str, ...]:
    """Return the target's names, best known first: Messier, NGC or IC, common; each once.

    Of several objects it is one text, their first names: ``NGC 7000 & IC 5070``.
    """
    found = _objects(image)
    if len(found) > 1:
        return (" & ".join(_designations(name, known, None)[0] for name, known in found),)
    names: list[str] = []
    if found:
        name, known = found[0]
        names = [*_designations(name, known, image.target), _common(known, image, image.title)]
        names.append(_name_of_comet(image, name))
    elif image.target:
        names = [*_designations("", None, image.target), _common(None, image, image.title)]
    elif image.target_name:
        names = [designations.parse(image.target_name).rest or image.target_name]
    return _unique(names)


def common_name_of(image: CatalogueImage) -> str:
    """Return the name of the target that is no designation, or ``""``; the title chooses among several."""
    found = _objects(image)
    return "" if len(found) > 1 else one_line(_common(_famous(image), image, image.title))


def target_tags(image: CatalogueImage) -> tuple[str, ...]:
    """Return a tag for each object: best known designation and name, however the target was spelt."""
    found = _objects(image)
    if len(found) > 1:
        both = [(_designations(name, known, None)[0], known.name if known else "") for name, known in found]
    elif names := target_names(image):
        both = [(names[0], _common(_famous(image), image, ""))]
    else:
        both = []
    return tuple(one_line(" ".join(dict.fromkeys(filter(None, pair)))) for pair in both)


def without_target(image: CatalogueImage, tags: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the tags that are another spelling of what the target's tag says."""
    identities = {famous.identity(name) for name, _ in _objects(image)}
    return tuple(tag for tag in tags if famous.identity(tag) not in identities) if identities else tags


def _objects(image: CatalogueImage) -> tuple[tuple[str, Famous | None], ...]:
    """Return designation and entry of the table for each object of the target, each object once."""
    name, target = image.target_name or "", image.target
    if len(name) > designations.LONGEST:
        name = ""
    return _named(name, (target.messier, target.name, *target.identifiers) if target else ())


@lru_cache(maxsize=1024)
def _named(name: str, others: tuple[str | None, ...]) -> tuple[tuple[str, Famous | None], ...]:
    found: dict[str, tuple[str, Famous | None]] = {}
    read = designations.parse(name)
    for text in read.objects or filter(None, (read.rest,)):
        known = famous.find(text)
        if known is not None or read.objects:
            found.setdefault(famous.identity(text), (text, known))
    if found:
        return tuple(found.values())
    for text in filter(None, others):
        if (known := famous.find(text)) is not None:
            return ((known.designation, known),)
    return ()


def _shared(values: set[str]) -> str:
    """Return what all objects of a picture have in common, or ``""``."""
    return next(iter(values)) if len(values) == 1 else ""


def _famous(image: CatalogueImage) -> Famous | None:
    found = _objects(image)
    return found[0][1] if found else None


def _designations(name: str, known: Famous | None, target: CatalogueObject | None) -> list[str]:
    """Return an object's designations that are shown: Messier's, and its number in the larger catalogue."""
    if known is not None:
        second = known.also[:1] if known.designation.startswith("M ") else ()
        return [known.designation, *(one for one in second if one.startswith(("NGC ", "IC ", "Mel ")))]
    if target is not None:
        return [target.messier or "", object_names.format_name(target.name)]
    return [name]


def _common(known: Famous | None, image: CatalogueImage, title: str) -> str:
    names = _common_names(known, image.target.common_names if image.target else ())
    return famous.chosen_name(names, one_line(title)) if len(names) > 1 and title else "".join(names[:1])


@lru_cache(maxsize=1024)
def _common_names(known: Famous | None, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the table, then OpenNGC's; without a name there, OpenNGC's alone."""
    theirs = famous.usable_names(given, known.wrong_names if known else ())
    return (known.name, *known.other_names, *theirs) if known and known.name else theirs


def _name_of_comet(image: CatalogueImage, name: str) -> str:
    """``C/2023 A3 (Tsuchinshan-ATLAS)``: the words behind a comet's designation are its name."""
    return designations.parse(image.target_name or "").rest.strip("() ") if name.startswith(_COMETS) else ""


def _unique(names: list[str]) -> tuple[str, ...]:
    unique: dict[str, str] = {}
    for name in names:
        if clean := one_line(name):
            unique.setdefault(clean.casefold().replace(" ", ""), clean)
    return tuple(unique.values())
