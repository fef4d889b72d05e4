"""How long the picture was exposed: the sub-exposures by filter and by night, lights only."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.bidi import isolated
from reconciler.core.catalogue import Acquisition
from reconciler.core.sky import astronomy
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from reconciler.core.catalogue import Summary
    from reconciler.core.desired.language import Language

_LEADING_NUMBER = re.compile(r"\s*\d+(?:\.\d+)?")
_LENGTH = re.compile(
    r"(?:1\s*/\s*0*([1-9]\d{,5})|(\d{1,7}(?:\.\d{1,9})?))\s*(?:s|secs?|seconds?|″|\")?", re.IGNORECASE
)
_NO_LIGHTS = re.compile(
    r"(?:master[\s_-]*)?(?:darks?[\s_-]*flats?|flats?[\s_-]*darks?|darks?|flats?|bias(?:es)?|offsets?)"
    r"(?:[\s_-]*frames?)?",
    re.IGNORECASE,
)
_SAME_SHARE, _SAME_SECONDS = 0.01, 0.5
"""Lengths within this share of each other, and so many seconds, are one: a clock noted them."""
_SAME_DEGREES: Final = 0.5
_WHOLE_DEGREE: Final = 0.25


@dataclass(frozen=True, slots=True)
class FilterIntegration:
    """The sub-exposures through one filter."""

    filter: str
    """Name; ``No filter`` when none was entered; empty where rows do not tell filters apart at all."""
    subs: str
    """``60 × 300 s``; several lengths are joined: ``60 × 300 s + 20 × 60 s``."""
    total: str
    """``5h``."""
    details: str
    """``gain 100, offset 50, −10 °C, bin 2×2``, where all rows agree; else what they agree on."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows through one filter, and their lengths: pairs of seconds and frames."""

    name: str
    rows: list[Acquisition]
    lengths: list[tuple[float, int]]

    @property
    def seconds(self) -> float:
        return sum(seconds * frames for seconds, frames in self.lengths)


def is_guessed(summary: Summary) -> bool:
    """Return whether the total is only what Skymmich's import makes of a picture: its EXIF exposure, once.

    That says nothing of a stack, and reads ``1/60`` as one second.
    """
    return (summary.frame_count or 1) <= 1 and _is_one_exposure(summary)


def _is_one_exposure(summary: Summary) -> bool:
    leading = _LEADING_NUMBER.match(summary.exposure_time or "")
    if leading is None:
        return False
    return math.isclose((summary.integration_hours or 0) * 3600, float(leading[0]), rel_tol=1e-3)


def flat_row(summary: Summary) -> Acquisition | None:
    """Return the one row that Skymmich's flat columns tell of: frames of a length that make up the total.

    Where the total is still that of a single exposure, as the import made it, frames and length are newer.
    """
    match = _LENGTH.fullmatch((summary.exposure_time or "").strip())
    frames, hours = summary.frame_count or 0, summary.integration_hours or 0
    if match is None or frames < 2 or not 0 < hours < math.inf:
        return None
    seconds = 1 / int(match[1]) if match[1] else float(match[2])
    agrees = math.isclose(frames * seconds, hours * 3600, rel_tol=_SAME_SHARE)
    if seconds <= 0 or not (agrees or _is_one_exposure(summary)):
        return None
    return Acquisition(None, frames, seconds)


@lru_cache(maxsize=1024)
def _is_calibration(filter_name: str) -> bool:
    return _NO_LIGHTS.fullmatch(one_line(filter_name)) is not None


def lights(rows: Sequence[Acquisition]) -> Sequence[Acquisition]:
    """Return the rows without those that are darks, flats or bias frames by what their filter is called."""
    if not any(row.filter_name and _is_calibration(row.filter_name) for row in rows):
        return rows
    return [row for row in rows if not (row.filter_name and _is_calibration(row.filter_name))]


def usable(rows: Iterable[Acquisition]) -> list[Acquisition]:
    """Return the rows that say how many frames of which length there are."""
    return [row for row in rows if row.frame_count > 0 and 0 < row.exposure_s < math.inf]


def per_filter(
    rows: Iterable[Acquisition], language: Language, *, unnamed: str | None = None, iso: int | None = None
) -> tuple[tuple[FilterIntegration, ...], float]:
    """Sum the sub-exposures up by filter, in order of their first rows.

    Args:
        rows: usable lights.
        language: of the words.
        unnamed: what stands for the name where none was entered, instead of ``No filter``.
        iso: speed of the camera, of all rows.

    Returns:
        What each filter has, and the seconds of all: those that frames and lengths shown make up.
    """
    groups = _grouped(rows, language.say("No filter") if unnamed is None else unnamed)
    speed = (f"ISO {iso}",) if iso else ()
    found = tuple(
        FilterIntegration(
            filter=group.name,
            subs=_subs(group, language),
            total=astronomy.format_integration(group.seconds, language.formats),
            details=", ".join((*_details(group.rows, language), *speed)),
        )
        for group in groups
    )
    return found, sum(group.seconds for group in groups)


def per_night(rows: Iterable[Acquisition], language: Language) -> tuple[str, ...]:
    """Return a line for each night, in order: ``2023-02-01: Ha 20 × 300 s, OIII 10 × 300 s (2h 30m)``."""
    nights: dict[date, list[Acquisition]] = {}
    for row in rows:
        if row.night is not None:
            nights.setdefault(row.night, []).append(row)
    lines = []
    for night, of_night in sorted(nights.items()):
        groups = _grouped(of_night, "")
        subs = ", ".join(f"{isolated(group.name)} {_subs(group, language)}".strip() for group in groups)
        total = astronomy.format_integration(sum(group.seconds for group in groups), language.formats)
        lines.append(f"{language.formats.date(night)}: {subs} ({total})")
    return tuple(lines)


def _grouped(rows: Iterable[Acquisition], unnamed: str) -> list[_Group]:
    by_name: dict[str, list[Acquisition]] = {}
    for row in rows:
        by_name.setdefault(one_line(row.filter_name or "") or unnamed, []).append(row)
    return [_Group(name, group, lengths_of(group)) for name, group in by_name.items()]


def lengths_of(rows: Iterable[Acquisition]) -> list[tuple[float, int]]:
    """Return the lengths of sub-exposures in seconds with their frames, in order of their first rows.

    Lengths that a clock's jitter explains are one, their median: all within 1 % and half a second of it.
    """
    frames: dict[float, int] = {}
    for row in rows:
        frames[row.exposure_s] = frames.get(row.exposure_s, 0) + row.frame_count
    if len(frames) < 2:
        return list(frames.items())
    runs: list[list[float]] = []
    for seconds in sorted(frames):
        if runs and seconds - runs[-1][-1] <= _tolerance(runs[-1][-1]):
            runs[-1].append(seconds)
        else:
            runs.append([seconds])
    median_of: dict[float, float] = {}
    for run in runs:
        median = _median([(seconds, frames[seconds]) for seconds in run])
        is_one = all(abs(seconds - median) <= _tolerance(median) for seconds in run)
        median_of |= {seconds: median if is_one else seconds for seconds in run}
    found: dict[float, int] = {}
    for seconds, count in frames.items():
        found[median_of[seconds]] = found.get(median_of[seconds], 0) + count
    return list(found.items())


def _tolerance(seconds: float) -> float:
    return min(seconds * _SAME_SHARE, _SAME_SECONDS)


def _median(values: Sequence[tuple[float, int]]) -> float:
    """Return the lower median of sorted values with their counts: one of them, whatever the counts."""
    half, passed = sum(count for _, count in values) / 2, 0
    for value, count in values:
        passed += count
        if passed >= half:
            return value
    return values[-1][0]


def _subs(group: _Group, language: Language) -> str:
    return " + ".join(
        f"{frames} × {astronomy.format_exposure(seconds, language.formats, frames=frames)}"
        for seconds, frames in group.lengths
    )


def _details(rows: list[Acquisition], language: Language) -> list[str]:
    def agreed(key: Literal["gain", "offset", "binning"]) -> str:
        values = {getattr(row, key) for row in rows}
        return "" if len(values) != 1 or None in values else f"{values.pop()}"

    parts = []
    if gain := agreed("gain"):
        parts.append(language.say("gain {gain}", gain=gain))
    if offset := agreed("offset"):
        parts.append(language.say("offset {offset}", offset=offset))
    if temperature := _temperature(rows):
        parts.append(f"{language.formats.number(temperature)} °C")
    if (binning := one_line(agreed("binning")).replace("x", "×")) and binning not in {"1", "1×1"}:
        parts.append(language.say("bin {binning}", binning=binning))
    return parts


def _temperature(rows: list[Acquisition]) -> str:
    """Return the sensor's temperature where all rows have one; a regulated sensor swings a little."""
    values = [(row.sensor_temp_c, row.frame_count) for row in rows if row.sensor_temp_c is not None]
    if len(values) < len(rows) or not all(math.isfinite(value) for value, _ in values):
        return ""
    median = _median(sorted(values))
    # Compared with a hair's breadth: 0.1 and 0.2 are no exact numbers.
    if any(abs(value - median) > _SAME_DEGREES + 1e-9 for value, _ in values):
        return ""
    whole = round(median)
    shown = whole if abs(median - whole) <= _WHOLE_DEGREE + 1e-9 else round(median, 1)
    return f"{shown + 0:g}".replace("-", "−")


def span_of(nights: list[date], language: Language) -> str:
    """Write first and last night, sorted before: ``2023-02-01 to 2023-04-01``."""
    if not nights:
        return ""
    first, last = language.formats.date(nights[0]), language.formats.date(nights[-1])
    return first if first == last else language.say("{first} to {last}", first=first, last=last)
