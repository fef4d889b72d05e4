"""Celestial positions and the figures of an image: read from text, and written as astronomers write them.

Pure arithmetic and text; each function that writes takes the signs of a language, English by default. Which
constellation a position lies in is `constellations`; what is shown of an image is `desired.facts`.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.core.sky.formats import ENGLISH

if TYPE_CHECKING:
    from reconciler.core.sky.formats import Formats

_MOST_SECONDS, _MOST_DECIMALS = 1e9, 12
_LONGEST = 64  # no position is longer; anything else is not worth a regular expression

_DECIMAL = re.compile(r"([+-]?)((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(h|d|deg|°)?")
_SEXAGESIMAL = re.compile(
    r"""([+-]?)\s*
        ([0-9]{1,3})\s*(h|d|deg|°|:|\s)\s*
        ([0-9]{1,2}(?:\.[0-9]*)?)\s*(?:m|min|'|:|\s|$)\s*
        (?:([0-9]{1,2}(?:\.[0-9]*)?)\s*(?:s|sec|"|'')?)?""",
    re.VERBOSE,
)
_PLAIN_SIGNS = str.maketrans(
    "−–‐‑′’ʹ″”ʺº˚ʰᵐˢ\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}", "----'''\"\"\"°°hms   "
)


def parse_ra(text: str | None) -> float | None:
    """Read a right ascension.

    Args:
        text: Decimal degrees (``"83.82"``), hours (``05h 35m 17.3s``, ``05:35:17.3``, ``05 35 17.3``), or
            sexagesimal degrees where the text says so (``83° 49′ 20″``).

    Returns:
        Degrees, 0 ≤ ra < 360; ``None`` for anything else.
    """
    parsed = _parse(text)
    if parsed is None:
        return None
    sign, value, unit = parsed
    degrees = sign * (value * 15 if unit in {"h", ":"} else value)
    return degrees + 0.0 if 0 <= degrees < 360 else None


def parse_dec(text: str | None) -> float | None:
    """Read a declination.

    Args:
        text: Decimal degrees (``"-5.39"``) or sexagesimal degrees (``-05° 23' 28"``, ``+69:03:55.1``,
            ``-00 15 00``), with the typographic signs too.

    Returns:
        Degrees, −90 ≤ dec ≤ 90; ``None`` for anything else.
    """
    parsed = _parse(text)
    if parsed is None:
        return None
    sign, value, unit = parsed
    if unit == "h" or value > 90:
        return None
    return sign * value + 0.0


def _parse(text: str | None) -> tuple[int, float, str] | None:
    """Sign, magnitude, and the unit as written: ``h``, ``d``, ``:`` (three parts, unit unsaid) or empty."""
    if text is None or len(text) > _LONGEST:
        return None
    plain = text.translate(_PLAIN_SIGNS).strip().lower()
    if match := _DECIMAL.fullmatch(plain):
        unit = match[3] or ""
        return _sign(match[1]), float(match[2]), unit if unit in {"", "h"} else "d"
    match = _SEXAGESIMAL.fullmatch(plain)
    if match is None or (match[5] is not None and "." in match[4]):
        return None
    minutes, seconds = float(match[4]), float(match[5] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    unit = match[3] if match[3] == "h" else ":" if match[3] == ":" or match[3].isspace() else "d"
    # The sign stands apart: −00° 15′ has a sign, though minus zero degrees has none as a number.
    return _sign(match[1]), int(match[2]) + minutes / 60 + seconds / 3600, unit


def _sign(text: str) -> int:
    return -1 if text == "-" else 1


def format_ra(degrees: float, *, decimals: int = 0, formats: Formats = ENGLISH) -> str:
    """Write a right ascension as ``00h 42m 47s``.

    Args:
        degrees: Any finite angle; it is brought into one turn.
        decimals: Digits after the point of the seconds.
        formats: The language's signs.

    Raises:
        ValueError: The angle is not finite.
    """
    _require_finite(degrees)
    hours, minutes, seconds = _sexagesimal((degrees % 360) / 15, decimals)
    return f"{hours % 24:02d}h {minutes:02d}m {formats.number(seconds)}s"


def format_dec(degrees: float, *, decimals: int = 0, formats: Formats = ENGLISH) -> str:
    """Write a declination as ``+41° 15′ 33″``; below zero with a true minus sign.

    Args:
        degrees: −90 … 90.
        decimals: Digits after the point of the arcseconds.
        formats: The language's signs.

    Raises:
        ValueError: The declination is out of range or not finite.
    """
    _require_finite(degrees)
    if abs(degrees) > 90:
        raise ValueError(f"a declination lies between −90° and 90°, not at {degrees}°")
    whole, minutes, seconds = _sexagesimal(abs(degrees), decimals)
    is_zero = whole == minutes == 0 and float(seconds) == 0
    sign = "−" if degrees < 0 and not is_zero else "+"
    return f"{sign}{whole:02d}° {minutes:02d}′ {formats.number(seconds)}″"


def _sexagesimal(value: float, decimals: int) -> tuple[int, int, str]:
    """Split a non-negative value into whole, minutes and the text of the seconds.

    It is rounded once, as a whole number of the smallest unit shown, so that nothing ever reads 60.
    """
    scale: int = 10**decimals
    minutes, rest = divmod(round(value * 3600 * scale), 60 * scale)
    seconds, fraction = divmod(rest, scale)
    text = f"{seconds:02d}" + (f".{fraction:0{decimals}d}" if decimals else "")
    return minutes // 60, minutes % 60, text


def _require_finite(value: float) -> None:
    if not math.isfinite(value):
        raise ValueError(f"not a finite number: {value}")


def format_angle_field(width_deg: float, height_deg: float, formats: Formats = ENGLISH) -> str:
    """Write a field of view: ``1.18° × 0.79°``, below one degree ``29.6′ × 19.8′``, then ``45.0″ × 30.0″``.

    The longer side decides the unit and the digits of both.

    Args:
        width_deg: Degrees, above zero.
        height_deg: Degrees, above zero.
        formats: The language's signs.

    Raises:
        ValueError: A side is not a finite number above zero.
    """
    for side in (width_deg, height_deg):
        _require_finite(side)
        if side <= 0:
            raise ValueError(f"a field of view has sides above zero, not {side}°")
    longer = max(width_deg, height_deg)
    # Compared as it would be shown, so that 59.97′ is already 1.00° and never 60.0′.
    if round(longer * 60, 1) >= 60:
        factor, unit = 1, "°"
        decimals = 2 if round(longer, 2) < 10 else 1
    elif round(longer * 3600, 1) >= 60:
        factor, unit, decimals = 60, "′", 1
    else:
        factor, unit, decimals = 3600, "″", 1
    sides = (f"{side * factor:.{decimals}f}" for side in (width_deg, height_deg))
    return " × ".join(f"{formats.number(side)}{unit}" for side in sides)


def format_integration(seconds: float, formats: Formats = ENGLISH) -> str:
    """Write a total exposure: ``13h 7m``, ``45m``, ``1m 30s`` (seconds only below ten minutes), ``30s``.

    Args:
        seconds: Zero or more.
        formats: The language's signs.

    Raises:
        ValueError: Not a finite number of zero or more.
    """
    _require_finite(seconds)
    if seconds < 0:
        raise ValueError(f"an integration is not shorter than nothing: {seconds} s")
    if 0 < seconds < 1:
        return f"{formats.number(_short(seconds))}{formats.seconds}"
    whole = round(seconds)
    if whole < 600:
        minutes, rest = divmod(whole, 60)
        parts = [(minutes, formats.minutes), (rest, formats.seconds)]
    else:
        hours, minutes = divmod(round(seconds / 60), 60)
        parts = [(hours, formats.hours), (minutes, formats.minutes)]
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or f"0{formats.seconds}"


def format_exposure(seconds: float, formats: Formats = ENGLISH, *, frames: int = 1) -> str:
    """Write the length of one sub-exposure: ``300 s``, ``1.25 s``, ``0.00032 s``, ``1/60 s``.

    Args:
        seconds: Zero or more.
        formats: The language's signs.
        frames: How many there are: there are as many digits as it takes that frames × length is the total.

    Raises:
        ValueError: Not a finite number of zero or more.
    """
    _require_finite(seconds)
    if seconds < 0:
        raise ValueError(f"an exposure is not shorter than nothing: {seconds} s")
    return f"{formats.number(_length(seconds, frames))} s"


@lru_cache(maxsize=4096)
def _length(seconds: float, frames: int) -> str:
    if not 0 < seconds < _MOST_SECONDS:
        return f"{seconds:.0f}"
    if fraction := _fraction(seconds):
        return fraction
    exact = Decimal(seconds)
    total = format_integration(frames * seconds)
    for decimals in range(_MOST_DECIMALS):
        shown = round(exact, decimals)
        if abs(shown - exact) <= exact / 1000 and format_integration(float(frames * shown)) == total:
            text = format(shown, "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
    return format(Decimal(repr(seconds)), "f")


def _fraction(seconds: float) -> str:
    """Return ``1/60`` for a shutter's time that three digits do not write exactly, else nothing."""
    if seconds > 0.5 or math.isclose(float(f"{seconds:.3g}"), seconds, rel_tol=1e-9):
        return ""
    parts = round(1 / seconds) if seconds > 1e-4 else 0
    return f"1/{parts}" if parts and abs(1 / seconds - parts) < min(0.01, parts * 1e-4) else ""


def _short(value: float) -> str:
    """Write one decimal, or below one three significant digits; without trailing zeros or an exponent."""
    rounded = f"{value:.1f}" if value >= 1 else format(Decimal(f"{value:.3g}"), "f")
    return rounded.rstrip("0").rstrip(".") if "." in rounded else rounded


def format_pixel_scale(arcsec: float, formats: Formats = ENGLISH) -> str:
    """Write a pixel scale, given in arcseconds per pixel: ``2.95″/px``.

    Raises:
        ValueError: Not a finite number above zero.
    """
    _require_finite(arcsec)
    if arcsec <= 0:
        raise ValueError(f"a pixel covers more than nothing: {arcsec}″")
    decimals = 1 if round(arcsec, 2) >= 10 else 2 if round(arcsec, 2) >= 0.1 else 3
    number = formats.number(f"{arcsec:.{decimals}f}")
    return f"{number}″/px"


def format_rotation(degrees: float, formats: Formats = ENGLISH) -> str:
    """Write a position angle, brought into 0 ≤ angle < 360: ``237.3°``.

    Raises:
        ValueError: The angle is not finite.
    """
    _require_finite(degrees)
    number = formats.number(f"{round(degrees % 360, 1) % 360:.1f}")
    return f"{number}°"


def pixel_scale(
    field_arcsec_w: float | None,
    field_arcsec_h: float | None,
    px_w: int | None,
    px_h: int | None,
) -> float | None:
    """Find what a pixel of the original covers.

    The solver saw a preview that was turned upright; the original's width and height are as stored in the
    file, so they may be swapped. The orientation is the one whose aspect ratio is the field's.

    Args:
        field_arcsec_w: The field's width as solved, arcseconds.
        field_arcsec_h: Its height.
        px_w: The original's width in pixels, as stored.
        px_h: Its height.

    Returns:
        Arcseconds per pixel; ``None`` when something is missing, or neither orientation fits within 3 %
        (another crop was solved than the one that is stored).
    """
    if field_arcsec_w is None or field_arcsec_h is None or px_w is None or px_h is None:
        return None
    if min(field_arcsec_w, field_arcsec_h, px_w, px_h) <= 0:
        return None
    if not (math.isfinite(field_arcsec_w) and math.isfinite(field_arcsec_h)):
        return None
    aspect = field_arcsec_w / field_arcsec_h
    mismatch = min(abs(aspect * px_h / px_w - 1), abs(aspect * px_w / px_h - 1))
    if mismatch > 0.03:
        return None
    return math.sqrt(field_arcsec_w * field_arcsec_h / (px_w * px_h))
