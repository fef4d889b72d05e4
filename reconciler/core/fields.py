"""The fields that are one value, in one table: how each is compared, kept as JSON, and what switches it.

A description is a text with two owners, tags are a set; a value is there, another, or not there. Whatever
handles all values alike (merge, journal, verification, undo, the store) goes through ``VALUE_FIELDS`` and
the attribute of the field's name: a new one is a row here, its place in the values of ``core.asset`` and
``core.records``, and what the adapters and the store do with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

from reconciler.core.asset import Coordinates
from reconciler.core.desired.coordinates import near_a_zero_line, same_place
from reconciler.core.desired.dates import night_of, same_moment
from reconciler.core.fingerprint import place
from reconciler.core.reasons import Reason, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.desired.desired import Desired
    from reconciler.core.policy import MergePolicy, OnDrift, Switches

_Holder = TypeVar("_Holder")

Value = Coordinates | datetime
"""Any field's value."""
ValueName = Literal["coordinates", "taken_at"]
"""The names of the fields that are one value: the attribute in everything that holds it."""


@dataclass(frozen=True, slots=True)
class ValueField:
    """One row of the table."""

    name: ValueName
    feature: str
    """What a missing permission costs is told by this name: see ``ports.FeatureLoss``."""
    is_on: Callable[[Switches], bool]
    on_drift: Callable[[MergePolicy], OnDrift]
    is_same: Callable[[Any, Any], bool]
    plain: Callable[[Any], object]
    """As JSON: for the journal, the store and digests."""
    text: Callable[[Any], str]
    """For people, the same in every language."""
    read: Callable[[object], Value | None]
    """From JSON; what is none is ``None``."""
    cannot_clear: Reason
    """Why it stays though nothing is wanted: Immich takes no value away."""
    none_before: Reason
    """Why an undo leaves it: there was none before."""
    doubt: Callable[[Any], Reason | None] = lambda _: None
    """What a person should know before it is written."""
    nobodys: Callable[[ObservedAsset, Desired], Reason | None] = lambda _seen, _wanted: None
    """Why what Immich shows is nobody's word, though it was not written from here."""
    settled: Callable[[Any, ObservedAsset, Desired], Any] = lambda wanted, _seen, _wanted: wanted
    """What is wanted, seen beside what is there: less exactly known, it may be that."""
    must_be_known: Reason | None = None
    """Why it is left alone where Immich does not tell it; ``None``: then there is none."""

    def of(self, holder: object) -> Value | None:
        """Return its value in an asset, a plan, a record, or whatever else has it."""
        return cast("Value | None", getattr(holder, self.name))

    def same(self, one: Value | None, other: Value | None) -> bool:
        """Return whether two values are the same to Immich; absent equals absent."""
        return one is other if one is None or other is None else self.is_same(one, other)

    def to_json(self, value: Value | None) -> object:
        """Return a value as JSON, ``None`` for none."""
        return None if value is None else self.plain(value)


def read_place(value: object) -> Coordinates | None:
    """Read a pair of degrees as JSON has it; anything else is none."""
    if isinstance(value, list) and len(value) == 2:
        return Coordinates(float(value[0]), float(value[1]))
    return None


COORDINATES: Final = ValueField(
    name="coordinates",
    feature="coordinates",
    is_on=lambda switches: switches.coordinates,
    on_drift=lambda policy: policy.on_drift_coordinates,
    is_same=same_place,
    plain=place,
    text=lambda value: f"{value.latitude:.6f}, {value.longitude:.6f}",
    read=read_place,
    cannot_clear=reason("cannot_clear"),
    none_before=reason("no_place_before"),
    doubt=lambda value: reason("near_zero_line") if near_a_zero_line(value) else None,
    nobodys=lambda seen, wanted: (
        reason("coarser") if wanted.exact_place and same_place(seen.coordinates, wanted.exact_place) else None
    ),
)


def read_moment(value: object) -> datetime | None:
    """Read a moment with its offset as JSON has it; anything else is none."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read if read is not None and read.tzinfo is not None else None


TAKEN_AT: Final = ValueField(
    name="taken_at",
    feature="coordinates",  # the same permission: asset.update
    is_on=lambda switches: switches.dates,
    on_drift=lambda policy: policy.on_drift_taken_at,
    is_same=same_moment,
    plain=datetime.isoformat,
    text=lambda value: f"{value:%Y-%m-%d %H:%M:%S} {value:%z}",
    read=read_moment,
    cannot_clear=reason("date_stays"),
    none_before=reason("date_stays"),
    nobodys=lambda seen, _: reason("date_of_file") if seen.date_is_files else None,
    settled=lambda wanted, seen, desired: night_of(wanted, seen) if desired.is_of_night else wanted,
    must_be_known=reason("date_not_told"),
)

VALUE_FIELDS: Final[tuple[ValueField, ...]] = (COORDINATES, TAKEN_AT)
"""In the order in which they are told."""
BY_NAME: Final[Mapping[str, ValueField]] = {one.name: one for one in VALUE_FIELDS}
VALUE_NAMES: Final[tuple[ValueName, ...]] = tuple(one.name for one in VALUE_FIELDS)


def values_of(holder: object) -> tuple[Value | None, ...]:
    """Return all values of something that has them, in the order of the table."""
    return tuple(one.of(holder) for one in VALUE_FIELDS)


def with_values(holder: _Holder, values: Mapping[ValueName, Value | None]) -> _Holder:
    """Return what holds values with these in their places."""
    one: Any = holder  # a type checker cannot tell that these are attributes of it
    changed: Any = values
    return cast("_Holder", replace(one, **changed))


def text_of(value: Value) -> str:
    """Return any value for people."""
    return COORDINATES.text(value) if isinstance(value, Coordinates) else TAKEN_AT.text(value)


def plain(value: object) -> object:
    """Return a field's value as JSON; what is none of these values as it is."""
    if isinstance(value, Coordinates):
        return place(value)
    return value.isoformat() if isinstance(value, datetime) else value
