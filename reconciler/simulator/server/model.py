"""What the simulated Immich keeps: assets with their exif row and sidecar, tags, and users.

Plain mutable records without behaviour; times are whole milliseconds since 1970, as the API shows them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

FieldName = Literal["description", "coordinates", "rating", "taken", "tags"]
FIELDS: tuple[FieldName, ...] = ("description", "coordinates", "rating", "taken", "tags")
"""What can be locked, written to the sidecar, and read back from it."""

Actor = Literal["client", "person"]
"""Who writes: the holder of the API key, or a person in Immich's own page."""
ACTORS: tuple[Actor, ...] = ("client", "person")


@dataclass(slots=True)
class Exif:
    """A row of values: the database's, the sidecar's (``None``: not in it), or the file's own."""

    description: str | None = None
    coordinates: tuple[float, float] | None = None
    rating: int | None = None
    taken: str | None = None
    """``dateTimeOriginal``, ISO 8601."""
    tags: tuple[str, ...] | None = None
    """Full paths."""


@dataclass(slots=True)
class Tag:
    """A user's tag. ``value`` is the full path, its last segment the name."""

    tag_id: str
    user_id: str
    value: str
    parent_id: str | None
    created: int
    updated: int
    color: str | None = None
    name: str = ""
    indexed: bool = True
    """Whether a search can find it: one made with POST has no closure row until an upsert."""
    children: set[str] = field(default_factory=set)
    assets: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Asset:
    """One photograph."""

    asset_id: str
    owner_id: str
    filename: str
    created: int
    """``fileCreatedAt``."""
    added: int
    """``createdAt``: when Immich got it."""
    updated: int
    width: int = 6248
    height: int = 4176
    modified: int = 0
    """``fileModifiedAt``, which no edit moves."""
    size: int = 0
    checksum: str = ""
    kind: str = ""
    """What it shows, for its picture."""
    path: str = ""
    mime: str = "image/jpeg"
    library_id: str | None = None
    visibility: str = "timeline"
    trashed: bool = False
    favorite: bool = False
    read_only: bool = False
    """Its folder cannot be written to (as long as ``read_only`` is switched on)."""
    dying: bool = False
    """Its extraction fails for ever (as long as ``dying_extraction`` is switched on, on 3.1)."""
    deleted: bool = False
    extracted: bool = True
    """Whether it has an exif row yet."""
    time_zone: str | None = None
    """``None``: the file tells none, and nobody gave it one."""
    local_shift: int = 0
    """``localDateTime`` minus ``fileCreatedAt``, in milliseconds."""
    exif: Exif = field(default_factory=Exif)
    sidecar: Exif = field(default_factory=Exif)
    embedded: Exif = field(default_factory=Exif)
    locked: dict[FieldName, Actor] = field(default_factory=dict)
    """The fields that a sidecar write has still to save, and whose they are; an extraction leaves them be."""
    mixed: set[FieldName] = field(default_factory=set)
    """Those of the locked fields that hold values of both: whoever's lock is lost, both lose theirs."""
    lost: Counter[tuple[Actor, FieldName]] = field(default_factory=Counter)
    """Whose values of which field were thrown away because two writes came close together."""
    tags: set[str] = field(default_factory=set)
    """Ids of the linked tags."""
    jobs: int = 0
    """Rounds through the queues that are not over; 0: settled."""
    client_jobs: int = 0
    """Those of them that the holder of the API key caused."""
    writes: int = 0
    metadata: dict[str, tuple[object, int]] = field(default_factory=dict)
    """Custom key/value metadata: value and when it was set."""
    row: str | None = None
    """The row as a search shows it, kept until something changes."""


def iso(milliseconds: int) -> str:
    """Return a time as the API shows it: ``2026-11-22T14:42:32.866Z``."""
    whole, part = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{part:03d}Z"
