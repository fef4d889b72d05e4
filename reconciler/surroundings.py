"""What this process runs in, as far as advice depends on it: nobody without containers is told of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_SIGNS: Final = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""Files that Docker and Podman make in each of their containers."""


def in_container() -> bool:
    """Return whether this process is in a container of Docker's, Podman's or their like."""
    return any(os.path.exists(sign) for sign in _SIGNS)  # noqa: PTH110  Path.exists raises where it may not look


def owner_of(path: Path) -> int | None:
    """Return the uid that a file belongs to, or the folder where looking for it ends; ``None``: not known."""
    for place in (path, *path.parents):
        try:
            return place.stat().st_uid
        except OSError:
            continue
    return None
