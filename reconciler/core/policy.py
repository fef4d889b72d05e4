"""What the user decided: what is shown, who wins, and how much may change in one pass.

Values only, with the defaults of an installation that configured nothing. Reading them from a file, and
saying what is wrong with it, is ``reconciler.config``'s part; acting on them is the other modules' part.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal, get_args

from reconciler.core.catalogue import WRITTEN_PARTS, WrittenPart

Part = Literal[
    "title",
    "object",
    "constellation",
    "object_type",
    "equipment",
    "filters",
    "accessories",
    "software",
    "integration",
    "nights",
    "plate_solution",
    "site",
    "field_objects",
    "per_night",
    "moon",
]
"""A part of the description's block. ``equipment`` is telescope, camera and mount."""

EquipmentKind = Literal["telescope", "camera", "mount", "filter", "accessory", "software"]
"""The kinds Skymmich knows; its users may enter others, which become no tags."""

ALL_PARTS: Final[frozenset[Part]] = frozenset(get_args(Part))
DEFAULT_PARTS: Final[frozenset[Part]] = ALL_PARTS - {"per_night", "moon"}
"""Without those that are shown on request only."""

TAGGED_KINDS: Final[frozenset[EquipmentKind]] = frozenset({"telescope", "camera", "mount", "filter"})

LanguageCode = Literal["en", "de"]
"""The languages in which the block can be written."""

LANGUAGES: Final[tuple[LanguageCode, ...]] = get_args(LanguageCode)

OnConflict = Literal["keep", "overwrite"]
OnDrift = Literal["correct", "keep"]
Orphans = Literal["keep", "release"]
Mode = Literal["ask", "sync", "observe"]
"""Whether anything may be written: once a person said so, at once, or never. See ``core.permission``."""


@dataclass(frozen=True, slots=True)
class DescriptionPolicy:
    """How the description's block reads."""

    enabled_parts: frozenset[Part] = DEFAULT_PARTS
    """The parts that may appear; a part without a fact in the catalogue never does."""
    opening: str = "✦ "
    """The block's first line starts with this: how the block is found again. Never empty."""
    closing: str = "— Skymmich"
    """The block's last line is exactly this. Never empty."""
    template: str | None = None
    """Source of the user's own Jinja2 template; ``None``: the built-in one."""
    template_name: str = "default"
    """What an error names: the template's file, or ``default``."""
    max_bytes: int = 10_000
    """Longest description in bytes of UTF-8; the block gives way line by line, prose never."""
    most_field_objects: int = 8
    """Objects told of what else is in the field."""
    precision_arcsec: int = 0
    """Decimals of the declination's seconds; right ascension gets one more (15″ are 1 s)."""
    language: LanguageCode = "en"
    """Of the words, numbers, dates, constellations and kinds; designations and a person's words stay."""


@dataclass(frozen=True, slots=True)
class TagPolicy:
    """Which tags an asset gets beyond those entered in Skymmich, and where they hang."""

    root: str = "Astro"
    """Parent of all tags of ours (``Astro/Galaxy``); empty: none."""
    groups: bool = True
    """Whether tags made from facts hang under the name of their kind: ``Astro/Constellation/Andromeda``."""
    catalogue_tags: bool = True
    """The image's own tags in Skymmich, without the plate solver's noise."""
    object_type: bool = True
    constellation: bool = True
    target: bool = True
    equipment: bool = True
    equipment_kinds: frozenset[EquipmentKind] = TAGGED_KINDS
    """The kinds of equipment that become tags, if ``equipment`` is on."""
    field_objects: bool = False
    """What else is in the picture."""
    most_field_objects: int = 10
    """So many of these, the best known, if ``field_objects`` is on."""
    language: LanguageCode = "en"
    """Of the kinds and constellations in tags. Not the block's: tags are what people search and file by, so
    they stay what they were when the block begins to speak another language."""
    drop: tuple[str, ...] = ()
    """Regular expressions (``re.search``, case ignored): a catalogue tag that matches one is left out."""
    keep: tuple[str, ...] = ()
    """Likewise: a catalogue tag that matches one is taken, also if it is noise or matches ``drop``."""
    max_per_image: int = 250
    """Most tags of ours that an image gets: those of facts first, then the catalogue's in its order."""


DateSource = Literal["first_night", "last_night", "capture_date"]


@dataclass(frozen=True, slots=True)
class DatesPolicy:
    """When an image was taken, as Immich is told."""

    enabled: bool = False
    """What the switch says before anybody used it."""
    source: DateSource = "first_night"
    """The first or the last night of the acquisition rows, or Skymmich's capture date."""
    hour: int = 22
    """0 … 23: the local hour that is written for a night, of which only the date is known. A night lasts from
    noon to noon and has the date of its evening: an hour before 12 is that of the next morning."""
    time_zone: str = ""
    """Of images without a place, ``Europe/Berlin``; empty: such an image has no date of its own."""


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """How exactly one site is told."""

    name: str
    """The location's in Skymmich."""
    precision_km: float | None = None
    """``None``: as for all others."""
    at: tuple[float, float] | None = None
    """Latitude and longitude that are told in its place: of the town, say."""


@dataclass(frozen=True, slots=True)
class CoordinatesPolicy:
    """How exactly places are told, and what becomes of the day."""

    precision_km: float = 0.0
    """Width of the squares of whose middle Immich is told; 0: the very place."""
    sites: tuple[SitePolicy, ...] = ()
    keep_day: bool = False
    """Whether a place that is written leaves the day on which Immich shows the image."""


@dataclass(frozen=True, slots=True)
class MergePolicy:
    """Who wins where the catalogue and Immich disagree."""

    on_conflict: OnConflict = "keep"
    """A person's value stands in Immich: ``keep`` it and report, or ``overwrite`` it (journalled)."""
    on_drift_block: OnDrift = "correct"
    """The block was edited in Immich and the catalogue did not change: put it right, or leave it."""
    on_drift_prose: OnDrift = "keep"
    """The same for the text around the block: by default it is left to the person."""
    on_drift_coordinates: OnDrift = "correct"
    on_drift_taken_at: OnDrift = "keep"
    """Of the date: one that a person changed is theirs."""
    on_drift_tags: OnDrift = "correct"
    on_drift_albums: OnDrift = "keep"
    """An image that a person took out of an album of ours stays out, unless this says otherwise."""
    orphans: Orphans = "keep"
    """An image left the catalogue: ``keep`` what was written, or ``release`` what is ours and unchanged."""


AlbumKind = Literal["target", "constellation", "object_type", "equipment", "site"]
"""What of the catalogue an album gathers."""


@dataclass(frozen=True, slots=True)
class AlbumPolicy:
    """Which albums images are put into. They are switched by ``syncAlbums``, and off by default."""

    enabled: bool = False
    """What the switch says before anybody used it."""
    prefix: str = "Astro · "
    """The name of each album of ours begins so. Never empty: it keeps them together, and off people's."""
    kinds: tuple[AlbumKind, ...] = ("target",)
    """An album for each of these that an image has."""
    equipment_kinds: frozenset[EquipmentKind] = frozenset({"telescope", "camera"})
    """The kinds of equipment that become albums, if ``kinds`` has equipment."""
    use_existing: bool = False
    """Whether a person's album that has the name of one of ours is used in its place."""
    cover: bool = False
    """Whether the newest image becomes an album's cover, as long as nobody chose another."""


StackWrite = Literal["all", "cover"]
"""Of a stack: the linked asset and every other member, or the primary asset in place of the linked one."""


@dataclass(frozen=True, slots=True)
class StackPolicy:
    """What is written to where an asset is in a stack. Switched by ``syncStacks``; off by default."""

    enabled: bool = False
    """What the switch says before anybody used it."""
    write: StackWrite = "all"


LeaveOutBy = Literal["tag", "target", "folder"]
"""By what of the catalogue an image is left out."""


@dataclass(frozen=True, slots=True)
class LeaveOutRule:
    """What leaves an image out, or fields of it."""

    by: LeaveOutBy
    value: str
    """A tag's name; a target's, in which ``*`` stands for any part; a folder."""
    fields: tuple[WrittenPart, ...] = WRITTEN_PARTS


@dataclass(frozen=True, slots=True)
class LeaveOutPolicy:
    """Which images are observed and never written."""

    rules: tuple[LeaveOutRule, ...] = (LeaveOutRule("tag", "no-sync"),)
    """In order: a field that several leave out has the reason of the first."""


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """How much may be taken away by and by, and put right again, before a person has a say."""

    max_fraction: float = 0.20
    """Refuse when more than this share (0 … 1) is lost …"""
    min_count: int = 10
    """… and at least so many …"""
    window_hours: float = 24.0
    """… within so many hours, up to now; 0: each pass by itself."""
    canary: int = 5
    """Assets written and verified first, after the first start and after a change of template, policy
    or server version; 0: no canary."""
    corrections: int = 3
    """Times that a value of ours is put right where somebody changes it again and again; then it is left."""


@dataclass(frozen=True, slots=True)
class Switches:
    """Skymmich's four settings, and our own, as they hold for one pass: what is managed at all."""

    enabled: bool = True
    """The master switch; off: plan, and write nothing."""
    description: bool = True
    coordinates: bool = True
    tags: bool = True
    dates: bool = False
    """This program's own: Skymmich has no such setting."""
    albums: bool = False
    """Likewise."""
    stacks: bool = False
    """Likewise: whether what is written goes to the other members of a stack, too, or to its cover."""


SWITCHES: Final = {
    "metadataSyncEnabled": "enabled",
    "syncDescription": "description",
    "syncCoordinates": "coordinates",
    "syncTags": "tags",
}
"""Skymmich's names of the four settings → those of ``Switches``."""
OWN_SWITCHES: Final = {"syncDates": "dates", "syncAlbums": "albums", "syncStacks": "stacks"}
"""Those that Skymmich does not have, likewise: they are kept here, over the configuration."""
ALL_SWITCHES: Final = SWITCHES | OWN_SWITCHES


@dataclass(frozen=True, slots=True)
class Policy:
    """All decisions of the user that the pure core needs."""

    description: DescriptionPolicy = field(default_factory=DescriptionPolicy)
    tags: TagPolicy = field(default_factory=TagPolicy)
    merge: MergePolicy = field(default_factory=MergePolicy)
    guard: GuardPolicy = field(default_factory=GuardPolicy)
    dates: DatesPolicy = field(default_factory=DatesPolicy)
    coordinates: CoordinatesPolicy = field(default_factory=CoordinatesPolicy)
    albums: AlbumPolicy = field(default_factory=AlbumPolicy)
    leave_out: LeaveOutPolicy = field(default_factory=LeaveOutPolicy)
    stacks: StackPolicy = field(default_factory=StackPolicy)

    def with_dates(self, *, on: bool) -> Policy:
        """Return it with dates switched."""
        return self.switched(dates=on)

    def switched(
        self, *, dates: bool | None = None, albums: bool | None = None, stacks: bool | None = None
    ) -> Policy:
        """Return it with our own switches set so; ``None``: as it is."""
        now = (self.dates.enabled, self.albums.enabled, self.stacks.enabled)
        wanted = tuple(
            is_on if on is None else on for is_on, on in zip(now, (dates, albums, stacks), strict=True)
        )
        if wanted == now:
            return self
        return replace(
            self,
            dates=replace(self.dates, enabled=wanted[0]),
            albums=replace(self.albums, enabled=wanted[1]),
            stacks=replace(self.stacks, enabled=wanted[2]),
        )

    @property
    def own_switches(self) -> dict[str, bool]:
        """How our own switches stand, by their names in ``Switches``."""
        return {"dates": self.dates.enabled, "albums": self.albums.enabled, "stacks": self.stacks.enabled}
