"""What is done once a day with what a store remembers, whoever does it: the daemon or a worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from state.history import Pruned
    from state.store import StateStore

KEPT_RUNS: Final = 1000


def tidy(store: StateStore, now: datetime, journal_days: int) -> Pruned:
    """Forget old history, and tidy up where it was; tells what went. Blocks while it does.

    Args:
        store: open for writing.
        now: aware.
        journal_days: how long journal entries are kept; 0: for ever.

    Raises:
        StateError: the store cannot be written.
    """
    before = now - timedelta(days=journal_days) if journal_days else datetime.min.replace(tzinfo=UTC)
    pruned = store.prune(before, KEPT_RUNS)
    store.optimize()
    return pruned
