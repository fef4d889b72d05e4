"""What of the daemon's state a notice can tell of, as matters; pure, from a snapshot and the images' states.

When each is told is ``core.notices``' to decide.

=========================================================== ================ ==============================
seen                                                        of               is the same while
=========================================================== ================ ==============================
something that a pass depends on is broken, the first       ``attention``    that condition does not hold
writes did not stick, a changed configuration is not used
an image failed, cannot be written, is not in Immich, or    ``attention``    that image is so
an edit may be missing in it
the guard holds something back                              ``guard``        it does, and not twice as much
an image is in conflict                                     ``conflict``     that image is
Immich did not keep what was written                        ``not_kept``     that image is so
Immich does not answer                                      ``immich_down``  it does not
no image waits for its first sync any more                  ``first_sync``   always
=========================================================== ================ ==============================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.notices import Matter, classes
from reconciler.service.summary import TROUBLE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from reconciler.core.notices import Occasion
    from reconciler.service.api import ConditionType, Snapshot

MOST: Final = 1000
"""Images of one state that are told apart; beyond, only their number is told, each time it doubles."""
CROSSED: Final = "crossed"
"""In the place of a state: images of which an edit may be missing."""
BY_STATE: Final[Mapping[str, Occasion]] = {
    "failed": "attention",
    "not_writable": "attention",
    "unknown_asset": "attention",
    CROSSED: "attention",
    "conflict": "conflict",
    "not_sticking": "not_kept",
}
"""The states of images that are told, and ``crossed``."""
CONDITIONS: Final[tuple[ConditionType, ...]] = (
    *(kind for kind in TROUBLE if kind != "ImmichReachable"),
    "CanaryClear",
    "ConfigurationCurrent",
)
"""Told as needing attention while they do not hold."""
_BETWEEN: Final = "/"


@dataclass(frozen=True, slots=True)
class Images:
    """The assets in each state that is told, at most ``MOST`` of each."""

    ids: Mapping[str, Collection[str]] = field(default_factory=dict)


def image_matter(state: str, asset_id: str) -> Matter:
    """Return the matter of one image in a state."""
    return Matter(BY_STATE[state], f"{state}{_BETWEEN}{asset_id}")


def image_of(matter: Matter) -> tuple[str, str] | None:
    """Return state and asset of a matter that is one image's; ``None``: it is not."""
    state, between, asset_id = matter.key.partition(_BETWEEN)
    return (state, asset_id) if between else None


def count_in(snapshot: Snapshot, state: str) -> int:
    """Return how many images are in a state that is told."""
    if state == CROSSED:
        return snapshot.crossed.count
    return next((count for name, count in snapshot.counts.items() if name == state), 0)


def matters(snapshot: Snapshot, images: Images, now: datetime) -> dict[Matter, datetime]:
    """Return all that is so now, with since when as far as that is known."""
    found: dict[Matter, datetime] = {}
    broken = {one.type: one for one in snapshot.conditions if one.status == "False"}
    for kind in CONDITIONS:
        if kind in broken:
            found[Matter("attention", kind)] = broken[kind].since
    down = broken.get("ImmichReachable")
    if down is not None:
        found[Matter("immich_down", "immich")] = down.since
    if (held := broken.get("GuardClear")) is not None:
        size = max(1, snapshot.counts.get("held", 0))
        found |= dict.fromkeys(classes("guard", "held", size), held.since)
    for state, ids in images.ids.items():
        if state == "failed" and down is not None:
            continue  # the outage is told; what failed by it is tried again after it
        found |= {image_matter(state, asset_id): now for asset_id in ids}
        if (count := count_in(snapshot, state)) > MOST:
            found |= dict.fromkeys(classes(BY_STATE[state], state, count // MOST), now)
    if is_synced(snapshot):
        found[Matter("first_sync", "first")] = now
    return found


def is_synced(snapshot: Snapshot) -> bool:
    """Return whether everything was looked at, and no image waits for its first sync."""
    counts = snapshot.counts
    waiting = counts.get("new", 0) + counts.get("pending", 0)
    return snapshot.checked_at is not None and not waiting and any(counts.values())
