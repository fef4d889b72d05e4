"""Puts Skymmich's tables together into the catalogue that everything else works with.

One snapshot in, one ``Catalogue`` out; no database is touched here. A row that cannot be understood is
reported and spoils only itself.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.catalogue import Catalogue, CatalogueImage, RowProblem, Summary
from reconciler.core.unknown import title_without, unknown_of, without
from reconciler.skymmich.doubts import Doubts, doubt_references
from reconciler.skymmich.equipment import MOST_FRAMES, read_acquisitions, read_equipment, read_links
from reconciler.skymmich.fields import MAX_PROSE, excerpt, read_rows
from reconciler.skymmich.settings import read_settings
from reconciler.skymmich.sites import read_locations, site_at
from reconciler.skymmich.solutions import lacking, read_solves, solution_of
from reconciler.skymmich.tables import IMAGES, LASTING, LOCATIONS, OBJECTS, SOLVES
from reconciler.skymmich.targets import read_objects, target_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Snapshot

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def assemble(snapshot: Snapshot) -> Catalogue:
    """Turn a snapshot's rows into the catalogue, in order of image id."""
    problems: list[RowProblem] = []
    doubts = Doubts()
    equipment = read_equipment(snapshot, problems, doubts)
    linked = read_links(snapshot, equipment, problems, doubts)
    acquisitions = read_acquisitions(snapshot, equipment, problems, doubts)
    solves = read_solves(snapshot, problems, doubts)
    locations = read_locations(snapshot, problems, doubts)
    objects = read_objects(snapshot, problems, doubts)
    doubt_references(snapshot, doubts, problems)

    def read_image(fields: Fields) -> CatalogueImage:
        image_id = fields.identity()
        latitude, longitude = fields.number("latitude"), fields.number("longitude")
        target_name = fields.text("target_name")
        solve = solves.get(image_id)
        solution = solution_of(fields, solve)
        if solve is not None and (lost := lacking(solution, solve)):
            doubts.add(image_id, f"{SOLVES.name}.result")
            reason = f"result has no {', '.join(lost)}, which the solver always gives; it is unknown"
            problems.append(RowProblem(SOLVES.name, solve.recorded[1], reason, "warning"))
        for name in ("title", "filename"):
            if fields.raw(name) is None:
                fields.absent(name)
        image = CatalogueImage(
            image_id=image_id,
            asset_id=_asset_id(fields),
            title=fields.vital("title"),
            filename=fields.text("filename") or "",
            description=fields.vital("description", MAX_PROSE),
            captured_at=fields.moment("capture_date"),
            tags=fields.strings("tags"),
            object_type=fields.text("object_type"),
            constellation=fields.text("constellation"),
            target_name=target_name,
            target=target_of(target_name, objects),
            solution=solution,
            latitude=latitude,
            longitude=longitude,
            site=site_at(latitude, longitude, locations),
            equipment=linked.get(image_id, ()),
            acquisitions=acquisitions.get(image_id, ()),
            summary=_summary(fields),
        )
        return _with_doubts(image, fields, doubts, sites=bool(locations or doubts.nameless))

    images = _distinct(read_rows(snapshot, IMAGES, read_image, problems), problems)
    catalogue = Catalogue(
        images=images,
        settings=read_settings(snapshot, problems),
        problems=tuple(problems),
        schema=f"{snapshot.storage}, schema of {snapshot.release}",
        columns=snapshot.columns,
        empty=frozenset(table.name for table in LASTING if snapshot.rows.get(table.name) == []),
    )
    return without(catalogue, snapshot.gone)


def _asset_id(fields: Fields) -> str | None:
    """Give the linked asset as a lower-case UUID; ``None`` for an image without a link.

    Raises:
        UnreadableRowError: the link is binary data.
    """
    stored = fields.vital("immich_id").strip()
    if not stored:
        return None
    asset_id = stored.lower()
    if _UUID.fullmatch(asset_id) is None:
        fields.warn(f"immich_id is not a UUID ({excerpt(stored)}); the image counts as not linked")
        return None
    return asset_id


def _with_doubts(image: CatalogueImage, fields: Fields, doubts: Doubts, *, sites: bool) -> CatalogueImage:
    """Note what was there, in the image's own row or in one that belongs to it, and could not be read."""
    missing = doubts.everywhere | doubts.of_image.get(image.image_id, set())
    if fields.dropped:
        missing |= {f"{IMAGES.name}.{name}" for name in fields.dropped}
    if LOCATIONS.name in doubts.nameless:
        missing.add(f"{LOCATIONS.name}.name")
    if image.target is not None:
        missing |= doubts.of_object.get(image.target.name, set())
    elif OBJECTS.name in doubts.nameless:
        missing.add(f"{OBJECTS.name}.name")
    if not missing and not fields.partly:
        return image
    unreadable = unknown_of(image, missing)
    if fields.dropped & {"latitude", "longitude"} and sites:
        unreadable |= {"block"}  # which names the site
    if "tags" in fields.partly and "tags" not in unreadable:
        unreadable |= {"more_tags"}
    title = title_without(image) if "title" in fields.dropped else image.title
    return replace(image, unreadable=unreadable, title=title)


def _summary(fields: Fields) -> Summary:
    filters = fields.text("filters") or ""
    return Summary(
        telescope=fields.text("telescope"),
        camera=fields.text("camera"),
        mount=fields.text("mount"),
        filters=tuple(part.strip() for part in filters.split(",") if part.strip()),
        focal_length_mm=fields.number("focal_length", minimum=0, maximum=1e6, may_be_nan=True),
        aperture=fields.text("aperture"),
        iso=fields.integer("iso", minimum=0),
        exposure_time=fields.text("exposure_time"),
        frame_count=fields.integer("frame_count", minimum=0, maximum=MOST_FRAMES),
        integration_hours=fields.number("total_integration_hours", minimum=0, maximum=1e6),
    )


def _distinct(images: Iterable[CatalogueImage], problems: list[RowProblem]) -> tuple[CatalogueImage, ...]:
    """Keep one image per row id, and one link per asset: the first of each; later ones are problems.

    Both columns are unique in Skymmich's own tables, but links that differ in case alone pass there, and
    a table that was rebuilt by hand has lost its keys.
    """
    kept: dict[int, CatalogueImage] = {}
    owner: dict[str, int] = {}
    for image in sorted(images, key=lambda image: image.image_id):
        found = image
        if image.image_id in kept:
            reason = "there is an earlier row with the same id"
            problems.append(RowProblem(IMAGES.name, image.image_id, reason))
            continue
        if image.asset_id is not None and owner.setdefault(image.asset_id, image.image_id) != image.image_id:
            reason = (
                f"it is linked to asset {image.asset_id}, as is image {owner[image.asset_id]} already; "
                "the image counts as not linked"
            )
            problems.append(RowProblem(IMAGES.name, image.image_id, reason, "warning"))
            found = replace(image, asset_id=None)
        kept[image.image_id] = found
    return tuple(kept.values())
