"""Reads what belongs to single images: their sub-exposures, and the equipment of some."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.bounded import read_rows
from reconciler.errors import CatalogueError
from reconciler.skymmich.rest.client import MOST_OF_ONE, MissingError, RefusedError
from reconciler.skymmich.rest.shapes import ODD, answered
from reconciler.skymmich.tables import ACQUISITIONS, EQUIPMENT

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reconciler.skymmich.rest.client import Client
    from reconciler.skymmich.rest.shapes import Answered

_FEW: Final = 3
_SHARE: Final = 0.05
"""So many images whose details Skymmich fails at, and this share of those that were asked for, are no odd
images any more: then Skymmich is not well."""


@dataclass(frozen=True, slots=True)
class Details:
    """What belongs to an image."""

    acquisitions: tuple[Answered, ...] | None
    """``None``: this Skymmich has no such thing."""
    equipment: frozenset[int] | None = None
    """Ids; ``None``: it was not asked for."""


async def read_details(
    client: Client, image_ids: Sequence[int], *, equipment_of: Collection[int]
) -> dict[int, Details | None]:
    """Read what belongs to images, a few calls at a time.

    Args:
        client: asks.
        image_ids: whose sub-exposures are read.
        equipment_of: of those, whose equipment is read as well.

    Returns:
        by image; ``None``: Skymmich failed at this one. One that is gone is missing.

    Raises:
        CatalogueError: Skymmich failed at many, or an answer is none.
    """
    found: dict[int, Details | None] = {}

    async def one(image_id: int) -> None:
        try:
            equipment = None
            if image_id in equipment_of:
                equipment = await _equipment(client, image_id)
            found[image_id] = Details(await _acquisitions(client, image_id), equipment)
        except RefusedError:
            found[image_id] = None
        except MissingError:
            pass  # it was deleted a moment ago: the next list says so

    try:
        async with asyncio.TaskGroup() as group:
            for image_id in image_ids:
                group.create_task(one(image_id))
    except BaseExceptionGroup as group:
        raise _first(group) from group
    failed = sum(details is None for details in found.values())
    if failed > _FEW and failed > _SHARE * len(image_ids):
        raise CatalogueError(
            f"Skymmich at {client.address} failed at what belongs to {failed} of {len(image_ids)} images.",
            remedy="Look into Skymmich's log. What was read before stays.",
            again="by_itself",
        )
    read = [details for details in found.values() if details is not None]
    if len({details.acquisitions is None for details in read}) > 1:
        raise client.unusable("/api/images/:id/acquisitions", "is there for some images alone")
    return found


def lacking(rows: Sequence[Answered], columns: Collection[str]) -> list[dict[str, object]]:
    """Return rows with ``ODD`` in the columns that others had before: unknown, and not empty."""
    return [
        {"id": row.row_id, **{name: row.values.get(name, ODD) for name in columns if name != "id"}}
        for row in rows
    ]


async def _equipment(client: Client, image_id: int) -> frozenset[int]:
    route = f"/api/images/{image_id}/equipment"
    body = await client.get(route, most=MOST_OF_ONE)
    with client.understanding(route):
        return frozenset(row.row_id for row in answered(read_rows(body), EQUIPMENT))


async def _acquisitions(client: Client, image_id: int) -> tuple[Answered, ...] | None:
    route = f"/api/images/{image_id}/acquisitions"
    try:
        body = await client.get(route, most=MOST_OF_ONE)
    except MissingError:
        return None
    with client.understanding(route):
        rows = tuple(answered(read_rows(body), ACQUISITIONS))
    if any(row.values["image_id"] != image_id for row in rows):
        raise client.unusable(route, "is about another image")
    return rows


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error that is none of a group."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
