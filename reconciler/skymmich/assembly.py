"""Puts Skymmich's tables together into the catalogue that everything else works with.

Rows in, images out, slice by slice; no database is touched here. A row that cannot be understood is reported
and spoils only itself. Which rows are read, and when, is in ``reading``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.catalogue import CatalogueImage, RowProblem, Summary
from reconciler.core.reasons import reason
from reconciler.core.unknown import title_without, unknown_of
from reconciler.skymmich.annotations import Surveyor
from reconciler.skymmich.dangling import Doubts
from reconciler.skymmich.equipment import MOST_FRAMES, read_acquisitions, read_equipment, read_links
from reconciler.skymmich.fields import MAX_PROSE, excerpt, read_rows
from reconciler.skymmich.sites import read_locations, site_at
from reconciler.skymmich.solutions import lacking, read_solves, solution_of
from reconciler.skymmich.tables import IMAGES, LOCATIONS, OBJECTS, SOLVES
from reconciler.skymmich.targets import read_objects, target_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.core.catalogue import Images
    from reconciler.core.ports import ObjectCatalogue
    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Row, Snapshot, Table

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


class Assembler:
    """Puts images together, slice by slice, with what belongs to no image: equipment, places, objects.

    Args:
        snapshot: the tables that do not grow with the images.
        lost: of each table whose rows belong to images: how many there are, and how many name none.
        strange: tables of which no row refers by a column to anything in another.
        sky: knows objects that Skymmich's own table lacks.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        lost: Mapping[Table, tuple[int, int]],
        strange: Iterable[tuple[Table, str, Table]] = (),
        *,
        sky: ObjectCatalogue | None = None,
    ) -> None:
        self.problems: list[RowProblem] = []
        """Of these tables."""
        self._snapshot, self._doubts, self._sky = snapshot, Doubts(), sky
        self._equipment = read_equipment(snapshot, self.problems, self._doubts)
        self._locations = read_locations(snapshot, self.problems, self._doubts)
        self._objects = read_objects(snapshot, self.problems, self._doubts)
        self._surveyor = Surveyor(self._objects, sky)
        for table, (rows, stray) in lost.items():
            self._doubts.lost(table.stands_for, rows, stray)
        self.problems += [self._doubts.refer(*reference) for reference in strange]

    def images(self, rows: Mapping[str, Sequence[Row]]) -> tuple[list[CatalogueImage], list[RowProblem]]:
        """Put together the images of a slice, in order of their ids, from all rows that belong to them."""
        problems: list[RowProblem] = []
        snapshot, doubts = replace(self._snapshot, rows=rows), self._doubts.of_others()
        linked = read_links(snapshot, self._equipment, problems, doubts)
        acquisitions = read_acquisitions(snapshot, self._equipment, problems, doubts)
        solves = read_solves(snapshot, problems, doubts)

        def read_image(fields: Fields) -> CatalogueImage:
            image_id = fields.identity()
            latitude, longitude = fields.number("latitude"), fields.number("longitude")
            target_name = fields.text("target_name")
            solve = solves.get(image_id)
            solution = solution_of(fields, solve)
            target = target_of(target_name, self._objects, self._sky)
            filename = fields.text("filename") or ""
            if solution is not None and solve is not None:
                keys = self._surveyor.target_keys(target, target_name)
                solution = self._surveyor.surveyed(solution, solve.solution, solve.survey, keys, filename)
            if solve is not None and (lost := lacking(solution, solve)):
                doubts.add(image_id, f"{SOLVES.name}.result")
                why = reason("row_answer_lacks", column="result", keys=lost)
                problems.append(RowProblem(SOLVES.name, solve.recorded[1], why, "warning"))
            for name in ("title", "filename"):
                if fields.raw(name) is None:
                    fields.absent(name)
            image = CatalogueImage(
                image_id=image_id,
                asset_id=_asset_id(fields),
                title=fields.vital("title"),
                filename=filename,
                path=fields.text("original_path") or "",
                description=fields.vital("description", MAX_PROSE),
                captured_at=fields.moment("capture_date"),
                tags=fields.strings("tags"),
                object_type=fields.text("object_type"),
                constellation=fields.text("constellation"),
                target_name=target_name,
                target=target,
                solution=solution,
                latitude=latitude,
                longitude=longitude,
                site=site_at(latitude, longitude, self._locations),
                equipment=linked.get(image_id, ()),
                acquisitions=acquisitions.get(image_id, ()),
                summary=_summary(fields),
            )
            return _with_doubts(image, fields, doubts, sites=bool(self._locations or doubts.nameless))

        found = read_rows(snapshot, IMAGES, read_image, problems)
        return _each_once(found, problems), problems


def _asset_id(fields: Fields) -> str | None:
    """Return the linked asset as a lower-case UUID; ``None`` for an image without a link.

    Raises:
        UnreadableRowError: the link is binary data.
    """
    stored = fields.vital("immich_id").strip()
    if not stored:
        return None
    asset_id = stored.lower()
    if _UUID.fullmatch(asset_id) is None:
        fields.warn("row_no_uuid", column="immich_id", value=excerpt(stored))
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


def _each_once(images: Iterable[CatalogueImage], problems: list[RowProblem]) -> list[CatalogueImage]:
    """Keep the first image of each row id: a table that was rebuilt by hand has lost its key."""
    kept: dict[int, CatalogueImage] = {}
    for image in sorted(images, key=lambda image: image.image_id):
        if image.image_id in kept:
            problems.append(RowProblem(IMAGES.name, image.image_id, reason("row_repeated")))
        else:
            kept[image.image_id] = image
    return list(kept.values())


def each_linked_once(images: Images) -> tuple[Images, list[RowProblem]]:
    """Keep one link per asset, the first: later ones are problems.

    The column is unique in Skymmich's own tables, but links that differ in case alone pass there.
    """
    problems: list[RowProblem] = []
    if len(images.linked_assets()) == images.linked_count:
        return images, problems
    owner: dict[str, int] = {}
    changed: dict[int, CatalogueImage | None] = {}
    for image_id, asset_id in zip(images.ids(), images.asset_ids(), strict=True):
        if asset_id is None or (first := owner.setdefault(asset_id, image_id)) == image_id:
            continue
        why = reason("row_linked_twice", asset=asset_id, image=str(first))
        problems.append(RowProblem(IMAGES.name, image_id, why, "warning"))
        image = images.find(image_id)
        changed[image_id] = image and replace(image, asset_id=None)
    return images.replaced(changed), problems
