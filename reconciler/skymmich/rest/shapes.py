"""Understands the rows of Skymmich's answers, and turns them into those of its database.

Strict about kinds: a value of another kind than Skymmich's is kept as ``ODD``, which the reader of rows
finds unreadable, so what Immich shows of it stays. A key that no row of an answer has is a column that is
not there; rows of one answer that differ in their keys are half an answer, and none.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from reconciler.bounded import CutShortError, read_rows
from reconciler.skymmich.tables import (
    ACQUISITIONS,
    EQUIPMENT,
    IMAGES,
    LOCATIONS,
    OBJECTS,
    SOLVES,
    WITHOUT_ANSWER,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.skymmich.tables import Table

Text = StrictStr | None
Number = StrictInt | StrictFloat | None

ODD: Final = b"of another kind"
"""In the place of a value that is not of Skymmich's kind: no column of its database holds bytes."""
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _Shape(BaseModel):
    """What an answer's row says; more than that is not looked at."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", hide_input_in_errors=True)

    id: StrictInt


class ImageShape(_Shape):
    """``/api/images``."""

    immich_id: Text
    title: Text = None
    filename: Text = None
    description: Text = None
    capture_date: Text = None
    tags: Any = None  # nothing validates them in Skymmich either
    object_type: Text = None
    constellation: Text = None
    target_name: Text = None
    plate_solved: StrictBool | None = None
    ra: Text = None
    dec: Text = None
    field_of_view: Text = None
    rotation: Number = None
    latitude: Number = None
    longitude: Number = None
    telescope: Text = None
    camera: Text = None
    mount: Text = None
    filters: Text = None
    focal_length: Number = None
    aperture: Text = None
    iso: Number = None
    exposure_time: Text = None
    frame_count: Number = None
    original_path: Text = None
    total_integration_hours: Annotated[Number, Field(alias="totalIntegration")] = None


class EquipmentShape(_Shape):
    """``/api/equipment``, and ``/api/images/:id/equipment``."""

    name: Text
    type: Text = None
    specifications: Any = None


class AcquisitionShape(_Shape):
    """``/api/images/:id/acquisitions``."""

    image_id: StrictInt
    frame_count: Number
    exposure_time: Number
    filter_id: StrictInt | None = None
    filter_name: Text = None
    gain: Number = None
    offset: Number = None
    binning: Text = None
    sensor_temp: Number = None
    date: Text = None


class SolveShape(_Shape):
    """``/api/plate-solving/jobs``."""

    image_id: StrictInt | None
    status: Text
    result: Any
    submitted_at: Text = None
    completed_at: Text = None


class LocationShape(_Shape):
    """``/api/locations``."""

    name: Text
    latitude: Number
    longitude: Number


class ObjectShape(_Shape):
    """``/api/catalog/browse``."""

    name: Text
    type: Text = None
    messier: Text = None
    common_names: Text = None
    constellation: Text = None
    ra_deg: Number = None
    dec_deg: Number = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A table, and what its rows look like in an answer."""

    table: Table
    model: type[_Shape]

    def keys(self) -> dict[str, str]:
        """Return the answer's key of each column that is read."""
        names = self.table.required + self.table.optional
        return {name: self.model.model_fields[name].alias or name for name in names}


SHAPES: Final = {
    IMAGES: Shape(IMAGES, ImageShape),
    EQUIPMENT: Shape(EQUIPMENT, EquipmentShape),
    ACQUISITIONS: Shape(ACQUISITIONS, AcquisitionShape),
    SOLVES: Shape(SOLVES, SolveShape),
    LOCATIONS: Shape(LOCATIONS, LocationShape),
    OBJECTS: Shape(OBJECTS, ObjectShape),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A row of an answer, as the database would have it."""

    row_id: int
    digest: bytes
    """Of all that the answer says of it, what is not read here too."""
    values: dict[str, object]
    """By column; a column is absent whose key was not there."""
    updated_at: str = ""

    def columns(self) -> tuple[str, ...]:
        """Return the columns that the answer has."""
        return tuple({"id": None, **self.values})


def answered(rows: Iterable[tuple[str, object]], table: Table) -> Iterator[Answered]:
    """Yield the rows of an answer that is a list.

    Args:
        rows: each with its text, as ``bounded.read_rows`` yields them.
        table: what they are rows of.

    Raises:
        BoundError: it is beyond its bounds.
        CutShortError: it is no list of such rows, or its rows are not all alike.
    """
    shape = SHAPES[table]
    keys = shape.keys()
    first: frozenset[str] | None = None
    for text, value in rows:
        if not isinstance(value, dict):
            raise CutShortError("has something in its list that is no row")
        if first is None:
            first = frozenset(value)
        elif first != value.keys():
            raise CutShortError("has rows of which some lack what others have")
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        yield _understood(value, shape, keys, digest)


def ids(body: bytes) -> list[int]:
    """Return the ids of an answer's rows alone.

    Raises:
        BoundError: it is beyond its bounds.
        CutShortError: it is no list of rows with ids.
    """
    found = []
    for _, value in read_rows(body):
        row_id = value.get("id") if isinstance(value, dict) else None
        if not isinstance(row_id, int) or isinstance(row_id, bool):
            raise CutShortError("has a row without an id")
        found.append(row_id)
    return found


def is_read(row: Answered) -> bool:
    """Return whether a solver's job has an answer to be read, as ``tables.SOLVES.where`` asks it."""
    return row.values.get("status") not in WITHOUT_ANSWER


def _understood(value: dict[str, object], shape: Shape, keys: Mapping[str, str], digest: bytes) -> Answered:
    odd: set[str] = set()
    try:
        shape.model.model_validate(value)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_context=False, include_input=False):
            key = str(details["loc"][0]) if details["loc"] else "id"
            if details["type"] == "missing" or key == "id":
                raise CutShortError(f"has a row without a usable “{key}”") from error
            odd.add(key)
    row = {
        name: ODD if key in odd else stored(value[key], json_too=key in _AS_JSON)
        for name, key in keys.items()
        if key in value
    }
    updated = value.get("updatedAt")
    row_id = cast("int", value["id"])  # the model says so
    return Answered(row_id, digest, row, updated if isinstance(updated, str) else "")


_AS_JSON: Final = frozenset({"tags", "specifications", "result"})


def stored(value: object, *, json_too: bool) -> object:
    """Return a value as SQLite keeps it: JSON as text, half characters replaced."""
    if value is None or isinstance(value, bool | float):
        return value
    if json_too:
        return _LONE_SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False))
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else float(value)
    if isinstance(value, str):
        return value if value.isascii() else _LONE_SURROGATE.sub("\ufffd", value)
    return ODD
