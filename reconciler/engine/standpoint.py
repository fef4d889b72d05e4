"""Where a store stands towards the records in Immich: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from reconciler.core.store_keys import AnotherForm
from reconciler.errors import AnotherInstanceError

if TYPE_CHECKING:
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
    """When it wrote the newest of its records that were looked at, by Immich's clock."""
    host: str = ""
    """The name of its host; empty: not known."""

    def to_json(self) -> AnotherForm:
        """Return it as the store keeps it."""
        return AnotherForm(
            instance=self.instance,
            host=self.host,
            since=self.since.isoformat(),
            seen_at=self.seen_at.isoformat(),
        )

    @classmethod
    def from_json(cls, form: AnotherForm) -> Another:
        """Return it from what ``to_json`` made."""
        since, seen_at = (datetime.fromisoformat(at) for at in (form["since"], form["seen_at"]))
        return cls(form["instance"], since, seen_at, form["host"])

    def error(self) -> AnotherInstanceError:
        """Return why nothing is written."""
        return AnotherInstanceError(self.instance, self.since, self.seen_at, self.host)


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

    def is_older_copy_than(self, writer: Owner) -> bool:
        """Return whether this is an older copy of its store, and the newer one wrote a record of it.

        What this one wrote since, while it takes up the records, bears a higher number than it found then.
        """
        former = self.former
        if self.floor is None or former is None or former.instance != writer.instance:
            return False
        return writer.generation <= former.generation


@dataclass(slots=True)
class Taken:
    """What was found, and taken up."""

    standpoint: Standpoint
    adopted: int = 0
    """Assets whose record was taken up."""
    tags: int = 0
    """Tags that are owned by it."""
    recognised: int = 0
    """Assets without a record whose block is ours by its markers."""
    offered_blocks: int = 0
    """Blocks between our markers with lines that may be a person's: as the tags below."""
    offered: int = 0
    """Tags under our root that may be ours: taken up only if a person says so."""
    odd: int = 0
    """Records that could not be understood."""
    missed: int = 0
    """Assets that could not be read, so that it is not known whether they have one."""
    outlived: list[str] = field(default_factory=list)
    """Assets with a write on its way in an older copy of the store: it has long arrived."""
    met: Another | None = None
    """Another instance that lives, and whose record was found on an asset."""

    @property
    def another(self) -> Another | None:
        """Another instance that keeps this library: nothing is written then."""
        return self.standpoint.another or self.met

    @property
    def news(self) -> bool:
        """Whether a pass has something of it to keep."""
        point = self.standpoint
        return bool(self.adopted or self.recognised or point.floor is not None or point.wishes)
