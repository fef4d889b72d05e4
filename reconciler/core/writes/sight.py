"""What an answer of Immich means for a write: when it was asked for and came, and the terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from reconciler.core.desired.block import Markers


@dataclass(frozen=True, slots=True)
class Terms:
    """By what all writes of a pass are judged."""

    markers: Markers
    server: str
    """The server's version: remembered with what did not stick."""
    recheck: float
    """Seconds between an asset's first sight with a new date and the sight it is judged by."""
    grace: float
    """Seconds after which a write that may never have arrived is given up, and others are left alone."""
    as_sent: Callable[[str], str] = str
    """Gives the form in which a text is sent, and shown until Immich has digested it."""


@dataclass(frozen=True, slots=True)
class Sight:
    """An answer in which an asset was shown."""

    asked: float
    """When it was asked for."""
    now: float
    """When it had come."""
    moved_at: float
    """When on our clock the asset's date had passed for sure."""
    at: datetime
    """``now`` as a date of ours: for the record."""
    anothers: bool = False
    """Whether that was before the write was sent: it is another's date, and ours is still to come."""
    overtaken: bool = False
    """Whether assets that were written after it have moved long ago: Immich has been at it, and failed."""
    queued: bool = False
    """Whether Immich has still to digest what was sent before this asset was let be: its turn comes later."""
