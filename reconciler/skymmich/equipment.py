"""Reads equipment, its links to images, and the sub-exposures that were taken with it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from reconciler.core.catalogue import Acquisition, Equipment
from reconciler.skymmich.fields import UnreadableRowError, excerpt, finite, read_rows
from reconciler.skymmich.tables import ACQUISITIONS, EQUIPMENT, LINKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.catalogue import RowProblem, Specification
    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Snapshot


def read_equipment(snapshot: Snapshot, problems: list[RowProblem]) -> dict[int, Equipment]:
    """Give all equipment by id."""
    return {item.equipment_id: item for item in read_rows(snapshot, EQUIPMENT, _read_equipment, problems)}


def read_links(
    snapshot: Snapshot, equipment: Mapping[int, Equipment], problems: list[RowProblem]
) -> dict[int, tuple[Equipment, ...]]:
    """Give each image's equipment in order of the links, each piece once.

    SQLite keeps links to deleted equipment (no foreign keys there): they are nothing.
    """
    linked: dict[int, dict[int, Equipment]] = {}
    for image_id, equipment_id in read_rows(snapshot, LINKS, _read_link, problems):
        if image_id is not None and equipment_id is not None and equipment_id in equipment:
            linked.setdefault(image_id, {}).setdefault(equipment_id, equipment[equipment_id])
    return {image_id: tuple(pieces.values()) for image_id, pieces in linked.items()}


def read_acquisitions(
    snapshot: Snapshot, equipment: Mapping[int, Equipment], problems: list[RowProblem]
) -> dict[int, tuple[Acquisition, ...]]:
    """Give each image's sub-exposures, by night (undated ones last) and then in order of entry."""

    def read(fields: Fields) -> tuple[int | None, int, Acquisition]:
        return fields.reference("image_id"), fields.identity(), _read_acquisition(fields, equipment)

    found: dict[int, list[tuple[date, int, Acquisition]]] = {}
    for image_id, row_id, acquisition in read_rows(snapshot, ACQUISITIONS, read, problems):
        if image_id is not None:
            found.setdefault(image_id, []).append((acquisition.night or date.max, row_id, acquisition))
    return {
        image_id: tuple(row[2] for row in sorted(rows, key=lambda row: row[:2]))
        for image_id, rows in found.items()
    }


def _read_equipment(fields: Fields) -> Equipment:
    identity, name = fields.identity(), fields.vital("name").strip()
    if not name:
        raise UnreadableRowError("it has no name")
    return Equipment(
        equipment_id=identity,
        name=name,
        kind=(fields.text("type") or "").casefold(),
        specifications=_specifications(fields),
    )


def _specifications(fields: Fields) -> tuple[tuple[str, Specification], ...]:
    stored = fields.json("specifications")
    if stored is None:
        return ()
    if not isinstance(stored, dict):
        fields.warn(f"specifications is not an object ({excerpt(stored)}); it is ignored")
        return ()
    plain = {
        key: value
        for key, value in stored.items()
        if isinstance(value, str | bool) or (isinstance(value, int | float) and finite(value) is not None)
    }
    return tuple(sorted(plain.items()))


def _read_link(fields: Fields) -> tuple[int | None, int | None]:
    return fields.reference("image_id"), fields.reference("equipment_id")


def _read_acquisition(fields: Fields, equipment: Mapping[int, Equipment]) -> Acquisition:
    """Read one row; its filter goes by its present name, since the stored one is of the day of entry."""
    count, exposure = finite(fields.raw("frame_count")), finite(fields.raw("exposure_time"))
    if count is None or count < 1 or not count.is_integer():
        raise UnreadableRowError(f"frame_count is no count of frames: {excerpt(fields.raw('frame_count'))}")
    if exposure is None or exposure <= 0:
        raise UnreadableRowError(f"exposure_time is no duration: {excerpt(fields.raw('exposure_time'))}")
    noted = fields.text("filter_name")
    filter_id = fields.reference("filter_id")
    present = equipment.get(filter_id) if filter_id is not None else None
    entered = fields.moment("date")
    return Acquisition(
        filter_name=present.name if present is not None else noted,
        frame_count=int(count),
        exposure_s=exposure,
        gain=fields.integer("gain"),
        offset=fields.integer("offset"),
        binning=fields.text("binning"),
        sensor_temp_c=fields.number("sensor_temp"),
        night=entered.date() if entered is not None else None,
    )
