"""How long the picture was exposed: the sub-exposures by filter, and the nights."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.core.sky import astronomy
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from reconciler.core.catalogue import Acquisition, Summary
    from reconciler.core.desired.language import Language

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


def is_guessed(summary: Summary) -> bool:
    """Return whether the total is only what Skymmich's import makes of a picture: its EXIF exposure, once.

    That says nothing of a stack, and reads ``1/60`` as one second.
    """
    leading = _LEADING_NUMBER.match(summary.exposure_time or "")
    if leading is None or (summary.frame_count or 1) > 1:
        return False
    return math.isclose((summary.integration_hours or 0) * 3600, float(leading[0]), rel_tol=1e-3)


def usable(rows: Iterable[Acquisition]) -> list[Acquisition]:
    """Return the rows that say how many frames of which length there are."""
    return [row for row in rows if row.frame_count > 0 and 0 < row.exposure_s < math.inf]


def per_filter(rows: Iterable[Acquisition], language: Language) -> tuple[FilterIntegration, ...]:
    """Sum the sub-exposures up by filter, in order of their first rows."""
    groups: dict[str, list[Acquisition]] = {}
    for row in rows:
        groups.setdefault(one_line(row.filter_name or "") or language.say("No filter"), []).append(row)
    found = []
    for name, group in groups.items():
        lengths: dict[float, int] = {}
        for row in group:
            lengths[row.exposure_s] = lengths.get(row.exposure_s, 0) + row.frame_count
        found.append(
            FilterIntegration(
                filter=name,
                subs=" + ".join(
                    f"{n} × {astronomy.format_exposure(s, language.formats)}" for s, n in lengths.items()
                ),
                total=astronomy.format_integration(sum(s * n for s, n in lengths.items()), language.formats),
                details=_details(group, language),
            )
        )
    return tuple(found)


def _details(rows: list[Acquisition], language: Language) -> str:
    def agreed(key: Literal["gain", "offset", "sensor_temp_c", "binning"]) -> str:
        values = {getattr(row, key) for row in rows}
        return "" if len(values) != 1 or None in values else f"{values.pop()}"

    parts = []
    if gain := agreed("gain"):
        parts.append(language.say("gain {gain}", gain=gain))
    if offset := agreed("offset"):
        parts.append(language.say("offset {offset}", offset=offset))
    if temperature := agreed("sensor_temp_c"):
        degrees = f"{float(temperature):+g}".replace("-", "−").removeprefix("+")
        parts.append(f"{language.formats.number(degrees)} °C")
    if (binning := one_line(agreed("binning")).replace("x", "×")) and binning not in {"1", "1×1"}:
        parts.append(language.say("bin {binning}", binning=binning))
    return ", ".join(parts)


def span_of(nights: list[date], language: Language) -> str:
    """Write first and last night, sorted before: ``2023-02-01 to 2023-04-01``."""
    if not nights:
        return ""
    first, last = language.formats.date(nights[0]), language.formats.date(nights[-1])
    return first if first == last else language.say("{first} to {last}", first=first, last=last)
