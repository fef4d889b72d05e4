"""What of an image is unknown when a table, a column or a value of Skymmich cannot be read.

A value that cannot be read is not empty: what Immich shows of it stays as it is. The block is one text, so
it is unknown as a whole as soon as one fact is unknown that could stand in it; a column that says nothing
about this very image (the flat telescope where one is linked, say) costs nothing. Nothing is read here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import IMAGES_TABLE, SETTINGS_TABLE, WHOLE_TABLE, RowProblem
from reconciler.core.desired.equipment_facts import kinds_of
from reconciler.core.desired.object_facts import constellation_of, object_type_of
from reconciler.core.desired.solution_facts import position_of
from reconciler.core.packed_catalogue import PackedImages
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from reconciler.core.catalogue import Catalogue, CatalogueImage, Unreadable
    from reconciler.core.reasons import Reason

_BLOCK: Final[frozenset[Unreadable]] = frozenset({"block"})
_TAGS: Final[frozenset[Unreadable]] = frozenset({"block", "tags"})
_NIGHTS: Final[frozenset[Unreadable]] = frozenset({"block", "taken_at"})

_OF_IMAGES: Final[Mapping[str, frozenset[Unreadable]]] = {
    "description": frozenset({"prose"}),
    "latitude": frozenset({"coordinates"}),
    "longitude": frozenset({"coordinates"}),
    "capture_date": frozenset({"taken_at"}),
    **dict.fromkeys(
        # The title chooses among the target's names, and keeps the tags that stand in it.
        ("title", "tags", "object_type", "constellation", "target_name", "plate_solved", "ra", "dec"), _TAGS
    ),
    **dict.fromkeys(
        ("filename", "field_of_view", "rotation", "telescope", "camera", "mount", "filters",
         "focal_length", "aperture", "iso", "exposure_time", "frame_count", "total_integration_hours"),
        _BLOCK,
    ),
}  # fmt: skip
FIELDS: Final[Mapping[str, frozenset[Unreadable]]] = {
    **{f"{IMAGES_TABLE}.{column}": fields for column, fields in _OF_IMAGES.items()},
    **{f"equipment.{column}": _TAGS for column in ("id", "name", "type")},
    "equipment.specifications": _BLOCK,
    **{f"image_equipment.{column}": _TAGS for column in ("id", "image_id", "equipment_id")},
    **{
        f"image_acquisition.{column}": _BLOCK
        for column in ("frame_count", "exposure_time", "filter_id", "filter_name", "gain",
                       "offset", "binning", "sensor_temp")
    },
    **{f"image_acquisition.{column}": _NIGHTS for column in ("id", "image_id", "date")},
    **{f"plate_solving_jobs.{column}": _TAGS for column in ("id", "image_id", "status", "result")},
    **{f"locations.{column}": _BLOCK for column in ("id", "name", "latitude", "longitude")},
    **{
        f"catalog_objects.{column}": _TAGS
        for column in ("id", "name", "type", "messier", "common_names", "constellation", "ra_deg", "dec_deg")
    },
}  # fmt: skip
"""``table.column`` → what rests on it. A column that is not here is shown nowhere."""


def _linked(image: CatalogueImage, kind: str) -> bool:
    return kind in kinds_of(image).values()


def _has_rows(image: CatalogueImage) -> bool:
    return bool(image.acquisitions)


def _no_place(image: CatalogueImage) -> bool:
    return image.latitude is None or image.longitude is None or image.site is not None


def _no_target(image: CatalogueImage) -> bool:
    return image.target_name is None


def _no_solution(image: CatalogueImage) -> bool:
    return image.solution is None


_SAYS_NOTHING: Final[Mapping[str, Callable[[CatalogueImage], bool]]] = {
    "object_type": lambda image: bool(object_type_of(replace(image, object_type=None))),
    "constellation": lambda image: bool(constellation_of(replace(image, constellation=None))),
    "plate_solved": lambda image: image.solution is not None,
    "ra": lambda image: image.solution is not None and image.solution.ra_deg is not None,
    "dec": lambda image: image.solution is None or image.solution.dec_deg is not None,
    "rotation": lambda image: (
        image.solution is None
        or image.solution.rotation_deg is not None
        or image.solution.position_angle_deg is not None
    ),
    "field_of_view": lambda image: image.solution is None or image.solution.width_arcsec is not None,
    "telescope": lambda image: _linked(image, "telescope"),
    "focal_length": lambda image: _linked(image, "telescope"),
    "aperture": lambda image: _linked(image, "telescope"),
    "camera": lambda image: _linked(image, "camera"),
    "mount": lambda image: _linked(image, "mount"),
    "filters": lambda image: bool(image.acquisitions) or _linked(image, "filter"),
    **dict.fromkeys(("iso", "exposure_time", "frame_count", "total_integration_hours"), _has_rows),
}
"""Columns of images that do not matter where something better is known."""
_TABLE_SAYS_NOTHING: Final[Mapping[str, Callable[[CatalogueImage], bool]]] = {
    "plate_solving_jobs": _no_solution,  # an answer left over there is not this image's state
    "locations": _no_place,
    "catalog_objects": _no_target,
}
_POSITION: Final = frozenset({"plate_solved", "ra", "dec"})


def unknown_of(image: CatalogueImage, missing: Iterable[str]) -> frozenset[Unreadable]:
    """Return what of an image is unknown without these ``table.column``s.

    Args:
        image: as read, with nothing in the place of what is missing.
        missing: what of its own row, and of the rows that belong to it, could not be read.
    """
    found: set[Unreadable] = set()
    for name in missing:
        table, _, column = name.partition(".")
        fields = FIELDS.get(name, frozenset())
        if table == IMAGES_TABLE:
            if (silent := _SAYS_NOTHING.get(column)) and silent(image):
                continue
            if column == "tags" and (_no_solution(image) or constellation_of(replace(image, tags=()))):
                fields -= _BLOCK  # it takes but the constellation from them, which the solver put there
        elif (silent := _TABLE_SAYS_NOTHING.get(table)) and silent(image):
            continue
        if (table == "plate_solving_jobs" or column in _POSITION) and position_of(image.solution):
            fields &= _BLOCK  # the constellation, which is a tag, is that of the position
        found |= fields
    return frozenset(found)


def without(catalogue: Catalogue, gone: AbstractSet[str]) -> Catalogue:
    """Return a catalogue whose schema lost these columns: their facts are unknown, told once a table.

    Args:
        catalogue: as read.
        gone: ``table.column`` of what the schema once had.
    """
    gone = gone - catalogue.gone
    if not gone:
        return catalogue
    titles = f"{IMAGES_TABLE}.title" in gone
    # The block names the site, which is found by the place.
    site = _BLOCK if gone & {f"{IMAGES_TABLE}.latitude", f"{IMAGES_TABLE}.longitude"} else frozenset()

    def doubted(image: CatalogueImage) -> CatalogueImage:
        unreadable = image.unreadable | unknown_of(image, gone) | site
        title = title_without(image) if titles else image.title
        changed = unreadable != image.unreadable or title != image.title
        return replace(image, unreadable=unreadable, title=title) if changed else image

    images = map(doubted, catalogue.images)
    theirs = any(name.startswith(f"{SETTINGS_TABLE}.") for name in gone)
    settings = catalogue.settings.without() if theirs else catalogue.settings
    tables = {name.partition(".")[0] for name in catalogue.columns}
    problems = [
        RowProblem(table, WHOLE_TABLE, _reason(table, columns, tables, catalogue.empty), "warning")
        for table, columns in sorted(_by_table(gone).items())
    ]
    return replace(
        catalogue,
        images=_like(catalogue.images, images),
        problems=(*problems, *catalogue.problems),
        settings=settings,
        gone=catalogue.gone | gone,
    )


def _like(kind: Sequence[CatalogueImage], images: Iterator[CatalogueImage]) -> Sequence[CatalogueImage]:
    """Return images packed where others are, and kept where those are."""
    return PackedImages(images, kind.new_shelf) if isinstance(kind, PackedImages) else tuple(images)


def title_without(image: CatalogueImage) -> str:
    """Return what an image is called while its title cannot be read."""
    return image.title or image.filename or f"image {image.image_id}"


def _by_table(columns: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(columns):
        table, _, column = name.partition(".")
        found.setdefault(table, []).append(column)
    return found


def _reason(table: str, columns: list[str], there: AbstractSet[str], empty: AbstractSet[str]) -> Reason:
    shown = any(FIELDS.get(f"{table}.{column}") for column in columns)
    if table in empty:
        return reason("row_table_emptied_missed" if shown else "row_table_emptied")
    if table not in there:
        return reason("row_table_missed" if shown else "row_table_gone")
    return reason("row_columns_missed" if shown else "row_columns_gone", columns=tuple(columns))
