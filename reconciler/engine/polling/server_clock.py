"""Immich's dates on our own clock: by when an asset had surely moved.

Its database stamps ``updatedAt`` with a clock of its own. Nothing is known of that clock but what the dates
show: when an answer came, it had passed every date in the answer. So a date can be put on our clock, perhaps
late and never early. A proxy's Date header would be of another clock; it is not used.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_DRIFT = 0.001
"""How much slower than ours their clock may run while it is being put right: seconds a second."""


class ServerClock:
    """A lower bound of the clock that stamps ``updatedAt``. Our times are monotonic seconds."""

    def __init__(self) -> None:
        self._ahead, self._as_of = -math.inf, 0.0

    @property
    def known(self) -> bool:
        """Whether any date was seen; until then every date might be of this moment."""
        return self._ahead > -math.inf

    def saw(self, date: datetime, now: float) -> None:
        """Learn that their clock has passed ``date``: it was in an answer that has come by ``now``."""
        self._ahead, self._as_of = max(date.timestamp() - now, self._at_least(now)), now

    def ours(self, date: datetime, now: float) -> float:
        """Return our time at which their clock had passed ``date`` for sure; ``now`` at the latest."""
        return min(now, date.timestamp() - self._at_least(now)) if self.known else now

    def forget(self) -> None:
        """Start anew: their clock was set back."""
        self._ahead = -math.inf

    def _at_least(self, now: float) -> float:
        return self._ahead - _DRIFT * (now - self._as_of)
