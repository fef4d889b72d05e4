"""What Immich shows of an asset, and what this program last wrote to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

Visibility = Literal["timeline", "archive", "hidden", "locked"]


@dataclass(frozen=True, slots=True)
class Coordinates:
    """A place on Earth in degrees: −90 ≤ latitude ≤ 90, −180 ≤ longitude ≤ 180. Always the pair."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class ObservedAsset:
    """One asset as Immich answered it. ``tags`` is ``None`` where the answer does not carry them."""

    asset_id: str
    owner_id: str
    updated_at: datetime
    """Aware; the server's clock, millisecond resolution."""
    description: str = ""
    coordinates: Coordinates | None = None
    tags: frozenset[str] | None = None
    """Full paths (``Astro/Galaxy``)."""
    visibility: Visibility = "timeline"
    is_trashed: bool = False
    has_exif: bool = True
    """``False`` until Immich has extracted the file's metadata: such an asset is not written to."""
    width: int | None = None
    """Pixels of the original, as stored in the file."""
    height: int | None = None
    filename: str = ""
    library_id: str | None = None
    """Set for external libraries (often read-only)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What this program wrote to an asset and saw stick: the base of the three-way merge.

    ``None`` (and for tags absence from the set) means: never owned.
    """

    block: str | None = None
    prose: str | None = None
    coordinates: Coordinates | None = None
    tags: frozenset[str] = field(default_factory=frozenset)
