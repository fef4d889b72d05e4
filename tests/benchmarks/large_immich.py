"""The simulated Immich, for very many images: the pages of one search are cut from one answer.

The simulator looks through all assets for each page, as nobody may tell what changed between two; for a million
that takes an hour. Here a page after the first is of what the first one found, as on a server with an index.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(
    0, str(Path(__file__).resolve().parents[2])
)  # also runs from a checkout that nothing leads to

from reconciler.simulator.__main__ import main
from reconciler.simulator.server import search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.simulator.server.model import Asset
    from reconciler.simulator.server.state import State


def paged(matching: Callable[[State, Mapping[str, object]], list[Asset]]) -> Callable[..., list[Asset]]:
    """Let a search's later pages be of what its first page found."""
    kept: dict[str, list[Asset]] = {}

    def found(state: State, body: Mapping[str, object]) -> list[Asset]:
        asked = repr(sorted((name, value) for name, value in body.items() if name != "page"))
        if body.get("page", 1) == 1 or asked not in kept:
            kept.clear()
            kept[asked] = matching(state, body)
        return kept[asked]

    return found


if __name__ == "__main__":
    search.matching = paged(search.matching)
    sys.exit(main())
