"""What the picture was taken with: the linked equipment by kind, the filters, the camera's speed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.core.desired.integration_facts import lights
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.catalogue import CatalogueImage, Equipment

# The facts about guiding gear: Skymmich has no kind for it, so names tell.
_GUIDES = re.compile(
    r"guid(?:e|ing)|\boag\b|\bmini[\s-]?scope|asi[\s-]?120(?!\d)|asi[\s-]?174[\s-]?(?:mm|mc)?[\s-]?mini"
    r"|asi[\s-]?220(?!\d)|qhy[\s-]?5(?!\d)",
    re.IGNORECASE,
)
_ROLE = len("role")
_BY_NAME = frozenset({"telescope", "camera", "accessory"})
"""Kinds of which a name tells: a SkyGuider is a mount."""
_OFF_AXIS = re.compile(r"\boag\b|off[\s-]?axis", re.IGNORECASE)
# Cameras made for astronomy have a gain, which stands in Skymmich's column for the ISO speed.
_ASTRO_CAMERA = re.compile(
    r"\bzwo\b|\basi[\s-]?\d|\bqhy|\batik|moravian|\bsbig\b|\bfli\b|player\s?one|poseidon|toup\s?tek|\baltair"
    r"|rising\s?cam|svbony|\bsv\d{3}|starlight|trius|apogee|\bogma\b|omegon|vetec|\bgpcam|hypercam|finger\s?lakes"
    r"|seestar|dwarf|vespera|stellina|unistellar|evscope|celestron|orion|meade|\bdsi\b|imaging\s?source|\bdmk"
    r"|\bdfk|basler|\bflir\b|blackfly|lucam|\bst-?\d{1,4}[ce]?\b|\bccd\b|\b(?:mm|mc)[\s-]?(?:pro|mini|duo)\b",
    re.IGNORECASE,
)


def kinds_of(image: CatalogueImage) -> Mapping[int, str]:
    """Return the kind of each piece of an image by its id; ``guiding`` for whatever guides.

    The role of its specifications decides; else its name, where another piece of its kind (or, with none
    linked, Skymmich's flat column) is what the picture was taken with; and of two telescopes with one camera
    and one more that guides, the shorter one guides.
    """
    roles = {piece.equipment_id: _role(piece) for piece in image.equipment}
    kinds = {piece.equipment_id: _kind_alone(piece, roles[piece.equipment_id]) for piece in image.equipment}
    if "guiding" not in kinds.values():
        return kinds
    for kind in ("telescope", "camera"):
        named = [piece for piece in image.equipment if piece.kind == kind]
        if any(kinds[piece.equipment_id] == kind for piece in named):
            continue
        flat = one_line(getattr(image.summary, kind) or "").casefold()
        if flat and flat not in {one_line(piece.name).casefold() for piece in named}:
            continue
        kinds.update((piece.equipment_id, kind) for piece in named if not roles[piece.equipment_id])
    if (finder := _shorter(image, kinds)) is not None and not roles[finder.equipment_id]:
        kinds[finder.equipment_id] = "guiding"
    return kinds


def _kind_alone(piece: Equipment, role: str) -> str:
    """Return what a piece is by its own role and name."""
    if role:
        guides = "guid" in role or _OFF_AXIS.search(role) is not None
    else:
        guides = piece.kind in _BY_NAME and _guides_by_name(piece.name)
    return "guiding" if guides else piece.kind


def _shorter(image: CatalogueImage, kinds: Mapping[int, str]) -> Equipment | None:
    """Return the shorter of two telescopes of which one must be for the camera that guides."""
    scopes, cameras, guiding = [], 0, 0
    for piece in image.equipment:
        kind = kinds[piece.equipment_id]
        if kind == "telescope":
            scopes.append(piece)
        elif kind == "camera":
            cameras += 1
        elif kind == "guiding" and piece.kind == "camera":
            guiding += 1
        elif kind == "guiding":
            return None  # a guide scope, or an off-axis guider: the camera has its place
        elif piece.kind == "accessory" and _OFF_AXIS.search(piece.name):
            return None
    if len(scopes) != 2 or cameras != 1 or guiding != 1:
        return None
    first, second = (length_of(piece) for piece in scopes)
    if first is None or second is None or first == second:
        return None
    return scopes[0] if first < second else scopes[1]


def _role(piece: Equipment) -> str:
    for key, value in piece.specifications:
        if len(key) == _ROLE and key.lower() == "role":
            return str(value).lower().strip()
    return ""


@lru_cache(maxsize=1024)
def _guides_by_name(name: str) -> bool:
    return _GUIDES.search(name) is not None or _OFF_AXIS.search(name) is not None


def imaging(image: CatalogueImage, kinds: Mapping[int, str], kind: str) -> list[Equipment]:
    """Return the pieces of a kind that the picture was taken with."""
    return [piece for piece in image.equipment if kinds[piece.equipment_id] == kind]


def names_by_kind(image: CatalogueImage, kinds: Mapping[int, str]) -> dict[str, tuple[str, ...]]:
    """Group the names by kind; Skymmich's flat columns only where nothing of that kind is linked."""
    groups: dict[str, dict[str, None]] = {}
    for piece in image.equipment:
        if name := one_line(piece.name):
            groups.setdefault(kinds[piece.equipment_id], {})[name] = None
    for kind in ("telescope", "camera", "mount"):
        flat = one_line(getattr(image.summary, kind) or "")
        if flat and kind not in groups:
            groups[kind] = {flat: None}
    return {kind: tuple(names) for kind, names in groups.items()}


def filters_of(image: CatalogueImage, groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the filters used: those of the acquisitions when there are any, and those linked."""
    used = [one_line(row.filter_name) for row in lights(image.acquisitions) if row.filter_name]
    if not image.acquisitions and not groups.get("filter"):
        used = [one_line(name) for name in image.summary.filters]
    return tuple(dict.fromkeys(name for name in (*used, *groups.get("filter", ())) if name))


def iso_of(image: CatalogueImage, groups: Mapping[str, tuple[str, ...]]) -> int | None:
    """Return the ISO speed, if the camera is one that has it: of others that column holds the gain."""
    cameras = groups.get("camera", ())
    if not cameras or any(map(_is_for_astronomy, cameras)):
        return None
    return image.summary.iso or None


@lru_cache(maxsize=1024)
def _is_for_astronomy(camera: str) -> bool:
    return _ASTRO_CAMERA.search(camera) is not None


def length_of(piece: Equipment) -> float | None:
    """Return a telescope's own focal length, mm."""
    return number_of(dict(piece.specifications).get("focalLength"))


def number_of(value: object) -> float | None:
    """Return a specification's number above zero: ``400``, ``"250mm"``, ``"3.76 µm"``."""
    text = str(value or "").lower().strip()
    for unit in ("mm", "µm", "μm", "um"):
        text = text.removesuffix(unit).rstrip()
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None
