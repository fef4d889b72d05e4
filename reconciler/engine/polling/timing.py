"""How long to wait for Immich, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. The defaults suit a real server; tests shorten them with their simulator."""

    recheck: float = 1.0
    """Between an asset's first sight with a new date and the look it is judged by: the date can become
    visible a moment before the values are final."""
    look: float = 0.7
    """Between looks while the server digests."""
    grace: float = 10.0
    """After which a written asset that no look has shown is read by itself."""
    patience: float = 30.0
    """Without any asset settling, after which the rest is left to the next pass: Immich's queue lags."""
