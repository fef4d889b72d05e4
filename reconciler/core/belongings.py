"""What an asset has beside its fields: whether it is a favourite, and the albums that it is in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Album:
    """An album that an asset is in."""

    album_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Belongings:
    """What an asset has beside its fields. ``None``: not known."""

    favorite: bool | None = None
    albums: tuple[Album, ...] | None = None
