"""What Immich shows of an asset, and what this program last wrote to it.

Unknown is not empty. Whatever is an ``ObservedAsset`` is known in every field, or known to be empty. An
answer in which a field is missing, or is not of its type, is an ``IncompleteAsset``: a type that no merge,
write, journal or verification takes.
"""

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
    """One asset as Immich answered it, known in every field."""

    asset_id: str
    owner_id: str
    updated_at: datetime
    """Aware; the server's clock, millisecond resolution."""
    description: str = ""
    coordinates: Coordinates | None = None
    tags: frozenset[str] | None = None
    """Full paths (``Astro/Galaxy``). ``None``: not known, for this route never tells; see ``known_tags``."""
    visibility: Visibility = "timeline"
    is_trashed: bool = False
    width: int | None = None
    """Pixels of the original, as stored in the file."""
    height: int | None = None
    filename: str = ""
    library_id: str | None = None
    """Set for external libraries (often read-only)."""
    taken_at: datetime | None = None
    """When it was taken: aware, with the offset of the local time that Immich shows; ``None``: not told."""
    date_is_files: bool = False
    """Whether that was read from the file, or is the file's own time: nobody entered it in Immich."""

    @property
    def known_tags(self) -> frozenset[str]:
        """Return the tags.

        Raises:
            ValueError: they were not read. Whoever needs them reads the asset by itself.
        """
        if self.tags is None:
            raise ValueError(f"the tags of asset {self.asset_id} were not read")
        return self.tags


@dataclass(frozen=True, slots=True)
class IncompleteAsset:
    """What is left of an answer about an asset that says less than it must."""

    asset_id: str
    """Empty where the id itself cannot be read."""
    owner_id: str
    """Likewise."""
    fields: tuple[str, ...]
    """Those that are missing or of another type, by their place: ``exifInfo.description``."""


_UNKNOWN_SHARE = 0.05
_UNKNOWN_COUNT = 3


def too_much_unknown(incomplete: int, of: int) -> bool:
    """Return whether so many incomplete answers mean that this is not the server we know: 5 %, at least 3."""
    return incomplete >= max(_UNKNOWN_COUNT, _UNKNOWN_SHARE * of)


@dataclass(frozen=True, slots=True)
class Applied:
    """What this program wrote to an asset and saw stick: the base of the three-way merge.

    ``None`` (and for tags absence from the set) means: never owned.
    """

    block: str | None = None
    prose: str | None = None
    coordinates: Coordinates | None = None
    tags: frozenset[str] = field(default_factory=frozenset)
    taken_at: datetime | None = None
    albums: frozenset[str] = field(default_factory=frozenset)
    """Names of the albums, as they were made, into which it was put from here."""
