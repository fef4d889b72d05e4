"""What a person had on an asset that another one replaced in the catalogue, as a value.

A picture that is edited again and imported again has another asset: the block and the tags follow by
themselves, for the catalogue knows them. A person's own words do not. They are remembered when the link
changes, offered, and carried over or left by a person's decision only. How they are planned stands in
``core.plan.carried``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.asset import Coordinates
    from reconciler.core.belongings import Album
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
