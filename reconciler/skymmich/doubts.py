"""Whose facts could not be read: what stands in rows that belong to an image, but not in its own.

A row that cannot be read costs the image it belongs to. Where it cannot be told which image that is, it costs
none, unless so many rows are like that that the column itself has become another one: then it costs all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import WHOLE_TABLE, RowProblem
from reconciler.skymmich.tables import ACQUISITIONS, EQUIPMENT, IMAGES, LINKS, SOLVES

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Snapshot

_FEW: Final = 3
_REFERENCES: Final = (
    (LINKS, "image_id", IMAGES),
    (LINKS, "equipment_id", EQUIPMENT),
    (ACQUISITIONS, "image_id", IMAGES),
    (SOLVES, "image_id", IMAGES),
)
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

    def owned(self, what: str, rows: int) -> Callable[[Fields], None]:
        """Give what takes note of rows that were not read whole, in a table whose rows belong to images.

        Args:
            what: the ``table.column`` that stands for all of the table.
            rows: how many it has.
        """
        lost = 0

        def note(fields: Fields) -> None:
            nonlocal lost
            owner = fields.raw("image_id")
            if isinstance(owner, int) and not isinstance(owner, bool):
                self.add(owner, what)
            else:
                lost += 1
                if lost >= _FEW and lost > _SHARE * rows:
                    self.everywhere.add(what)

        return note


def doubt_references(snapshot: Snapshot, doubts: Doubts, problems: list[RowProblem]) -> None:
    """Doubt a table of which no row refers to anything that is there: it goes by another key now.

    A few rows may well refer to nothing: SQLite keeps links to deleted equipment.
    """
    for table, column, target in _REFERENCES:
        named = {row.get(column) for row in snapshot.rows.get(table.name, ())} - {None}
        if len(named) >= _FEW and named.isdisjoint(
            row.get("id") for row in snapshot.rows.get(target.name, ())
        ):
            doubts.everywhere.add(f"{table.name}.{column}")
            reason = f"no {column} of it is one of {target.name}, so what Immich shows of it stays as it is"
            problems.append(RowProblem(table.name, WHOLE_TABLE, reason, "warning"))
