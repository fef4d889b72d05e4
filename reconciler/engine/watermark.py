"""Where the next look begins: by the dates that Immich's own rows bear, and by no other clock.

Its database stamps ``updatedAt``, and a search compares with that. Once an answer has come, that clock has
passed every date in the answer: whatever is changed later bears a later one. So the newest date of an answer,
less an overlap for changes that become visible out of order, is a safe place to go on from. A ``Date`` header
is a proxy's clock, and ours is ours: either can only hold the mark back, so that a row with a date from the
future (a clock that was wrong for a while) hides nothing. A mark that is early costs rows that are shown
again; one that is late costs a person's edit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.asset import ObservedAsset

OVERLAP = timedelta(seconds=5)
"""Changes are stamped, then committed: within this time they are all visible."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The mark where no row was seen yet: all that comes is news."""
_STEP = timedelta(seconds=5)
"""What a clock seems to go back by no step: headers have whole seconds, and some answers are slow."""
_UNKNOWN = timedelta(days=1)
"""How far a clock went back that an earlier process saw."""
_HEARD = timedelta(days=1)
"""A header that is further from our clock than this is no clock."""
_TELLING = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Skew:
    """By how much the clocks around Immich differ from this machine's."""

    header: timedelta = timedelta(0)
    """How far the ``Date`` header of its answers is ahead; negative: behind."""
    rows: timedelta = timedelta(0)
    """How far the newest row's date is ahead; zero where none is."""

    @property
    def header_tells(self) -> bool:
        """Whether the header's clock is another one, transport and whole seconds aside."""
        return abs(self.header) > _TELLING

    @property
    def rows_tell(self) -> bool:
        """Whether a row bears a date that is still to come."""
        return self.rows > _TELLING


def skew(ours: datetime, header: datetime, rows: Iterable[ObservedAsset]) -> Skew:
    """Compare the clocks that show in an answer with ours at its arrival."""
    newest = max((row.updated_at for row in rows), default=ours)
    return Skew(header - ours, max(newest - ours, timedelta(0)))


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at changes showed, and when it came."""

    dates: Mapping[str, datetime] = field(default_factory=dict)
    """Asset id → the date of its row."""
    at: float = 0.0
    """Monotonic seconds when it began."""
    present: datetime = BEGINNING
    """The earliest that it may have been when its answer came."""


class Watermark:
    """The mark's way through the looks of one process. Pure bookkeeping: times are parameters."""

    def __init__(self) -> None:
        self._last: Look | None = None
        self._newest: tuple[datetime, float] | None = None

    def after_look(self, mark: datetime, look: Look) -> datetime:
        """Return the mark after a look that asked for everything since ``mark``."""
        newest = max((date for date in look.dates.values() if date <= look.present), default=None)
        floor = min(mark, look.present)
        if newest is None:
            return floor
        # Seen before, and long enough ago: nothing older is still on its way, so it need not be shown again.
        rests = (
            self._newest is not None
            and self._newest[0] == newest
            and look.at - self._newest[1] >= OVERLAP.total_seconds()
        )
        return max(floor, newest if rests else newest - OVERLAP)

    def after_reading(self, dates: Iterable[datetime], present: datetime, took: float) -> datetime:
        """Return the mark after assets were read for ``took`` seconds: what changed meanwhile is later."""
        newest = max((date for date in dates if date <= present), default=None)
        return BEGINNING if newest is None else newest - OVERLAP - timedelta(seconds=took)

    def set_back(self, mark: datetime, present: datetime, now: float) -> datetime | None:
        """Return where to look again as a clock was set back since the last look; ``None``: none was.

        Args:
            mark: where the look began.
            present: the earliest that it may be now.
            now: monotonic seconds when the look began.
        """
        if self._last is None:
            return present - _UNKNOWN if mark > present + _STEP else None
        back = self._last.present - present + timedelta(seconds=now - self._last.at)
        return mark - back - OVERLAP if back > _STEP else None

    def is_news(self, row: ObservedAsset) -> bool:
        """Return whether the last look that went through did not show this row with this date."""
        return self._last is None or self._last.dates.get(row.asset_id) != row.updated_at

    def noted(self, look: Look) -> None:
        """Take a look as done: the pass that it began went through."""
        self._last = look
        newest = max((date for date in look.dates.values() if date <= look.present), default=None)
        if newest is not None and (self._newest is None or self._newest[0] != newest):
            self._newest = (newest, look.at)


def present(ours: datetime, header: datetime) -> datetime:
    """Return the earliest that it may be now, by our clock and a header that is of this age."""
    return min(ours, header) if abs(header - ours) <= _HEARD else ours
