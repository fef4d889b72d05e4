"""Whose facts could not be read: what stands in rows that belong to an image, but not in its own.

A row that cannot be read costs the image it belongs to. Where it cannot be told which image that is, it costs
none, unless so many rows are like that that the column itself has become another one: then it costs all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import WHOLE_TABLE, RowProblem
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Table

_FEW: Final = 3
_SHARE: Final = 0.05
"""So many rows of a table without a readable owner, and this share of it, are no rows gone wrong any more."""


@dataclass(slots=True)
class Doubts:
    """What could not be read, as ``table.column`` (see ``core.unknown``)."""

    of_image: dict[int, set[str]] = field(default_factory=dict)
    of_equipment: dict[int, set[str]] = field(default_factory=dict)
    of_object: dict[str, set[str]] = field(default_factory=dict)
    """By the object's name."""
    everywhere: set[str] = field(default_factory=set)
    nameless: set[str] = field(default_factory=set)
    """Tables with a row of which not even its key could be read: what is not found there may be it."""

    def add(self, image_id: int, what: str) -> None:
        """Note what is unknown of an image."""
        self.of_image.setdefault(image_id, set()).add(what)

    def owned(self, what: str) -> Callable[[Fields], None]:
        """Return what takes note of rows that were not read whole, in a table whose rows belong to images.

        Args:
            what: the ``table.column`` that stands for all of the table.
        """

        def note(fields: Fields) -> None:
            owner = fields.raw("image_id")
            if isinstance(owner, int) and not isinstance(owner, bool):
                self.add(owner, what)

        return note

    def lost(self, what: str, rows: int, stray: int) -> None:
        """Take note of rows that belong to images without telling to which.

        Args:
            what: the ``table.column`` that stands for all of the table.
            rows: how many it has.
            stray: how many of them are like that.
        """
        if stray >= _FEW and stray > _SHARE * rows:
            self.everywhere.add(what)

    def of_others(self) -> Doubts:
        """Return the same of all that belongs to no image, for a slice of them."""
        return replace(self, of_image={})

    def refer(self, table: Table, column: str, target: Table) -> RowProblem:
        """Doubt a table of which no row refers to anything that is there."""
        self.everywhere.add(f"{table.name}.{column}")
        why = reason("row_refers_to_nothing", column=column, target=target.name)
        return RowProblem(table.name, WHOLE_TABLE, why, "warning")


def refers_to_nothing(named: AbstractSet[object], there: AbstractSet[object]) -> bool:
    """Return whether a table goes by another key now: nothing that its rows refer to is there.

    A few rows may well refer to nothing: SQLite keeps links to deleted equipment.

    Args:
        named: to what they refer.
        there: the keys that there are.
    """
    return len(named) >= _FEW and named.isdisjoint(there)
