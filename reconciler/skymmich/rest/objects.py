"""Reads Skymmich's own table of objects, which changes a few times a year: page by page, and only then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.skymmich.rest.client import MissingError, RefusedError
from reconciler.skymmich.rest.shapes import answered
from reconciler.skymmich.tables import OBJECTS

if TYPE_CHECKING:
    from reconciler.skymmich.rest.client import Client
    from reconciler.skymmich.rest.shapes import Answered

_PAGE: Final = 2_000
_MOST_PAGES: Final = 50
_STATUS: Final = "/api/catalog/status"


@dataclass(frozen=True, slots=True)
class Objects:
    """What was read."""

    state: str
    """By which it is known again."""
    rows: list[Answered] | None = None
    """``None``: they are as they were before."""
    absent: bool = False
    """Whether there is no such table."""


async def read_objects(client: Client, known: str) -> Objects:
    """Read the objects, unless they are still in a known state.

    Where Skymmich fails at it, they stay as they were.

    Raises:
        CatalogueError: an answer is none.
    """
    try:
        status = await client.json(_STATUS)
        state = json.dumps(status, sort_keys=True)
        if state == known:
            return Objects(state)
        return Objects(state, await _pages(client))
    except MissingError:
        return Objects("absent", absent=True)
    except RefusedError:
        return Objects(known, absent=not known or known == "absent")


async def _pages(client: Client) -> list[Answered]:
    found: dict[int, Answered] = {}
    total = 1.0
    page = 0
    while len(found) < total and page < _MOST_PAGES:
        page += 1
        route = f"/api/catalog/browse?limit={_PAGE}&page={page}"
        answer = await client.json(route)
        items = answer.get("items") if isinstance(answer, dict) else None
        count = answer.get("total") if isinstance(answer, dict) else None
        if not isinstance(items, list) or not isinstance(count, int):
            raise client.unusable(route, "has no items, or no total")
        total = count
        if not items:
            break
        with client.understanding(route):
            rows = answered(((json.dumps(item, sort_keys=True), item) for item in items), OBJECTS)
            found |= {row.row_id: row for row in rows}
    if len(found) != total:
        raise client.unusable("/api/catalog/browse", f"has {len(found)} of {total:.0f} objects")
    return list(found.values())
