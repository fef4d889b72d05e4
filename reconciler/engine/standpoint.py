"""Where a store stands towards the records in Immich: values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from reconciler.errors import AnotherInstanceError

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.ownership import Owner

Mode = Literal["known", "traces", "all"]
"""Of which assets the records are read: of none that the store knows; of those that bear traces of this
program and that the store does not know; of all."""
Wish = Literal["take_over", "offered"]
"""What a person wants: to take the place of another instance; to own the tags under our root, too."""


@dataclass(frozen=True, slots=True)
class Another:
    """Another instance that keeps this library."""

    instance: str
    since: datetime
    seen_at: datetime
    """When it last wrote its sentinels, by Immich's clock."""

    def error(self) -> AnotherInstanceError:
        """Return why nothing is written."""
        return AnotherInstanceError(self.instance, self.since, self.seen_at)


@dataclass(frozen=True, slots=True)
class Former:
    """An instance whose place is taken, and its last number: a higher one is a sign of life."""

    instance: str
    generation: int


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Where this store stands towards the records in Immich."""

    owner: Owner
    """Who it will be once a pass is carried out."""
    floor: int | None
    """The number above which records are still to be taken up; ``None``: all were."""
    mode: Mode = "known"
    former: Former | None = None
    """Whose place this store takes, or took."""
    another: Another | None = None
    wishes: frozenset[Wish] = frozenset()
    notes: bool = True
    """Whether the server keeps records at all."""
