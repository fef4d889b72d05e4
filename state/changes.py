"""Which assets' rows were written to since when: what lets a reader go on from what it read before.

Each transaction that writes to them gives the store another mark, in the same commit. This process remembers
which assets each of its own marks stands for; of a mark that it does not know, another process's, it says
that anything may have changed.
"""

from __future__ import annotations

import json
import secrets
import threading
from typing import TYPE_CHECKING, Final

from reconciler.core.store_keys import ASSETS_MARK
from state.statements import VALUE, raw, upsert
from state.tables import META

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from state.backend import Backend

_MOST: Final = 25_000
"""Asset ids that are remembered: what was written long ago is asked for by nobody."""


class Changes:
    """What this process wrote, by mark. Threads may share it."""

    def __init__(self) -> None:
        self._chain: list[tuple[str, str, frozenset[str]]] = []
        """The mark before, the mark after, and the assets between."""
        self._size = 0
        self._turn = threading.Lock()

    def touch(self, connection: Connection, asset_ids: Iterable[str]) -> None:
        """Give the store another mark, within the transaction that writes to these assets."""
        before, after = mark(connection), secrets.token_hex(8)
        upsert(connection, META, [{"key": ASSETS_MARK.name, "value": after}])
        ids = frozenset(asset_ids)
        with self._turn:
            # What is rolled back leaves a link that no mark leads to.
            while self._chain and self._chain[-1][1] != before:
                self._size -= len(self._chain.pop()[2])
            self._chain.append((before, after, ids))
            self._size += len(ids)
            while self._size > _MOST:
                self._size -= len(self._chain.pop(0)[2])

    def since(self, connection: Connection, known: object) -> tuple[str, frozenset[str] | None]:
        """Return the present mark, and which assets were written to since; ``None``: it is not known."""
        now = mark(connection)
        if now == known:
            return now, frozenset()
        found: set[str] = set()
        at = now
        with self._turn:
            for before, after, ids in reversed(self._chain):
                if after != at:
                    continue
                found |= ids
                if before == known:
                    return now, frozenset(found)
                at = before
        return now, None


def mark(connection: Connection) -> str:
    """Return the present mark; empty before the first."""
    return _decoded(raw(connection, VALUE, (ASSETS_MARK.name,)).scalar())


def forget_mark(connection: Connection) -> None:
    """Give the store a mark that nobody knows: anything may have changed."""
    upsert(connection, META, [{"key": ASSETS_MARK.name, "value": secrets.token_hex(8)}])


def last_mark(database: Backend) -> str:
    """Return the present mark, without a connection of one's own."""
    return _decoded(database.single(VALUE, ASSETS_MARK.name))


def _decoded(found: object) -> str:
    return "" if found is None else str(json.loads(str(found)))
