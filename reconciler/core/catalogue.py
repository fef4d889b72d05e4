"""What Skymmich knows about an image, put right and typed: the input of everything.

These are values, not rows: adapters turn rows and JSON into them and repair Skymmich's formats on the
way (units, stale columns, sexagesimal strings). Nothing here knows where an image was read from.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import date, datetime

    from reconciler.core.reasons import Reason

IMAGES_TABLE = "astrophotography_images"
"""Skymmich's table of images, as ``RowProblem.table`` names it."""

WHOLE_TABLE = "-"
"""``RowProblem.row_id`` where it is not a row that is wrong but the table."""

Specification = str | int | float | bool
Switch = Literal["description", "coordinates", "tags"]
"""A part of what is written that Skymmich's settings switch on and off."""
SETTINGS_TABLE = "admin_settings"
SWITCHED_PARTS: Final[tuple[Switch, ...]] = get_args(Switch)
WrittenPart = Literal["description", "coordinates", "tags", "dates", "albums"]
"""A part of what is written that can be left out of an image."""
WRITTEN_PARTS: Final[tuple[WrittenPart, ...]] = get_args(WrittenPart)
Unreadable = Literal["block", "prose", "coordinates", "taken_at", "tags", "more_tags"]
"""A field of which it is not known what it should be; ``more_tags``: more tags than those that are known."""


@dataclass(frozen=True, slots=True)
class CatalogueObject:
    """A deep-sky object of Skymmich's catalogue (OpenNGC): the target's names."""

    name: str
    """Catalogue name, for example ``NGC 224``."""
    type_code: str | None = None
    """OpenNGC's type code: ``G``, ``Cl+N``, ``HII``, ``PN``, ``SNR``, ``OCl``, ``GCl``, ``Neb`` …"""
    messier: str | None = None
    """``M 31``, or ``None``."""
    common_names: tuple[str, ...] = ()
    constellation: str | None = None
    """IAU abbreviation, for example ``And``."""
    ra_deg: float | None = None
    dec_deg: float | None = None
    major_arcmin: float | None = None
    """Longer axis of its outline, minutes of arc."""
    minor_arcmin: float | None = None
    magnitude: float | None = None
    """Visual, else blue."""
    identifiers: tuple[str, ...] = ()
    """Its names in other catalogues, as OpenNGC writes them: ``C 009``, ``SH 2-155``."""


@dataclass(frozen=True, slots=True)
class FieldObject:
    """A deep-sky object in the picture. Whole numbers: a catalogue has a million of these."""

    name: str
    """Its best known designation: ``M 110``."""
    x: int | None = None
    """Thousandths of the picture's width from its left edge; ``None``: where it lies is not known."""
    y: int | None = None
    """Thousandths of its height from the top."""
    radius: int = 0
    """Thousandths of its width; 0: not known."""
    is_target: bool = False


@dataclass(frozen=True, slots=True)
class PlateSolution:
    """Where the picture points, J2000 (ICRS), all in degrees unless said otherwise."""

    ra_deg: float | None = None
    """Right ascension of the centre, 0 ≤ ra < 360."""
    dec_deg: float | None = None
    """Declination of the centre, −90 … 90."""
    width_arcsec: float | None = None
    """Width of the field as solved; independent of the resolution that was solved."""
    height_arcsec: float | None = None
    rotation_deg: float | None = None
    """The solver's number, whose sense depends on what it was sent: never shown."""
    position_angle_deg: float | None = None
    """Of the picture's top, from north through east, 0 ≤ angle < 360; ``None``: not known for certain."""
    objects: tuple[FieldObject, ...] = ()
    """What is in the picture, best known first."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """A piece of equipment that is linked to an image."""

    equipment_id: int
    name: str
    kind: str
    """``telescope``, ``camera``, ``mount``, ``filter``, ``accessory``, ``software``, or other; lower case."""
    specifications: tuple[tuple[str, Specification], ...] = ()
    """Sorted by key; nested values are left out."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One row of sub-exposures: so many frames of so many seconds through one filter."""

    filter_name: str | None
    """The filter's present name while it exists, else the name noted with the row; ``None``: no filter."""
    frame_count: int
    exposure_s: float
    gain: int | None = None
    offset: int | None = None
    binning: str | None = None
    sensor_temp_c: float | None = None
    night: date | None = None
    """The calendar date that was entered."""


@dataclass(frozen=True, slots=True)
class Site:
    """An observing site. Its coordinates are the image's own; only the name is shown."""

    name: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Skymmich's flat columns; stale wherever there are acquisitions or linked equipment."""

    telescope: str | None = None
    camera: str | None = None
    mount: str | None = None
    filters: tuple[str, ...] = ()
    focal_length_mm: float | None = None
    aperture: str | None = None
    """As stored: ``f/5.6``, sometimes ``4``."""
    iso: int | None = None
    exposure_time: str | None = None
    frame_count: int | None = None
    integration_hours: float | None = None


@dataclass(frozen=True, slots=True)
class CatalogueImage:
    """One image of the catalogue, with all that belongs to it."""

    image_id: int
    """Skymmich's row id. Reused after deletions: never a key for what was written. See ``asset_id``."""
    asset_id: str | None
    """The linked Immich asset as a lower-case UUID, or ``None`` when the image has no usable link."""
    title: str
    filename: str = ""
    path: str = ""
    """Of the file, as Immich named it when the image was imported; empty: not known."""
    description: str = ""
    captured_at: datetime | None = None
    """Aware, UTC."""
    tags: tuple[str, ...] = ()
    object_type: str | None = None
    constellation: str | None = None
    """As Skymmich stored it: an English name, wrong half the time. The last resort."""
    target_name: str | None = None
    target: CatalogueObject | None = None
    solution: PlateSolution | None = None
    latitude: float | None = None
    """Degrees, as stored: may be out of range, may stand alone. ``core.desired.coordinates`` decides."""
    longitude: float | None = None
    site: Site | None = None
    equipment: tuple[Equipment, ...] = ()
    """In order of the links, each piece once."""
    acquisitions: tuple[Acquisition, ...] = ()
    summary: Summary = field(default_factory=Summary)
    unreadable: frozenset[Unreadable] = frozenset()
    """What the row has but could not be read: it is not empty, and is left alone in Immich."""


class Images(Sequence[CatalogueImage]):
    """Images in order of their ids, which know more at once than a tuple: see ``core.packed_catalogue``."""

    __slots__ = ()

    @abstractmethod
    def ids(self) -> Sequence[int]:
        """Return the images' ids."""

    @abstractmethod
    def asset_ids(self) -> Sequence[str | None]:
        """Return the assets that they are linked to, in the same order."""

    @abstractmethod
    def linked_assets(self) -> AbstractSet[str]:
        """Return the assets that they are linked to."""

    @abstractmethod
    def id_of(self, asset_id: str) -> int | None:
        """Return the id of the image that is linked to an asset; ``None``: there is none."""

    @property
    @abstractmethod
    def linked_count(self) -> int:
        """How many are linked."""

    @abstractmethod
    def find(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id; ``None``: there is none."""

    def all_of(self, image_id: int) -> tuple[CatalogueImage, ...]:
        """Return the image with an id, once for each asset that it stands for: see ``core.stacks``."""
        found = self.find(image_id)
        return () if found is None else (found,)

    def as_linked(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id as the catalogue itself links it."""
        return self.find(image_id)

    def is_beside(self, asset_id: str) -> bool:  # noqa: ARG002 - no stacks, no members
        """Return whether an asset stands beside the main one of its image."""
        return False

    @abstractmethod
    def replaced(self, changed: Mapping[int, CatalogueImage | None]) -> Images:
        """Return these images with some exchanged, added, or (where it is ``None``) left out."""

    @abstractmethod
    def slices(self) -> Iterator[Sequence[CatalogueImage]]:
        """Return them slice by slice."""


class Linked(Sequence[CatalogueImage]):
    """Those of images that name an Immich asset, without a copy of them."""

    __slots__ = ("_images",)

    def __init__(self, images: Images) -> None:
        self._images = images

    def __len__(self) -> int:
        return self._images.linked_count

    def __iter__(self) -> Iterator[CatalogueImage]:
        return (image for image in self._images if image.asset_id is not None)

    def __getitem__(self, place):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204 - as of the tuple of them
        """Return one image, or some: for the few who ask; to go through them all is to iterate."""
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        return tuple(self) == (tuple(other) if isinstance(other, Linked) else other)

    __hash__ = None  # type: ignore[assignment]  # as of any container


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that could not be read, or a part of it: it spoils only itself."""

    table: str
    row_id: int | str
    reason: Reason
    severity: Literal["error", "warning"] = "error"
    """``error``: the row was left out. ``warning``: a part of it was."""

    @property
    def place(self) -> str:
        """Where it is, for people: ``equipment 4``, or the table alone."""
        return self.table if self.row_id == WHOLE_TABLE else f"{self.table} {self.row_id}"


@dataclass(frozen=True, slots=True)
class SyncSettings:
    """Skymmich's ``immich`` settings, as far as they concern this program.

    The defaults are Skymmich's own for an installation that never saved them.
    """

    enabled: bool = False
    """``metadataSyncEnabled``: the master switch."""
    description: bool = True
    coordinates: bool = True
    tags: bool = True
    immich_url: str = ""
    immich_api_key: str = field(default="", repr=False)
    masked: bool = False
    """Whether there is a key that Skymmich does not show, as over its web address."""
    stored: bool = False
    """Whether Skymmich has such a row at all."""
    unreadable: frozenset[Switch] = frozenset()
    """Switches that are there and could not be read: off, until it is recalled what they were."""

    def without(self, switches: Collection[Switch] = SWITCHED_PARTS) -> SyncSettings:
        """Return settings of which some switches are unknown: nothing is written by them."""
        return replace(
            self,
            description=self.description and "description" not in switches,
            coordinates=self.coordinates and "coordinates" not in switches,
            tags=self.tags and "tags" not in switches,
            unreadable=self.unreadable | frozenset(switches),
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that one read of Skymmich gave, in order of image id."""

    images: Sequence[CatalogueImage]
    """A tuple, or ``Images`` where there may be many."""
    problems: tuple[RowProblem, ...] = ()
    settings: SyncSettings = field(default_factory=SyncSettings)
    schema: str = ""
    """What was found, for people: ``SQLite, journal mode delete, schema of 0.9``."""
    columns: frozenset[str] = frozenset()
    """``table.column`` of all that is read and was there."""
    gone: frozenset[str] = frozenset()
    """``table.column`` of what the schema once had: their facts are unknown."""
    empty: frozenset[str] = frozenset()
    """Tables without a row that nobody empties once Skymmich has filled them."""
    changed: frozenset[int] | None = field(default=None, compare=False)
    """Ids of the images that are not as in the reading before, gone ones too; ``None``: any may be."""
    reading: int = field(default=0, compare=False)
    """Counts what one reader read."""

    def doubtful_ids(self) -> frozenset[int]:
        """Return the ids of images whose row, or whose link, could not be read: they did not leave."""
        named = {
            problem.row_id
            for problem in self.problems
            if problem.table == IMAGES_TABLE and isinstance(problem.row_id, int)
        }
        return frozenset(
            row_id for row_id in named if (image := self.image(row_id)) is None or image.asset_id is None
        )

    def linked(self) -> Sequence[CatalogueImage]:
        """The images that name an Immich asset."""
        if isinstance(self.images, Images):
            return Linked(self.images)
        return tuple(image for image in self.images if image.asset_id is not None)

    def linked_assets(self) -> AbstractSet[str]:
        """Return the ids of the assets that are linked."""
        if isinstance(self.images, Images):
            return self.images.linked_assets()
        return frozenset(image.asset_id for image in self.images if image.asset_id is not None)

    def linked_ids(self) -> Iterator[str]:
        """Go through the same in order of their images."""
        if isinstance(self.images, Images):
            return filter(None, self.images.asset_ids())
        return (image.asset_id for image in self.images if image.asset_id is not None)

    def image_id_of(self, asset_id: str) -> int | None:
        """Return the id of the image that is linked to an asset; ``None``: there is none."""
        if isinstance(self.images, Images):
            return self.images.id_of(asset_id)
        return next((image.image_id for image in self.images if image.asset_id == asset_id), None)

    def image(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id; ``None``: there is none."""
        if isinstance(self.images, Images):
            return self.images.find(image_id)
        return next((image for image in self.images if image.image_id == image_id), None)

    def all_of(self, image_id: int) -> tuple[CatalogueImage, ...]:
        """Return the image with an id, once for each asset that it stands for, the main one first."""
        if isinstance(self.images, Images):
            return self.images.all_of(image_id)
        return tuple(filter(None, (self.image(image_id),)))

    def as_linked(self, image_id: int) -> CatalogueImage | None:
        """Return the image with an id as Skymmich links it, whatever stands in its asset's place."""
        if isinstance(self.images, Images):
            return self.images.as_linked(image_id)
        return self.image(image_id)

    def is_beside(self, asset_id: str) -> bool:
        """Return whether an asset stands beside the main one of its image: another member of its stack."""
        return isinstance(self.images, Images) and self.images.is_beside(asset_id)
