"""Focal length and ratio of what the picture was taken through, and whether they fit its field.

A wrong focal length in the catalogue is worth knowing: the field that the solver found and the size of the
picture tell a pixel's scale, and so do focal length and the camera's pixels.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.equipment_facts import imaging, kinds_of, length_of, number_of
from reconciler.core.desired.integration_facts import lights
from reconciler.core.reasons import Reason, reason
from reconciler.core.sky import astronomy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.catalogue import CatalogueImage, Equipment
    from reconciler.core.sky.formats import Formats

_FACTOR_KEYS: Final = frozenset(
    {"factor", "reduction", "reductionfactor", "reducerfactor", "focalfactor", "magnification",
     "magnificationfactor", "multiplier", "barlowfactor", "extenderfactor"}
)  # fmt: skip
_CHANGES_LENGTH = re.compile(
    r"reduc|flat(?:te)?ner|correct|barlow|extend|powermate|tele[\s-]?(?:con|com|cent)|focal|starizona|reduktor|reducteur",
    re.IGNORECASE,
)
_TIMES = re.compile(
    r"(?<![\w.,])(?:(\d(?:[.,]\d{1,3})?|[.,]\d{1,3})\s?[x×]|[x×]\s?(\d?[.,]\d{1,3}|\d))(?!\w)", re.IGNORECASE
)
_LEAST, _MOST = 0.3, 6.0
"""Factors of reducers and extenders that are built."""
_ARCSEC: Final = 206.265
"""Arcseconds that a micrometre covers at a millimetre's distance."""
_TOLERATED: Final = (1.0, 2.0, 0.5, 3.0, 1 / 3, 1.5, 1 / 1.5)
"""Between the two scales, where nothing is wrong: drizzle and binning."""
_DIFFERENT: Final = 0.05
_RESOLUTION = re.compile(r"\s*(\d{3,6})\s*[x×*]\s*(\d{3,6})\s*(?:px|pixels?)?\s*", re.IGNORECASE)
_BINNING = re.compile(r"\s*([1-8])(?:\s*[x×]\s*([1-8]))?\s*")


def optics_of(image: CatalogueImage, kinds: Mapping[int, str], formats: Formats) -> str:
    """Return focal length and ratio of the one telescope: its own, else Skymmich's flat columns.

    A reducer or extender between telescope and camera changes both.
    """
    scopes = imaging(image, kinds, "telescope")
    if len(scopes) > 1:
        return ""
    factor: float | None = 1.0
    if scopes:
        specifications = dict(scopes[0].specifications)
        length = length_of(scopes[0])
        ratio = str(specifications.get("focalRatio") or specifications.get("fRatio") or "").strip()
        factor = factor_of(image, kinds)
    elif any(piece.kind == "telescope" for piece in image.equipment):
        return ""  # a guide scope alone: Skymmich's flat columns are that one's
    else:
        length, ratio = number_of(image.summary.focal_length_mm), (image.summary.aperture or "").strip()
    if factor is None:
        return ""
    parts = [f"{length * factor:.0f} mm"] if length else []
    if number := number_of(ratio.lower().removeprefix("f").strip("/ ")):
        shown = number if factor == 1 else round(number * factor, 1)
        parts.append(f"f/{formats.number(f'{shown:g}')}")
    return " ".join(parts)


def factor_of(image: CatalogueImage, kinds: Mapping[int, str]) -> float | None:
    """Return by what reducers and extenders change the focal length; ``None`` where two contend."""
    factors = [
        factor
        for piece in image.equipment
        if kinds[piece.equipment_id] not in {"telescope", "camera", "mount", "filter", "software", "guiding"}
        and (factor := _factor(piece)) is not None
    ]
    return 1.0 if not factors else factors[0] if len(factors) == 1 else None


def _factor(piece: Equipment) -> float | None:
    for key, value in piece.specifications:
        if key.lower().replace("_", "").replace(" ", "").replace("-", "") in _FACTOR_KEYS:
            factor = number_of(str(value).lower().strip().strip("x×").replace(",", "."))
            if factor is not None and _LEAST <= factor <= _MOST:
                return factor
    return _factor_of_name(piece.name)


@lru_cache(maxsize=1024)
def _factor_of_name(name: str) -> float | None:
    """Return the one factor that a name has: ``0.79x``, or, where it says what it is, ``2x Barlow``."""
    numbers = {float((match[1] or match[2]).replace(",", ".")) for match in _TIMES.finditer(name)}
    if len(numbers) != 1:
        return None
    (factor,) = numbers
    says = _CHANGES_LENGTH.search(name) is not None or 0.5 <= factor < 1
    return factor if says and _LEAST <= factor <= _MOST else None


def scale_problem(image: CatalogueImage, pixels: tuple[int, int] | None) -> Reason | None:
    """Return the reason that tells of a field that does not fit the optics, with the scales of both.

    Args:
        image: the catalogue's image.
        pixels: width and height of the original, when known.
    """
    solution = image.solution
    if pixels is None or solution is None or not image.equipment:
        return None
    solved = astronomy.pixel_scale(solution.width_arcsec, solution.height_arcsec, *pixels)
    if not solved or (expected := _scale_of_optics(image, pixels)) is None:
        return None
    if any(abs(solved / expected / factor - 1) <= _DIFFERENT for factor in _TOLERATED):
        return None
    return reason(
        "scale_differs",
        solved=astronomy.format_pixel_scale(solved),
        optics=astronomy.format_pixel_scale(expected),
    )


def _scale_of_optics(image: CatalogueImage, pixels: tuple[int, int]) -> float | None:
    """Return what a pixel covers by focal length and sensor; ``None``: it cannot be told."""
    kinds = kinds_of(image)
    scopes, cameras = imaging(image, kinds, "telescope"), imaging(image, kinds, "camera")
    if len(scopes) != 1 or len(cameras) != 1:
        return None
    sensor = dict(cameras[0].specifications)
    length, size, factor = length_of(scopes[0]), number_of(sensor.get("pixelSize")), factor_of(image, kinds)
    if (
        length is None
        or size is None
        or factor is None
        or not _is_of_sensor(pixels, sensor.get("resolution"))
    ):
        return None
    found = _ARCSEC * size * _binning(image) / (length * factor)
    return found if 0 < found < math.inf else None


def _is_of_sensor(pixels: tuple[int, int], resolution: object) -> bool:
    """Return whether a picture may have a sensor's pixels; an export that was made smaller has not."""
    match = _RESOLUTION.fullmatch(str(resolution or ""))
    if match is None:
        return True
    sides = sorted((int(match[1]), int(match[2])))
    shares = [have / of for have, of in zip(sorted(pixels), sides, strict=True)]
    return any(all(abs(share / factor - 1) <= _DIFFERENT for share in shares) for factor in _TOLERATED)


def _binning(image: CatalogueImage) -> int:
    """Return the binning that all lights agree on, else 1: its factors are tolerated."""
    values = {row.binning for row in lights(image.acquisitions)}
    match = _BINNING.fullmatch(values.pop() or "") if len(values) == 1 else None
    return int(match[1]) if match and match[2] in {None, match[1]} else 1
