"""What a person had on an asset that another one replaced in the catalogue, as a value.

A picture that is edited again and imported again has another asset: the block and the tags follow by
themselves, for the catalogue knows them. A person's own words do not. They are remembered when the link
changes, offered, and carried over or left by a person's decision only. How they are planned stands in
``core.plan.carried``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from reconciler.core.fields import BY_NAME, VALUE_FIELDS, VALUE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.core.asset import Coordinates
    from reconciler.core.reasons import Reason

CarryState = Literal[
    "offered",  # nobody has decided
    "wanted",  # a person wants it: the next pass over the image carries it over
    "carried",  # it was
    "dismissed",  # a person does not want it, or took it back
    "empty",  # there is nothing to carry over, as far as that could be found out
]
CarrySource = Literal["asset", "memory"]
"""``asset``: read from the replaced asset; ``memory``: Immich did not show it any more, and it is what this
program knew of it: the journal, and what it had applied."""


@dataclass(frozen=True, slots=True)
class Album:
    """An album that an asset is in."""

    album_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Belongings:
    """What an asset has beside its fields. ``None``: not known."""

    favorite: bool | None = None
    albums: tuple[Album, ...] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A person's values of a replaced asset: nothing that this program wrote."""

    prose: str = ""
    tags: frozenset[str] = frozenset()
    coordinates: Coordinates | None = None
    taken_at: datetime | None = None
    favorite: bool = False
    albums: tuple[Album, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return self == Kept()

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {
            "prose": self.prose,
            "tags": sorted(self.tags),
            **{one.name: one.to_json(one.of(self)) for one in VALUE_FIELDS},
            "favorite": self.favorite,
            "albums": [[one.album_id, one.name] for one in self.albums],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Kept:
        """Return what ``to_json`` made."""
        values: dict[str, Any] = {name: BY_NAME[name].read(kept.get(name)) for name in VALUE_NAMES}
        return cls(
            prose=str(kept.get("prose") or ""),
            tags=frozenset(kept.get("tags") or ()),
            favorite=bool(kept.get("favorite")),
            albums=tuple(Album(str(one[0]), str(one[1])) for one in kept.get("albums") or ()),
            **values,
        )


@dataclass(frozen=True, slots=True)
class CarryOver:
    """What is offered to an asset from the one that it replaced. The key is both assets."""

    from_asset: str
    to_asset: str
    image_id: int
    title: str
    """As the replaced asset's image was called."""
    at: datetime
    """When it was noticed."""
    source: CarrySource
    kept: Kept = field(default_factory=Kept)
    was_trashed: bool = False
    """Whether the replaced asset was in the trash when it was read."""
    unknown: tuple[Reason, ...] = ()
    """What could not be found out."""
    state: CarryState = "offered"
    by: str = ""
    """Who decided: over which face (``page``, ``cli``, ``api``), or the user's name."""
    decided_at: datetime | None = None
    run_id: str = ""
    """Of the run that carried it over."""
    left: tuple[Reason, ...] = ()
    """What was not carried over, and why."""
