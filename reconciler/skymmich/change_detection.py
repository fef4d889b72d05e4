"""Notices that Skymmich's SQLite file changed, without reading it.

A hint, not a promise: a pass compares states anyway. In delete mode SQLite's own change counter is asked
over a connection that is kept open without a transaction (so it holds no lock); in WAL mode a connection
would hold one and could leave files behind, and the ``-wal`` file's size and time tell as much.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from reconciler.errors import CatalogueError
from reconciler.skymmich.files import FILE_LOCK, is_wal, signature

if TYPE_CHECKING:
    from pathlib import Path

_UNSEEN = object()


class ChangeProbe:
    """Tells whether the database changed since it was last asked; recovers when the file is replaced.

    Args:
        path: the database; it may come into being later.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._counted: int | None = None
        self._last: object = _UNSEEN

    def changed(self) -> bool:
        """Return whether anything changed since the last call; the first call says yes."""
        token = self.token()
        changed = token != self._last
        self._last = token
        return changed

    def token(self) -> object:
        """Return a value that differs once the database changed; ``None`` while it cannot be read."""
        with FILE_LOCK:
            try:
                seen = signature(self._path)
                if seen[0] is None or is_wal(self._path):
                    self.close()
                    self._counted = None
                else:
                    self._counted = self._count(seen[0][0])
            except (OSError, CatalogueError):
                self.close()
                return None
            return seen[:2], self._counted

    def close(self) -> None:
        """Close the connection; the next question opens it again."""
        with FILE_LOCK:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _count(self, inode: int) -> int | None:
        """Ask for the counter, which is good for comparing within one connection only."""
        if self._connection is None or inode != self._inode:
            self.close()
            self._inode = inode
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    f"{self._path.as_uri()}?mode=ro",
                    uri=True,
                    timeout=0,
                    isolation_level=None,
                    check_same_thread=False,
                )
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            # Someone is writing right now: what changed shows at the next question.
            return self._counted
