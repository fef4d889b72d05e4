"""The facts of an image as people read them: what a description's template may use.

Numbers become text here, once, with their units, so that no template has to round. Every text is one line.
A fact that the catalogue does not know, or a part that is switched off, is ``""`` or an empty tuple.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.core.sky import astronomy, constellations, object_names
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from reconciler.core.catalogue import Acquisition, CatalogueImage, Equipment, PlateSolution, Summary
    from reconciler.core.policy import DescriptionPolicy

_TELLS_NOTHING = {None, "Dup", "NonEx", "Other"}
_PART_OF = "part of the constellation "
_LEADING_NUMBER = re.compile(r"\s*\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class FilterIntegration:
    """The sub-exposures through one filter."""

    filter: str
    """Name; ``No filter`` when none was entered."""
    subs: str
    """``60 × 300 s``; several lengths are joined: ``60 × 300 s + 20 × 60 s``."""
    total: str
    """``5h``."""
    details: str
    """``gain 100, offset 50, −10 °C, bin 2×2``, where all rows agree; else what they agree on."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the default template shows, and a user's own may."""

    heading: str
    """``M 31 · NGC 224 · Andromeda Galaxy``; without a target the title, else the file's name."""
    title: str = ""
    """The image's title, when it says something else than the heading and the file's name."""
    object_name: str = ""
    """The target's shortest name: ``M 31``."""
    common_name: str = ""
    object_type: str = ""
    constellation: str = ""
    telescopes: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    guiding: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    accessories: tuple[str, ...] = ()
    software: tuple[str, ...] = ()
    optics: str = ""
    """``400 mm f/5.6``."""
    integration: tuple[FilterIntegration, ...] = ()
    total_integration: str = ""
    frames: int = 0
    nights: int = 0
    night_span: str = ""
    """``2023-02-01`` or ``2023-02-01 to 2023-04-01``."""
    ra: str = ""
    dec: str = ""
    field: str = ""
    pixel_scale: str = ""
    rotation: str = ""
    site: str = ""


def constellation_of(image: CatalogueImage) -> str:
    """Return the constellation's full name, from the best source there is.

    The plate solution's position by the IAU boundaries; without one the catalogue object's, the tag
    “Part of the constellation …”, Skymmich's own column (wrong half the time), in this order.
    """
    if position := position_of(image.solution):
        return constellations.name_of(constellations.constellation_at(*position))
    candidates = [image.target.constellation if image.target else None]
    candidates += [
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


def facts_of(image: CatalogueImage, policy: DescriptionPolicy, pixels: tuple[int, int] | None) -> Facts:
    """Gather the facts of an image.

    Args:
        image: the catalogue's image.
        policy: which parts may appear.
        pixels: width and height of the original in pixels, when the asset is known; for the pixel scale.
    """
    on = policy.enabled_parts
    names = target_names(image) if "object" in on else ()
    title, filename = one_line(image.title), one_line(image.filename)
    heading = " · ".join(names) or title or filename or "Astrophotograph"
    equipment = _equipment(image) if "equipment" in on else {}
    extras = _equipment(image)
    rows = _usable(image.acquisitions) if "integration" in on else []
    summary = image.summary
    total = sum(row.frame_count * row.exposure_s for row in rows)
    frames = sum(row.frame_count for row in rows)
    hours = 0 if _is_guessed(summary) else summary.integration_hours or 0
    if not image.acquisitions and "integration" in on and hours > 0:
        total, frames = hours * 3600, summary.frame_count or 0
    nights = sorted({row.night for row in image.acquisitions if row.night}) if "nights" in on else []
    return Facts(
        heading=heading,
        title=title if "title" in on and _tells_more(title, heading, filename) else "",
        object_name=names[0] if names else "",
        common_name=_common_name(image) if names else "",
        object_type=object_type_of(image) if "object_type" in on else "",
        constellation=constellation_of(image) if "constellation" in on else "",
        telescopes=equipment.get("telescope", ()),
        cameras=equipment.get("camera", ()),
        mounts=equipment.get("mount", ()),
        guiding=equipment.get("guiding", ()),
        filters=_filters(image, extras) if "filters" in on else (),
        accessories=extras.get("accessory", ()) if "accessories" in on else (),
        software=extras.get("software", ()) if "software" in on else (),
        optics=_optics(image) if "equipment" in on else "",
        integration=_per_filter(rows),
        total_integration=astronomy.format_integration(total) if 0 < total < math.inf else "",
        frames=frames,
        nights=len(nights),
        night_span=_span(nights),
        site=one_line(image.site.name) if image.site and "site" in on else "",
        **(_solution(image, policy, pixels) if "plate_solution" in on else {}),
    )


def _is_guessed(summary: Summary) -> bool:
    """Return whether the total is only what Skymmich's import makes of a picture: its EXIF exposure, once.

    That says nothing of a stack, and reads ``1/60`` as one second.
    """
    leading = _LEADING_NUMBER.match(summary.exposure_time or "")
    if leading is None or (summary.frame_count or 1) > 1:
        return False
    return math.isclose((summary.integration_hours or 0) * 3600, float(leading[0]), rel_tol=1e-3)


def _common_name(image: CatalogueImage) -> str:
    return one_line(image.target.common_names[0]) if image.target and image.target.common_names else ""


def _tells_more(title: str, heading: str, filename: str) -> bool:
    plain = title.casefold()
    stem = filename.casefold().rsplit(".", 1)[0]
    return bool(title) and plain not in {heading.casefold(), filename.casefold(), stem}


def _equipment(image: CatalogueImage) -> dict[str, tuple[str, ...]]:
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


def _filters(image: CatalogueImage, groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the filters used: those of the acquisitions when there are any, and those linked."""
    used = [one_line(row.filter_name) for row in image.acquisitions if row.filter_name]
    if not image.acquisitions and not groups.get("filter"):
        used = [one_line(name) for name in image.summary.filters]
    return tuple(dict.fromkeys(name for name in (*used, *groups.get("filter", ())) if name))


def _optics(image: CatalogueImage) -> str:
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
        parts.append(f"f/{number:g}")
    return " ".join(parts)


def _number(value: object) -> float | None:
    text = str(value or "").lower().removesuffix("mm").strip()
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < 1e6 else None


def _usable(rows: Iterable[Acquisition]) -> list[Acquisition]:
    return [row for row in rows if row.frame_count > 0 and 0 < row.exposure_s < math.inf]


def _per_filter(rows: Iterable[Acquisition]) -> tuple[FilterIntegration, ...]:
    groups: dict[str, list[Acquisition]] = {}
    for row in rows:
        groups.setdefault(one_line(row.filter_name or "") or "No filter", []).append(row)
    found = []
    for name, group in groups.items():
        lengths: dict[float, int] = {}
        for row in group:
            lengths[row.exposure_s] = lengths.get(row.exposure_s, 0) + row.frame_count
        found.append(
            FilterIntegration(
                filter=name,
                subs=" + ".join(f"{n} × {astronomy.format_exposure(s)}" for s, n in lengths.items()),
                total=astronomy.format_integration(sum(s * n for s, n in lengths.items())),
                details=_details(group),
            )
        )
    return tuple(found)


def _details(rows: list[Acquisition]) -> str:
    def agreed(key: Literal["gain", "offset", "sensor_temp_c", "binning"]) -> str:
        values = {getattr(row, key) for row in rows}
        return "" if len(values) != 1 or None in values else f"{values.pop()}"

    parts = []
    if gain := agreed("gain"):
        parts.append(f"gain {gain}")
    if offset := agreed("offset"):
        parts.append(f"offset {offset}")
    if temperature := agreed("sensor_temp_c"):
        parts.append(f"{float(temperature):+g} °C".replace("-", "−").removeprefix("+"))
    if (binning := one_line(agreed("binning")).replace("x", "×")) and binning not in {"1", "1×1"}:
        parts.append(f"bin {binning}")
    return ", ".join(parts)


def _span(nights: list[date]) -> str:
    if not nights:
        return ""
    first, last = nights[0].isoformat(), nights[-1].isoformat()
    return first if first == last else f"{first} to {last}"


def position_of(solution: PlateSolution | None) -> tuple[float, float] | None:
    """Return right ascension and declination, degrees, if the solution has both and they are a position."""
    if solution is None or solution.ra_deg is None or solution.dec_deg is None:
        return None
    if not (math.isfinite(solution.ra_deg) and -90 <= solution.dec_deg <= 90):
        return None
    return solution.ra_deg, solution.dec_deg


def _solution(
    image: CatalogueImage, policy: DescriptionPolicy, pixels: tuple[int, int] | None
) -> dict[str, str]:
    solution = image.solution
    if solution is None:
        return {}
    found = {}
    if position := position_of(solution):
        digits = policy.precision_arcsec
        found["ra"] = astronomy.format_ra(position[0], decimals=digits + 1)
        found["dec"] = astronomy.format_dec(position[1], decimals=digits)
    width, height = solution.width_arcsec or 0, solution.height_arcsec or 0
    if 0 < width < math.inf and 0 < height < math.inf:
        found["field"] = astronomy.format_angle_field(width / 3600, height / 3600)
        if pixels and (scale := astronomy.pixel_scale(width, height, *pixels)):
            found["pixel_scale"] = astronomy.format_pixel_scale(scale)
    if solution.rotation_deg is not None and math.isfinite(solution.rotation_deg):
        found["rotation"] = astronomy.format_rotation(solution.rotation_deg)
    return found
