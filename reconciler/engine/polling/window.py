"""How much to send, and how long to wait at most: Immich answers at once and digests later.

The number of writes it has not digested is bounded, so that a person's own edit, which queues behind ours,
stays visible within seconds. A server that digests faster is given more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.writes.asset_write import AssetWrite
    from reconciler.engine.polling.timing import Timing

CHUNK = 100
"""Most assets sent after one look: the window in which a person's edit can be missed."""
_FEWEST, _MOST = 64, 640
_TROUBLES = 8


class WriteWindow:
    """Adapts to what the server digests."""

    def __init__(self, timing: Timing, now: float) -> None:
        self.timing = timing
        self._limit = _FEWEST
        self._last_progress = now
        self._troubles = 0

    def looked(self, undigested: int, sent_before: int) -> None:
        """Learn from a look: how many of the writes that were under way are still not digested."""
        if sent_before and undigested * 4 < self._limit and sent_before * 2 >= self._limit:
            self._limit = min(self._limit * 2, _MOST)

    def room(self, undigested: int) -> int:
        """Return how many assets may be written now."""
        return max(0, min(CHUNK, self._limit - undigested))

    def progressed(self, now: float) -> None:
        """Note that something settled."""
        self._last_progress, self._troubles = now, 0

    def has_room_for(self, ready: int, undigested: int) -> bool:
        """Return whether a worthwhile chunk of those that are ready can be sent now."""
        room = self.room(undigested)
        return bool(ready) and room >= min(ready, CHUNK, self._limit // 4)

    def stalled(self, active: Iterable[AssetWrite], now: float) -> bool:
        """Return whether nothing has settled for so long that the rest is left to the next pass.

        Writes of an earlier run have had their time: if they are all there is, they are not waited for long.
        """
        waited = [write for write in active if write.state == "sent"]
        if not waited:
            return False
        patience = self.timing.patience
        if all(write.adopted for write in waited):
            patience = min(patience, 1.5 * self.timing.grace)
        return now - max(self._last_progress, *(write.sent_at for write in waited)) > patience

    def too_much_trouble(self) -> bool:
        """Count a temporary error; true when there were too many without progress between."""
        self._troubles += 1
        return self._troubles > _TROUBLES
