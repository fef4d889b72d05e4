"""What the picture was taken with: the linked equipment by kind, the filters, the optics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.text import one_line

if TYPE_CHECKING:
    from reconciler.core.catalogue import CatalogueImage, Equipment
    from reconciler.core.sky.formats import Formats


def names_by_kind(image: CatalogueImage) -> dict[str, tuple[str, ...]]:
    """Group the names by kind; Skymmich's flat columns only where nothing of that kind is linked."""
    groups: dict[str, dict[str, None]] = {}
    for piece in image.equipment:
        if name := one_line(piece.name):
            groups.setdefault(kind_of(piece), {})[name] = None
    for kind in ("telescope", "camera", "mount"):
        flat = one_line(getattr(image.summary, kind) or "")
        if flat and kind not in groups:
            groups[kind] = {flat: None}
    return {kind: tuple(names) for kind, names in groups.items()}


def kind_of(piece: Equipment) -> str:
    """Return a piece's kind; ``guiding`` for whatever guides."""
    role = " ".join(str(value) for key, value in piece.specifications if key.lower() == "role")
    return "guiding" if "guid" in role.lower() else piece.kind


def filters_of(image: CatalogueImage, groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the filters used: those of the acquisitions when there are any, and those linked."""
    used = [one_line(row.filter_name) for row in image.acquisitions if row.filter_name]
    if not image.acquisitions and not groups.get("filter"):
        used = [one_line(name) for name in image.summary.filters]
    return tuple(dict.fromkeys(name for name in (*used, *groups.get("filter", ())) if name))


def optics_of(image: CatalogueImage, formats: Formats) -> str:
    """Return focal length and ratio of the one telescope: its own, else Skymmich's flat columns."""
    scopes = [piece for piece in image.equipment if kind_of(piece) == "telescope"]
    if len(scopes) > 1:
        return ""
    if scopes:
        specifications = dict(scopes[0].specifications)
        length = _number(specifications.get("focalLength"))
        ratio = str(specifications.get("focalRatio") or specifications.get("fRatio") or "").strip()
    else:
        length, ratio = _number(image.summary.focal_length_mm), (image.summary.aperture or "").strip()
    parts = [f"{length:.0f} mm"] if length else []
    if number := _number(ratio.lower().removeprefix("f").strip("/ ")):
        parts.append(f"f/{formats.number(f'{number:g}')}")
    return " ".join(parts)


def _number(value: object) -> float | None:
    text = str(value or "").lower().removesuffix("mm").strip()
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None
