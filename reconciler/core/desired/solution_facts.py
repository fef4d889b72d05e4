"""Where the picture points: the plate solution as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.language import language_of
from reconciler.core.sky import astronomy
from reconciler.core.sky.plane import true_angle_deg
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from reconciler.core.catalogue import CatalogueImage, PlateSolution
    from reconciler.core.desired.language import Language
    from reconciler.core.policy import DescriptionPolicy


WIDE_DEG: Final = 10.0
"""Field from which a tangent plane is told from the sky by what is shown."""
_LONGEST_LINE: Final = 120
"""Characters of names."""


def position_of(solution: PlateSolution | None) -> tuple[float, float] | None:
    """Return right ascension and declination, degrees, if the solution has both and they are a position."""
    if solution is None or solution.ra_deg is None or solution.dec_deg is None:
        return None
    if not (math.isfinite(solution.ra_deg) and -90 <= solution.dec_deg <= 90):
        return None
    return solution.ra_deg, solution.dec_deg


def solution_facts(
    image: CatalogueImage, policy: DescriptionPolicy, pixels: tuple[int, int] | None
) -> dict[str, str]:
    """Return those of ``Facts`` that the plate solution gives, by name."""
    solution = image.solution
    if solution is None:
        return {}
    found: dict[str, str] = {}
    language = language_of(policy.language)
    formats = language.formats
    if position := position_of(solution):
        digits = policy.precision_arcsec
        found["ra"] = astronomy.format_ra(position[0], decimals=digits + 1, formats=formats)
        found["dec"] = astronomy.format_dec(position[1], decimals=digits, formats=formats)
    width, height = solution.width_arcsec or 0, solution.height_arcsec or 0
    if 0 < width < math.inf and 0 < height < math.inf:
        found |= _size(width, height, pixels, language)
    if solution.position_angle_deg is not None and math.isfinite(solution.position_angle_deg):
        found["rotation"] = astronomy.format_rotation(solution.position_angle_deg, formats)
    return found


def _size(width: float, height: float, pixels: tuple[int, int] | None, language: Language) -> dict[str, str]:
    """Return field and pixel scale; sides are in arcseconds of the tangent plane."""
    sides = width / 3600, height / 3600
    is_wide = max(sides) >= WIDE_DEG
    if is_wide:
        across, along = true_angle_deg(width), true_angle_deg(height)
        if across is None or along is None:
            return {}
        sides = across, along
    found = {"field": astronomy.format_angle_field(*sides, language.formats)}
    if pixels and (scale := astronomy.pixel_scale(width, height, *pixels)):
        text = astronomy.format_pixel_scale(scale, language.formats)
        found["pixel_scale"] = language.say("{scale} at the centre", scale=text) if is_wide else text
    return found


def field_line(image: CatalogueImage, policy: DescriptionPolicy) -> tuple[tuple[str, ...], bool]:
    """Return what else is in the picture, for a line that is not too long, and whether there is more."""
    names = others_in_field(image)
    told: list[str] = []
    length = 0
    for name in names[: policy.most_field_objects]:
        length += len(name) + 2
        if length > _LONGEST_LINE:
            break
        told.append(name)
    return tuple(told), len(told) < len(names)


def others_in_field(image: CatalogueImage) -> tuple[str, ...]:
    """Return the names of what is in the picture besides its target, best known first."""
    if image.solution is None:
        return ()
    return tuple(one_line(each.name) for each in image.solution.objects if not each.is_target)
