"""Which store a daemon works with, told in a way that says nothing else: for a command that asks it.

Several installations may be on one machine, and a daemon's port says nothing of its store. The mark is the
file's identity, hashed: it names neither a folder nor a user, so that a stranger may see it, too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from state.database import identity

if TYPE_CHECKING:
    from pathlib import Path


def store_mark(path: Path) -> str:
    """Return the mark of the store's file; empty: there is none, or it cannot be looked at."""
    found = identity(path)
    if found is None:
        return ""
    return hashlib.sha256(f"skymmich-reconciler store {found[0]}:{found[1]}".encode()).hexdigest()[:32]
