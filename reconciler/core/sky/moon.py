"""How much of the Moon is lit: after Jean Meeus, Astronomical Algorithms, 2nd edition, chapters 47 and 48."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

_JD_OF_ORDINAL: Final = 1_721_424.5
"""Julian day of the midnight that begins a day, less the day's proleptic Gregorian ordinal."""
_J2000: Final = 2_451_545.0
_CENTURY: Final = 36_525
_STEADY: Final = 0.02
"""Change within half a day up to which a night without a place has an illumination."""


def lit_fraction(julian_day: float) -> float:
    """Return the illuminated fraction of the Moon's disk, 0 … 1, seen from the Earth's centre.

    By the mean elements (47.2 to 47.4) and the phase angle (48.4), within half a hundredth. The difference of
    Universal and Terrestrial Time, about a minute, does not show.
    """
    t = (julian_day - _J2000) / _CENTURY
    elongation = math.radians((297.8501921 + 445_267.1114034 * t - 0.0018819 * t**2 + t**3 / 545_868) % 360)
    sun = math.radians((357.5291092 + 35_999.0502909 * t - 0.0001536 * t**2) % 360)
    moon = math.radians((134.9633964 + 477_198.8675055 * t + 0.0087414 * t**2 + t**3 / 69_699) % 360)
    angle = (
        180
        - math.degrees(elongation)
        - 6.289 * math.sin(moon)
        + 2.100 * math.sin(sun)
        - 1.274 * math.sin(2 * elongation - moon)
        - 0.658 * math.sin(2 * elongation)
        - 0.214 * math.sin(2 * moon)
        - 0.110 * math.sin(elongation)
    )
    return (1 + math.cos(math.radians(angle))) / 2


@lru_cache(maxsize=4096)
def lit_at_night(evening: date, longitude_deg: float | None) -> float | None:
    """Return the illuminated fraction at the middle of a night.

    Args:
        evening: the date on which the night began; its middle is the local midnight that ends that date.
        longitude_deg: of the place, east positive; ``None``: not known.

    Returns:
        ``None`` where no place is known and it matters.
    """
    midnight = evening.toordinal() + 1 + _JD_OF_ORDINAL
    if longitude_deg is not None:
        return lit_fraction(midnight - longitude_deg / 360)
    middle = lit_fraction(midnight)
    around = (lit_fraction(midnight - 0.5), lit_fraction(midnight + 0.5))
    return middle if all(abs(one - middle) <= _STEADY for one in around) else None
