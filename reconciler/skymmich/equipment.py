"""Reads equipment, its links to images, and the sub-exposures that were taken with it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import Acquisition, Equipment
from reconciler.skymmich.fields import (
    MAX_TEXT,
    UnreadableRowError,
    excerpt,
    finite,
    plain_text,
    read_rows,
    within,
)
from reconciler.skymmich.tables import ACQUISITIONS, EQUIPMENT, LINKS

_SHOWN: Final = ("focallength", "focalratio", "fratio", "role")
"""Keys of specifications, case folded, on which something shown rests: see ``core.desired.facts``."""
MOST_FRAMES: Final = 10_000_000
SHORTEST_S, LONGEST_S = 1e-6, 1e6
"""Seconds of one sub-exposure; the longest is eleven days."""

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.catalogue import RowProblem, Specification
    from reconciler.skymmich.dangling import Doubts
    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Snapshot


def read_equipment(snapshot: Snapshot, problems: list[RowProblem], doubts: Doubts) -> dict[int, Equipment]:
    """Return all equipment by id."""

    def note(fields: Fields) -> None:
        equipment_id = fields.raw("id")
        if not isinstance(equipment_id, int):
            doubts.nameless.add(EQUIPMENT.name)
        elif not fields.dropped and isinstance(name := fields.raw("name"), str) and not name.strip():
            return  # it was read whole: it has no name
        else:
            names = fields.dropped or {"name"}
            doubts.of_equipment[equipment_id] = {f"{EQUIPMENT.name}.{name}" for name in names}

    rows = read_rows(snapshot, EQUIPMENT, _read_equipment, problems, after=note)
    return {item.equipment_id: item for item in rows}


def read_links(
    snapshot: Snapshot, equipment: Mapping[int, Equipment], problems: list[RowProblem], doubts: Doubts
) -> dict[int, tuple[Equipment, ...]]:
    """Return each image's equipment in order of its ids, each piece once.

    Skymmich's API does not tell in which order it was linked, so no source goes by that. SQLite keeps links
    to deleted equipment (no foreign keys there): they are nothing.
    """
    linked: dict[int, dict[int, Equipment]] = {}
    note = doubts.owned(LINKS.stands_for)
    for image_id, equipment_id in read_rows(snapshot, LINKS, _read_link, problems, after=note):
        if image_id is None or equipment_id is None:
            continue
        if equipment_id in equipment:
            linked.setdefault(image_id, {}).setdefault(equipment_id, equipment[equipment_id])
        elif EQUIPMENT.name in doubts.nameless:
            doubts.add(image_id, f"{EQUIPMENT.name}.id")
        for what in doubts.of_equipment.get(equipment_id, ()):
            doubts.add(image_id, what)
    return {image_id: tuple(pieces[key] for key in sorted(pieces)) for image_id, pieces in linked.items()}


def read_acquisitions(
    snapshot: Snapshot, equipment: Mapping[int, Equipment], problems: list[RowProblem], doubts: Doubts
) -> dict[int, tuple[Acquisition, ...]]:
    """Return each image's sub-exposures, by night (undated ones last) and then in order of entry."""
    unread = ACQUISITIONS.stands_for

    def _is_nameless(filter_id: int) -> bool:
        if filter_id in doubts.of_equipment:
            return f"{EQUIPMENT.name}.name" in doubts.of_equipment[filter_id]
        return filter_id not in equipment and EQUIPMENT.name in doubts.nameless

    def read(fields: Fields) -> tuple[int | None, int, Acquisition]:
        owner, filter_id = fields.reference("image_id"), fields.raw("filter_id")
        if owner is not None and isinstance(filter_id, int) and _is_nameless(filter_id):
            doubts.add(owner, unread)
        return owner, fields.identity(), _read_acquisition(fields, equipment)

    found: dict[int, list[tuple[date, int, Acquisition]]] = {}
    note = doubts.owned(unread)
    for image_id, row_id, acquisition in read_rows(snapshot, ACQUISITIONS, read, problems, after=note):
        if image_id is not None:
            found.setdefault(image_id, []).append((acquisition.night or date.max, row_id, acquisition))
    return {
        image_id: tuple(row[2] for row in sorted(rows, key=lambda row: row[:2]))
        for image_id, rows in found.items()
    }


def _read_equipment(fields: Fields) -> Equipment:
    identity, stored = fields.identity(), fields.raw("name")
    if isinstance(stored, str) and len(stored) > MAX_TEXT:
        raise UnreadableRowError("row_too_long", column="name", most=MAX_TEXT, size=len(stored))
    name = fields.vital("name").strip()
    if not name:
        raise UnreadableRowError("row_nameless")
    return Equipment(
        equipment_id=identity,
        name=name,
        kind=_kind(fields),
        specifications=_specifications(fields),
    )


def _kind(fields: Fields) -> str:
    if fields.raw("type") is None:
        fields.absent("type")
    return (fields.text("type") or "").casefold()


def _specifications(fields: Fields) -> tuple[tuple[str, Specification], ...]:
    stored = fields.json("specifications")
    if stored is None:
        return ()
    if not isinstance(stored, dict):
        fields.drop("specifications", "row_no_object", value=excerpt(stored))
        return ()
    _doubt_shape(fields, stored)
    plain: dict[str, Specification] = {}
    for name, value in stored.items():
        key, kept = plain_text(name), plain_text(value) if isinstance(value, str) else value
        if key is None or kept is None or not isinstance(kept, str | bool | int | float):
            continue
        if isinstance(kept, str | bool) or finite(kept) is not None:
            plain[key] = kept
    return tuple(sorted(plain.items()))


def _doubt_shape(fields: Fields, stored: Mapping[str, object]) -> None:
    """Note specifications of which something that is shown is not where, or what, it has always been.

    Any key may be missing, and what people enter under names of their own is theirs.
    """
    given = {key.casefold(): value for key, value in stored.items() if value is not None}
    if odd := [key for key in _SHOWN if key in given and not _is_plain(given[key])]:
        fields.drop("specifications", "row_odd_specification", key=odd[0], value=excerpt(given[odd[0]]))
        return
    nested = [value for value in given.values() if isinstance(value, dict | list)]
    inside = {key.casefold() for value in nested if isinstance(value, dict) for key in value}
    if nested and (len(nested) == len(given) or any(key in inside and key not in given for key in _SHOWN)):
        fields.drop("specifications", "row_deep_specifications", value=excerpt(nested[0]))


def _is_plain(value: object) -> bool:
    return plain_text(value) is not None if isinstance(value, str) else finite(value) is not None


def _read_link(fields: Fields) -> tuple[int | None, int | None]:
    image_id, equipment_id = fields.reference("image_id"), fields.reference("equipment_id")
    for name, found in (("image_id", image_id), ("equipment_id", equipment_id)):
        if found is None:
            fields.absent(name)
    return image_id, equipment_id


def _read_acquisition(fields: Fields, equipment: Mapping[int, Equipment]) -> Acquisition:
    """Read one row; its filter goes by its present name, since the stored one is of the day of entry."""
    count = within(fields.raw("frame_count"), 1, MOST_FRAMES)
    exposure = within(fields.raw("exposure_time"), SHORTEST_S, LONGEST_S)
    if count is None or not count.is_integer():
        raise UnreadableRowError(
            "row_no_frames", column="frame_count", value=excerpt(fields.raw("frame_count"))
        )
    if exposure is None:
        raise UnreadableRowError(
            "row_no_duration", column="exposure_time", value=excerpt(fields.raw("exposure_time"))
        )
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
