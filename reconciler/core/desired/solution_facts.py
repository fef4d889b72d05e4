"""Where the picture points: the plate solution as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reconciler.core.desired.language import language_of
from reconciler.core.sky import astronomy

if TYPE_CHECKING:
    from reconciler.core.catalogue import CatalogueImage, PlateSolution
    from reconciler.core.policy import DescriptionPolicy


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
    found, formats = {}, language_of(policy.language).formats
    if position := position_of(solution):
        digits = policy.precision_arcsec
        found["ra"] = astronomy.format_ra(position[0], decimals=digits + 1, formats=formats)
        found["dec"] = astronomy.format_dec(position[1], decimals=digits, formats=formats)
    width, height = solution.width_arcsec or 0, solution.height_arcsec or 0
    if 0 < width < math.inf and 0 < height < math.inf:
        found["field"] = astronomy.format_angle_field(width / 3600, height / 3600, formats)
        if pixels and (scale := astronomy.pixel_scale(width, height, *pixels)):
            found["pixel_scale"] = astronomy.format_pixel_scale(scale, formats)
    if solution.rotation_deg is not None and math.isfinite(solution.rotation_deg):
        found["rotation"] = astronomy.format_rotation(solution.rotation_deg, formats)
    return found
