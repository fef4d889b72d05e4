"""The sections of what is written besides description and tags, and of what is left out.

The others stand in ``sections``. Defaults are the core's.
"""

from __future__ import annotations

from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from reconciler.config.sections import Section
from reconciler.config.values import Count, Number
from reconciler.core.catalogue import WRITTEN_PARTS, WrittenPart
from reconciler.core.policy import (
    AlbumKind,
    AlbumPolicy,
    CoordinatesPolicy,
    DateSource,
    DatesPolicy,
    EquipmentKind,
    LeaveOutBy,
    LeaveOutPolicy,
    LeaveOutRule,
    SitePolicy,
    StackPolicy,
    StackWrite,
)

_ALBUMS: Final = AlbumPolicy()
_DATES: Final = DatesPolicy()
_STACKS: Final = StackPolicy()
_COORDINATES: Final = CoordinatesPolicy()


class SiteSection(Section):
    """``[[coordinates.sites]]``: how exactly one site is told."""

    name: Annotated[str, Field(min_length=1)]
    precision_km: Annotated[Number, Field(ge=0, le=500)] | None = None
    at: tuple[Number, Number] | None = None

    @model_validator(mode="after")
    def _is_a_place(self) -> SiteSection:
        if self.at is not None and not (abs(self.at[0]) <= 90 and abs(self.at[1]) <= 180 and any(self.at)):
            raise ValueError(f'at of the site "{self.name}" must be latitude and longitude, as [48.1, 11.6]')
        return self


class CoordinatesSection(Section):
    """``[coordinates]``: how exactly places are told, and what becomes of the day."""

    precision_km: Annotated[Number, Field(ge=0, le=500)] = _COORDINATES.precision_km
    keep_day: bool = _COORDINATES.keep_day
    sites: tuple[SiteSection, ...] = ()

    def policy(self) -> CoordinatesPolicy:
        """Return what the core decides by."""
        sites = tuple(SitePolicy(one.name, one.precision_km, one.at) for one in self.sites)
        return CoordinatesPolicy(self.precision_km, sites, self.keep_day)


class AlbumsSection(Section):
    """``[albums]``: which albums images are put into."""

    enabled: bool = _ALBUMS.enabled
    prefix: Annotated[str, Field(min_length=1, max_length=100)] = _ALBUMS.prefix
    kinds: tuple[AlbumKind, ...] = _ALBUMS.kinds
    equipment_kinds: frozenset[EquipmentKind] = _ALBUMS.equipment_kinds
    use_existing: bool = _ALBUMS.use_existing
    cover: bool = _ALBUMS.cover

    @field_validator("prefix")
    @classmethod
    def _can_be_read(cls, text: str) -> str:
        if not text.strip() or not text.isprintable():
            raise ValueError("it must be at least one character that can be read: it marks the albums")
        return text.lstrip()


class StacksSection(Section):
    """``[stacks]``: what is written to where an asset is in a stack."""

    enabled: bool = _STACKS.enabled
    write: StackWrite = _STACKS.write


class DatesSection(Section):
    """``[dates]``: when an image was taken."""

    enabled: bool = _DATES.enabled
    source: DateSource = _DATES.source
    hour: Annotated[Count, Field(ge=0, le=23)] = _DATES.hour
    time_zone: str = _DATES.time_zone

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            if name:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("it must be the name of a time zone, such as Europe/Berlin, or empty") from None
        return name


class LeftOutSection(Section):
    """``[leave_out.description]`` and others: of which images that field alone is never written."""

    by_tag: tuple[str, ...] = ()
    by_target: tuple[str, ...] = ()
    by_folder: tuple[str, ...] = ()

    @field_validator("by_tag", "by_target", "by_folder")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not all(name.strip(" /") for name in names):
            raise ValueError("each must have a name in it: an empty one would be every image")
        return tuple(name.strip() for name in names)

    def rules(self, fields: tuple[WrittenPart, ...] = WRITTEN_PARTS) -> tuple[LeaveOutRule, ...]:
        """Return what leaves these fields out."""
        listed: tuple[tuple[LeaveOutBy, tuple[str, ...]], ...] = (
            ("tag", self.by_tag),
            ("target", self.by_target),
            ("folder", self.by_folder),
        )
        return tuple(LeaveOutRule(by, value, fields) for by, values in listed for value in values)


class LeaveOutSection(LeftOutSection):
    """``[leave_out]``: which images are looked at, and never written."""

    by_tag: tuple[str, ...] = tuple(rule.value for rule in LeaveOutPolicy().rules)
    description: LeftOutSection = Field(default_factory=LeftOutSection)
    coordinates: LeftOutSection = Field(default_factory=LeftOutSection)
    tags: LeftOutSection = Field(default_factory=LeftOutSection)
    dates: LeftOutSection = Field(default_factory=LeftOutSection)
    albums: LeftOutSection = Field(default_factory=LeftOutSection)

    @property
    def policy(self) -> LeaveOutPolicy:
        """What the core decides by."""
        return LeaveOutPolicy(
            (
                *self.rules(),
                *self.description.rules(("description",)),
                *self.coordinates.rules(("coordinates",)),
                *self.tags.rules(("tags",)),
                *self.dates.rules(("dates",)),
                *self.albums.rules(("albums",)),
            )
        )
