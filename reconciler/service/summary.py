"""One sentence and one colour for the state of everything: pure, from conditions and counts.

The first row that holds decides:

============================================================ ===========
state                                                        level
============================================================ ===========
something that a pass depends on is broken                   trouble
switched off in Skymmich                                     off
paused by a person                                           attention
a pass is writing                                            unknown
never looked through to the end, or too long ago             unknown
held by guard or canary, a permission missing for a part     attention
an image is not in sync                                      attention
an edit may be missing, and nobody has looked yet            attention
all else: in sync, and looked at lately                      ok
============================================================ ===========
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.core.records import FINE
from reconciler.engine.outcomes import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.engine.events import Progress
    from reconciler.service.api import Condition, Level

TROUBLE = (
    "StoreWritable",
    "Configured",
    "Writer",
    "Working",
    "CatalogueReadable",
    "ImmichReachable",
    "Permitted",
)
"""The conditions without which nothing is done, the most basic first."""
_ATTENTION = ("GuardClear", "CanaryClear", "Permitted", "ConfigurationCurrent")
MISSING = "an edit may be missing"
"""What is said of images that somebody saved between our reading and our write."""
PARTLY = "PartlyPermitted"
"""The reason of ``Permitted`` when a part of the work goes on without what is missing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the headline is made of, at one moment."""

    now: datetime
    fresh_for: float
    """Seconds for which a look counts."""
    checked_at: datetime | None = None
    next_look: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    """Images by status."""
    crossed: int = 0
    """Images of which an edit may have crossed with a write, and nobody has looked."""
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    paused: bool = False
    progress: Progress | None = None
    """Of the pass that runs, if it told any."""
    running: bool = False


def headline(standing: Standing) -> tuple[str, Level]:  # noqa: PLR0911 - a table reads best as one
    """Return the sentence and its level; the table above is this function."""
    for kind in TROUBLE:
        if (message := _broken(standing, kind)) is not None and not _is_partial(standing, kind):
            return f"Trouble: {message}", "trouble"
    if (message := _broken(standing, "SyncEnabled")) is not None:
        return f"Off: {message}", "off"
    if standing.paused:
        return f"Paused by a person: nothing is done by itself{_looked(standing, '; ')}", "attention"
    if (working := _working(standing)) is not None:
        return working, "unknown"
    if not is_fresh(standing):
        return _stale(standing), "unknown"
    for kind in _ATTENTION:
        if (message := _broken(standing, kind)) is not None:
            return f"Attention: {message}", "attention"
    total = sum(count for status, count in standing.counts.items() if status != "unlinked")
    if (left := _left_to_do(standing, total)) is not None:
        return f"Attention: {left}{_looked(standing)}", "attention"
    undone = standing.counts.get("undone", 0)
    left = f", {undone} {WORDS['undone']}" if undone else ""
    return f"In sync: {_images(total - undone)}{left}{_looked(standing)}{_next(standing)}", "ok"


def is_fresh(standing: Standing) -> bool:
    """Return whether the last look at everything is recent enough to speak of now."""
    if standing.checked_at is None:
        return False
    # A look in the future is a clock that jumped: nothing is known then.
    return -standing.fresh_for <= (standing.now - standing.checked_at).total_seconds() <= standing.fresh_for


def lasting(seconds: float) -> str:
    """Write a duration for people: ``38 s``, ``12 min``, ``5 h``, ``3 d``."""
    for unit, name, limit in ((1.0, "s", 120.0), (60.0, "min", 7200.0), (3600.0, "h", 172_800.0)):
        if seconds < limit:
            return f"{max(0.0, seconds) / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"


def _broken(standing: Standing, kind: str) -> str | None:
    condition = standing.conditions.get(kind)
    return condition.message if condition is not None and condition.status == "False" else None


def _is_partial(standing: Standing, kind: str) -> bool:
    return standing.conditions[kind].reason == PARTLY


def _working(standing: Standing) -> str | None:
    progress = standing.progress
    if progress is None or progress.phase != "writing" or not progress.total:
        return None
    waiting = f", {progress.waiting} waiting for Immich" if progress.waiting else ""
    return f"Writing: {progress.done} of {_images(progress.total)} done{waiting}"


def _left_to_do(standing: Standing, total: int) -> str | None:
    """Return what is not in sync, and where a person has to look; ``None``: nothing."""
    odd = {status: count for status, count in standing.counts.items() if status not in FINE and count}
    missing = f"{MISSING} in {standing.crossed}" if standing.crossed else ""
    if not odd:
        return f"{missing} of {_images(total)}" if missing else None
    parts = [f"{count} {WORDS.get(status, status)}" for status, count in sorted(odd.items())]
    return f"{sum(odd.values())} of {_images(total)}: {', '.join([*parts, missing] if missing else parts)}"


def _stale(standing: Standing) -> str:
    if standing.checked_at is None:
        return "Looking at catalogue and Immich for the first time" if standing.running else "Not looked yet"
    age = lasting((standing.now - standing.checked_at).total_seconds())
    return f"Unknown: the last look that went through was {age} ago"


def _looked(standing: Standing, before: str = ", ") -> str:
    if standing.checked_at is None:
        return ""
    return f"{before}checked {lasting((standing.now - standing.checked_at).total_seconds())} ago"


def _next(standing: Standing) -> str:
    if standing.next_look is None:
        return ""
    return f", next look in {lasting((standing.next_look - standing.now).total_seconds())}"


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"
