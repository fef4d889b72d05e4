"""The state of everything in one value, with its level: pure, from conditions and counts.

The first row that holds decides:

============================================================ ================== ===========
state                                                        code               level
============================================================ ================== ===========
something that a pass depends on is broken                   ``broken``         trouble
switched off in Skymmich                                     ``off``            off
paused by a person                                           ``paused``         attention
a pass is writing                                            ``writing``        unknown
never looked through to the end                              ``not_looked``,    unknown
                                                             ``first_look``
nobody has begun it: nothing is written yet                  ``asks``           attention
begun with some images: nothing else is written              ``trying``         attention
it only observes                                             ``observes``       off
a run over all that a person asked for has begun, or waits   ``working``        unknown
looked at too long ago                                       ``stale``          unknown
held by guard or canary, a permission missing for a part     ``waiting``        attention
an image is not in sync                                      ``not_in_sync``    attention
an edit may be missing, and nobody has looked yet            ``edit_missing``   attention
all is taken back, or left out: nothing is from here         ``taken_back``,    off
                                                             ``left_out``
all else: in sync, and looked at lately                      ``in_sync``        ok
============================================================ ================== ===========

The words are ``reconciler.messages.headlines``'.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.permission import UNASKED, Permission
from reconciler.core.records import FINE
from reconciler.service.api import Headline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.core.records import AssetStatus
    from reconciler.engine.events import Progress
    from reconciler.service.api import Condition, ConditionReason, ConditionType, HeadlineCode

TROUBLE: Final[tuple[ConditionType, ...]] = (
    "StoreWritable",
    "Configured",
    "Writer",
    "Working",
    "CatalogueReadable",
    "ImmichReachable",
    "Permitted",
)
"""The conditions without which nothing is done, the most basic first."""
_ATTENTION: Final[tuple[ConditionType, ...]] = (
    "GuardClear",
    "CanaryClear",
    "Permitted",
    "ConfigurationCurrent",
)
_LEFT_ALONE: Final[tuple[AssetStatus, ...]] = ("undone", "left_out")
"""The states of images that are fine because nothing is written to them: told beside those in sync."""
PARTLY: Final[ConditionReason] = "PartlyPermitted"
"""The reason of ``Permitted`` when a part of the work goes on without what is missing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the headline is made of, at one moment."""

    now: datetime
    fresh_for: float
    """Seconds for which a look counts."""
    checked_at: datetime | None = None
    next_look: datetime | None = None
    counts: Mapping[AssetStatus, int] = field(default_factory=dict)
    """Images by status."""
    crossed: int = 0
    """Images of which an edit may have crossed with a write, and nobody has looked."""
    conditions: Mapping[ConditionType, Condition] = field(default_factory=dict)
    paused: bool = False
    progress: Progress | None = None
    """Of the pass that runs, if it told any."""
    running: bool = False
    asked: bool = False
    """Whether a person asked for a run over all that runs, or is the next to."""
    permission: Permission = UNASKED
    images: int = 0
    """Linked images, and those that would be written, where nothing may be."""
    changing: int = 0


def headline(standing: Standing) -> Headline:  # noqa: C901, PLR0911, PLR0912 - a table reads best as one
    """Return how things stand; the table above is this function."""
    now = standing.now
    looked = None if standing.checked_at is None else (now - standing.checked_at).total_seconds()
    upcoming = None if standing.next_look is None else (standing.next_look - now).total_seconds()
    for kind in TROUBLE:
        if (broken := _broken(standing, kind)) is not None and broken.reason != PARTLY:
            return Headline("broken", "trouble", condition=broken)
    if (broken := _broken(standing, "SyncEnabled")) is not None:
        return Headline("off", "off", condition=broken)
    if standing.paused:
        return Headline("paused", "attention", looked=looked)
    progress = standing.progress
    if progress is not None and progress.phase in {"writing", "done"} and progress.total:
        return Headline("writing", "unknown", progress=progress)
    if looked is None:
        return Headline("first_look" if standing.running else "not_looked", "unknown")
    if standing.permission.standing != "begun":
        return replace(_not_begun(standing), looked=looked, next_look=upcoming)
    if standing.asked:
        return Headline("working", "unknown", looked=looked)
    if not is_fresh(standing):
        return Headline("stale", "unknown", looked=looked)
    for kind in _ATTENTION:
        if (broken := _broken(standing, kind)) is not None:
            return Headline("waiting", "attention", condition=broken)
    total = sum(count for status, count in standing.counts.items() if status != "unlinked")
    odd = {status: count for status, count in standing.counts.items() if status not in FINE and count}
    said = Headline("in_sync", "ok", images=total, counts=odd, crossed=standing.crossed, looked=looked)
    alone = {status: count for status in _LEFT_ALONE if (count := standing.counts.get(status, 0))}
    if odd:
        told = {**odd, **alone}
        return replace(said, code="not_in_sync", level="attention", counts=told)
    if standing.crossed:
        return replace(said, code="edit_missing", level="attention")
    return _fine(replace(said, next_look=upcoming), total, alone)


def _fine(said: Headline, total: int, alone: Mapping[AssetStatus, int]) -> Headline:
    """Return what is said where nothing needs a person; where all is left alone, nothing is in sync."""
    if not total or total > sum(alone.values()):
        return replace(said, images=total - sum(alone.values()), counts=alone)
    code: HeadlineCode = "taken_back" if "undone" in alone else "left_out"
    first: AssetStatus = "undone" if "undone" in alone else "left_out"
    others = {status: count for status, count in alone.items() if status != first}
    return replace(said, code=code, level="off", images=alone[first], counts=others)


def _not_begun(standing: Standing) -> Headline:
    """Return what is said while not everything may be written."""
    permission = standing.permission
    if permission.standing == "trying" and permission.begun is not None:
        return Headline("trying", "attention", images=len(permission.begun.first or ()))
    asks = permission.waits
    return Headline(
        "asks" if asks else "observes",
        "attention" if asks else "off",
        images=standing.images,
        changing=standing.changing,
    )


def is_fresh(standing: Standing) -> bool:
    """Return whether the last look at everything is recent enough to speak of now."""
    if standing.checked_at is None:
        return False
    # A look in the future is a clock that jumped: nothing is known then.
    return -standing.fresh_for <= (standing.now - standing.checked_at).total_seconds() <= standing.fresh_for


def _broken(standing: Standing, kind: ConditionType) -> Condition | None:
    condition = standing.conditions.get(kind)
    return condition if condition is not None and condition.status == "False" else None
