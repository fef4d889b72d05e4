"""When what is asked of Skymmich again: values in, values out.

======================= ==================================================== ============================
what                    when                                                 costs
======================= ==================================================== ============================
the stamp of its file   at every look (``[schedule] catalogue_seconds``)     a request of a hundred bytes
lists: images,          the stamp moved; else after ``list_seconds``, or     4 requests, 1.3 kB an image
equipment, places,      after ``CALM`` where only SQLite's stamp moves with
settings                every save
links                   something was saved that may be one; else after      a request for each piece of
                        ``links_seconds``                                    equipment
sub-exposures           the image's row moved; else within ``details_hours`` a request an image
plate solutions         a row's solution moved; else after ``HOURLY``        a request
======================= ==================================================== ============================

The lists and the links of a large catalogue are long: both are asked for the less often the longer they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.skymmich.rest.mirror import Memory

CALM: Final = 600.0
HOURLY: Final = 3600.0
SETTLING: Final = 3.0
"""Skymmich's dates have whole seconds: what changed just before it was read is read again after so long."""
AGAIN: Final = 60.0
"""Seconds until something is tried again, or looked at once more."""
_LIST_BYTES: Final = 128 << 10
"""Bytes a second on average, for lists."""
_LINK_BYTES: Final = 32 << 10
_UNEXPLAINED: Final = 10.0
"""Seconds between two readings of all links, while something was saved that no list shows."""
_EXPLAINED: Final = 60.0
"""The same, where a list shows something that was saved."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a catalogue over the web is looked through."""

    list_seconds: float = 30.0
    links_seconds: float = 600.0
    details_hours: float = 24.0

    def lists_due(self, memory: Memory, stamp: str, now: float) -> bool:
        """Return whether the lists are to be read."""
        if not memory.complete or (stamp and stamp != memory.stamp):
            return True
        calm = bool(stamp) and memory.stamp_tells
        wait = max(CALM, self.list_seconds) if calm else self.list_seconds
        return _over(memory.lists_at, max(wait, memory.lists_bytes / _LIST_BYTES), now)

    def links_due(self, memory: Memory, now: float, *, explained: bool) -> bool:
        """Return whether all links are to be read; ``explained``: a list shows what was saved."""
        wait = self.links_seconds
        if memory.links_due:
            wait = min(wait, _EXPLAINED if explained else _UNEXPLAINED)
        return _over(memory.links_at, max(wait, memory.links_bytes / _LINK_BYTES), now)

    def details_due_at(self, image_id: int, now: float) -> float:
        """Return when an image's sub-exposures are due again: spread, so that not all are due at once."""
        spread = (image_id * 2_654_435_761 % 4_096) / 4_096  # Knuth's multiplicative hash
        return now + self.details_hours * 3600 * (0.5 + spread / 2)

    def solves_due(self, memory: Memory, now: float) -> bool:
        """Return whether the solver's jobs are to be read."""
        return 0 < memory.solves_due <= now or _over(memory.solves_at, HOURLY, now)

    def objects_due(self, memory: Memory, now: float) -> bool:
        """Return whether to ask for the state of Skymmich's catalogue of objects."""
        return _over(memory.objects_at, HOURLY, now)


def _over(since: float, wait: float, now: float) -> bool:
    """Return whether so many seconds are over; a clock that was set back ends them as well."""
    return not since <= now < since + wait
